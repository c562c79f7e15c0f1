//! One address → its bytes, looked at and kept, or the reason they are not.

use std::sync::atomic::Ordering;

use tokio::task::{JoinError, spawn_blocking};
use url::Url;

use super::{Fetch, FetchError, local::Spot, placeholder};
use crate::{
    domain::{
        deletion::Ghost,
        id::BlobId,
        link::{Download, MediaUrl, Validators},
        outcome::{Failure, Outcome, Reject},
        sha256::Sha256,
    },
    net::{Ask, Body, Copy, Fetched},
    pixels::sniff,
    store::{
        Store,
        files::{self, FileError},
    },
};

/// What is on record of an address from before.
pub(super) enum Had {
    Nothing,
    /// A picture whose file is still there.
    Picture(Box<Download>),
    Failure(Failure),
}

impl Had {
    pub(super) fn download(&self) -> Option<&Download> {
        match self {
            Self::Picture(download) => Some(download),
            Self::Nothing | Self::Failure(_) => None,
        }
    }
}

/// What is known beforehand of the bytes an address leads to.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    /// Their digest when a folder or an archive was listed. No post and no list of addresses gives
    /// one, so neither can point at a file of this machine.
    pub(super) blob: Option<BlobId>,
    /// Their digest as a list of addresses tells it.
    pub(super) sha256: Option<Sha256>,
}

/// What an address brought.
pub(super) enum Brought {
    Kept(Kept),
    /// The picture we have is still the same.
    Unchanged(Box<Download>),
}

/// A picture whose bytes are in their file.
pub(super) struct Kept {
    pub(super) blob: BlobId,
    pub(super) size_bytes: u64,
    pub(super) final_url: String,
    pub(super) validators: Validators,
}

impl Fetch<'_> {
    pub(super) fn had(&self, url: &MediaUrl) -> Result<Had, FetchError> {
        Ok(match self.store.get::<Download>(url)?.map(|settled| settled.outcome) {
            Some(Outcome::Made(download)) if self.still_holds(&download) => {
                Had::Picture(Box::new(download))
            }
            Some(Outcome::Failed(failure)) => Had::Failure(failure),
            Some(Outcome::Made(_) | Outcome::Rejected(_)) | None => Had::Nothing,
        })
    }

    /// Brings the bytes from wherever the address points, and keeps them.
    pub(super) async fn bring(
        &self,
        url: &MediaUrl,
        expected: Expected,
        had: Option<&Download>,
    ) -> Result<Result<Brought, Reject>, FetchError> {
        if let Some(spot) = Spot::of(url).filter(|_| expected.blob.is_some()) {
            let (body, room) = match Box::pin(self.read(url, spot)).await? {
                Ok(read) => read,
                Err(reject) => return Ok(Err(reject)),
            };
            let kept = self.keep(url, expected, body).await?;
            drop(room);
            return Ok(kept.map(Brought::Kept));
        }
        let body = match (self.answer(url, had).await?, had) {
            (Ok(Fetched::Whole(body)), _) => body,
            (Ok(Fetched::Unchanged), Some(had)) => {
                return self.still_good(url, expected, had).await;
            }
            (Ok(Fetched::Unchanged), None) => unreachable!("no copy was told of"),
            (Err(reject), _) => return Ok(Err(reject)),
        };
        Ok(self.keep(url, expected, body).await?.map(Brought::Kept))
    }

    /// Takes the picture we have, unless a list tells by now that another one is meant.
    async fn still_good(
        &self,
        url: &MediaUrl,
        expected: Expected,
        had: &Download,
    ) -> Result<Result<Brought, Reject>, FetchError> {
        let unchanged = Brought::Unchanged(Box::new(had.clone()));
        if expected.sha256.is_none() {
            return Ok(Ok(unchanged));
        }
        let path = self.layout.blob(&had.blob);
        let reading = spawn_blocking(move || std::fs::read(&path).map_err(FetchError::read(&path)));
        let bytes = reading.await.map_err(|source| broken_off(url, source))??;
        Ok(changed(&bytes, expected).map_or(Ok(unchanged), Err))
    }

    async fn answer(
        &self,
        url: &MediaUrl,
        had: Option<&Download>,
    ) -> Result<Result<Fetched, Reject>, FetchError> {
        let (client, address) = match url.0.strip_prefix("demo+") {
            Some(address) => (self.access.demo().await?, address),
            None => (self.access.live().await?, url.0.as_str()),
        };
        let Ok(address) = Url::parse(address) else {
            return Ok(Err(Reject::BadAddress { url: url.0.clone() }));
        };
        let copy = had
            .filter(|had| !had.validators.is_empty())
            .map(|had| Copy { final_url: &had.final_url, validators: &had.validators });
        let fetched = client.fetch(Ask { url: &address, copy }, self.stop.asked()).await;
        fetched.map_err(|source| FetchError::Net { url: url.clone(), source })
    }

    /// Looks at the bytes and writes them to the file their content names.
    async fn keep(
        &self,
        url: &MediaUrl,
        expected: Expected,
        body: Body,
    ) -> Result<Result<Kept, Reject>, FetchError> {
        let (layout, store) = (self.layout.clone(), self.store.clone());
        let working = self.keepers.put_to(move || -> Result<Result<Kept, Reject>, FileError> {
            let blob = BlobId::of(&body.bytes);
            if let Some(reject) = reason_against(&body, blob, expected) {
                return Ok(Err(reject));
            }
            if is_ghost(&store, &blob) {
                return Ok(Err(Reject::TakenBack));
            }
            let size_bytes = u64::try_from(body.bytes.len()).expect("a length fits 64 bits");
            let path = layout.blob(&blob);
            if !files::has_size(&path, size_bytes) {
                files::write_unsynced(&path, &body.bytes)?;
            }
            let (final_url, validators) = (body.final_url.into(), body.validators);
            Ok(Ok(Kept { blob, size_bytes, final_url, validators }))
        });
        let kept = working.await.map_err(|source| broken_off(url, source))?;
        let kept = kept.map_err(|source| FetchError::Keep { url: url.clone(), source })?;
        if kept.is_ok() {
            self.written.0.store(true, Ordering::Release);
        }
        Ok(kept)
    }
}

/// Tells whether these very bytes were taken back. A store that cannot be read says so when the
/// result is put there.
fn is_ghost(store: &Store, blob: &BlobId) -> bool {
    store.note::<Ghost>(blob).is_ok_and(|ghost| ghost.is_some())
}

pub(super) fn broken_off(url: &MediaUrl, source: JoinError) -> FetchError {
    FetchError::BrokenOff { url: url.clone(), source }
}

/// Looks at what came: is it a picture at all, and the one that was meant?
fn reason_against(body: &Body, blob: BlobId, expected: Expected) -> Option<Reject> {
    if expected.blob.is_some_and(|listed| listed != blob) {
        return Some(Reject::FileChanged);
    }
    if placeholder::is_placeholder(&body.final_url, &body.bytes) {
        return Some(Reject::Placeholder);
    }
    if body.bytes.is_empty() {
        return Some(Reject::Empty);
    }
    let kind = sniff::kind(&body.bytes);
    if !kind.is_picture() {
        return Some(Reject::NotAnImage { found: kind.name().to_owned() });
    }
    changed(&body.bytes, expected)
}

/// Refuses other bytes than those a list tells of.
fn changed(bytes: &[u8], expected: Expected) -> Option<Reject> {
    let meant = expected.sha256?;
    let sha256 = Sha256::of(bytes);
    (sha256 != meant).then_some(Reject::Changed { sha256 })
}
