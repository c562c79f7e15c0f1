//! Any split image folder, ours or another's → what is wrong with it. Reads; never writes.
//!
//! Pictures are decoded one on every core at a time, and of each only its fingerprint is held,
//! some 6 KB. Copies are found as `dedupe` finds them, by the same hashes, search and comparison,
//! on pictures that may come a little smaller, as no quality is measured on them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use tokio::task::JoinError;

use crate::{
    domain::{
        audit::{self, Audit, Finding, Layout, Sample, Seen},
        fingerprint::Fingerprint,
        id::BlobId,
    },
    pixels::{
        decode::{self, Taking},
        fingerprint, sniff,
        twins::{self, Reach},
    },
};

/// What folders of splits are called by people and by tools: for training, for choosing a model,
/// for the last word.
const SPLITS: [&[&str]; 3] = [
    &["train", "training"],
    &["val", "valid", "validation", "dev", "eval", "evaluation"],
    &["test", "testing", "holdout"],
];

/// A larger file is not read.
const BYTES_MAX: u64 = 512 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("{} is no folder", dir.display())]
    NoFolder { dir: PathBuf },
    #[error("{} has no folders of classes; name the folder that holds train, val and test, or the classes", dir.display())]
    NoClasses { dir: PathBuf },
    #[error("could not read folder {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("the audit was broken off")]
    BrokenOff(#[source] JoinError),
}

/// A file and the class folder it lies in.
struct Found {
    path: PathBuf,
    split: String,
    class: String,
}

/// What lies in a folder.
struct Ground {
    layout: Layout,
    found: Vec<Found>,
    /// What lies beside the class folders.
    beside: Vec<Finding>,
}

/// Audits the folder `dir`: `train/cats/1.jpg` with splits under any of their usual names, or
/// `cats/1.jpg` without, where `valid` may be a class. Two different files within `reach` show the same.
pub fn audit(dir: &Path, reach: Reach) -> Result<Audit, AuditError> {
    let Ground { layout, found, beside } = walk(dir)?;
    let seen: Vec<(Sample, Option<Fingerprint>)> =
        found.par_iter().map(|found| look(dir, found)).collect();
    let mut samples = Vec::with_capacity(seen.len());
    let mut prints: BTreeMap<BlobId, Fingerprint> = BTreeMap::new();
    for (sample, print) in seen {
        prints.extend(print.map(|print| (sample.blob, print)));
        samples.push(sample);
    }
    Ok(audit::judge(&layout, &samples, &twins::find(&prints, reach)).with(beside))
}

/// Lists the class folders and all files in them, sorted by path.
fn walk(dir: &Path) -> Result<Ground, AuditError> {
    if !dir.is_dir() {
        return Err(AuditError::NoFolder { dir: dir.to_owned() });
    }
    let top = folders(dir)?;
    let mut beside = Vec::new();
    let mut splits = vec![(String::new(), dir.to_owned())];
    if has_splits(&top)? {
        beside.extend(pictures_in("", dir)?);
        splits.clear();
        for (folder, path) in top {
            if role(&folder).is_some() {
                splits.push((folder, path));
            } else {
                let mut pictures = 0;
                gather(&path, &mut |path| pictures += u64::from(is_named_picture(&path)))?;
                beside.push(Finding::NoSplit { folder, pictures });
            }
        }
    }
    let mut layout = Layout::new();
    let mut found = Vec::new();
    for (split, path) in splits {
        beside.extend(pictures_in(&split, &path)?);
        let mut names = BTreeSet::new();
        for (class, path) in folders(&path)? {
            let (split, class_name) = (split.clone(), class.clone());
            gather(&path, &mut |path| {
                found.push(Found { path, split: split.clone(), class: class_name.clone() });
            })?;
            names.insert(class);
        }
        layout.insert(split, names);
    }
    if layout.values().all(BTreeSet::is_empty) {
        return Err(AuditError::NoClasses { dir: dir.to_owned() });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Ground { layout, found, beside })
}

/// Returns which of [`SPLITS`] a folder is by its name.
fn role(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    SPLITS.iter().position(|names| names.contains(&name.as_str()))
}

