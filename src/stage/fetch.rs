//! Address → the picture's bytes, untouched, in a file named by its content.

use std::{collections::BTreeSet, io, time::Duration};

use serde::{Serialize, Serializer};
use tokio::task::JoinError;
use url::Url;

use crate::{
    domain::{
        classes::Classes,
        id::BlobId,
        link::{Download, MediaLink, MediaUrl},
        outcome::{Outcome, Reject},
    },
    engine::{Inputs, ItemStage, Lane, StageName, Staleness, Transient},
    net::{Body, NetError},
    pixels::sniff,
    source::access::{Access, AccessError},
    store::{
        Digest, Store, StoreError,
        files::{self, FileError},
        layout::Layout,
        query,
    },
};

mod placeholder;

/// The work of this room.
pub struct Fetch<'a> {
    pub recipe: Recipe,
    pub bytes_max: u64,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
    pub access: &'a Access,
}

/// What is fetched. Only the digest can make an address another picture: which of several posts
/// tells of the address, and what copies it knows of, cannot.
pub struct Target(MediaLink);

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.digest.serialize(to)
    }
}

/// What can change what a fetch brings: nothing of ours. Patience and width cannot, and the
/// byte limit concerns only what is beyond it (see [`Fetch::is_stale`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipe {}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("could not fetch {url}")]
    Net { url: MediaUrl, source: NetError },
    #[error("could not read `{path}`")]
    Read { path: String, source: io::Error },
    #[error("could not keep {url}")]
    Keep { url: MediaUrl, source: FileError },
    #[error("the work on {url} was broken off")]
    BrokenOff { url: MediaUrl, source: JoinError },
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Transient for FetchError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Net { source, .. } => source.is_transient(),
            Self::Read { .. } => true,
            Self::Keep { .. } | Self::BrokenOff { .. } | Self::Access(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Net { source, .. } => source.retry_after(),
            Self::Read { .. } | Self::Keep { .. } | Self::BrokenOff { .. } | Self::Access(_) => {
                None
            }
        }
    }

    fn is_fatal(&self) -> bool {
        match self {
            // A disk that cannot take this picture cannot take the next one either.
            Self::Keep { .. } | Self::Access(_) => true,
            Self::Net { .. } | Self::Read { .. } | Self::BrokenOff { .. } => false,
        }
    }
}

impl ItemStage for Fetch<'_> {
    const NAME: StageName = StageName::Fetch;
    const REVISION: u32 = 1;
    const LANE: Lane = Lane::Network;
    type Recipe = Recipe;
    type Input = Target;
    type Output = Download;
    type Error = FetchError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn inputs<'a>(&'a self, store: &'a Store) -> Result<Inputs<'a, Self>, StoreError> {
        // Many posts may lead to one address, and the address is fetched once.
        let mut met = BTreeSet::new();
        let sightings = query::sightings(store, self.classes)?;
        Ok(Box::new(sightings.filter_map(move |sighting| match sighting {
            Ok(it) => {
                let is_first = met.insert(Digest::of(&it.media.url));
                is_first.then(|| Ok((it.media.url.clone(), Target(it.media))))
            }
            Err(error) => Some(Err(error)),
        })))
    }

    fn is_stale(&self, store: &Store, url: &MediaUrl) -> Staleness {
        match store.get::<Download>(url).map(|settled| settled.map(|it| it.outcome)) {
            Ok(Some(Outcome::Made(download))) if !self.still_holds(&download) => {
                Staleness::FileMissing
            }
            Ok(Some(Outcome::Rejected(Reject::TooLarge { limit_bytes })))
                if limit_bytes < self.bytes_max =>
            {
                Staleness::Aged
            }
            Ok(_) | Err(_) => Staleness::Fresh,
        }
    }

    fn still_holds(&self, download: &Download) -> bool {
        self.layout.blob(&download.blob).exists()
    }

    async fn apply(
        &self,
        url: &MediaUrl,
        Target(link): &Target,
        before: &[FetchError],
    ) -> Result<Outcome<Download>, FetchError> {
        let body = match self.body(url, link).await? {
            Ok(body) => body,
            Err(reject) => return Ok(Outcome::Rejected(reject)),
        };
        let blob = BlobId::of(&body.bytes);
        if let Some(reject) = reason_against(&body, blob, link) {
            return Ok(Outcome::Rejected(reject));
        }
        let troubles = before.iter().filter_map(|error| match error {
            FetchError::Net { source, .. } => Some(source.trouble()),
            FetchError::Read { .. }
            | FetchError::Keep { .. }
            | FetchError::BrokenOff { .. }
            | FetchError::Access(_) => None,
        });
        let download = Download {
            blob,
            size_bytes: u64::try_from(body.bytes.len()).expect("a length fits 64 bits"),
            final_url: body.final_url.into(),
            retrieved_at: self.access.now(),
            troubles: troubles.collect(),
        };
        self.keep(url, blob, body.bytes).await?;
        Ok(Outcome::Made(download))
    }
}

