//! How long a fingerprint and a comparison take, decoding left out, on one thread. Each is done
//! several times and the fastest counts, so that other work on the machine counts little.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use snapset::pixels::{
    compare::{self, Comparable},
    decode::{self, Limits},
    fingerprint,
};

const ROUNDS: usize = 5;
const N_PICTURES: usize = 40;

/// Measures on some of the pictures and prints what it found.
pub(super) fn print(pictures: &[PathBuf], shorter_px: u32) {
    let every = (pictures.len() / N_PICTURES).max(1);
    let decoded: Vec<_> = pictures
        .iter()
        .step_by(every)
        .filter_map(|path| {
            decode::decode_at_least(&fs::read(path).unwrap(), Limits::default(), shorter_px).ok()
        })
        .collect();
    let making = decoded.iter().map(|it| fastest(|| fingerprint::fingerprint(it)));
    let per_print = mean(making.collect());

    let prints: Vec<_> = decoded.iter().map(fingerprint::fingerprint).collect();
    let mut comparing = Vec::new();
    for (at, a) in prints.iter().enumerate() {
        let ready = Comparable::new(a);
        for b in &prints[at + 1..] {
            let nearest = a.nearest(b);
            comparing
                .push(fastest(|| compare::compare(&ready, &Comparable::as_hashed(b, nearest))));
        }
    }
    println!(
        "{} pictures: {per_print:.2?} a fingerprint; {} strangers: {:.3?} a comparison",
        prints.len(),
        comparing.len(),
        mean(comparing)
    );
}

fn fastest<T>(work: impl Fn() -> T) -> Duration {
    let once = || {
        let since = Instant::now();
        let made = work();
        let took = since.elapsed();
        drop(made);
        took
    };
    (0..ROUNDS).map(|_| once()).min().expect("several rounds")
}

fn mean(times: Vec<Duration>) -> Duration {
    let n = u32::try_from(times.len().max(1)).expect("few");
    times.into_iter().sum::<Duration>() / n
}
