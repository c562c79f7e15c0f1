//! A small dataset in a folder of its own, put into the store as the stages would. Tests only.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use tempfile::TempDir;

use super::{ExplainInput, ReportInput};
use crate::{
    domain::{
        classes::Classes,
        fingerprint::{Fingerprint, Likeness, Similarity},
        flaws::Limits,
        id::{BlobId, Label, Place, PostId},
        link::{
            Download, MediaLink, MediaUrl, Origin, Quality, Resolution, Resolved, Trouble,
            Validators,
        },
        outcome::{Outcome, Reject},
        picture::{Crop, FileFormat},
        planted::{Plant, PlantKind, Planted},
        post::{Media, Post, Teller},
        review::{Review, Reviews},
        split::{self, Lock, Member, Placement, Rule},
        verdict::{self, Candidate, DropReason, Ruling, TwinPair, Verdict, Worth},
    },
    pixels::{
        Picture,
        crop::{self, Filter},
        decode, encode, fingerprint,
        twins::{self, Reach},
    },
    store::{
        Digest, Note, Record, Settled, Stamp, Store, files,
        layout::Layout,
        query::{self, Sighting},
        reviews,
        schema::PairId,
    },
};

pub(super) const BEETLES: &str = "demo:beetles";
pub(super) const FISH: &str = "demo:fish";

pub(super) struct Bench {
    pub store: Store,
    pub layout: Layout,
    pub classes: Classes,
    pub limits: Limits,
    _dir: TempDir,
}

pub(super) fn stamp() -> Stamp {
    let digest = Digest::of(&0);
    Stamp { revision: 1, recipe: digest, input: digest }
}

pub(super) fn url(name: &str) -> MediaUrl {
    MediaUrl(format!("demo+https://i.redd.it/{name}.jpg"))
}

pub(super) fn post(name: &str) -> PostId {
    PostId(format!("demo:t3_{name}"))
}

pub(super) fn link(name: &str) -> Resolved {
    Resolved::Link(MediaLink::to(url(name)))
}

fn resolution(place: &str, origin: Origin, items: Vec<Resolved>) -> Resolution {
    let label = if place == FISH { "fish" } else { "beetles" };
    Resolution { label: Label::new(label).unwrap(), place: Place(place.to_owned()), origin, items }
}

