//! The file of what people decided, as the stage reads it: what is redone, and what is not.

use super::*;
use crate::{
    domain::{
        deletion::Ghost,
        review::{Decision, Queue, Review},
    },
    store::reviews,
};

impl Bench {
    /// Adds a line to the file.
    pub(super) fn say(&self, at_ms: u64, picture: BlobId, decision: Decision) {
        let queue = Queue::Twins;
        let line = Review { at_ms, picture, decision, queue, shown_as: None, by: None };
        reviews::append(&self.dir.path().join("pets.reviews.jsonl"), &[line]).unwrap();
    }

    fn input_digest(&self) -> Digest {
        Digest::of(&self.stage(&Recipe::default()).input(&self.store).unwrap())
    }

    fn post_all(&self) -> Vec<BlobId> {
        prints().iter().map(|(name, print)| self.post(name, "cats", print)).collect()
    }

    pub(super) fn is_kept(&self, blob: BlobId) -> bool {
        matches!(self.rulings()[&blob], Ruling::Keep { .. })
    }
}

pub(super) fn reject(reason: &str) -> Decision {
    Decision::Reject { reason: reason.to_owned() }
}

/// What the input was before people could decide anything.
#[derive(Serialize)]
struct Undecided {
    pictures: BTreeMap<BlobId, Shown>,
    ghosts: BTreeMap<BlobId, Ghost>,
}

#[test]
fn where_nobody_decided_anything_the_stamp_is_what_it_always_was() {
    let bench = Bench::new();
    bench.post_all();

    let Input { pictures, ghosts, .. } =
        bench.stage(&Recipe::default()).input(&bench.store).unwrap();

    assert_eq!(bench.input_digest(), Digest::of(&Undecided { pictures, ghosts }));
}

#[test]
fn a_decision_is_followed_and_one_that_is_taken_back_leaves_no_trace() {
    let bench = Bench::new();
    let blobs = bench.post_all();
    bench.dedupe(&Recipe::default());
    let before = (bench.input_digest(), bench.left(), bench.rulings());
    let kept = *blobs.iter().find(|blob| bench.is_kept(**blob)).unwrap();

    bench.say(1, kept, reject("blurred"));
    let redone = bench.dedupe(&Recipe::default());
    let rejected = bench.rulings();

    let reason = DropReason::Reviewed { reason: "blurred".to_owned() };
    assert_eq!((redone.made, &rejected[&kept]), (1, &Ruling::Drop(reason)));
    let n_kept = |rulings: &BTreeMap<BlobId, Ruling>| {
        rulings.values().filter(|it| matches!(it, Ruling::Keep { .. })).count()
    };
    assert_eq!(n_kept(&rejected), n_kept(&before.2), "the next best copy takes its place");

    bench.say(2, kept, Decision::Undecide);
    bench.dedupe(&Recipe::default());

    assert_eq!((bench.input_digest(), bench.left(), bench.rulings()), before);
}

#[test]
fn a_line_about_a_picture_nobody_knows_redoes_nothing() {
    let bench = Bench::new();
    let blobs = bench.post_all();
    bench.dedupe(&Recipe::default());
    let gone = BlobId::of(b"gone");

    bench.say(1, gone, reject("text"));
    bench.say(1, gone, Decision::Relabel { label: label("horses") });
    bench.say(1, gone, Decision::Keeper);
    bench.say(1, blobs[0], Decision::NotTwins { other: gone });

    assert_eq!(bench.dedupe(&Recipe::default()).unchanged, 1);
}

/// What was compared is marked with a likeness no comparison gives: it is still there afterwards.
#[test]
fn nothing_is_compared_again_because_of_a_decision() {
    let bench = Bench::new();
    let blobs = bench.post_all();
    bench.dedupe(&Recipe::default());
    let mark = Likeness { distance: Distance(7), similarity: Similarity(977) };
    let marked: Vec<_> = bench.likenesses().into_iter().map(|(pair, _)| (pair, mark)).collect();
    bench.store.put_notes(&marked).unwrap();
    let compared = bench.left().2;

    bench.say(1, blobs[0], reject("text"));
    bench.say(1, blobs[4], Decision::Keeper);
    bench.say(1, blobs[7], Decision::Relabel { label: label("dogs") });
    let PairId(a, b) = marked[0].0;
    bench.say(1, a, Decision::NotTwins { other: b });
    assert_eq!(bench.dedupe(&Recipe::default()).made, 1);

    assert!(!marked.is_empty());
    assert_eq!((bench.likenesses(), bench.left().2), (marked, compared));
}

