//! Published weights: which there are, which lie on this machine, and fetching them.

use std::path::{Path, PathBuf};

use super::{file::FetchTable, workshop::net_options};
use crate::{
    model::pretrained::{PUBLISHED, Published},
    source::access::{Access, AccessOptions},
    stage::train::weights::Remote,
    store::layout,
};

pub use crate::{
    model::pretrained::Levels,
    stage::train::weights::{OriginError, PUBLISHED_BEST},
};

/// A published file, and where it lies on this machine if it does.
#[derive(Clone, Debug)]
pub struct Shelved {
    pub row: &'static Published,
    pub path: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
#[error("no published weights are called `{name}`; there are {}", known.join(", "))]
pub struct NoSuchWeights {
    name: String,
    known: Vec<String>,
}

/// Lists all published files; `data` is the folder of all datasets.
pub fn list(data: &Path) -> Vec<Shelved> {
    let folder = layout::weights(data);
    let shelved = |row: &'static Published| {
        let path = Remote::of(row).path(&folder);
        Shelved { row, path: path.exists().then_some(path) }
    };
    PUBLISHED.iter().map(shelved).collect()
}

/// Finds a published file by its name, or the best of a network by the network's.
pub fn find(name: &str) -> Result<&'static Published, NoSuchWeights> {
    let is_meant = |row: &&Published| row.file == name || row.architecture.to_string() == name;
    PUBLISHED.iter().find(is_meant).ok_or_else(|| {
        let known = PUBLISHED.iter().map(|row| row.file.to_owned()).collect();
        NoSuchWeights { name: name.to_owned(), known }
    })
}

/// Fetches a published file unless it is there, and returns where it lies.
pub async fn fetch(
    row: &Published,
    data: &Path,
    clock: fn() -> i64,
    told: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<PathBuf, OriginError> {
    let access = Access::new(AccessOptions {
        net: net_options(&FetchTable::default(), clock),
        contact: None,
        demo_places: Vec::new(),
        demo_log: PathBuf::new(),
        clock,
    });
    Remote::of(row).at_hand(&layout::weights(data), &access, told).await
}
