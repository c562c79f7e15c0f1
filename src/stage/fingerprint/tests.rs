use super::*;
use crate::{
    domain::{
        id::{Label, Place},
        picture::FileFormat,
    },
    engine,
    pixels::{Picture, Pixel, crop::Fit, encode},
    stage::prepare::{self, Prepare},
    store::{Digest, Record},
};

/// A dataset in a folder of its own.
struct Bench {
    layout: Layout,
    store: Store,
    classes: Classes,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path(), "x");
        let store = Store::open(&layout.store()).unwrap();
        let places = vec![Place("folder:photos".to_owned())];
        let classes = Classes::plain(&[(Label::new("cats").unwrap(), places)].into());
        Self { layout, store, classes: classes.unwrap(), _dir: dir }
    }

    fn put(&self, bytes: &[u8]) -> BlobId {
        let blob = BlobId::of(bytes);
        files::write_atomic(&self.layout.blob(&blob), bytes).unwrap();
        blob
    }

    fn crops(&self, recipe: &crop::Recipe) -> Crops {
        Crops {
            recipe: recipe.clone(),
            stamp: prepare::stamp,
            store: self.store.clone(),
            made: MadeCrops::default(),
        }
    }

    fn fingerprinting(&self, crops: Option<Crops>) -> Fingerprinting<'_> {
        Fingerprinting {
            recipe: Recipe {
                pixels_max: 100_000_000,
                hash: HashKind::default(),
                hash_bits: HashBits::default(),
            },
            classes: &self.classes,
            layout: &self.layout,
            memory: Memory::of(1 << 26),
            crops,
        }
    }

    async fn print(&self, blob: &BlobId, crops: Option<Crops>) -> Outcome<Fingerprint> {
        let stage = self.fingerprinting(crops);
        let outcome = stage.apply(blob, blob, &[]).await.unwrap();
        if let Some(before_commit) = stage.before_commit() {
            before_commit().unwrap();
        }
        outcome
    }

    /// Makes the crop as `prepare` does, from a decode of its own.
    async fn prepared(&self, blob: &BlobId, recipe: &crop::Recipe) -> Settled<Crop> {
        let (recipe, layout) = (recipe.clone(), &self.layout);
        let stage = Prepare { recipe, layout, memory: Memory::of(1 << 26) };
        let outcome = stage.apply(blob, blob, &[]).await.unwrap();
        Settled { stamp: engine::stamp_of::<Prepare>(&stage.recipe, blob), outcome }
    }
}

/// Draws stripes over a slope, so that every scale shows something else.
fn drawn(width: u32, height: u32) -> Picture {
    let level = |value: u32| u8::try_from(value % 256).unwrap();
    Picture::from_fn(width, height, |x, y| {
        let stripe = if (x / 17 + y / 23) % 2 == 0 { 60 } else { 0 };
        Pixel::from([level(x / 8 + stripe), level(y / 6 + stripe), level((x + y) / 12)])
    })
}

fn of_size(size: u32) -> crop::Recipe {
    crop::Recipe { size, ..crop::Recipe::default() }
}

/// When this fails, the same picture gives another fingerprint than before: raise
/// [`Fingerprinting::REVISION`], and write the new digest here.
#[test]
fn a_revision_stands_for_the_same_fingerprint() {
    let level = |value: u32| u8::try_from(value % 256).unwrap();
    let picture = |width, height| {
        Picture::from_fn(width, height, |x, y| {
            let stripe = if (x / 17 + y / 23) % 2 == 0 { 90 } else { 0 };
            Pixel::from([level(x + stripe), level(y * 2 + stripe), level(x + y)])
        })
    };
    // Scaled up, looked at as it comes, scaled down, and with half a pixel beyond its edges.
    let [small, usual, large] = [(120, 90), (400, 300), (900, 700)]
        .map(|(width, height)| Decoded::whole(picture(width, height), "PNG"));
    let file = encode::jpeg(&picture(1001, 751), 85);
    let reduced = decode::decode_at_least(&file, Limits::default(), fingerprint::SHORTER_PX);

    let prints = [small, usual, large, reduced.unwrap()].map(|it| fingerprint::fingerprint(&it));

    let whole = prints.map(|it| (Record::annex(&it), it));
    let digest = Digest::of(&whole).to_string();
    assert_eq!(
        (Fingerprinting::REVISION, digest.as_str()),
        (4, "540880cd3ca1908b1fc920d388d98279")
    );
}

#[tokio::test]
async fn a_fingerprint_is_the_same_whatever_crop_is_made_beside_it() {
    let bench = Bench::new();
    for (width, height) in [(2300, 1700), (700, 900), (40, 30)] {
        for bytes in [encode::jpeg(&drawn(width, height), 85), encode::png(&drawn(width, height))] {
            let blob = bench.put(&bytes);
            let alone = bench.print(&blob, None).await;

            for size in [16, 64, 256, 257, 512, 1024] {
                let beside = bench.print(&blob, Some(bench.crops(&of_size(size)))).await;
                assert_eq!(beside, alone, "{width}×{height}, crop of {size}");
            }
        }
    }
}

#[tokio::test]
async fn a_crop_made_in_passing_is_the_one_prepare_makes_from_a_decode_of_its_own() {
    let bench = Bench::new();
    let blob = bench.put(&encode::jpeg(&drawn(2300, 1700), 85));
    for fit in [Fit::CenterCrop, Fit::Smart, Fit::Letterbox, Fit::Squash] {
        for (size, format) in
            [(64, FileFormat::Jpeg), (224, FileFormat::Webp), (256, FileFormat::Png)]
        {
            let recipe = crop::Recipe { fit, format, ..of_size(size) };
            let crops = bench.crops(&recipe);

            bench.print(&blob, Some(crops.clone())).await;

            let in_passing = bench.store.get::<Crop>(&blob).unwrap();
            assert_eq!(crops.made.count(), 1);
            assert_eq!(in_passing, Some(bench.prepared(&blob, &recipe).await), "{recipe:?}");
        }
    }
}

#[tokio::test]
async fn a_crop_that_is_there_is_not_made_again() {
    let bench = Bench::new();
    let blob = bench.put(&encode::png(&drawn(300, 200)));
    bench.print(&blob, Some(bench.crops(&of_size(64)))).await;

    let again = bench.crops(&of_size(64));
    bench.print(&blob, Some(again.clone())).await;

    assert_eq!(again.made.count(), 0);
}

#[tokio::test]
async fn a_crop_is_on_record_only_when_its_file_may_be_relied_on() {
    let bench = Bench::new();
    let blob = bench.put(&encode::png(&drawn(300, 200)));
    let stage = bench.fingerprinting(Some(bench.crops(&of_size(64))));

    stage.apply(&blob, &blob, &[]).await.unwrap();

    assert_eq!(bench.store.get::<Crop>(&blob).unwrap(), None);
    stage.before_commit().unwrap()().unwrap();
    let Some(Settled { outcome: Outcome::Made(crop), .. }) = bench.store.get(&blob).unwrap() else {
        panic!("the crop is on record");
    };
    assert!(files::has_size(&bench.layout.crop(&crop), crop.size_bytes));
}

#[tokio::test]
async fn what_does_not_decode_has_neither_fingerprint_nor_crop() {
    let bench = Bench::new();
    let jpeg = encode::jpeg(&drawn(300, 200), 85);
    let blob = bench.put(&jpeg[..jpeg.len() / 2]);

    let outcome = bench.print(&blob, Some(bench.crops(&of_size(64)))).await;

    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert_eq!(bench.store.get::<Crop>(&blob).unwrap(), None);
}
