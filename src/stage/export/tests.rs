#![expect(clippy::disallowed_methods, reason = "a test's own files need no safety from crashes")]

use std::{collections::BTreeMap, fs};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{
    folder::{Changes, write_folder},
    kaggle::write_kaggle,
    *,
};
use crate::domain::{
    bytes::hex,
    dataset::{FunnelStep, Provenance},
    deletion::Removal,
    fingerprint::PerceptualHash,
    id::{BlobId, PostId},
    kaggle::KaggleRecipe,
    link::MediaUrl,
    picture::{Crop, FileFormat},
};

const COVER: &[u8] = b"\xff\xd8\xff cover";

/// A dataset and its prepared files in a folder of their own.
struct Bench {
    temp: TempDir,
    classes: Vec<Label>,
    pictures: Vec<Picture>,
    funnel: Funnel,
    removals: Vec<Removal>,
    answers: Answers,
    purity: BTreeMap<Label, Purity>,
}

impl Bench {
    /// Two cats in train, one in val, one dog in train; test is empty.
    fn new() -> Self {
        let step = FunnelStep {
            name: "posts".to_owned(),
            count: 9,
            lost: vec![("video | text".to_owned(), 5)],
        };
        let mut bench = Self {
            temp: TempDir::new().unwrap(),
            classes: ["dogs", "cats"].map(|name| Label::new(name).unwrap()).to_vec(),
            pictures: Vec::new(),
            funnel: Funnel { steps: vec![step] },
            removals: Vec::new(),
            answers: Answers::default(),
            purity: BTreeMap::new(),
        };
        fs::create_dir(bench.path("crops")).unwrap();
        bench.add("cats", Split::Train, "=HYPERLINK(\"https://x\")");
        bench.add("cats", Split::Train, "two\nlines, \"quoted\" \u{1f408}");
        bench.add("cats", Split::Val, "plain");
        bench.add("dogs", Split::Train, "a dog");
        bench
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.temp.path().join(inner)
    }

    /// Draws a picture and adds it with a post of its own.
    fn add(&mut self, label: &str, split: Split, title: &str) {
        let number = u8::try_from(self.pictures.len()).unwrap();
        let bytes = drawn(number);
        let crop = Crop::of(&bytes, (16, 16), FileFormat::Jpeg);
        fs::write(self.path("crops").join(crop.file.to_string()), &bytes).unwrap();
        let blob = BlobId::of(&[number]);
        fs::write(self.path("crops").join(format!("{blob}.raw")), [number]).unwrap();
        self.pictures.push(Picture {
            blob,
            label: Label::new(label).unwrap(),
            split,
            crop,
            hash: PerceptualHash([u64::from(number); 4]),
            source_width_px: 640,
            source_height_px: 480,
            leak_group: blob,
            provenance: Provenance {
                post: PostId(format!("reddit:t3_{number}")),
                index: 0,
                place: format!("r/{label}"),
                title: title.to_owned(),
                author: (number != 2).then(|| "-someone-".to_owned()),
                permalink: format!("https://www.reddit.com/r/{label}/comments/{number}/"),
                url: MediaUrl(format!("demo+https://i.redd.it/{number}.jpg")),
                created_utc: Some(1_700_000_000),
                score: -3,
            },
        });
    }

    fn crop_of(&self, at: usize) -> PathBuf {
        self.path("crops").join(self.pictures[at].crop.file.to_string())
    }

    fn with<T>(&self, work: impl FnOnce(&Dataset<'_>) -> T) -> T {
        let crops = |picture: &Picture| self.path("crops").join(picture.crop.file.to_string());
        let blobs = |blob: &BlobId| self.path("crops").join(format!("{blob}.raw"));
        work(&Dataset {
            name: "pets",
            title: "Cats and Dogs",
            seed: 7,
            classes: &self.classes,
            pictures: &self.pictures,
            funnel: &self.funnel,
            removals: &self.removals,
            transform: "center-crop to 16\u{d7}16",
            rebuilding: "[prepare]\nsize = 16\n",
            license: "other",
            contact: None,
            answers: &self.answers,
            purity: &self.purity,
            crops: &crops,
            blobs: &blobs,
        })
    }

    fn kaggle(&self, to: &str) -> Result<Written, ExportError> {
        let dir = self.path(to);
        let written = self.with(|it| write_kaggle(it, &recipe(), COVER, None, &dir))?;
        swap::settle(&dir).map(|()| written)
    }

    fn folder(&self) -> Result<Changes, ExportError> {
        let filled = self.with(|dataset| write_folder(dataset, &self.path("dataset")))?;
        filled.settle().map(|()| filled.changes)
    }
}

fn recipe() -> KaggleRecipe {
    KaggleRecipe {
        id: "someone/cats-and-dogs".to_owned(),
        title: "Cats & Dogs \u{1f408}".to_owned(),
        subtitle: Some("Two classes of pets for tests".to_owned()),
        keywords: vec!["animals".to_owned()],
        ..KaggleRecipe::default()
    }
}

/// A small picture that differs from number to number.
fn drawn(number: u8) -> Vec<u8> {
    let pixels: Vec<u8> =
        (0..16 * 16 * 3).map(|at: u16| at.to_le_bytes()[0] ^ (number * 16)).collect();
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.encode(&pixels, 16, 16, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Every file below `dir`, by its path, with its bytes; folders end in `/`.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut due = vec![dir.to_owned()];
    while let Some(folder) = due.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.insert(name + "/", Vec::new());
                due.push(path);
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn text(tree: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(tree[name].clone()).unwrap()
}

/// When a run was killed, and what it left behind in the folder of exports.
type Crash = (&'static str, fn(&Path));

fn hidden_names(dir: &Path) -> Vec<String> {
    tree(dir).into_keys().filter(|name| name.starts_with('.')).collect()
}

mod audited;
mod kaggle_folder;
mod kaggle_trouble;
mod other_forms;
mod list_folder;
mod plain_folder;
mod taken_back;