/// Tells whether folders are splits, and not classes one of which is called `valid` or `train`:
/// several splits are named, or no folder is anything else, or one of them has class folders and
/// no picture of its own.
fn has_splits(top: &BTreeMap<String, PathBuf>) -> Result<bool, AuditError> {
    let named: Vec<(usize, &PathBuf)> =
        top.iter().filter_map(|(name, path)| Some((role(name)?, path))).collect();
    let roles: BTreeSet<usize> = named.iter().map(|(role, _)| *role).collect();
    if named.is_empty() || 1 < roles.len() || named.len() == top.len() {
        return Ok(!named.is_empty());
    }
    for (_, path) in named {
        if !folders(path)?.is_empty() && pictures_in("", path)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts the pictures that lie in `dir` itself, which is called `folder`.
fn pictures_in(folder: &str, dir: &Path) -> Result<Option<Finding>, AuditError> {
    let mut paths = entries(dir)?;
    paths.retain(|path| path.is_file() && is_named_picture(path));
    let first = paths.iter().filter_map(|path| path.file_name()).min();
    Ok(first.map(|name| {
        let slash = if folder.is_empty() { "" } else { "/" };
        Finding::NoClass {
            folder: folder.to_owned(),
            pictures: u64::try_from(paths.len()).unwrap_or(u64::MAX),
            first: format!("{folder}{slash}{}", name.to_string_lossy()),
        }
    }))
}

fn is_named_picture(path: &Path) -> bool {
    audit::expected(&path.to_string_lossy()).is_some()
}

/// Hands over every file below `dir` at any depth, as torchvision's `ImageFolder` takes them.
fn gather(dir: &Path, take: &mut impl FnMut(PathBuf)) -> Result<(), AuditError> {
    let mut due = vec![dir.to_owned()];
    while let Some(dir) = due.pop() {
        for path in entries(&dir)? {
            // A link to a folder might lead around in a circle.
            if path.is_dir() && !path.is_symlink() {
                due.push(path);
            } else if path.is_file() {
                take(path);
            }
        }
    }
    Ok(())
}

/// Returns the folders in `dir` by name; hidden ones are no classes.
fn folders(dir: &Path) -> Result<BTreeMap<String, PathBuf>, AuditError> {
    let named = |path: PathBuf| Some((path.file_name()?.to_string_lossy().into_owned(), path));
    Ok(entries(dir)?.into_iter().filter(|path| path.is_dir()).filter_map(named).collect())
}

/// Lists what lies in `dir` and is not hidden.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, AuditError> {
    let failed = |source| AuditError::Folder { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// Reads one file and, if it is a picture, fingerprints it.
fn look(dir: &Path, found: &Found) -> (Sample, Option<Fingerprint>) {
    let inner = found.path.strip_prefix(dir).unwrap_or(&found.path);
    let names: Vec<_> = inner.iter().map(|name| name.to_string_lossy()).collect();
    let sample = |blob, seen| Sample {
        path: names.join("/"),
        split: found.split.clone(),
        class: found.class.clone(),
        blob,
        seen,
    };
    let bytes = match read(&found.path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let why = error.to_string();
            return (sample(BlobId::of(&[]), Seen::Broken { why }), None);
        }
    };
    let blob = BlobId::of(&bytes);
    if !is_named_picture(&found.path) && !sniff::kind(&bytes).is_picture() {
        return (sample(blob, Seen::Other), None);
    }
    let taking = Taking { shorter_px: Some(fingerprint::LOOKS_PX), ..Taking::default() };
    match decode::take(&bytes, taking) {
        Ok(decoded) => {
            let (width_px, height_px) = (decoded.width_px, decoded.height_px);
            let format = decoded.format.to_owned();
            let print = fingerprint::looks(&decoded);
            (sample(blob, Seen::Picture { width_px, height_px, format }), Some(print))
        }
        Err(reject) => (sample(blob, Seen::Broken { why: reject.to_string() }), None),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let n_bytes = fs::metadata(path)?.len();
    if BYTES_MAX < n_bytes {
        let why = format!("{n_bytes} bytes are more than are read of a picture");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    fs::read(path)
}

#[cfg(test)]
mod tests;
