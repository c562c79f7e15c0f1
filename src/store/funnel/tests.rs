use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        fingerprint::{Distance, PerceptualHash, Similarity, View},
        id::Place,
        link::{MediaLink, Origin, Quality as CopyQuality, Validators},
        outcome::Failure,
        picture::FileFormat,
        post::{Media, Post, Teller},
        quality::Quality,
        split::Side,
        verdict::DropReason,
    },
    store::{Digest, Stamp},
};

fn settled<T>(outcome: Outcome<T>) -> Settled<T> {
    let digest = Digest::of(&0);
    Settled { stamp: Stamp { revision: 1, recipe: digest, input: digest }, outcome }
}

pub(in crate::store) fn classes() -> Classes {
    let class = |name: &str| (Label::new(name).unwrap(), vec![Place(format!("r/{name}"))]);
    Classes::plain(&BTreeMap::from([class("cats"), class("dogs")])).unwrap()
}

fn url(name: &str) -> MediaUrl {
    MediaUrl(format!("https://i.example.com/{name}.jpg"))
}

fn link(name: &str) -> Resolved {
    Resolved::Link(MediaLink::to(url(name)))
}

fn resolution(label: &str, items: Vec<Resolved>) -> Outcome<Resolution> {
    Outcome::Made(Resolution {
        label: Label::new(label).unwrap(),
        place: Place(format!("r/{label}")),
        origin: Origin::Gallery,
        items,
    })
}

fn download(bytes: &str) -> Outcome<Download> {
    Outcome::Made(Download {
        blob: BlobId::of(bytes.as_bytes()),
        size_bytes: 1,
        final_url: String::new(),
        retrieved_at: 0,
        troubles: BTreeSet::new(),
        quality: CopyQuality::Original,
        validators: Validators::default(),
    })
}

fn print() -> Outcome<Fingerprint> {
    Outcome::Made(Fingerprint {
        width_px: 9,
        height_px: 9,
        format: "PNG".to_owned(),
        views: vec![View::whole(PerceptualHash([0; 4]))],
        thumbnail: Vec::new(),
        colours: Vec::new(),
        quality: Quality::default(),
    })
}

fn crop() -> Outcome<Crop> {
    let (file, format) = (BlobId::of(b"crop"), FileFormat::Jpeg);
    Outcome::Made(Crop {
        file,
        sha256: String::new(),
        crc32: None,
        size_bytes: 1,
        width_px: 1,
        height_px: 1,
        format,
    })
}

fn failure(message: String) -> Failure {
    Failure { message, attempts: 3, transient: true, trouble: None }
}

fn post(place: &str) -> Post {
    Post {
        places: BTreeSet::from([Place(place.to_owned())]),
        title: String::new(),
        author: None,
        permalink: String::new(),
        created_utc: None,
        score: Some(1),
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::Text,
        preview: None,
        told_by: Teller::Live,
    }
}

fn id(name: &str) -> PostId {
    PostId(name.to_owned())
}

/// Seven posts of two classes and one of a place nobody lists any more.
pub(in crate::store) fn posts(store: &Store) {
    let of = |name: &str, place: &str| (id(name), post(place));
    let listed = ["1", "2", "3", "4", "5"].map(|name| of(name, "r/cats"));
    store.put_notes(&listed).unwrap();
    store.put_notes(&[of("6", "r/dogs"), of("7", "r/dogs"), of("8", "r/fish")]).unwrap();
    let bad = Resolved::Rejected(Reject::BadAddress { url: "x".to_owned() });
    let empty = Resolved::Rejected(Reject::GalleryItem { status: "failed".to_owned() });
    let resolutions = [
        ("1", resolution("cats", vec![link("a"), link("b"), bad, empty])),
        ("2", resolution("cats", vec![link("a")])),
        ("3", Outcome::Rejected(Reject::Video)),
        ("4", Outcome::Rejected(Reject::Video)),
        ("6", resolution("dogs", ["c", "d", "e", "f", "g"].map(link).into())),
        ("7", resolution("dogs", ["h", "i", "j", "k", "l"].map(link).into())),
        ("8", resolution("fish", vec![link("z")])),
    ];
    store.put_all(&resolutions.map(|(name, outcome)| (id(name), settled(outcome)))).unwrap();
}

