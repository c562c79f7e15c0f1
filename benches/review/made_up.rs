//! A made-up dataset: drawn pictures on disk and a store that speaks of them, with something in
//! every queue of a review.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use snapset::{
    domain::{
        classes::Classes,
        fingerprint::{Distance, Fingerprint, Likeness, Similarity},
        flaws::{Flaw, Limits, Measure},
        id::{BlobId, Label, Place, PostId},
        learning::suspects::Suspect,
        link::{Download, MediaLink, MediaUrl, Origin, Resolution, Resolved, Validators},
        outcome::Outcome,
        picture::FileFormat,
        post::{Media, Post, Teller},
        quality::{Quality, Share},
        split::{Placement, Split},
        verdict::{DropReason, Ruling, TwinPair, Verdict},
    },
    pixels::{Picture, Pixel, encode},
    store::{Digest, Record, Settled, Stamp, Store, files, layout::Layout, schema::PairId},
};

/// The least likeness of twins in a made-up dataset.
pub(crate) const SIMILARITY: Similarity = Similarity(840);

/// Written once everything else is there.
const DONE: &str = "made-up";

const CLASSES: [&str; 5] = ["bridge", "lighthouse", "mill", "tower", "well"];

/// How many pictures are made and written at a time.
const CHUNK: u32 = 5000;

/// A folder with a made-up dataset.
pub(crate) struct MadeUp {
    pub(crate) layout: Layout,
    pub(crate) classes: Classes,
    pub(crate) reviews: PathBuf,
    pub(crate) limits: Limits,
}

impl MadeUp {
    /// Makes a dataset of `n` pictures of a width, unless the folder holds one already.
    pub(crate) fn of(folder: &Path, n: u32, width_px: u32) -> Self {
        let listed = CLASSES.map(|name| (label(name), vec![place(name)]));
        let made = Self {
            layout: Layout::new(folder, "made-up"),
            classes: Classes::plain(&BTreeMap::from(listed)).expect("five classes"),
            reviews: folder.join("made-up.reviews.jsonl"),
            limits: Limits::default(),
        };
        let done = made.layout.root().join(DONE);
        if !done.exists() {
            for from in (0..n).step_by(usize::try_from(CHUNK).expect("a chunk fits")) {
                made.write(from..n.min(from + CHUNK), width_px);
            }
            files::write_atomic(&done, b"").expect("written");
        }
        made
    }

    fn write(&self, numbers: std::ops::Range<u32>, width_px: u32) {
        let store = Store::open(&self.layout.store()).expect("the store is ours");
        let drawn: Vec<(u32, BlobId, u64)> = numbers
            .into_par_iter()
            .map(|n| {
                let bytes = encode::encode(&draw(n, width_px), FileFormat::Jpeg, 85);
                let blob = BlobId::of(&bytes);
                let path = self.layout.blob(&blob);
                files::write_unsynced(&path, &bytes).expect("written");
                (n, blob, u64::try_from(bytes.len()).expect("a length fits"))
            })
            .collect();
        let tell = |n: &u32| MediaUrl(format!("https://pictures.example/{n}.jpg"));
        put(&store, drawn.iter().map(|(n, ..)| (post_id(*n), resolution(*n, tell(n)))));
        put(&store, drawn.iter().map(|(n, blob, size)| (tell(n), download(*blob, *size))));
        put(&store, drawn.iter().map(|(n, blob, _)| (*blob, fingerprint(*n, width_px))));
        let posts: Vec<_> = drawn.iter().map(|(n, ..)| (post_id(*n), post(*n))).collect();
        store.put_notes(&posts).expect("written");
        let verdicts: Vec<_> = drawn
            .iter()
            .map(|(n, blob, _)| (*blob, Verdict { ruling: ruling(*n, &drawn), leak_group: *blob }))
            .collect();
        store.put_notes(&verdicts).expect("written");
        let placements: Vec<_> =
            drawn.iter().map(|(n, blob, _)| (*blob, Placement::In(split(*n)))).collect();
        store.put_notes(&placements).expect("written");
        note_pairs(&store, &drawn);
        let suspects: Vec<_> = drawn
            .iter()
            .filter(|(n, ..)| n % 40 == 7)
            .map(|(n, blob, _)| {
                let p_given = f64::from(n % 90) / 1000.0;
                let (given, likely) = (label(class(*n)), label(class(n + 1)));
                let p_likely = 0.95 - p_given;
                (*blob, Suspect { given, likely, p_given, p_likely, rank: n / 40 })
            })
            .collect();
        store.put_notes(&suspects).expect("written");
    }
}

