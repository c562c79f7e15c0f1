use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod reviewed;
mod through_tests;

use crate::{
    domain::{
        fingerprint::Likeness,
        id::{Place, PostId},
        link::{Download, MediaLink, MediaUrl, Origin, Quality, Resolution, Resolved, Validators},
        post::{Media, Post, Teller},
    },
    engine::{Insistence, Limits, Tally, run_set},
    pixels::{Picture, Pixel, decode::Decoded, fingerprint},
    store::Settled,
};

/// A store and the pictures posted so far.
struct Bench {
    store: Store,
    classes: Classes,
    dir: TempDir,
}

/// Everything the stage leaves behind but what it can tell anew.
type Left = (Vec<(BlobId, Verdict)>, Vec<(PairId, TwinPair)>, Vec<(BlobId, Compared)>);

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn place(class: &str) -> Place {
    Place(format!("folder:{class}"))
}

fn stamp(of: &impl Serialize) -> Stamp {
    Stamp { revision: 1, recipe: Digest::of(&"recipe"), input: Digest::of(of) }
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let classes = ["cats", "dogs"].map(|class| (label(class), vec![place(class)]));
        let classes = Classes::plain(&BTreeMap::from(classes)).unwrap();
        Self { store, classes, dir }
    }

    fn settle<R: crate::store::Record>(&self, key: R::Key, made: R) {
        let settled = Settled { stamp: stamp(&made), outcome: Outcome::Made(made) };
        self.store.put_all(&[(key, settled)]).unwrap();
    }

    /// Posts a picture under a class and returns its id.
    fn post(&self, name: &str, class: &str, print: &Fingerprint) -> BlobId {
        let (id, url) = (PostId(format!("x:{name}")), MediaUrl(format!("https://x/{name}")));
        let post = Post {
            places: BTreeSet::from([place(class)]),
            title: String::new(),
            author: None,
            permalink: String::new(),
            created_utc: Some(1_700_000_000),
            score: Some(5),
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Text,
            preview: None,
            told_by: Teller::Live,
        };
        self.store.put_notes(&[(id.clone(), post)]).unwrap();
        let items = vec![Resolved::Link(MediaLink::to(url.clone()))];
        let (label, origin) = (label(class), Origin::Single);
        self.settle(id, Resolution { label, place: place(class), origin, items });
        let blob = BlobId::of(name.as_bytes());
        let download = Download {
            blob,
            size_bytes: 1,
            final_url: String::new(),
            retrieved_at: 0,
            troubles: BTreeSet::default(),
            quality: Quality::Original,
            validators: Validators::default(),
        };
        self.settle(url, download);
        self.settle(blob, print.clone());
        blob
    }

    /// Takes a post away, and with it the picture.
    fn forget(&self, name: &str) {
        self.store.remove_notes::<Post>(&[PostId(format!("x:{name}"))]).unwrap();
    }

    fn stage(&self, recipe: &Recipe) -> Dedupe<'_> {
        let reviews = self.dir.path().join("pets.reviews.jsonl");
        Dedupe { recipe: recipe.clone(), classes: &self.classes, reviews }
    }

    fn run(&self, recipe: &Recipe, insistence: &Insistence) -> Result<Tally, DedupeError> {
        let stage = self.stage(recipe);
        let (events, _heard) = Events::channel();
        let limits = Limits { network_width: 1, hosts_width: 1, cpu_width: 1, attempts_max: 1 };
        let stop = Stop::never();
        let work = Work { store: &self.store, limits, insistence, events: &events, stop: &stop };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run_set(&stage, work)).map_err(|error| match error {
            crate::engine::SetError::Store(error) => DedupeError::Store(error),
            crate::engine::SetError::Stage(error) => error,
        })
    }

    fn dedupe(&self, recipe: &Recipe) -> Tally {
        self.run(recipe, &Insistence::default()).unwrap()
    }

    fn rulings(&self) -> BTreeMap<BlobId, Ruling> {
        let verdicts = self.store.notes::<Verdict>().unwrap();
        verdicts.into_iter().map(|(blob, verdict)| (blob, verdict.ruling)).collect()
    }

    fn left(&self) -> Left {
        (self.store.notes().unwrap(), self.store.notes().unwrap(), self.store.notes().unwrap())
    }

    fn likenesses(&self) -> Vec<(PairId, Likeness)> {
        self.store.notes().unwrap()
    }
}