pub(in crate::store) fn downloads(store: &Store) {
    let gone = || Outcome::Rejected(Reject::Gone { status: 404 });
    let timeout =
        |name| Outcome::Failed(failure(format!("could not fetch {}: timeout", url(name))));
    let downloads = [
        ("a", download("1")),
        ("b", download("2")),
        ("c", download("1")),
        ("d", download("3")),
        ("e", download("4")),
        ("f", download("5")),
        ("g", download("6")),
        ("h", download("7")),
        ("i", gone()),
        ("j", timeout("j")),
        ("k", timeout("k")),
        ("z", download("z")),
    ];
    store.put_all(&downloads.map(|(name, outcome)| (url(name), settled(outcome)))).unwrap();
}

/// Of seven files one is broken, one a twin, one not judged, one cannot be cut, one would leak.
pub(in crate::store) fn pictures(store: &Store) {
    let blob = |name: &str| BlobId::of(name.as_bytes());
    let broken = Outcome::<Fingerprint>::Rejected(Reject::Undecodable { cause: "cut".to_owned() });
    store.put_all(&[(blob("2"), settled(broken))]).unwrap();
    for name in ["1", "3", "4", "5", "6", "7", "z"] {
        store.put_all(&[(blob(name), settled(print()))]).unwrap();
    }
    let keep = |label: &str| Ruling::Keep { label: Label::new(label).unwrap() };
    let (distance, similarity) = (Distance(3), Similarity(990));
    let twin = Ruling::Drop(DropReason::Twin { of: blob("1"), distance, similarity });
    for (name, ruling) in [
        ("1", keep("cats")),
        ("3", keep("dogs")),
        ("4", keep("dogs")),
        ("5", keep("dogs")),
        ("6", twin),
        ("z", keep("dogs")),
    ] {
        let verdict = Verdict { ruling, leak_group: blob(name) };
        store.put_notes(&[(blob(name), verdict)]).unwrap();
    }
    for name in ["1", "3", "4", "z"] {
        store.put_all(&[(blob(name), settled(crop()))]).unwrap();
    }
    let torn = Outcome::<Crop>::Failed(failure("disk full".to_owned()));
    store.put_all(&[(blob("5"), settled(torn))]).unwrap();
    let leak = Placement::Leak { locked: Side::TRAIN, group_is_in: Side::TEST, of: blob("3") };
    let placed =
        [("1", Placement::In(Split::Train)), ("3", Placement::In(Split::Test)), ("4", leak)];
    store.put_notes(&placed.map(|(name, placement)| (blob(name), placement))).unwrap();
}

pub(in crate::store) fn full(dir: &TempDir) -> Store {
    let store = Store::open(dir.path()).unwrap();
    posts(&store);
    downloads(&store);
    pictures(&store);
    store
}

fn step(name: &str, count: u64, lost: &[(&str, u64)]) -> FunnelStep {
    let lost = lost.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect();
    FunnelStep { name: name.to_owned(), count, lost }
}

#[test]
fn every_step_counts_what_arrives_and_why_the_others_left() {
    let dir = TempDir::new().unwrap();

    let funnel = funnel(&full(&dir), &classes()).unwrap();

    let in_gallery = "in a gallery: not an address";
    let steps = [
        step(
            "posts",
            7,
            &[
                ("video", 2),
                ("gallery item without a picture", 1),
                (in_gallery, 1),
                ("not done yet", 1),
            ],
        ),
        step("picture links", 13, &[("same address", 1)]),
        step(
            "distinct addresses",
            12,
            &[("failed: could not fetch \u{2026}: timeout", 2), ("gone", 1), ("not done yet", 1)],
        ),
        step("fetched", 8, &[("same bytes (exact repost)", 1)]),
        step("distinct files", 7, &[("broken file", 1)]),
        step("readable pictures", 6, &[("not done yet", 1), ("twin", 1)]),
        step("kept", 4, &[("failed: disk full", 1), ("would leak between splits", 1)]),
        step("in the dataset", 2, &[]),
    ];
    assert_eq!(funnel.steps, steps);
}

#[test]
fn the_last_step_is_the_dataset() {
    let dir = TempDir::new().unwrap();
    let store = full(&dir);

    let dataset = query::dataset(&store, &classes()).unwrap();

    let last = journey(&store, &classes()).unwrap().step(StepName::Dataset).map(|step| step.count);
    assert_eq!(last, Some(n(dataset.len())));
}

