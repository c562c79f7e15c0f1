//! A post: who showed what where, and what it says its pictures are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    id::{BlobId, Place},
    sha256::Sha256,
};

/// A post as its sources told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Post {
    /// Every listed place that shows it: a subreddit, a dump of the same, or both.
    pub places: BTreeSet<Place>,
    pub title: String,
    pub author: Option<String>,
    /// An address a person can open, or the path of a file.
    pub permalink: String,
    /// Seconds since 1970-01-01 UTC, if the source tells.
    pub created_utc: Option<i64>,
    /// Votes, where the source has any.
    pub score: Option<i64>,
    /// Votes for it among all votes, 0 to 100.
    pub upvote_percent: Option<u8>,
    /// What the subreddit calls this kind of post.
    pub flair: Option<String>,
    pub over_18: bool,
    pub media: Media,
    /// The site's own copy of a picture that lies elsewhere.
    pub preview: Option<String>,
    pub told_by: Teller,
}

/// How fresh what is known of a post is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// A collection made at some time: a dump, a list, an archive.
    Archive,
    /// The site itself, or the folder itself.
    Live,
}

impl Post {
    pub fn is_removed(&self) -> bool {
        matches!(self.media, Media::Removed { .. })
    }

    /// Unites what is told now with what was known: the site itself is believed before any
    /// collection, and of equals whoever speaks now. The places are those of both.
    #[must_use]
    pub fn merged(mut self, mut known: Self) -> Self {
        if known.told_by > self.told_by {
            std::mem::swap(&mut self, &mut known);
        }
        self.places.append(&mut known.places);
        self
    }
}

/// What a post says it shows, before any rule decides what can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// An address: a picture, a page, a video, anything.
    Link {
        url: String,
        /// Of the file that is meant, where a list tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<Sha256>,
    },
    Gallery {
        items: Vec<GalleryItem>,
    },
    Crosspost {
        of: String,
        media: Box<Media>,
    },
    Video,
    Text,
    Removed {
        by: String,
    },
    /// A picture on this machine; the digest makes a changed file a changed post.
    File {
        path: String,
        digest: BlobId,
    },
    /// A picture within an archive on this machine.
    Packed {
        archive: String,
        entry: String,
        digest: BlobId,
    },
}

/// One picture of a gallery, in the gallery's order; no address if the site never made one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GalleryItem {
    pub url: Option<String>,
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Of the file that is meant, where a list tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
}

impl Media {
    /// Leads to an address, whatever lies there.
    pub fn link(url: String) -> Self {
        Self::Link { url, sha256: None }
    }

    /// Returns the pictures of a gallery, the post's own or the one it passes on.
    pub fn gallery(&self) -> Option<&[GalleryItem]> {
        match self {
            Self::Gallery { items } => Some(items),
            Self::Crosspost { media, .. } => media.gallery(),
            Self::Link { .. }
            | Self::Video
            | Self::Text
            | Self::Removed { .. }
            | Self::File { .. }
            | Self::Packed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told_by: Teller, place: &str, score: i64) -> Post {
        Post {
            places: BTreeSet::from([Place(place.to_owned())]),
            title: String::new(),
            author: None,
            permalink: String::new(),
            created_utc: None,
            score: Some(score),
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Text,
            preview: None,
            told_by,
        }
    }

    #[test]
    fn media_noted_before_digests_were_known_are_read_and_written_as_ever() {
        let link = r#"{"link":{"url":"https://a.org/1.jpg"}}"#;
        let gallery = r#"{"gallery":{"items":[{"url":null,"status":"failed"}]}}"#;
        for noted in [link, gallery] {
            let media: Media = serde_json::from_str(noted).unwrap();
            assert_eq!(serde_json::to_string(&media).unwrap(), noted);
        }
        let digest = Sha256::of(b"abc");
        let media = Media::Link { url: String::new(), sha256: Some(digest) };
        let noted = serde_json::to_string(&media).unwrap();
        assert_eq!(serde_json::from_str::<Media>(&noted).unwrap(), media);
    }

    #[test]
    fn the_site_is_believed_before_a_collection_whoever_speaks_last() {
        let (site, dump) = (told(Teller::Live, "r/x", 7), told(Teller::Archive, "dump:x", 1));
        let both = [site.clone().merged(dump.clone()), dump.clone().merged(site.clone())];

        let places = BTreeSet::from(["dump:x", "r/x"].map(|place| Place(place.to_owned())));
        let united = Post { places, ..site.clone() };
        assert_eq!(both, [united.clone(), united]);
        let newer = told(Teller::Live, "r/x", 9).merged(site);
        assert_eq!(newer.score, Some(9));
    }
}