impl Fetch<'_> {
    /// Brings the bytes, from wherever the address points.
    async fn body(
        &self,
        url: &MediaUrl,
        link: &MediaLink,
    ) -> Result<Result<Body, Reject>, FetchError> {
        // Only a folder's own listing gives a digest: no post can point at a file of this machine.
        if let (Some(path), Some(_)) = (url.0.strip_prefix("file:"), link.digest) {
            return self.file(url, path).await;
        }
        let (client, address) = match url.0.strip_prefix("demo+") {
            Some(address) => (self.access.demo().await?, address),
            None => (self.access.live().await?, url.0.as_str()),
        };
        let Ok(address) = Url::parse(address) else {
            return Ok(Err(Reject::BadAddress { url: url.0.clone() }));
        };
        let fetched = client.picture(&address).await;
        fetched.map_err(|source| FetchError::Net { url: url.clone(), source })
    }

    async fn file(&self, url: &MediaUrl, path: &str) -> Result<Result<Body, Reject>, FetchError> {
        let limit_bytes = self.bytes_max;
        let owned = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            if limit_bytes < std::fs::metadata(&owned)?.len() {
                return Ok(None);
            }
            std::fs::read(&owned).map(Some)
        });
        let read = reading.await.map_err(|source| broken_off(url, source))?;
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Err(Reject::TooLarge { limit_bytes })),
            Err(source) => return Err(FetchError::Read { path: path.to_owned(), source }),
        };
        let final_url = Url::parse("file:///").expect("a constant address is valid");
        Ok(Ok(Body { bytes, final_url }))
    }

    async fn keep(&self, url: &MediaUrl, blob: BlobId, bytes: Vec<u8>) -> Result<(), FetchError> {
        let path = self.layout.blob(&blob);
        let writing = tokio::task::spawn_blocking(move || {
            if path.exists() { Ok(()) } else { files::write_atomic(&path, &bytes) }
        });
        let written = writing.await.map_err(|source| broken_off(url, source))?;
        written.map_err(|source| FetchError::Keep { url: url.clone(), source })
    }
}

fn broken_off(url: &MediaUrl, source: JoinError) -> FetchError {
    FetchError::BrokenOff { url: url.clone(), source }
}

/// Looks at what came: is it a picture at all, and the one that was meant?
fn reason_against(body: &Body, blob: BlobId, link: &MediaLink) -> Option<Reject> {
    if link.digest.is_some_and(|listed| listed != blob) {
        return Some(Reject::FileChanged);
    }
    if placeholder::is_placeholder(&body.final_url, &body.bytes) {
        return Some(Reject::Placeholder);
    }
    if body.bytes.is_empty() {
        return Some(Reject::Empty);
    }
    let kind = sniff::kind(&body.bytes);
    (!kind.is_picture()).then(|| Reject::NotAnImage { found: kind.name().to_owned() })
}
