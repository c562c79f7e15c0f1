//! Address → the picture's bytes, untouched, in a file named by its content.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde::{Serialize, Serializer};
use tokio::task::JoinError;

use crate::{
    domain::{
        classes::Classes,
        link::{Download, MediaLink, MediaUrl, Quality, Trouble},
        outcome::{Outcome, Reject},
        sha256::Sha256,
    },
    engine::{
        BeforeCommit, Inputs, ItemStage, Lane, StageName, Staleness, Transient, hands::Hands,
        memory::Memory, stop::Stop,
    },
    net::NetError,
    source::{
        access::{Access, AccessError},
        archive::ArchiveError,
    },
    store::{
        Digest, Store, StoreError,
        files::{self, FileError},
        layout::Layout,
        query,
    },
};

mod bring;
mod local;
mod placeholder;
mod preview;

use bring::{Brought, Expected};
pub use local::Finder;

/// The work of this room.
pub struct Fetch<'a> {
    pub recipe: Recipe,
    pub bytes_max: u64,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
    pub access: &'a Access,
    pub store: &'a Store,
    pub finder: Finder,
    /// What files of this machine share that are read and not yet kept.
    pub memory: Memory,
    /// Ends the waiting for hosts; what is under way is finished.
    pub stop: Stop,
    pub written: Written,
    /// Keep what was brought.
    pub keepers: Hands,
}

/// How many pictures are looked at and written together. Hardly one of them waits for the disk,
/// which gets them later; a drive of another machine wants some to wait for it side by side.
pub const KEEPERS: usize = 4;

/// Whether files were written that the disk may not have yet.
#[derive(Debug, Default)]
pub struct Written(AtomicBool);

/// What is fetched. Only a digest can make an address another picture: which of several posts
/// tells of the address, and what copies it knows of, cannot.
pub struct Target(MediaLink);

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let MediaLink { digest, sha256, .. } = &self.0;
        match sha256 {
            // As it was stamped before lists told digests.
            None => digest.serialize(to),
            Some(sha256) => (digest, sha256).serialize(to),
        }
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
    #[error("could not unpack {url}")]
    Unpack { url: MediaUrl, source: ArchiveError },
    #[error("could not keep {url}")]
    Keep { url: MediaUrl, source: FileError },
    #[error("the work on {url} was broken off")]
    BrokenOff { url: MediaUrl, source: JoinError },
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FetchError {
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.display().to_string(), source }
    }

    fn net(&self) -> Option<&NetError> {
        match self {
            Self::Net { source, .. } => Some(source),
            Self::Read { .. }
            | Self::Unpack { .. }
            | Self::Keep { .. }
            | Self::BrokenOff { .. }
            | Self::Access(_)
            | Self::Store(_) => None,
        }
    }
}

impl Transient for FetchError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Net { source, .. } => source.is_transient(),
            Self::Read { .. } => true,
            Self::Unpack { source, .. } => !matches!(source, ArchiveError::BrokenOff { .. }),
            Self::Keep { .. } | Self::BrokenOff { .. } | Self::Access(_) | Self::Store(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        self.net()?.retry_after()
    }

    fn is_fatal(&self) -> bool {
        match self {
            // A disk that cannot take this picture cannot take the next one either.
            Self::Keep { .. } | Self::Access(_) | Self::Store(_) => true,
            Self::Net { .. } | Self::Read { .. } | Self::Unpack { .. } | Self::BrokenOff { .. } => {
                false
            }
        }
    }

    fn is_stop(&self) -> bool {
        matches!(self.net(), Some(NetError::Stopped { .. }))
    }

    fn is_attempt(&self) -> bool {
        !matches!(self.net(), Some(NetError::HostDown { .. }))
    }

    fn trouble(&self) -> Option<Trouble> {
        Some(self.net()?.trouble())
    }
}

impl ItemStage for Fetch<'_> {
    const NAME: StageName = StageName::Fetch;
    const REVISION: u32 = 1;
    const LANE: Lane = Lane::Hosts;
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

    fn still_serves(&self, Target(link): &Target, download: &Download) -> bool {
        // A list that tells digests by now may mean another picture than the one we have.
        self.still_holds(download) && self.is_meant(link, download)
    }

    fn before_commit(&self) -> Option<BeforeCommit> {
        // Whatever is written from here on is noted anew, and belongs to a later batch.
        if !self.written.0.swap(false, Ordering::AcqRel) {
            return None;
        }
        let blobs = self.layout.blobs();
        Some(Box::new(move || Ok(files::sync_all_below(&blobs)?)))
    }

    async fn apply(
        &self,
        url: &MediaUrl,
        Target(link): &Target,
        before: &[FetchError],
    ) -> Result<Outcome<Download>, FetchError> {
        // Most items wait in line for long, so what they hold until then is kept small.
        let (brought, quality) = Box::pin(self.best(url, link)).await?;
        let kept = match brought {
            Ok(Brought::Kept(kept)) => kept,
            Ok(Brought::Unchanged(download)) => return Ok(Outcome::Made(*download)),
            Err(reject) => return Ok(Outcome::Rejected(reject)),
        };
        Ok(Outcome::Made(Download {
            blob: kept.blob,
            size_bytes: kept.size_bytes,
            final_url: kept.final_url,
            retrieved_at: self.access.now(),
            troubles: before.iter().filter_map(Transient::trouble).collect(),
            quality,
            validators: kept.validators,
        }))
    }
}

impl Fetch<'_> {
    /// Tells whether the file of a picture is there.
    fn still_holds(&self, download: &Download) -> bool {
        files::has_size(&self.layout.blob(&download.blob), download.size_bytes)
    }

    /// Tells whether the picture we have is the one its list tells of, as far as it tells.
    fn is_meant(&self, link: &MediaLink, had: &Download) -> bool {
        let Some(meant) = link.sha256 else { return true };
        files::read(&self.layout.blob(&had.blob)).is_ok_and(|bytes| Sha256::of(&bytes) == meant)
    }

    /// Brings the picture, or the site's own copy of it where the picture is no longer there.
    async fn best(
        &self,
        url: &MediaUrl,
        link: &MediaLink,
    ) -> Result<(Result<Brought, Reject>, Quality), FetchError> {
        let had = self.had(url)?;
        let expected = Expected { blob: link.digest, sha256: link.sha256 };
        let brought = self.bring(url, expected, had.download()).await;
        let Some(fallback) = link.fallback.as_ref() else {
            return Ok((brought?, link.quality));
        };
        if !preview::is_called_for(url, &brought, &had) {
            return Ok((brought?, link.quality));
        }
        // A post cannot point at a file of this machine, whatever stands in for its picture.
        let expected = Expected { blob: None, ..expected };
        match self.bring(fallback, expected, had.download()).await {
            Ok(Ok(copy)) => Ok((Ok(copy), Quality::Preview)),
            Err(error) if error.is_stop() || error.is_fatal() => Err(error),
            // What became of the original says more than what became of its copy.
            Ok(Err(_)) | Err(_) => Ok((brought?, link.quality)),
        }
    }
}

#[cfg(test)]
mod tests;
