//! Finds the photographs and hostile files that lie beside the repository. Tests only.

use std::{env, fs, path::PathBuf};

/// Returns the folder `name` of the shared data, or says that the calling test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test must say that it proved nothing")]
pub(super) fn folder(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from);
    let folder = shared.join("data").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no folder `{name}` in the shared data");
    None
}

/// Reads all files below `name`, sorted by path; none if the shared data is absent.
pub(super) fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let Some(root) = folder(name) else { return Vec::new() };
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let inner = path.strip_prefix(&root).unwrap().display().to_string();
                found.push((inner, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
