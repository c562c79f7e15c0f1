use std::{collections::BTreeMap, io::Write as _, time::Instant};

use rayon::prelude::*;

use super::*;
use crate::pixels::{
    decode::{self, Decoded, Limits},
    edits::{Dice, Edit},
    fingerprint, shared_data,
};

fn load(folder: &str) -> Vec<(String, Decoded)> {
    shared_data::files(folder)
        .into_par_iter()
        .filter_map(|(n, b)| decode::decode(&b, Limits::default()).ok().map(|d| (n, d)))
        .collect()
}

#[test]
fn zz_dump() {
    let mut out = std::fs::File::create("/tmp/px_ev.csv").unwrap();
    writeln!(out, "what,a,b,dist,sim").unwrap();
    let mut all: Vec<(String, Decoded)> = vec![];
    for f in ["raccoon_kangaroo", "clothing4_cc0"] {
        all.extend(load(f).into_iter().map(|(n, d)| (format!("{f}/{n}"), d)));
    }
    let t = Instant::now();
    let px: u64 =
        all.iter().map(|(_, d)| u64::from(d.picture.width()) * u64::from(d.picture.height())).sum();
    let prints: Vec<Fingerprint> = all.iter().map(|(_, d)| fingerprint::fingerprint(d)).collect();
    eprintln!("fingerprints: {} px {px} in {:?}", prints.len(), t.elapsed());
    let line = |what: &str, a: &str, b: &str, pa: &Fingerprint, pb: &Fingerprint| {
        let n = pa.nearest(pb);
        let e = compare::compare(&Comparable::new(pa), &Comparable::as_hashed(pb, n.hash));
        format!("{what},{a},{b},{},{}\n", n.distance.0, e.0)
    };
    let max = 104;
    let t = Instant::now();
    let cand: Vec<(usize, usize)> = (0..prints.len())
        .into_par_iter()
        .flat_map_iter(|i| (i + 1..prints.len()).map(move |j| (i, j)))
        .filter(|&(i, j)| prints[i].distance(&prints[j]).0 <= max)
        .collect();
    eprintln!("search: {:?}, candidates {}", t.elapsed(), cand.len());
    let t = Instant::now();
    let lines: Vec<String> = cand
        .par_iter()
        .map(|&(i, j)| line("pair", &all[i].0, &all[j].0, &prints[i], &prints[j]))
        .collect();
    eprintln!("compare: {:?} for {}", t.elapsed(), cand.len());
    for l in lines {
        out.write_all(l.as_bytes()).unwrap()
    }
    let edits = [
        Edit::Jpeg(40),
        Edit::Jpeg(60),
        Edit::Jpeg(90),
        Edit::Resize(40),
        Edit::Resize(80),
        Edit::Crop(2),
        Edit::Crop(5),
        Edit::Crop(10),
        Edit::Mark(3),
        Edit::Mark(6),
        Edit::Brightness(20),
        Edit::Brightness(-20),
        Edit::Contrast(80),
        Edit::Contrast(120),
        Edit::Mirror,
        Edit::Frame(6),
        Edit::Chain(4),
    ];
    let chosen: Vec<usize> = (0..all.len()).step_by(6).collect();
    let jobs: Vec<(usize, Edit)> =
        chosen.iter().flat_map(|i| edits.iter().map(move |e| (*i, *e))).collect();
    let edited: Vec<(usize, Edit, Fingerprint)> = jobs
        .par_iter()
        .map(|&(i, e)| {
            let p = e.apply(&all[i].1.picture, &mut Dice(i as u64 * 7 + 1));
            (i, e, fingerprint::fingerprint(&Decoded { picture: p, format: "JPEG" }))
        })
        .collect();
    let lines: Vec<String> = edited
        .par_iter()
        .map(|(i, e, p)| {
            let name = format!("{e:?}");
            let (a, b) = if i % 2 == 0 { (&prints[*i], p) } else { (p, &prints[*i]) };
            line(&name, &all[*i].0, "", a, b)
        })
        .collect();
    for l in lines {
        out.write_all(l.as_bytes()).unwrap()
    }
    // false candidates between edits and other originals
    let lines: Vec<String> = edited
        .par_iter()
        .flat_map_iter(|(i, e, p)| {
            let (prints, all) = (&prints, &all);
            (0..prints.len()).filter(move |j| j != i && p.distance(&prints[*j]).0 <= max).map(
                move |j| line("cross", &format!("{}:{e:?}", all[*i].0), &all[j].0, p, &prints[j]),
            )
        })
        .collect();
    for l in lines {
        out.write_all(l.as_bytes()).unwrap()
    }
}

#[test]
fn zz_demo() {
    let all: Vec<(String, Decoded)> = {
        let mut v: Vec<_> =
            std::fs::read_dir("/tmp/px_demo_pics").unwrap().map(|e| e.unwrap().path()).collect();
        v.sort();
        v.into_par_iter()
            .map(|p| {
                (
                    p.file_name().unwrap().to_str().unwrap().to_owned(),
                    decode::decode(&std::fs::read(&p).unwrap(), Limits::default()).unwrap(),
                )
            })
            .collect()
    };
    let px: u64 =
        all.iter().map(|(_, d)| u64::from(d.picture.width()) * u64::from(d.picture.height())).sum();
    let t = Instant::now();
    let prints: Vec<Fingerprint> = all.iter().map(|(_, d)| fingerprint::fingerprint(d)).collect();
    eprintln!("fingerprints: {} px {px} in {:?}", prints.len(), t.elapsed());
    let mut out = std::fs::File::create("/tmp/px_demo.csv").unwrap();
    for i in 0..all.len() {
        for j in i + 1..all.len() {
            let n = prints[i].nearest(&prints[j]);
            let same = all[i].0.split('.').next() == all[j].0.split('.').next();
            if n.distance.0 > 90 && !same {
                continue;
            }
            let s = compare::compare(
                &Comparable::new(&prints[i]),
                &Comparable::as_hashed(&prints[j], n.hash),
            );
            writeln!(out, "{same},{},{},{},{}", all[i].0, all[j].0, n.distance.0, s.0).unwrap();
        }
    }
}
