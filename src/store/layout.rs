//! Where everything of one dataset lies: the folders this program owns.

use std::path::{Path, PathBuf};

use super::{
    files::{self, FileError},
    schema::RunName,
};
use crate::domain::{id::BlobId, picture::Crop};

/// The folder of one dataset, `data/<name>`.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    weights: PathBuf,
}

impl Layout {
    pub fn new(data: &Path, dataset: &str) -> Self {
        Self { root: data.join(dataset), weights: weights(data) }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub fn crops(&self) -> PathBuf {
        self.root.join("crops")
    }

    /// Returns where the bytes of a fetched file lie, as they were fetched.
    pub fn blob(&self, blob: &BlobId) -> PathBuf {
        by_content(&self.blobs(), blob, "")
    }

    /// Returns where the bytes of a prepared picture lie.
    pub fn crop(&self, crop: &Crop) -> PathBuf {
        by_content(&self.crops(), &crop.file, &format!(".{}", crop.format.extension()))
    }

    /// Puts the bytes of a prepared picture where they belong, without waiting for the disk: no
    /// record may speak of them before [`files::sync_all_below`].
    pub fn keep_crop(&self, crop: &Crop, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.crop(crop);
        if files::has_size(&path, crop.size_bytes) {
            return Ok(());
        }
        files::write_unsynced(&path, bytes)
    }

    /// Returns where the answers of sites are kept as they came.
    pub fn answers(&self) -> PathBuf {
        self.root.join("answers")
    }

    pub fn dataset(&self) -> PathBuf {
        self.root.join("dataset")
    }

    pub fn exports(&self) -> PathBuf {
        self.root.join("exports")
    }

    /// Returns the file that is there while the disk may not have all of an export.
    pub fn unsettled(&self) -> PathBuf {
        self.root.join(".unsettled")
    }

    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// Returns where it is shown what a model looked at in test pictures it took for another class.
    pub fn mistakes(&self, run: &RunName) -> PathBuf {
        self.models().join(&run.0).join("mistakes")
    }

    /// Returns where it is shown what a model looked at in one of them.
    pub fn mistake(&self, run: &RunName, blob: &BlobId) -> PathBuf {
        self.mistakes(run).join(format!("{blob}.jpg"))
    }

    /// Returns where it is kept what frozen networks made of pictures.
    pub fn features(&self) -> PathBuf {
        self.root.join("features")
    }

    /// Returns where published weights lie that were fetched, for all datasets.
    pub fn weights(&self) -> &Path {
        &self.weights
    }

    pub fn report(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// Returns the access log of the demo site, the proof of what was asked for.
    pub fn site_log(&self) -> PathBuf {
        self.root.join("site.log")
    }
}

/// Returns where published weights lie below the folder of all datasets; no dataset is called so.
pub fn weights(data: &Path) -> PathBuf {
    data.join(".weights")
}

fn by_content(dir: &Path, id: &BlobId, ending: &str) -> PathBuf {
    let digits = id.to_string();
    dir.join(&digits[..2]).join(format!("{digits}{ending}"))
}
