use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        fingerprint::{Distance, PerceptualHash, Similarity, View},
        id::{Label, Place},
        link::{self, MediaLink, Origin, Resolution, Resolved},
        picture::FileFormat,
        post::{Media, Teller},
        quality::Quality,
        split::Split,
    },
    store::{
        Digest, Stamp,
        schema::{PairId, Withdrawn},
    },
};

struct Bench {
    store: Store,
    layout: Layout,
    _dir: TempDir,
}

fn id(name: &str) -> PostId {
    PostId(format!("reddit:t3_{name}"))
}

fn url(name: &str) -> MediaUrl {
    MediaUrl(format!("https://i.redd.it/{name}.jpg"))
}

fn blob(name: &str) -> BlobId {
    BlobId::of(name.as_bytes())
}

/// The end of a post that showed the pictures called `own`.
fn withdrawal(own: &[&str]) -> Withdrawal {
    let tombstone = Tombstone { by: "deleted".to_owned(), noticed_at: 1_735_603_200 };
    Withdrawal { tombstone, addresses: own.iter().map(|name| url(name)).collect() }
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let layout = Layout::new(dir.path(), "bench");
        Self { store: Store::open(&layout.store()).unwrap(), layout, _dir: dir }
    }

    fn settle<R: super::super::Record>(&self, key: R::Key, record: R) {
        let digest = Digest::of(&0);
        let stamp = Stamp { revision: 1, recipe: digest, input: digest };
        let settled = Settled { stamp, outcome: Outcome::Made(record) };
        self.store.put_all(&[(key, settled)]).unwrap();
    }

    /// Puts a post that shows one picture, fetched, printed, kept and prepared.
    fn show(&self, name: &str, picture: &str, origin: Origin) {
        let cats = Label::new("cats").unwrap();
        let place = Place("r/cats".to_owned());
        let post = Post {
            places: BTreeSet::from([place.clone()]),
            title: "a cat".to_owned(),
            author: Some("someone".to_owned()),
            permalink: String::new(),
            created_utc: None,
            score: Some(1),
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Text,
            preview: None,
            told_by: Teller::Archive,
        };
        self.store.put_notes(&[(id(name), post)]).unwrap();
        let items = vec![Resolved::Link(MediaLink::to(url(picture)))];
        self.settle(id(name), Resolution { label: cats.clone(), place, origin, items });
        let bytes = blob(picture);
        let download = Download {
            blob: bytes,
            size_bytes: 1,
            final_url: String::new(),
            retrieved_at: 0,
            troubles: BTreeSet::new(),
            quality: link::Quality::Original,
            validators: link::Validators::default(),
        };
        self.settle(url(picture), download);
        let print = Fingerprint {
            width_px: 9,
            height_px: 9,
            format: "PNG".to_owned(),
            views: vec![View::whole(PerceptualHash([7; 4]))],
            thumbnail: vec![1],
            colours: Vec::new(),
            quality: Quality::default(),
        };
        self.settle(bytes, print);
        let crop = Crop {
            file: blob(&format!("crop of {picture}")),
            sha256: String::new(),
            crc32: None,
            size_bytes: 1,
            width_px: 1,
            height_px: 1,
            format: FileFormat::Jpeg,
        };
        for path in [self.layout.blob(&bytes), self.layout.crop(&crop)] {
            files::write_atomic(&path, b"bytes").unwrap();
        }
        self.settle(bytes, crop);
        let verdict = Verdict { ruling: Ruling::Keep { label: cats }, leak_group: bytes };
        self.store.put_notes(&[(bytes, verdict)]).unwrap();
        self.store.put_notes(&[(bytes, Compared(Digest::of(&picture)))]).unwrap();
        self.store.put_notes(&[(bytes, Placement::In(Split::Val))]).unwrap();
    }

    fn files(&self) -> usize {
        let below = |dir| fs::read_dir(dir).into_iter().flatten().map(|it| it.unwrap().path());
        [self.layout.blobs(), self.layout.crops()]
            .into_iter()
            .flat_map(below)
            .flat_map(below)
            .count()
    }
}

#[test]
fn everything_a_deleted_post_brought_goes_and_its_hash_stays() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    bench.show("b", "two", Origin::Single);

    let gone = BTreeMap::from([(id("a"), withdrawal(&["one"]))]);
    let taken = take_back(&bench.store, &gone).unwrap();
    let n_files = bury(&bench.store, &bench.layout).unwrap();

    assert_eq!((taken, n_files, bench.files()), (BTreeSet::from([blob("one")]), 2, 2));
    let post = bench.store.note::<Post>(&id("a")).unwrap().unwrap();
    assert_eq!((post.title.as_str(), post.author), ("", None));
    assert_eq!(post.media, Media::Removed { by: "deleted".to_owned() });
    assert_eq!(bench.store.get::<Fingerprint>(&blob("one")).unwrap(), None);
    assert_eq!(bench.store.note::<Compared>(&blob("one")).unwrap(), None);
    let refused = bench.store.get::<Download>(&url("one")).unwrap().unwrap().outcome;
    assert_eq!(refused, Outcome::Rejected(Reject::TakenBack));
    let ghost = bench.store.note::<Ghost>(&blob("one")).unwrap().unwrap();
    assert_eq!(ghost, Ghost { post: id("a"), hashes: vec![PerceptualHash([7; 4])] });
    let removal = bench.store.note::<Removal>(&blob("one")).unwrap().unwrap();
    let told = (removal.split, removal.noticed_on.to_string(), removal.file_name);
    let file_name = format!("cats-{}.jpg", blob("one").short());
    assert_eq!(told, (Split::Val, "2024-12-31".to_owned(), file_name));
}