#[test]
fn classes_are_counted_by_split_and_an_unlisted_place_by_none() {
    let dir = TempDir::new().unwrap();

    let counts = by_class(&full(&dir), &classes()).unwrap();

    let count = |label: &str, posts, kept, [train, val, test]: [u64; 3]| ClassCount {
        label: Label::new(label).unwrap(),
        posts,
        kept,
        splits: [(Split::Train, train), (Split::Val, val), (Split::Test, test)].into(),
    };
    assert_eq!(counts, [count("cats", 5, 1, [1, 0, 0]), count("dogs", 2, 3, [0, 0, 1])]);
}

#[test]
fn an_empty_store_has_all_steps_at_zero() {
    let dir = TempDir::new().unwrap();

    let funnel = funnel(&Store::open(dir.path()).unwrap(), &classes()).unwrap();

    assert_eq!(funnel.steps.len(), 8);
    assert!(funnel.steps.iter().all(|step| step.count == 0 && step.lost.is_empty()));
}

/// A store of pictures that are kept, each shown by four posts, among fingerprints that are not.
pub(in crate::store) fn large(
    dir: &TempDir,
    n_kept: usize,
    n_others: usize,
) -> (Store, Vec<BlobId>) {
    let store = Store::open(dir.path()).unwrap();
    let names: Vec<String> = (0..n_kept).map(|at| format!("kept {at}")).collect();
    let mut kept: Vec<BlobId> = names.iter().map(|it| BlobId::of(it.as_bytes())).collect();
    let told = [(5, 20), (7, 30), (7, 10), (7, 10)];
    let mut posts = Vec::new();
    for name in &names {
        for (at, (points, created)) in told.into_iter().enumerate() {
            let post = Post { created_utc: Some(created), score: Some(points), ..post("r/cats") };
            posts.push((id(&format!("{at} {name}")), post));
        }
    }
    store.put_notes(&posts).unwrap();
    let resolved = posts.iter().map(|(id, _)| {
        let name = id.0.split_once(' ').unwrap().1;
        (id.clone(), settled(resolution("cats", vec![link(name)])))
    });
    store.put_all(&resolved.collect::<Vec<_>>()).unwrap();
    let fetched = names.iter().map(|it| (url(it), settled(download(it))));
    store.put_all(&fetched.collect::<Vec<_>>()).unwrap();
    let others = (0..n_others).map(|at| BlobId::of(format!("other {at}").as_bytes()));
    let prints = kept.iter().copied().chain(others).map(|blob| (blob, settled(print())));
    store.put_all(&prints.collect::<Vec<_>>()).unwrap();
    let cut = kept.iter().map(|blob| (*blob, settled(crop())));
    store.put_all(&cut.collect::<Vec<_>>()).unwrap();
    let label = Label::new("cats").unwrap();
    let judged = kept.iter().map(|blob| {
        let ruling = Ruling::Keep { label: label.clone() };
        (*blob, Verdict { ruling, leak_group: *blob })
    });
    store.put_notes(&judged.collect::<Vec<_>>()).unwrap();
    let placed = kept.iter().map(|blob| (*blob, Placement::In(Split::Train)));
    store.put_notes(&placed.collect::<Vec<_>>()).unwrap();
    kept.sort();
    (store, kept)
}

#[test]
fn a_dataset_is_in_the_order_of_its_blobs_however_far_apart_they_lie() {
    for (n_kept, n_others) in [(1100, 0), (1100, 900), (5, 400), (1, 0)] {
        let dir = TempDir::new().unwrap();
        let (store, kept) = large(&dir, n_kept, n_others);
        let without_print = kept[n_kept / 2];
        store.remove_records::<Fingerprint>(&[without_print]).unwrap();

        let dataset = query::dataset(&store, &classes()).unwrap();

        let blobs: Vec<BlobId> = dataset.iter().map(|it| it.blob).collect();
        let expected: Vec<BlobId> = kept.into_iter().filter(|it| *it != without_print).collect();
        assert_eq!(blobs, expected, "{n_kept} among {n_others}");
    }
}

#[test]
fn a_picture_is_owed_to_the_best_loved_post_and_of_equals_to_the_earliest() {
    let dir = TempDir::new().unwrap();
    let (store, _) = large(&dir, 40, 0);

    let dataset = query::dataset(&store, &classes()).unwrap();

    assert_eq!(dataset.len(), 40);
    for picture in dataset {
        let from = picture.provenance;
        let name = from.url.0.trim_start_matches("https://i.example.com/").to_owned();
        assert_eq!(from.post, id(&format!("2 {}", name.trim_end_matches(".jpg"))));
        assert_eq!((from.score, from.created_utc), (7, Some(10)));
    }
}