fn print_of(picture: Picture) -> Fingerprint {
    fingerprint::fingerprint(&Decoded::whole(picture, "PNG"))
}

/// Draws rectangles, always the same ones for a seed.
fn drawn(seed: u32) -> Picture {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut roll = |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    let mut picture = Picture::from_pixel(200, 150, Pixel::from([90; 3]));
    for _ in 0..40 {
        let (left, top, width, height) = (roll(190), roll(140), 4 + roll(70), 4 + roll(60));
        let colour = [roll(200), roll(200), roll(200)].map(|level| u8::try_from(level).unwrap());
        for y in top..(top + height).min(150) {
            for x in left..(left + width).min(200) {
                picture.put_pixel(x, y, Pixel::from(colour));
            }
        }
    }
    picture
}

/// Five drawings, each with a mirrored copy and a brighter one.
fn drawings() -> Vec<(String, Picture)> {
    let mut drawings = Vec::new();
    for seed in 200..205 {
        let original = drawn(seed);
        let mirrored = Picture::from_fn(200, 150, |x, y| *original.get_pixel(199 - x, y));
        let brighter = Picture::from_fn(200, 150, |x, y| {
            Pixel::from(original.get_pixel(x, y).0.map(|level| level + 25))
        });
        for (kind, picture) in
            [("original", original), ("mirrored", mirrored), ("brighter", brighter)]
        {
            drawings.push((format!("{seed}-{kind}"), picture));
        }
    }
    drawings
}

/// Fingerprints of the drawings.
fn prints() -> Vec<(String, Fingerprint)> {
    drawings().into_iter().map(|(name, picture)| (name, print_of(picture))).collect()
}

fn class_of(at: usize) -> &'static str {
    if at % 7 == 3 { "dogs" } else { "cats" }
}

#[test]
fn a_second_run_finds_nothing_to_do_and_a_new_picture_meets_all_others() {
    let bench = Bench::new();
    let prints = prints();
    let (last, earlier) = prints.split_last().unwrap();
    for (name, print) in earlier {
        bench.post(name, "cats", print);
    }

    let first = bench.dedupe(&Recipe::default());
    let second = bench.dedupe(&Recipe::default());
    let kept = bench.rulings();
    let new = bench.post(&last.0, "cats", &last.1);
    bench.dedupe(&Recipe::default());

    assert_eq!((first.made, second.unchanged), (1, 1));
    assert_eq!(kept.values().filter(|it| matches!(it, Ruling::Keep { .. })).count(), 5);
    assert!(matches!(bench.rulings()[&new], Ruling::Drop(DropReason::Twin { .. })));
}

/// What was compared is marked with a likeness no comparison gives: it is still there afterwards.
#[test]
fn old_pairs_are_never_compared_again_and_changed_pictures_are() {
    let bench = Bench::new();
    let prints = prints();
    for (name, print) in &prints[..6] {
        bench.post(name, "cats", print);
    }
    bench.dedupe(&Recipe::default());
    let mark = Likeness { distance: Distance(7), similarity: Similarity(777) };
    let marked: Vec<_> = bench.likenesses().into_iter().map(|(pair, _)| (pair, mark)).collect();
    bench.store.put_notes(&marked).unwrap();

    bench.post(&prints[6].0, "cats", &prints[6].1);
    let changed = bench.post(&prints[0].0, "cats", &prints[1].1);
    bench.dedupe(&Recipe::default());

    let is_of = |pair: &PairId, blob| pair.0 == blob || pair.1 == blob;
    let (redone, rest): (Vec<_>, Vec<_>) =
        bench.likenesses().into_iter().partition(|(pair, _)| is_of(pair, changed));
    let untouched: Vec<_> = marked.into_iter().filter(|(pair, _)| !is_of(pair, changed)).collect();
    assert!(!untouched.is_empty() && !redone.is_empty());
    assert_eq!(rest, untouched);
    assert!(redone.iter().all(|(_, likeness)| *likeness != mark));
}

