//! Files of this machine that places point at: one name for one path, a clear word when there is
//! nothing to read, and a look that is cheap enough to take before every run.

use std::{
    fs::{self, Metadata},
    io,
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

/// A cheap look at one file: enough to know that it must be looked at again, never used to tell
/// what it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Glance {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    modified_ns: Option<u128>,
}

/// A file that a place points at cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    #[error(
        "there is no file `{}`; a relative path starts where the program is started",
        path.display()
    )]
    Missing { path: PathBuf },
    #[error("`{}` is no file; pictures of a folder are collected with folder:PATH", path.display())]
    NotAFile { path: PathBuf },
    #[error("could not read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl PathError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }
}

impl Glance {
    /// Looks at a file that must be there.
    pub fn at(path: &Path) -> Result<Self, PathError> {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => Ok(Self::of(path.to_owned(), &found)),
            Ok(_) => Err(PathError::NotAFile { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(PathError::Missing { path: path.to_owned() })
            }
            Err(source) => Err(PathError::Read { path: path.to_owned(), source }),
        }
    }

    pub(super) fn of(path: PathBuf, found: &Metadata) -> Self {
        let modified = found.modified().ok();
        let since = modified.and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        Self { path, size_bytes: found.len(), modified_ns: since.map(|it| it.as_nanos()) }
    }
}

/// Drops `.` and doubled or trailing slashes, so that one path has one name.
pub(super) fn one_name(path: &Path) -> PathBuf {
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    let path: PathBuf = parts.collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// Parts `PATH#SELECTION` where the path ends as a path of its kind must. Both may hold a `#`
/// themselves.
pub(super) fn choice(text: &str, is_path: impl Fn(&Path) -> bool) -> Option<(&str, Option<&str>)> {
    if is_path(text.as_ref()) {
        return Some((text, None));
    }
    let parts = text.match_indices('#').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let (path, selection) = parts.into_iter().find(|(path, _)| is_path(path.as_ref()))?;
    Some((path, Some(selection).filter(|it| !it.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_has_one_name() {
        let names = ["./a//b/", "a/b", "a/./b"].map(|it| one_name(Path::new(it)));
        assert_eq!(names, [Path::new("a/b"), Path::new("a/b"), Path::new("a/b")]);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let missing = Glance::at(Path::new("no/such.csv")).unwrap_err();
        let folder = Glance::at(Path::new(".")).unwrap_err();

        assert_eq!(
            [missing.to_string(), folder.to_string()],
            [
                "there is no file `no/such.csv`; a relative path starts where the program is \
                 started",
                "`.` is no file; pictures of a folder are collected with folder:PATH",
            ]
        );
    }
}