/// What becomes of picture `n`: of 40, two are twins of the one before, one is in conflict, one
/// too dark.
fn ruling(n: u32, drawn: &[(u32, BlobId, u64)]) -> Ruling {
    let before = drawn.iter().rev().find(|(other, ..)| other + 1 == n).map(|(_, blob, _)| *blob);
    match (n % 40, before) {
        (11 | 21, Some(of)) => {
            let Likeness { distance, similarity } = likeness(n);
            Ruling::Drop(DropReason::Twin { of, distance, similarity })
        }
        (30 | 31, _) => {
            let labels = BTreeSet::from([label(class(30)), label(class(31))]);
            Ruling::Drop(DropReason::LabelConflict { labels })
        }
        (38, _) => {
            let flaw = Flaw { measure: Measure::Brightness, found: n / 40 % 8, limit: 8 };
            Ruling::Drop(DropReason::Flawed(flaw))
        }
        _ => Ruling::Keep { label: label(class(n)) },
    }
}

fn note_pairs(store: &Store, drawn: &[(u32, BlobId, u64)]) {
    let (mut twins, mut near) = (Vec::new(), Vec::new());
    for pair in drawn.windows(2) {
        let [(_, a, _), (n, b, _)] = pair else { continue };
        let (a, b) = (*a.min(b), *a.max(b));
        let Likeness { distance, similarity } = likeness(*n);
        match n % 40 {
            11 | 21 | 31 => {
                twins.push((PairId(a, b), TwinPair { a, b, distance, similarity }));
            }
            15 | 25 => {
                let similarity =
                    Similarity(SIMILARITY.0 - 1 - u16::try_from(n % 60).expect("small"));
                near.push((PairId(a, b), Likeness { distance, similarity }));
            }
            _ => (),
        }
    }
    store.put_notes(&twins).expect("written");
    store.put_notes(&near).expect("written");
}

fn likeness(n: u32) -> Likeness {
    let similarity = Similarity(SIMILARITY.0 + u16::try_from(n % 100).expect("small"));
    Likeness { distance: Distance(20 + n % 30), similarity }
}

fn label(name: &str) -> Label {
    Label::new(name).expect("a class name")
}

fn place(class: &str) -> Place {
    Place(format!("r/{class}s"))
}

fn class(n: u32) -> &'static str {
    CLASSES[usize::try_from(n % 5).expect("small")]
}

fn split(n: u32) -> Split {
    match n % 10 {
        0 => Split::Test,
        5 => Split::Val,
        _ => Split::Train,
    }
}

fn post_id(n: u32) -> PostId {
    PostId(format!("reddit:t3_{n:06}"))
}

fn post(n: u32) -> Post {
    Post {
        places: BTreeSet::from([place(class(n))]),
        title: format!("A {} seen on the way, number {n} <b>of many</b>", class(n)),
        author: Some(format!("walker{}", n % 997)),
        permalink: format!("https://www.reddit.com/r/{}s/comments/{n:06}/", class(n)),
        created_utc: Some(1_700_000_000 + i64::from(n)),
        score: Some(i64::from(n % 500)),
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::Text,
        preview: None,
        told_by: Teller::Live,
    }
}

