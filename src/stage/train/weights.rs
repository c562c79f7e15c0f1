//! Where the published weights of a network come from: a file of the user, or the net, once for
//! all datasets.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    domain::{bytes::hex, id::BlobId},
    model::{
        pretrained::{self, PUBLISHED, Published},
        recipe::Architecture,
    },
    net::{NetError, Piece},
    source::access::{Access, AccessError},
    store::files::{self, FileError},
};

/// What `weights` says where the file is to be fetched that suits the network best.
pub const PUBLISHED_BEST: &str = "imagenet";

/// How many hexadecimal digits of a digest are too few to trust.
const DIGITS_MIN: usize = 8;

/// How often a file is asked for, and how long we wait after the first time.
const TRIES_MAX: u32 = 6;
const FIRST_REST: Duration = Duration::from_millis(500);

/// Where weights are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Here(PathBuf),
    Web(Remote),
}

/// A file to be fetched, and how its SHA-256 digest begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub url: Url,
    pub file: String,
    pub sha256_start: String,
}

#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("no weights are published for {0}, so leave out `weights` in [train]")]
    NonePublished(Architecture),
    #[error("`weights` in [train] names `{}`, which is not there; {advice}", path.display())]
    Missing { path: PathBuf, advice: String },
    #[error(
        "nothing tells what is to be found at {url}; add its digest to the address, as in \
         {url}#sha256=0123456789abcdef"
    )]
    NoDigest { url: Box<Url> },
    #[error(
        "{url} brought a file whose SHA-256 digest is {found}, which does not begin with \
         {wanted}; it was thrown away"
    )]
    OtherFile { url: Box<Url>, found: String, wanted: String },
    #[error(
        "`{}` has been changed: its SHA-256 digest is {found}, which does not begin with \
         {wanted}; remove it and it is fetched again", path.display()
    )]
    Changed { path: PathBuf, found: String, wanted: String },
}

impl Origin {
    /// Reads what `weights` says: [`PUBLISHED_BEST`], an address, or a path.
    pub fn of(weights: &Path, architecture: Architecture) -> Result<Self, OriginError> {
        let text = weights.to_str().unwrap_or_default();
        if text == PUBLISHED_BEST {
            let row = PUBLISHED.iter().find(|row| row.architecture == architecture);
            let row = row.ok_or(OriginError::NonePublished(architecture))?;
            return Ok(Self::Web(Remote::of(row)));
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self::Web(Remote::at(url)?)),
            Ok(_) | Err(_) => {
                let path = weights.to_owned();
                if path.exists() {
                    return Ok(Self::Here(path));
                }
                let advice = pretrained::advice(architecture);
                Err(OriginError::Missing { path, advice })
            }
        }
    }

    /// Names what the weights are, whether or not they have been fetched.
    pub fn digest(&self) -> Result<BlobId, FileError> {
        match self {
            Self::Here(path) => Ok(BlobId::of(&files::read(path)?)),
            Self::Web(it) => Ok(BlobId::of(format!("{} {}", it.url, it.sha256_start).as_bytes())),
        }
    }
}

impl Remote {
    pub fn of(row: &Published) -> Self {
        Self {
            url: Url::parse(row.url).expect("the addresses are constants"),
            file: row.file.to_owned(),
            sha256_start: row.sha256_start.to_owned(),
        }
    }

    /// Finds the digest in the name, as `torchvision` and `timm` write it, or behind `#sha256=`.
    fn at(mut url: Url) -> Result<Self, OriginError> {
        let file = url.path_segments().and_then(|mut it| it.next_back()).unwrap_or_default();
        let file = file.to_owned();
        let told = url.fragment().and_then(|it| it.strip_prefix("sha256=")).map(str::to_owned);
        let stem = file.split_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let in_name = stem.rsplit_once('-').map(|(_, digits)| digits.to_owned());
        let is_digest = |it: &String| {
            (DIGITS_MIN..=64).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_hexdigit())
        };
        url.set_fragment(None);
        let digest = told.or(in_name).filter(is_digest).filter(|_| !file.is_empty());
        let Some(digest) = digest else { return Err(OriginError::NoDigest { url: Box::new(url) }) };
        Ok(Self { url, file, sha256_start: digest.to_ascii_lowercase() })
    }

    /// Returns where the file lies once it was fetched, in a folder of such files.
    pub fn path(&self, folder: &Path) -> PathBuf {
        // Files of one name from two places do not get in each other's way.
        folder.join(&self.sha256_start[..DIGITS_MIN]).join(&self.file)
    }

    /// Fetches the file unless it is there, going on where the last try broke off, and checks it.
    /// `told` hears how many bytes are there, and of how many.
    pub async fn at_hand(
        &self,
        folder: &Path,
        access: &Access,
        told: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<PathBuf, OriginError> {
        let path = self.path(folder);
        let wanted = self.sha256_start.clone();
        if path.exists() {
            let found = sha256(&path)?;
            if !found.starts_with(&wanted) {
                return Err(OriginError::Changed { path, found, wanted });
            }
            return Ok(path);
        }
        files::make_folder(path.parent().unwrap_or(folder))?;
        let part = path.with_file_name(format!("{}.part", self.file));
        let is_whole = part.exists() && sha256(&part)?.starts_with(&wanted);
        if !is_whole {
            self.fetch_patiently(&part, access, told).await?;
        }
        let found = sha256(&part)?;
        if !found.starts_with(&wanted) {
            files::remove_if_any(&part)?;
            let url = Box::new(self.url.clone());
            return Err(OriginError::OtherFile { url, found, wanted });
        }
        files::rename(&part, &path)?;
        Ok(path)
    }

    /// Goes on after troubles that pass, as long as tries bring anything or are few.
    async fn fetch_patiently(
        &self,
        part: &Path,
        access: &Access,
        told: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<(), OriginError> {
        let mut tries = 1;
        loop {
            match self.fetch(part, access, told).await {
                Err(OriginError::Net(error)) if error.is_transient() && tries < TRIES_MAX => {
                    let rest = error.retry_after().unwrap_or(FIRST_REST * tries);
                    tokio::time::sleep(rest).await;
                    tries += 1;
                }
                end => return end,
            }
        }
    }

    async fn fetch(
        &self,
        part: &Path,
        access: &Access,
        told: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<(), OriginError> {
        let failed = |source| FileError::Write { path: part.to_owned(), source };
        let mut file = OpenOptions::new().create(true).append(true).open(part).map_err(failed)?;
        let from = file.metadata().map_err(failed)?.len();
        let (mut length, mut whole) = (from, None);
        let take = |piece: Piece<'_>| {
            match piece {
                Piece::Begins { at, total } => {
                    file.set_len(at).map_err(failed)?;
                    (length, whole) = (at, total);
                }
                Piece::Bytes(bytes) => {
                    file.write_all(bytes).map_err(failed)?;
                    length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                }
            }
            told(length, whole);
            Ok::<(), OriginError>(())
        };
        access.live().await?.download(&self.url, from, take).await?;
        file.sync_all().map_err(failed)?;
        Ok(())
    }
}

fn sha256(path: &Path) -> Result<String, FileError> {
    let failed = |source: io::Error| FileError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut bytes) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut bytes).map_err(failed)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&bytes[..n]),
        }
    }
}

#[cfg(test)]
mod tests;
