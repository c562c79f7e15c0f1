//! The same sets given to imagededup and czkawka, at the thresholds they recommend.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Pairs, corpus::Half, edits::EDITS, names, table::Score};

/// How the peers are called, and where they may write.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) python: &'a str,
    pub(super) czkawka: &'a str,
    pub(super) scratch: &'a Path,
}

/// Every file is encoded once; duplicates are looked for in each set by itself.
const IMAGEDEDUP: &str = r"
import sys
from imagededup.methods import PHash, AHash, DHash, WHash, CNN
method, listing = sys.argv[1:]
peer = {'phash': PHash, 'ahash': AHash, 'dhash': DHash, 'whash': WHash, 'cnn': CNN}[method](verbose=False)
sets = [line.rstrip('\n').split('\t') for line in open(listing)]
encoded = {}
for path in sorted({path for paths in sets for path in paths}):
    code = peer.encode_image(image_file=path)
    if code is not None:
        encoded[path] = code[0] if method == 'cnn' else code
for at, paths in enumerate(sets):
    codes = {path: encoded[path] for path in paths if path in encoded}
    found = peer.find_duplicates(encoding_map=codes)
    for a in found:
        for b in found[a]:
            if a < b:
                print(at, a, b, sep='\t')
";

/// Judges one peer on both halves; says why it cannot be.
pub(super) fn scores(
    peer: &str,
    tools: &Tools<'_>,
    halves: &[Half; 2],
) -> Result<[Vec<Score>; 2], String> {
    let judge = |half: &Half| -> Result<Vec<Score>, String> {
        let sets = match peer {
            "czkawka" => czkawka(tools, half)?,
            method => imagededup(method, tools, half)?,
        };
        Ok(sets.iter().enumerate().map(|(edit, pairs)| Score::of(half, edit, pairs)).collect())
    };
    Ok([judge(&halves[0])?, judge(&halves[1])?])
}

fn imagededup(method: &str, tools: &Tools<'_>, half: &Half) -> Result<Vec<Pairs>, String> {
    let listing = tools.scratch.join("sets.tsv");
    let line = |edit: usize| {
        let paths: Vec<String> =
            names(half, edit).into_iter().map(|path| path.display().to_string()).collect();
        paths.join("\t") + "\n"
    };
    fs::write(&listing, (0..EDITS.len()).map(line).collect::<String>()).unwrap();
    let output = Command::new(tools.python)
        .args(["-c", IMAGEDEDUP, method])
        .arg(&listing)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(text.lines().last().unwrap_or("no message").to_owned());
    }
    let mut sets = vec![Pairs::new(); EDITS.len()];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let [at, a, b] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        sets[at.parse::<usize>().unwrap()].push([a, b].map(PathBuf::from));
    }
    Ok(sets)
}

/// Czkawka looks through folders and prints groups; every two of a group count as a pair. It
/// passes over links, so the base pictures are copied once, and remembers what it has hashed.
fn czkawka(tools: &Tools<'_>, half: &Half) -> Result<Vec<Pairs>, String> {
    let base = tools.scratch.join("czkawka-base");
    let found = tools.scratch.join("czkawka.json");
    fs::remove_dir_all(&base).ok(); // It may not be there yet.
    fs::create_dir_all(&base).unwrap();
    for (at, path) in half.base.iter().enumerate() {
        fs::copy(path, base.join(format!("{at}.jpg"))).unwrap();
    }
    let of_edit = |edit: usize| {
        let copies = half.copies[edit][0].1.parent().expect("copies lie in a folder");
        fs::remove_file(&found).ok(); // Nothing is written where nothing is found.
        let output = Command::new(tools.czkawka)
            .args(["image", "--directories"])
            .arg(&base)
            .arg("--directories")
            .arg(copies)
            .args(["--minimal-file-size", "1", "--do-not-print-results"])
            .args(["--ignore-error-code-on-found", "--compact-file-to-save"])
            .arg(&found)
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let place = |path: &Path| -> PathBuf {
            if path.starts_with(&base) {
                let at: usize = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
                return half.base[at].clone();
            }
            copies.join(path.file_name().unwrap())
        };
        Ok(pairs(&fs::read_to_string(&found).unwrap_or_default(), place))
    };
    (0..EDITS.len()).map(of_edit).collect()
}

fn pairs(json: &str, place: impl Fn(&Path) -> PathBuf) -> Pairs {
    let groups: Vec<Vec<serde_json::Value>> = serde_json::from_str(json).unwrap_or_default();
    let mut pairs = Pairs::new();
    for group in groups {
        let paths = group.iter().map(|entry| Path::new(entry["path"].as_str().unwrap()));
        let members: Vec<PathBuf> = paths.map(&place).collect();
        for (at, a) in members.iter().enumerate() {
            pairs.extend(members[at + 1..].iter().map(|b| [a.clone(), b.clone()]));
        }
    }
    pairs
}
