//! What is remembered of posts and pictures that were taken back: enough to keep them out, and
//! nothing that shows them.

use serde::{Deserialize, Serialize};

use super::{
    day::Day,
    fingerprint::{Distance, Fingerprint, Orientation, PerceptualHash},
    id::{BlobId, Label, PostId},
    post::{Media, Post, Teller},
    split::Split,
};

/// A picture closer than this to one that was taken back is the same picture. Copies in another
/// size or encoding stay below 30 of 256 bits, strangers lie around 128.
const SAME: Distance = Distance(40);

/// A post that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Who took it back, as the site says it: `deleted`, `moderator`, …
    pub by: String,
    /// Seconds since 1970-01-01 UTC.
    pub noticed_at: i64,
}

/// A picture that was taken back, to be known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ghost {
    pub post: PostId,
    /// Its perceptual hashes as it lay; empty if it never decoded.
    pub hashes: Vec<PerceptualHash>,
}

/// A picture that was in the dataset and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Removal {
    pub file_name: String,
    pub label: Label,
    pub split: Split,
    pub why: RemovedFor,
    pub noticed_on: Day,
}

/// Why a picture left the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedFor {
    PostTakenBack,
    /// It shows the same as a picture that was taken back.
    TwinTakenBack,
}

impl RemovedFor {
    pub fn name(self) -> &'static str {
        match self {
            Self::PostTakenBack => "post deleted",
            Self::TwinTakenBack => "same picture as a deleted post's",
        }
    }
}

impl Ghost {
    /// Tells whether a picture is the one that was taken back, in whatever orientation.
    pub fn is_same(&self, print: &Fingerprint) -> bool {
        print.own_hashes().any(|own| {
            let mut laid = Orientation::all().map(|orientation| own.laid(orientation));
            laid.any(|own| self.hashes.iter().any(|hash| own.distance(*hash) <= SAME))
        })
    }
}

/// Finds the taken-back picture that `print` shows again.
pub fn recognised<'a>(
    print: &Fingerprint,
    ghosts: impl IntoIterator<Item = (&'a BlobId, &'a Ghost)>,
) -> Option<BlobId> {
    ghosts.into_iter().find(|(_, ghost)| ghost.is_same(print)).map(|(blob, _)| *blob)
}

impl Post {
    /// Returns what may be remembered of a post that was taken back: that it was, and where.
    #[must_use]
    pub fn taken_back(&self, by: &str) -> Self {
        Self {
            places: self.places.clone(),
            title: String::new(),
            author: None,
            permalink: self.permalink.clone(),
            created_utc: self.created_utc,
            score: None,
            upvote_percent: None,
            flair: None,
            over_18: self.over_18,
            media: Media::Removed { by: by.to_owned() },
            preview: None,
            // No collection made before can bring it back.
            told_by: Teller::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fingerprint::View, quality::Quality};

    fn print(first: u64) -> Fingerprint {
        Fingerprint {
            width_px: 9,
            height_px: 9,
            format: "PNG".to_owned(),
            views: vec![View::whole(PerceptualHash([first, 0, 0, 0]))],
            thumbnail: Vec::new(),
            colours: Vec::new(),
            quality: Quality::default(),
        }
    }

    #[test]
    fn a_ghost_is_known_in_any_orientation_and_a_stranger_is_not_taken_for_it() {
        let hash = PerceptualHash([!0, !0, 0, 0]);
        let hashes = vec![PerceptualHash([0, !0, !0, 0]), hash];
        let ghost = Ghost { post: PostId("reddit:t3_a".to_owned()), hashes };
        let blob = BlobId::of(b"ghost");
        let ghosts = [(&blob, &ghost)];

        let again = |hash| Fingerprint { views: vec![View::whole(hash)], ..print(0) };
        assert_eq!(recognised(&again(PerceptualHash([!7, !0, 0, 0])), ghosts), Some(blob));
        let mirrored = PerceptualHash([!7, !0, 0, 0]).laid(Orientation::MIRRORED);
        assert_eq!(recognised(&again(mirrored), ghosts), Some(blob));
        assert_eq!(recognised(&again(PerceptualHash([0x1234_5678_9ABC_DEF0; 4])), ghosts), None);
        let bare = Ghost { hashes: Vec::new(), ..ghost.clone() };
        assert_eq!(recognised(&again(hash), [(&blob, &bare)]), None);
    }
}
