//! Everything the program remembers, one entry per tree.

use serde::{Deserialize, Serialize};

use super::{Digest, Key, Note, Record, Stamp};
use crate::domain::{
    census::Estimate,
    deletion::{Ghost, Removal, Tombstone},
    fingerprint::{Distance, Fingerprint, Likeness, Similarity},
    id::{BlobId, Place, PostId},
    learning::{Answer, Epoch, Evaluation, growth::Point, suspects::Suspect},
    link::{Download, MediaUrl, Resolution},
    pacing::Pace,
    picture::Crop,
    planted::Planted,
    post::Post,
    progress::{Asked, Done, Gap, Progress},
    split::Placement,
    verdict::{TwinPair, Verdict},
};

/// What listing one place brought; its posts are notes of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Posts known of the place.
    pub posts: u64,
    /// Why single posts could not be read, without repetition.
    pub unreadable: Vec<String>,
    /// Seconds since 1970-01-01 UTC.
    pub listed_at: i64,
    /// What it took this time; nothing where nobody was asked.
    pub asked: Asked,
    /// Each angle that was read, and how it ended.
    pub angles: Vec<Done>,
    /// How many posts no angle showed.
    pub unseen: Option<Estimate>,
}

/// How far a file was read whose listing was cut off, as its source writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reached(pub serde_json::Value);

/// Names a gap: its place, and the post it ends at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GapId(pub String);

impl GapId {
    pub fn of(gap: &Gap) -> Self {
        Self(format!("{} {}", gap.place, gap.newer.post))
    }
}

/// A model that was trained: how it went and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub architecture: String,
    pub classes: Vec<String>,
    pub parameters: u64,
    pub epochs: Vec<Epoch>,
    pub best_epoch: u32,
    /// `None` where the dataset has no test pictures.
    pub test: Option<Evaluation>,
    pub answers: Vec<Answer>,
    /// The pictures it was fitted to or chosen by: those of train and val.
    pub learned_from: Vec<BlobId>,
    /// When it was finished, in seconds since 1970-01-01 UTC; 0 where that was not noted.
    #[serde(default)]
    pub at_s: i64,
    /// How many seconds it took since it was last taken up; 0 where that was not noted.
    #[serde(default)]
    pub took_s: u64,
    /// The settings it was trained with; empty where they were not noted.
    #[serde(default)]
    pub recipe: serde_json::Value,
}

/// How good models were that saw only part of the training pictures; one per dataset, the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// The training whose settings and pictures they had.
    pub run: RunName,
    pub points: Vec<Point>,
}

/// A picture that was compared with every other one of which this is known, by what its
/// fingerprint was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Compared(pub Digest);

/// How pictures were compared: of any two that were, every [`Likeness`] within these bounds is
/// known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Of the stage that compared them.
    pub revision: u32,
    /// The largest hash distance.
    pub distance: Distance,
    /// The least similarity.
    pub similarity: Similarity,
}

/// When and with what a whole-set stage last ran, and what it says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRun {
    pub stamp: Stamp,
    pub summary: String,
}

/// Names a trained model by what it was made of; also its folder below `models/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunName(pub String);

impl RunName {
    pub fn of(stamp: Stamp) -> Self {
        Self(Digest::of(&stamp).to_string()[..12].to_owned())
    }
}

/// The text of a recipe, kept so that a plan can say which setting changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeText(pub serde_json::Value);

/// Which fold of the training set a picture is in, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fold(pub u8);

/// A finished export: what it is, and the digest of its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    pub pictures: u64,
    pub files: u64,
    pub size_bytes: u64,
    pub version: String,
}

/// A post as it was before its source told that it is gone; what came from it has yet to go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Withdrawn(pub Post);

macro_rules! trees {
    ($of:ident: $($name:literal $key:ty => $record:ty,)*) => {
        $(impl $of for $record {
            const TREE: &'static str = $name;
            type Key = $key;
        })*
    };
}

trees! { Record:
    "listing.v2" Place => Listing,
    "resolution.v2" PostId => Resolution,
    "download.v1" MediaUrl => Download,
    "crop.v1" BlobId => Crop,
}

/// Trees of earlier versions that held pictures, however small: they are made again, and what is
/// taken back must not stay in them.
pub(super) const OUTDATED: [&str; 1] = ["fingerprint.v2"];

/// The tree of what is worked out from others (`store/derived.rs`). Raise the number when the same
/// store gives another answer than before, and name the old tree in [`OUTDATED`].
pub(super) const DERIVED: &str = "derived.v1";

/// What pictures are compared by once their hashes are near is nine tenths of a fingerprint.
impl Record for Fingerprint {
    const TREE: &'static str = "fingerprint.v3";
    type Key = BlobId;
    const ANNEX: Option<&'static str> = Some("thumbnail.v1");

    /// The length of the thumbnail, little-endian, the thumbnail, the colours.
    fn annex(&self) -> Vec<u8> {
        let length = u32::try_from(self.thumbnail.len()).expect("a thumbnail is small");
        [&length.to_le_bytes(), &*self.thumbnail, &*self.colours].concat()
    }

    fn with_annex(self, annex: &[u8]) -> Option<Self> {
        let (length, levels) = annex.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (thumbnail, colours) = levels.split_at_checked(length)?;
        Some(Self { thumbnail: thumbnail.to_vec(), colours: colours.to_vec(), ..self })
    }
}

trees! { Note:
    "post.v2" PostId => Post,
    "withdrawn.v1" PostId => Withdrawn,
    "tombstone.v1" PostId => Tombstone,
    "ghost.v1" BlobId => Ghost,
    "removal.v1" BlobId => Removal,
    "progress.v2" Place => Progress,
    "reached.v1" Place => Reached,
    "gap.v1" GapId => Gap,
    "pace.v1" String => Pace,
    "planted.v1" Place => Planted,
    "compared.v1" BlobId => Compared,
    "comparison.v1" String => Comparison,
    "likeness.v1" PairId => Likeness,
    "twin_pair.v1" PairId => TwinPair,
    "verdict.v2" BlobId => Verdict,
    "placement.v2" BlobId => Placement,
    "fold.v1" BlobId => Fold,
    "exported.v1" String => Exported,
    "run.v2" RunName => Run,
    "growth.v1" String => Growth,
    "suspect.v1" BlobId => Suspect,
    "set_run.v1" String => SetRun,
    "recipe.v1" Digest => RecipeText,
}

/// Names a pair of twins: the smaller blob first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PairId(pub BlobId, pub BlobId);

impl Key for PairId {
    fn to_bytes(&self) -> Vec<u8> {
        [self.0.as_bytes().as_slice(), self.1.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (a, b) = bytes.split_at_checked(32)?;
        Some(Self(BlobId::from_bytes(a)?, BlobId::from_bytes(b)?))
    }
}

impl Key for BlobId {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        BlobId::from_bytes(bytes)
    }
}

impl Key for Digest {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

macro_rules! text_keys {
    ($($key:ty: $make:expr, $text:expr;)*) => {
        $(impl Key for $key {
            fn to_bytes(&self) -> Vec<u8> {
                let text: fn(&$key) -> &str = $text;
                text(self).as_bytes().to_vec()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                std::str::from_utf8(bytes).ok().map(str::to_owned).map($make)
            }
        })*
    };
}

text_keys! {
    String: |text| text, |key| key;
    Place: Place, |key| &key.0;
    PostId: PostId, |key| &key.0;
    MediaUrl: MediaUrl, |key| &key.0;
    GapId: GapId, |key| &key.0;
    RunName: RunName, |key| &key.0;
}