fn resolution(n: u32, url: MediaUrl) -> Resolution {
    Resolution {
        label: label(class(n)),
        place: place(class(n)),
        origin: Origin::Single,
        items: vec![Resolved::Link(MediaLink::to(url))],
    }
}

fn download(blob: BlobId, size_bytes: u64) -> Download {
    Download {
        blob,
        size_bytes,
        final_url: String::new(),
        retrieved_at: 1_700_000_000,
        troubles: BTreeSet::new(),
        quality: snapset::domain::link::Quality::Original,
        validators: Validators::default(),
    }
}

fn fingerprint(n: u32, width_px: u32) -> Fingerprint {
    let byte = |at: u32| u8::try_from(mixed(n, at) % 256).expect("a byte");
    Fingerprint {
        width_px,
        height_px: width_px * 3 / 4,
        format: "JPEG".to_owned(),
        views: Vec::new(),
        thumbnail: (0..4096).map(byte).collect(),
        colours: (0..768).map(byte).collect(),
        quality: Quality {
            brightness: if n % 50 == 3 { 9 } else { 60 + byte(5) / 2 },
            contrast: 30 + byte(6) / 4,
            darkest: 30,
            entropy: 700,
            sharpness: 900,
            uniform: Share(90),
            ..Quality::default()
        },
    }
}

fn put<R: Record>(store: &Store, made: impl Iterator<Item = (R::Key, R)>) {
    let stamp = Stamp { revision: 1, recipe: Digest([0; 16]), input: Digest([1; 16]) };
    let settled = |(key, made)| (key, Settled { stamp, outcome: Outcome::Made(made) });
    let batch: Vec<_> = made.map(settled).collect();
    store.put_all(&batch).expect("written");
}

/// Draws a sky, a ground and something of its class, a little different for every number.
fn draw(n: u32, width_px: u32) -> Picture {
    let height_px = width_px * 3 / 4;
    // A twin looks like the one before.
    let look = if matches!(n % 40, 11 | 15 | 21 | 25 | 31) { n - 1 } else { n };
    let tint = |at| u8::try_from(mixed(look, at) % 96).expect("a byte");
    let (sky, ground, wall) = ([tint(1), tint(2), tint(3)], [tint(4), tint(5), tint(6)], tint(7));
    let horizon = height_px / 2 + mixed(look, 8) % (height_px / 5);
    let left = width_px / 5 + mixed(look, 9) % (width_px / 3);
    let broad = width_px / 10 + mixed(look, 10) % (width_px / 6) + look % 5 * width_px / 24;
    let top = horizon / 4 + mixed(look, 11) % (horizon / 3);
    let shift = n - look; // The twin's thing stands a little aside.
    Picture::from_fn(width_px, height_px, |x, y| {
        let fade = u8::try_from(y * 60 / height_px).expect("a byte");
        let across = (left + shift * 3..left + shift * 3 + broad).contains(&x);
        let grain = u8::try_from(mixed(x / 3, y / 3) % 9).expect("a byte");
        let pixel = if across && (top..horizon + height_px / 8).contains(&y) {
            let window = (x / (broad / 3).max(1) + y / (broad / 3).max(1)) % 2;
            [120 + wall, 70 + wall / 2, 60 + u8::try_from(window * 60).expect("a byte")]
        } else if y < horizon {
            sky.map(|level| 110 + level / 2 + fade)
        } else {
            ground.map(|level| 40 + level / 2 + fade)
        };
        Pixel::from(pixel.map(|level| level.saturating_add(grain)))
    })
}

/// Mixes two numbers into one that looks drawn by chance.
fn mixed(a: u32, b: u32) -> u32 {
    let mut x = a.wrapping_mul(0x9E37_79B9) ^ b.wrapping_mul(0x85EB_CA6B);
    x ^= x >> 15;
    x = x.wrapping_mul(0x2C1B_3C6D);
    x ^ (x >> 12)
}
