//! Looks at what a tool left: which files are pictures of the corpus, byte for byte.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// What lies where finished pictures belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Different pictures of the corpus.
    pub(super) valid: usize,
    /// Files under a picture's name that hold something else.
    pub(super) corrupt: usize,
}

/// Reads every finished picture below `place`. Names of files under way (`.snapset-…`, `….part`)
/// are no picture's names; notes beside the pictures are not either.
pub(super) fn judge(place: &Path, corpus: &BTreeMap<[u8; 32], u32>) -> Found {
    let mut valid = BTreeSet::new();
    let mut corrupt = 0;
    let mut folders = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue }; // The tool did not get this far.
        for entry in entries {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if is_picture(&entry.path()) {
                let digest = blake3::hash(&fs::read(entry.path()).unwrap());
                match corpus.get(digest.as_bytes()) {
                    Some(number) => _ = valid.insert(*number),
                    None => corrupt += 1,
                }
            }
        }
    }
    Found { valid: valid.len(), corrupt }
}

/// Peers name pictures `….jpg`, snapset by their digest alone.
fn is_picture(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => extension == "jpg",
        None => !path.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(b".")),
    }
}
