//! A picture of this machine, in a file of its own or in an archive → its bytes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task::spawn_blocking;
use url::Url;

use super::{Fetch, FetchError, bring::broken_off};
use crate::{
    domain::{
        link::{MediaUrl, Validators},
        outcome::Reject,
    },
    net::{Body, Fetched},
    source::archive::ArchiveError,
};

/// Where on this machine a picture lies.
pub(super) enum Spot {
    File(PathBuf),
    /// `PATH#ENTRY`, not yet parted: either may hold a `#`.
    Entry(String),
}

impl Spot {
    pub(super) fn of(url: &MediaUrl) -> Option<Self> {
        let file = url.0.strip_prefix("file:").map(|path| Self::File(PathBuf::from(path)));
        file.or_else(|| Some(Self::Entry(url.0.strip_prefix("archive:")?.to_owned())))
    }

    /// Returns how many bytes reading it may bring; what an archive holds is not known beforehand.
    pub(super) fn bytes(&self, limit_bytes: u64) -> u64 {
        match self {
            Self::File(path) => std::fs::metadata(path).map_or(0, |it| it.len()).min(limit_bytes),
            Self::Entry(_) => limit_bytes,
        }
    }
}

impl Fetch<'_> {
    pub(super) async fn read(
        &self,
        url: &MediaUrl,
        spot: Spot,
    ) -> Result<Result<Fetched, Reject>, FetchError> {
        let (limit_bytes, archives) = (self.bytes_max, Arc::clone(&self.archives));
        let name = url.clone();
        let reading = spawn_blocking(move || match spot {
            Spot::File(path) => file(&path, limit_bytes),
            Spot::Entry(text) => {
                let (path, entry) = parted(&text);
                match archives.bytes(path, entry, limit_bytes) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(ArchiveError::TooLarge { .. }) => Ok(None),
                    Err(source) => Err(FetchError::Unpack { url: name, source }),
                }
            }
        });
        let read = reading.await.map_err(|source| broken_off(url, source))??;
        let Some(bytes) = read else { return Ok(Err(Reject::TooLarge { limit_bytes })) };
        let final_url = Url::parse("file:///").expect("a constant address is valid");
        Ok(Ok(Fetched::Whole(Body {
            bytes,
            final_url,
            validators: Validators::default(),
            held: None,
        })))
    }
}

/// Reads a file unless it has more than `limit_bytes`.
fn file(path: &Path, limit_bytes: u64) -> Result<Option<Vec<u8>>, FetchError> {
    let wrong = |source| FetchError::Read { path: path.display().to_string(), source };
    let size_bytes = std::fs::metadata(path).map_err(wrong)?.len();
    if limit_bytes < size_bytes {
        return Ok(None);
    }
    std::fs::read(path).map(Some).map_err(wrong)
}

/// Parts an archive's path from the name of an entry at the first `#` that follows a file.
fn parted(text: &str) -> (&Path, &str) {
    let parts = text.match_indices('#').map(|(at, _)| (Path::new(&text[..at]), &text[at + 1..]));
    let found = parts.clone().find(|(path, _)| path.is_file()).or_else(|| parts.clone().next());
    found.unwrap_or((Path::new(text), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files;

    #[test]
    fn an_entry_is_parted_from_its_archive_where_the_file_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a#b.zip");
        files::write_atomic(&path, b"").unwrap();
        let text = format!("{}#cats/#1.jpg", path.display());

        assert_eq!(parted(&text), (path.as_path(), "cats/#1.jpg"));
    }
}
