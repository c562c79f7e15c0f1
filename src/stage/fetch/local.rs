//! A picture of this machine, in a file of its own or in an archive → its bytes.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use url::Url;

use super::{Fetch, FetchError, bring::broken_off};
use crate::{
    domain::{
        link::{MediaUrl, Validators},
        outcome::Reject,
    },
    engine::{hands::Hands, memory::Taken},
    net::Body,
    source::archive::{Archives, Opened},
};

/// How many files are read together: a drive that hangs keeps no more threads than these.
const READERS: usize = 16;

/// Finds the pictures of this machine.
pub struct Finder {
    archives: Archives,
    readers: Hands,
}

impl Finder {
    /// `scratch` is a folder of our own, where archives are unpacked that have to be.
    pub fn new(scratch: PathBuf) -> Self {
        Self { archives: Archives::new(scratch), readers: Hands::of(READERS) }
    }
}

/// Where on this machine a picture is said to lie.
pub(super) enum Spot<'a> {
    File(&'a Path),
    /// `PATH#ENTRY`, not yet parted.
    Entry(&'a str),
}

impl<'a> Spot<'a> {
    pub(super) fn of(url: &'a MediaUrl) -> Option<Self> {
        let file = url.0.strip_prefix("file:").map(|path| Self::File(Path::new(path)));
        file.or_else(|| Some(Self::Entry(url.0.strip_prefix("archive:")?)))
    }
}

/// A picture that is there.
struct Found {
    size_bytes: u64,
    lies: Lies,
}

enum Lies {
    AtPath(PathBuf),
    Within(Arc<Opened>, String),
}

impl Fetch<'_> {
    /// Reads what lies at `spot` once there is memory for it, which is taken until the caller
    /// lets it go: files are read faster than they are dealt with.
    pub(super) async fn read(
        &self,
        url: &MediaUrl,
        spot: Spot<'_>,
    ) -> Result<Result<(Body, Taken), Reject>, FetchError> {
        let limit_bytes = self.bytes_max;
        let Found { size_bytes, lies } = self.find(url, spot).await?;
        if limit_bytes < size_bytes {
            return Ok(Err(Reject::TooLarge { limit_bytes }));
        }
        let taken = self.memory.take(size_bytes).await;
        // Taken here, by one thread: the C library keeps something back for each that takes memory,
        // and those that read are more.
        let mut bytes = Vec::with_capacity(usize::try_from(size_bytes).unwrap_or_default());
        let name = url.clone();
        let reading = self.finder.readers.put_to(move || match lies {
            Lies::AtPath(path) => {
                let read = File::open(&path)
                    .and_then(|file| file.take(size_bytes).read_to_end(&mut bytes));
                read.map(|_| bytes).map_err(FetchError::read(&path))
            }
            Lies::Within(archive, entry) => {
                let read = archive.read(&entry, &mut bytes);
                read.map(|()| bytes).map_err(|source| FetchError::Unpack { url: name, source })
            }
        });
        let bytes = reading.await.map_err(|source| broken_off(url, source))??;
        let final_url = Url::parse("file:///").expect("a constant address is valid");
        let (bytes, validators) = (bytes.into(), Validators::default());
        let body = Body { bytes, final_url, validators, held: None };
        Ok(Ok((body, taken)))
    }

    /// Looks for what lies at `spot`, of which nothing is read.
    async fn find(&self, url: &MediaUrl, spot: Spot<'_>) -> Result<Found, FetchError> {
        match spot {
            Spot::File(path) => {
                let path = path.to_owned();
                let looking = self.finder.readers.put_to(move || {
                    let found = std::fs::metadata(&path).map_err(FetchError::read(&path))?;
                    Ok(Found { size_bytes: found.len(), lies: Lies::AtPath(path) })
                });
                looking.await.map_err(|source| broken_off(url, source))?
            }
            Spot::Entry(text) => {
                let failed = |source| FetchError::Unpack { url: url.clone(), source };
                let (archive, entry) = self.finder.archives.find(text).await.map_err(failed)?;
                let size_bytes = archive.size_bytes(entry).map_err(failed)?;
                Ok(Found { size_bytes, lies: Lies::Within(archive, entry.to_owned()) })
            }
        }
    }
}