impl Bench {
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let layout = Layout::new(dir.path(), "bench");
        let class =
            |label, place: &str| (Label::new(label).unwrap(), vec![Place(place.to_owned())]);
        let classes = BTreeMap::from([class("beetles", BEETLES), class("fish", FISH)]);
        let store = Store::open(&layout.store()).unwrap();
        Self {
            store,
            layout,
            classes: Classes::plain(&classes).unwrap(),
            limits: limits(),
            _dir: dir,
        }
    }

    /// Where the decisions of people are read from.
    pub(super) fn reviews(&self) -> PathBuf {
        self.layout.root().join("bench.reviews.jsonl")
    }

    pub(super) fn asked<'a>(&'a self, lines: &'a [Review]) -> ExplainInput<'a> {
        let Self { store, layout, classes, limits, .. } = self;
        ExplainInput { store, layout, classes, limits, lines }
    }

    pub(super) fn input(&self) -> ReportInput<'_> {
        ReportInput {
            store: &self.store,
            layout: &self.layout,
            classes: &self.classes,
            title: "Beetles & Fish",
            name: "demo",
            generated: "Made by snapset on a quiet day.",
            settings_text: "title = \"Beetles & Fish\"\nseed = 1337\n",
            limits: &self.limits,
            similarity: Reach::default().similarity,
            reviews: self.reviews(),
        }
    }

    pub(super) fn settle<R: Record>(&self, key: R::Key, outcome: Outcome<R>) {
        self.store.put_all(&[(key, Settled { stamp: stamp(), outcome })]).unwrap();
    }

    pub(super) fn note<N: Note>(&self, key: N::Key, note: N) {
        self.store.put_notes(&[(key, note)]).unwrap();
    }

    /// Puts a post and what became of it.
    pub(super) fn post(&self, name: &str, place: &str, outcome: Outcome<Resolution>) {
        let number = i64::try_from(name.bytes().map(u64::from).sum::<u64>()).unwrap();
        let note = Post {
            places: BTreeSet::from([Place(place.to_owned())]),
            title: format!("Look <b>what</b> I found: {name}"),
            author: (number % 7 != 0).then(|| format!("author_{}", number % 9)),
            permalink: format!("https://www.reddit.com/r/x/comments/{name}/"),
            created_utc: Some(1_780_000_000 + number * 40_000),
            score: Some(number % 50),
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Text,
            preview: None,
            told_by: Teller::Live,
        };
        self.note(post(name), note);
        self.settle(post(name), outcome);
    }

    /// Puts a post that shows the pictures called `links`.
    pub(super) fn show(&self, name: &str, place: &str, origin: Origin, links: &[&str]) {
        let items = links.iter().map(|name| link(name)).collect();
        self.post(name, place, Outcome::Made(resolution(place, origin, items)));
    }

    /// Puts what an address brought, and the fingerprint of it.
    pub(super) fn bring(&self, name: &str, bytes: &[u8], troubles: &[Trouble]) -> BlobId {
        let blob = BlobId::of(bytes);
        files::write_atomic(&self.layout.blob(&blob), bytes).unwrap();
        let download = Download {
            blob,
            size_bytes: u64::try_from(bytes.len()).unwrap(),
            final_url: "https://i.redd.it/".to_owned(),
            retrieved_at: 1_790_000_000,
            troubles: troubles.iter().copied().collect(),
            quality: Quality::Original,
            validators: Validators::default(),
        };
        self.settle(url(name), Outcome::Made(download));
        let outcome = match decode::decode(bytes, decode::Limits::default()) {
            Ok(decoded) => Outcome::Made(fingerprint::fingerprint(&decoded)),
            Err(reject) => Outcome::Rejected(reject),
        };
        self.settle::<Fingerprint>(blob, outcome);
        blob
    }

    /// Puts a post with one picture.
    pub(super) fn picture(&self, name: &str, place: &str, bytes: &[u8]) -> BlobId {
        self.show(name, place, Origin::Single, &[name]);
        self.bring(name, bytes, &[])
    }

    pub(super) fn reject(&self, name: &str, place: &str, reject: Reject) {
        self.show(name, place, Origin::Single, &[name]);
        self.settle::<Download>(url(name), Outcome::Rejected(reject));
    }

    pub(super) fn plant(&self, place: &str, plants: &[(PlantKind, &str, Option<&str>)]) {
        let plants = plants.iter().map(|&(kind, name, original)| Plant {
            kind,
            post: post(name),
            url: Some(url(name)),
            original: original.map(url),
        });
        self.note(Place(place.to_owned()), Planted { plants: plants.collect() });
    }

    /// Judges, splits and prepares everything fetched so far, by the real rules.
    pub(super) fn finish(&self) {
        let seen = query::sightings_by_blob(&self.store, &self.classes).unwrap();
        let prints: BTreeMap<BlobId, Fingerprint> = self
            .store
            .made()
            .unwrap()
            .into_iter()
            .filter(|(blob, _)| seen.contains_key(blob))
            .collect();
        let candidates: BTreeMap<BlobId, Candidate> =
            prints.iter().map(|(blob, print)| (*blob, candidate(print, &seen[blob]))).collect();
        let lines = reviews::read(&self.reviews()).unwrap();
        let wide = Reach { similarity: Similarity(700), ..Reach::default() };
        let mut pairs = twins::find(&prints, wide);
        let likeness = |it: &TwinPair| {
            let TwinPair { a, b, distance, similarity } = *it;
            (PairId(a, b), Likeness { distance, similarity })
        };
        let likenesses: Vec<(PairId, Likeness)> = pairs.iter().map(likeness).collect();
        self.store.put_notes(&likenesses).unwrap();
        pairs.retain(|pair| Reach::default().similarity <= pair.similarity);
        let verdicts = verdict::decide(&candidates, &pairs, &Reviews::of(&lines));
        pairs.retain(|pair| !Reviews::of(&lines).are_strangers(pair.a, pair.b));
        let keyed = |pair: &TwinPair| (PairId(pair.a, pair.b), *pair);
        self.store.replace_notes::<TwinPair>(&pairs.iter().map(keyed).collect::<Vec<_>>()).unwrap();
        let members = verdicts.iter().map(|(blob, verdict)| {
            let label = match &verdict.ruling {
                Ruling::Keep { label } => Some(label.clone()),
                Ruling::Drop(_) => None,
            };
            (*blob, Member::new(verdict.leak_group, label))
        });
        let decided = split::decide(&members.collect(), &Lock::new(), &Rule::default(), 7);
        let placements = decided.unwrap().placements;
        for blob in placements.keys() {
            self.prepare(blob);
        }
        self.store.replace_notes::<Verdict>(&Vec::from_iter(verdicts)).unwrap();
        self.store.replace_notes::<Placement>(&Vec::from_iter(placements)).unwrap();
    }

    fn prepare(&self, blob: &BlobId) {
        let bytes = files::read(&self.layout.blob(blob)).unwrap();
        let picture = decode::decode(&bytes, decode::Limits::default()).unwrap().picture;
        let square = crop::center_square(&picture, 160, Filter::Lanczos3);
        let bytes = encode::encode(&square, FileFormat::Jpeg, 88);
        let crop = Crop::of(&bytes, (160, 160), FileFormat::Jpeg);
        files::write_atomic(&self.layout.crop(&crop), &bytes).unwrap();
        self.settle(*blob, Outcome::Made(crop));
    }
}