#[test]
fn being_killed_between_the_two_steps_leaves_nothing_behind() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    let gone = BTreeMap::from([(id("a"), withdrawal(&["one"]))]);
    take_back(&bench.store, &gone).unwrap();
    fs::remove_file(bench.layout.blob(&blob("one"))).unwrap();

    assert_eq!(bury(&bench.store, &bench.layout).unwrap(), 1, "the crop was still there");
    assert_eq!(bury(&bench.store, &bench.layout).unwrap(), 0);
    assert_eq!(bench.files(), 0);
}

#[test]
fn a_deleted_crosspost_leaves_its_parents_picture() {
    let bench = Bench::new();
    bench.show("parent", "one", Origin::Single);
    bench.show("crosspost", "one", Origin::Crosspost);

    let gone = BTreeMap::from([(id("crosspost"), withdrawal(&[]))]);
    let taken = take_back(&bench.store, &gone).unwrap();

    assert_eq!((taken, bury(&bench.store, &bench.layout).unwrap()), (BTreeSet::new(), 0));
    assert_eq!(bench.files(), 2);
}

#[test]
fn a_dump_cannot_bring_back_what_the_site_took() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    let told_again = bench.store.note::<Post>(&id("a")).unwrap().unwrap();
    take_back(&bench.store, &BTreeMap::from([(id("a"), withdrawal(&["one"]))])).unwrap();

    bench.store.merge_posts(&[(id("a"), told_again)]).unwrap();

    let post = bench.store.note::<Post>(&id("a")).unwrap().unwrap();
    assert_eq!(post.media, Media::Removed { by: "deleted".to_owned() });
}

#[test]
fn a_known_twin_of_what_was_taken_back_goes_with_it() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    bench.show("b", "cropped", Origin::Single);
    let (a, b) = (blob("one").min(blob("cropped")), blob("one").max(blob("cropped")));
    let pair = TwinPair { a, b, distance: Distance(70), similarity: Similarity(950) };
    bench.store.put_notes(&[(PairId(a, b), pair)]).unwrap();

    let gone = BTreeMap::from([(id("a"), withdrawal(&["one"]))]);
    let taken = take_back(&bench.store, &gone).unwrap();

    assert_eq!(taken, BTreeSet::from([a, b]));
    let why = |name: &str| bench.store.note::<Removal>(&blob(name)).unwrap().unwrap().why;
    let both = [why("one"), why("cropped")];
    assert_eq!(both, [RemovedFor::PostTakenBack, RemovedFor::TwinTakenBack]);
}

#[test]
fn files_no_record_names_go_with_what_was_taken_back() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    bench.show("b", "two", Origin::Single);
    // The crop of an earlier size, and what a kill left behind.
    let crops = bench.layout.crops();
    files::write_atomic(&crops.join("ab/an-older-crop.jpg"), b"x").unwrap();
    files::write_atomic(&bench.layout.blobs().join("ab/.snapset-1-2"), b"x").unwrap();

    take_back(&bench.store, &BTreeMap::from([(id("a"), withdrawal(&["one"]))])).unwrap();

    assert_eq!(bury(&bench.store, &bench.layout).unwrap(), 4);
    assert_eq!(bench.files(), 2);
}

#[test]
fn a_picture_beside_a_model_goes_with_its_post() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    bench.show("b", "two", Origin::Single);
    let mistake = |name| bench.layout.mistake(&RunName("a model".to_owned()), &blob(name));
    for name in ["one", "two"] {
        files::write_atomic(&mistake(name), b"x").unwrap();
    }

    take_back(&bench.store, &BTreeMap::from([(id("a"), withdrawal(&["one"]))])).unwrap();

    assert_eq!(bury(&bench.store, &bench.layout).unwrap(), 3, "the blob, the crop and the map");
    assert_eq!((mistake("one").exists(), mistake("two").exists()), (false, true));
}

#[test]
fn a_source_that_tells_of_a_removal_leaves_what_was_shown_to_be_followed() {
    let bench = Bench::new();
    bench.show("a", "one", Origin::Single);
    let before = bench.store.note::<Post>(&id("a")).unwrap().unwrap();
    let media = Media::Removed { by: "moderator".to_owned() };
    let removed = Post { media, told_by: Teller::Live, ..before.clone() };

    for _ in 0..2 {
        bench.store.merge_posts(&[(id("a"), removed.clone())]).unwrap();
    }

    let withdrawn = bench.store.notes::<Withdrawn>().unwrap();
    assert_eq!(withdrawn, [(id("a"), Withdrawn(before))]);
}