#[test]
fn pictures_that_are_not_twins_are_no_pair_until_that_is_taken_back() {
    let bench = Bench::new();
    bench.post_all();
    bench.dedupe(&Recipe::default());
    let before = bench.left();
    let (pair, _) = before.1[0];

    bench.say(1, pair.1, Decision::NotTwins { other: pair.0 });
    bench.dedupe(&Recipe::default());
    assert!(bench.left().1.iter().all(|(it, _)| *it != pair));
    assert_eq!(bench.left().1.len(), before.1.len() - 1);

    bench.say(2, pair.0, Decision::UndecideTwins { other: pair.1 });
    bench.dedupe(&Recipe::default());
    assert_eq!(bench.left(), before);
}

#[test]
fn a_class_the_pipeline_does_not_have_is_an_error_that_names_it_and_the_file() {
    let bench = Bench::new();
    let blobs = bench.post_all();

    bench.say(1, blobs[0], Decision::Relabel { label: label("horses") });
    let error = bench.run(&Recipe::default(), &Insistence::default()).unwrap_err().to_string();

    assert!(error.contains("pets.reviews.jsonl"), "{error}");
    assert!(error.contains("no class `horses`; classes are cats, dogs"), "{error}");
    assert!(error.contains(&blobs[0].short()), "{error}");

    bench.say(2, blobs[0], Decision::Relabel { label: label("dogs") });
    assert_eq!(bench.dedupe(&Recipe::default()).made, 1);
}

#[test]
fn a_line_that_means_nothing_stops_the_stage() {
    let bench = Bench::new();
    bench.post_all();
    let path = bench.dir.path().join("pets.reviews.jsonl");
    crate::store::files::write_atomic(&path, b"<<<<<<< ours\n").unwrap();

    let error = bench.run(&Recipe::default(), &Insistence::default()).unwrap_err();

    assert!(matches!(error, DedupeError::Reviews(_)), "{error}");
}

#[test]
fn a_copy_of_what_was_taken_back_stays_out_though_somebody_said_keep() {
    let bench = Bench::new();
    let blobs = bench.post_all();
    let (ghost, own) = (BlobId::of(b"taken back"), prints().swap_remove(0).1);
    let hashes = own.own_hashes().collect();
    let post = PostId("x:gone".to_owned());
    bench.store.put_notes(&[(ghost, Ghost { post, hashes })]).unwrap();

    bench.say(1, blobs[0], Decision::Keep);
    bench.say(1, blobs[0], Decision::Keeper);
    bench.dedupe(&Recipe::default());

    let taken_back = Ruling::Drop(DropReason::TakenBack { of: ghost });
    assert_eq!(bench.rulings()[&blobs[0]], taken_back);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Pictures and decisions come in any order, some pictures go again, the stage runs whenever
    /// it likes: what it leaves is that of one run over what is there in the end.
    #[test]
    fn incremental_equals_rebuild_whatever_people_decide_meanwhile(
        order in Just((0..15_usize).collect::<Vec<_>>()).prop_shuffle(),
        runs in prop::collection::vec(any::<bool>(), 15),
        said in prop::collection::vec((0..15_usize, 0..15_usize, 0..6_u8), 15),
        gone in prop::collection::vec(0..15_usize, 0..4),
    ) {
        let prints = prints();
        let blob = |at: usize| BlobId::of(prints[at].0.as_bytes());
        let decision = |other: usize, kind: u8| match kind {
            0 => reject("text"),
            1 => reject("small"),
            2 => Decision::Relabel { label: label("dogs") },
            3 => Decision::Keeper,
            4 => Decision::NotTwins { other: blob(other) },
            _ => Decision::Keep,
        };
        let bench = Bench::new();
        for (step, (at, has_run)) in order.iter().zip(&runs).enumerate() {
            bench.post(&prints[*at].0, class_of(*at), &prints[*at].1);
            let (on, other, kind) = said[step];
            bench.say(u64::try_from(step).unwrap(), blob(on), decision(other, kind));
            if *has_run {
                bench.dedupe(&Recipe::default());
            }
        }
        for at in &gone {
            bench.forget(&prints[*at].0);
        }
        bench.dedupe(&Recipe::default());

        let rebuilt = Bench::new();
        for (step, (on, other, kind)) in said.iter().enumerate().rev() {
            rebuilt.say(u64::try_from(step).unwrap(), blob(*on), decision(*other, *kind));
        }
        for (at, (name, print)) in prints.iter().enumerate() {
            if !gone.contains(&at) {
                rebuilt.post(name, class_of(at), print);
            }
        }
        rebuilt.dedupe(&Recipe::default());

        prop_assert_eq!(bench.left(), rebuilt.left());
        prop_assert_eq!(bench.likenesses(), rebuilt.likenesses());
    }
}