#[test]
fn other_thresholds_are_read_back_and_a_wider_distance_compares_anew() {
    let bench = Bench::new();
    for (name, print) in prints() {
        bench.post(&name, "cats", &print);
    }
    let recipe = |distance, similarity| Recipe {
        distance: Distance(distance),
        similarity: Similarity(similarity),
        ..Recipe::default()
    };
    let fresh = |recipe: &Recipe| {
        let fresh = Bench::new();
        for (name, print) in prints() {
            fresh.post(&name, "cats", &print);
        }
        fresh.dedupe(recipe);
        fresh.left()
    };
    bench.dedupe(&recipe(60, 900));
    let is_compared_anew = |recipe: &Recipe| {
        let before = bench.likenesses();
        let gone = before[..1].iter().map(|(pair, _)| *pair).collect::<Vec<_>>();
        bench.store.remove_notes::<Likeness>(&gone).unwrap();
        bench.dedupe(recipe);
        let is_back = bench.likenesses().iter().any(|(pair, _)| *pair == gone[0]);
        bench.store.put_notes(&before[..1]).unwrap();
        is_back
    };

    assert!(!is_compared_anew(&recipe(60, 980)));
    assert!(!is_compared_anew(&recipe(20, 700)));
    assert!(is_compared_anew(&recipe(90, 900)));
    assert!(is_compared_anew(&recipe(90, 500)));

    for recipe in [recipe(60, 980), recipe(20, 800), recipe(90, 900)] {
        bench.dedupe(&recipe);
        assert_eq!(bench.left(), fresh(&recipe));
    }
}

#[test]
fn what_a_killed_run_wrote_halfway_is_mended() {
    let bench = Bench::new();
    let prints = prints();
    for (name, print) in &prints[..9] {
        bench.post(name, "cats", print);
    }
    bench.dedupe(&Recipe::default());
    let whole = (bench.left(), bench.likenesses());
    // Pairs are written before the pictures are entered, and struck out after them.
    let entered: Vec<BlobId> = whole.0.2.iter().map(|(blob, _)| *blob).collect();
    bench.store.remove_notes::<Compared>(&entered[3..6]).unwrap();
    bench.store.remove_notes::<Likeness>(&[whole.1[0].0]).unwrap();
    let stranger = PairId(BlobId::of(b"gone"), entered[0]);
    bench.store.put_notes(&[(stranger, whole.1[0].1)]).unwrap();
    bench.store.remove_notes::<crate::store::schema::SetRun>(&["dedupe".to_owned()]).unwrap();
    bench.store.remove_notes::<Compared>(&[whole.1[0].0.0]).unwrap();

    bench.dedupe(&Recipe::default());

    assert_eq!((bench.left(), bench.likenesses()), whole);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Pictures come in any order, some go again, the stage runs whenever it likes: what it
    /// leaves is that of one run over what is there in the end.
    #[test]
    fn incremental_equals_rebuild_in_any_order_of_arrival(
        order in Just((0..15_usize).collect::<Vec<_>>()).prop_shuffle(),
        runs in prop::collection::vec(any::<bool>(), 15),
        gone in prop::collection::vec(0..15_usize, 0..4),
    ) {
        let prints = prints();
        let bench = Bench::new();
        for (at, has_run) in order.iter().zip(runs) {
            bench.post(&prints[*at].0, class_of(*at), &prints[*at].1);
            if has_run {
                bench.dedupe(&Recipe::default());
            }
        }
        for at in &gone {
            bench.forget(&prints[*at].0);
        }
        bench.dedupe(&Recipe::default());

        let rebuilt = Bench::new();
        for (at, (name, print)) in prints.iter().enumerate() {
            if !gone.contains(&at) {
                rebuilt.post(name, class_of(at), print);
            }
        }
        rebuilt.dedupe(&Recipe::default());

        prop_assert_eq!(bench.left(), rebuilt.left());
        prop_assert_eq!(bench.likenesses(), rebuilt.likenesses());
        let rulings = bench.rulings();
        for ruling in rulings.values() {
            if let Ruling::Drop(DropReason::Twin { of, .. }) = ruling {
                let is_kept = matches!(rulings[of], Ruling::Keep { .. });
                prop_assert!(is_kept);
            }
        }
    }
}
