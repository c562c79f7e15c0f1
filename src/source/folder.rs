//! `folder:PATH`: pictures on this machine, at any depth. The files are read, never touched.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Page,
    glance::{Glance, one_name},
};
use crate::domain::{
    id::{BlobId, Place, PostId},
    post::{Media, Post, Teller},
};

/// A folder to be walked; a relative path starts where the program was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("there is no folder `{}`", path.display())]
    Missing { path: PathBuf },
    #[error("`{}` is no folder", path.display())]
    NotAFolder { path: PathBuf },
    #[error("could not read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl Folder {
    pub fn at(path: &Path) -> Self {
        Self { path: one_name(path) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that there is a folder to walk.
    pub fn check(&self) -> Result<(), FolderError> {
        let path = self.path.clone();
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(FolderError::NotAFolder { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FolderError::Missing { path })
            }
            Err(source) => Err(FolderError::Read { path, source }),
        }
    }

    /// Looks at every file below the folder without reading any, in the order of their paths.
    pub fn glances(&self) -> Result<Vec<Glance>, FolderError> {
        self.check()?;
        let mut glances = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            let failed = |source| FolderError::Read { path: folder.clone(), source };
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let path = entry.path();
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                let kind = entry.file_type().map_err(failed)?;
                if is_hidden {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(path);
                // A link is followed to a file, never to a folder, which could lead in circles.
                } else if let Ok(found) = fs::metadata(&path)
                    && found.is_file()
                {
                    glances.push(Glance::of(path, &found));
                }
            }
        }
        glances.sort();
        Ok(glances)
    }

    /// Lists the files that are pictures by their first bytes or their name, and those that cannot
    /// be looked into, in the order of their paths.
    pub fn pictures(&self) -> Result<Vec<PathBuf>, FolderError> {
        let mut paths: Vec<PathBuf> = self.glances()?.into_iter().map(|it| it.path).collect();
        paths.retain(|path| opened_if_picture(path).map_or(true, |it| it.is_some()));
        Ok(paths)
    }

    /// Lists the pictures of the folder, each with the digest of its bytes.
    pub fn list(&self, place: &Place) -> Result<Page, FolderError> {
        let mut page = Page::default();
        for glance in self.glances()? {
            let path = glance.path;
            let Some(name) = path.to_str() else {
                page.unreadable.push(format!("`{}` has a name that is not UTF-8", path.display()));
                continue;
            };
            match digest_if_picture(&path) {
                Ok(None) => (),
                Ok(Some(digest)) => {
                    let title = path.file_stem().and_then(|stem| stem.to_str());
                    let post = Post {
                        places: BTreeSet::from([place.clone()]),
                        title: title.unwrap_or_default().to_owned(),
                        author: None,
                        permalink: name.to_owned(),
                        created_utc: None,
                        score: None,
                        upvote_percent: None,
                        flair: None,
                        over_18: false,
                        media: Media::File { path: name.to_owned(), digest },
                        preview: None,
                        told_by: Teller::Live,
                    };
                    // A file below two listed folders is two posts of one picture.
                    page.posts.push((PostId(format!("{place}//{name}")), post));
                }
                Err(source) => {
                    page.unreadable.push(format!("`{name}` could not be read: {source}"));
                }
            }
        }
        Ok(page)
    }
}

/// Opens a file whose first bytes or name claim that it is a picture, and returns those bytes;
/// other files are passed by, as notes and sidecars lie beside pictures everywhere.
fn opened_if_picture(path: &Path) -> io::Result<Option<(File, Vec<u8>)>> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(16).read_to_end(&mut start)?;
    let is_picture = looks_like_picture(&start) || is_named_like_picture(path);
    Ok(is_picture.then_some((file, start)))
}

fn digest_if_picture(path: &Path) -> io::Result<Option<BlobId>> {
    let Some((mut file, mut bytes)) = opened_if_picture(path)? else { return Ok(None) };
    file.read_to_end(&mut bytes)?;
    Ok(Some(BlobId::of(&bytes)))
}

pub(super) fn looks_like_picture(start: &[u8]) -> bool {
    let is_webp = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    is_webp
        || [b"\xff\xd8\xff".as_slice(), b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM"]
            .iter()
            .any(|magic| start.starts_with(magic))
}

pub(super) fn is_named_like_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
    let known = ["jpg", "jpeg", "jpe", "png", "webp", "gif", "bmp"];
    extension.is_some_and(|extension| known.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn pictures_are_found_at_any_depth_and_notes_are_passed_by() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        for (name, bytes) in [
            ("a/b/one", b"\x89PNG\r\n\x1a\nrest".as_slice()),
            ("a/two.jpg", b"<html>"),
            ("a/notes.txt", b"hello"),
            (".hidden.jpg", b"\xff\xd8\xff"),
        ] {
            File::create(dir.path().join(name)).unwrap().write_all(bytes).unwrap();
        }
        let folder = Folder::at(dir.path());

        let page = folder.list(&Place("folder:x".to_owned())).unwrap();

        let names: Vec<String> = page.posts.iter().map(|(_, post)| post.title.clone()).collect();
        assert_eq!(names, ["one", "two"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let refusal = Folder::at(Path::new("no/such/folder")).check().unwrap_err();
        assert_eq!(refusal.to_string(), "there is no folder `no/such/folder`");
    }
}