/// Limits that the small drawn pictures keep.
fn limits() -> Limits {
    Limits { min_side: 100, ..Limits::default() }
}

fn candidate(print: &Fingerprint, seen: &[Sighting]) -> Candidate {
    let shorter_side_px = print.width_px.min(print.height_px);
    let limits = limits();
    let flaw = limits.flaw(print).map(DropReason::Flawed);
    let worth = Worth {
        shorter_side_px,
        score: seen.iter().map(|it| it.score).max().unwrap(),
        created_utc: Reverse(seen.iter().filter_map(|it| it.created_utc).min()),
    };
    Candidate {
        labels: seen.iter().map(|it| it.label.clone()).collect::<BTreeSet<_>>(),
        worth,
        flaw,
    }
}

/// Draws a beetle or a fish; each seed draws another.
pub(super) fn drawn(place: &str, seed: u64, width: u32, height: u32) -> Picture {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut dice = |low: f64, high: f64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24)
    };
    let (mid_x, mid_y, size) = (dice(0.35, 0.65), dice(0.35, 0.65), dice(0.22, 0.36));
    let (turn, ground, skin) = (dice(-0.7, 0.7), dice(60.0, 200.0), dice(0.0, 255.0));
    let blobs: Vec<[f64; 4]> = (0..14)
        .map(|_| [dice(0.0, 1.0), dice(0.0, 1.0), dice(0.03, 0.16), dice(-70.0, 70.0)])
        .collect();
    let is_fish = place == FISH;
    let colour = |x: f64, y: f64| {
        let base = ground + 50.0 * (y - 0.5);
        let near = |it: &&[f64; 4]| (x - it[0]).hypot(y - it[1]) < it[2];
        let spot: f64 = blobs.iter().filter(near).map(|it| it[3]).sum();
        let (dx, dy) = ((x - mid_x) / size, (y - mid_y) / size);
        let (along, across) =
            (dx * turn.cos() + dy * turn.sin(), dy * turn.cos() - dx * turn.sin());
        let body = along.hypot(across * if is_fish { 2.1 } else { 1.5 });
        let is_tail = is_fish && (0.8..1.5).contains(&along) && across.abs() < (along - 0.7) * 0.7;
        let stripes = if (along * 7.0).sin() < 0.0 { 50.0 } else { 0.0 };
        if 1.0 < body && !is_tail {
            return if is_fish {
                [base * 0.3, base * 0.7 + spot, base + spot]
            } else {
                [base + spot, base * 0.9 + spot, base * 0.4]
            };
        }
        if is_fish && (along + 0.65).hypot(across - 0.1) < 0.09 {
            return [15.0; 3];
        }
        if is_fish {
            [255.0 - stripes, skin * 0.8 + stripes, 70.0]
        } else {
            [skin * 0.5 + stripes, 70.0 - stripes, 40.0 + skin * 0.2]
        }
    };
    filled(width, height, colour)
}

pub(super) fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    encode::encode(picture, FileFormat::Jpeg, quality)
}

/// Fills a picture with what `colour` says of each place, both sides counted from 0 to 1.
fn filled(width: u32, height: u32, colour: impl Fn(f64, f64) -> [f64; 3]) -> Picture {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a byte"
    )]
    let level = |value: f64| value.clamp(0.0, 255.0) as u8;
    let mut raw = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let place = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            raw.extend(colour(place.0, place.1).map(level));
        }
    }
    Picture::from_raw(width, height, raw).unwrap()
}

/// Cuts `percent` off the right side, as people do.
pub(super) fn cut(picture: &Picture, percent: u32) -> Picture {
    let (width, height) = picture.dimensions();
    let kept = width - width * percent / 100;
    let raw = (0..height).flat_map(|y| (0..kept).flat_map(move |x| picture.get_pixel(x, y).0));
    Picture::from_raw(kept, height, raw.collect()).unwrap()
}

/// Lays a white bar over the lower left corner.
pub(super) fn marked(picture: &Picture) -> Picture {
    let (width, height) = picture.dimensions();
    let mut marked = picture.clone();
    for (x, y, pixel) in marked.enumerate_pixels_mut() {
        if x < width / 3 && height * 9 / 10 < y {
            pixel.0 = [245; 3];
        }
    }
    marked
}
