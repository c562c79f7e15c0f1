//! Places on this machine, listed file by file: places that choose from one file are served by
//! one pass over it.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    SourceSpec,
    archive::{self, ArchiveError},
    batch::{BATCH_POSTS, Batch, Unreadable},
    dump::{self, DumpError, Resume},
    folder::{Folder, FolderError},
    glance::{Glance, PathError},
    urls::{self, UrlsError},
};
use crate::domain::id::Place;

/// One file or folder, with all places that choose from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    Folder { folder: Folder, place: Place },
    Urls { path: PathBuf, choices: Vec<urls::Choice> },
    Archive { path: PathBuf, choices: Vec<archive::Choice> },
    Dump { path: PathBuf, choices: Vec<dump::Choice> },
}

#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Urls(#[from] UrlsError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Dump(#[from] DumpError),
    #[error(transparent)]
    File(#[from] PathError),
    #[error("the reading of `{}` was broken off", path.display())]
    BrokenOff { path: PathBuf, source: tokio::task::JoinError },
}

/// Takes batch after batch. With a batch of a dump comes how far the dump is read, to be kept
/// together with the batch; other kinds are read from their beginning each time.
pub type LocalSink<'a> = &'a mut dyn FnMut(Batch, Option<&Resume>) -> ControlFlow<()>;

impl Local {
    /// Parts the places on this machine by the files they choose from; other places are left out.
    pub fn all(places: &[(Place, SourceSpec)]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for (place, spec) in places {
            let Some(new) = Self::of(place, spec) else { continue };
            if !found.iter_mut().any(|known| known.joins(&new)) {
                found.push(new);
            }
        }
        found
    }

    /// Returns the file of one place; `None` if it is not on this machine.
    pub fn of(place: &Place, spec: &SourceSpec) -> Option<Self> {
        let place = place.clone();
        match spec {
            SourceSpec::Folder(folder) => Some(Self::Folder { folder: folder.clone(), place }),
            SourceSpec::Urls(list) => {
                let label = list.label().map(str::to_owned);
                let choices = vec![urls::Choice { label, place }];
                Some(Self::Urls { path: list.path().to_owned(), choices })
            }
            SourceSpec::Archive(archive) => {
                let folder = archive.folder().map(str::to_owned);
                let choices = vec![archive::Choice { folder, place }];
                Some(Self::Archive { path: archive.path().to_owned(), choices })
            }
            SourceSpec::Dump(dump) => {
                let subreddit = dump.subreddit().clone();
                let choices = vec![dump::Choice { subreddit, place }];
                Some(Self::Dump { path: dump.path().to_owned(), choices })
            }
            SourceSpec::Reddit(_) | SourceSpec::Demo(_) | SourceSpec::Arctic(_) => None,
        }
    }

    /// Takes the choices of another place of the same file; tells whether it is the same.
    fn joins(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Urls { path, choices }, Self::Urls { path: other_path, choices: more })
                if path == other_path =>
            {
                choices.extend_from_slice(more);
            }
            (
                Self::Archive { path, choices },
                Self::Archive { path: other_path, choices: more },
            ) if path == other_path => choices.extend_from_slice(more),
            (Self::Dump { path, choices }, Self::Dump { path: other_path, choices: more })
                if path == other_path =>
            {
                choices.extend_from_slice(more);
            }
            (
                Self::Folder { .. } | Self::Urls { .. } | Self::Archive { .. } | Self::Dump { .. },
                _,
            ) => return false,
        }
        true
    }

    pub fn places(&self) -> Vec<&Place> {
        match self {
            Self::Folder { place, .. } => vec![place],
            Self::Urls { choices, .. } => choices.iter().map(|it| &it.place).collect(),
            Self::Archive { choices, .. } => choices.iter().map(|it| &it.place).collect(),
            Self::Dump { choices, .. } => choices.iter().map(|it| &it.place).collect(),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Folder { folder, .. } => folder.path(),
            Self::Urls { path, .. } | Self::Archive { path, .. } | Self::Dump { path, .. } => path,
        }
    }

    /// Looks at the file, or at every file of the folder, without reading any: equal glances,
    /// nothing to list anew.
    pub fn glances(&self) -> Result<Vec<Glance>, LocalError> {
        Ok(match self {
            Self::Folder { folder, .. } => folder.glances()?,
            Self::Urls { .. } | Self::Archive { .. } | Self::Dump { .. } => {
                vec![Glance::at(self.path())?]
            }
        })
    }

    /// Tells whether listing can go on where an earlier one of the same places was cut off.
    pub fn goes_on_from(&self, resume: &Resume) -> bool {
        match self {
            Self::Folder { .. } | Self::Urls { .. } | Self::Archive { .. } => false,
            Self::Dump { path, choices } => !resume.is_whole() && resume.fits(path, choices),
        }
    }

    /// Lists all posts of all places; blocks while it reads. A dump goes on behind `from`, other
    /// kinds begin at their beginning.
    pub fn list(&self, from: Option<&Resume>, sink: LocalSink<'_>) -> Result<(), LocalError> {
        match self {
            Self::Folder { folder, place } => list_folder(folder, place, sink)?,
            Self::Urls { path, choices } => {
                urls::list(path, choices, &mut |batch| sink(batch, None))?;
            }
            Self::Archive { path, choices } => {
                archive::list(path, choices, &mut |batch| sink(batch, None))?;
            }
            Self::Dump { path, choices } => {
                dump::read(path, choices, from, &mut |batch, resume| sink(batch, Some(resume)))?;
            }
        }
        Ok(())
    }
}

/// A listing under way in a thread of its own, a few batches ahead of whoever keeps them.
pub struct Reading {
    path: PathBuf,
    batches: mpsc::Receiver<(Batch, Option<Resume>)>,
    task: JoinHandle<Result<(), LocalError>>,
}

/// How many batches may wait to be kept.
const AHEAD: usize = 4;

impl Reading {
    /// Begins to list; a dump goes on behind `from`. Dropping it ends the listing.
    pub fn begin(local: Local, from: Option<Resume>) -> Self {
        let (sender, batches) = mpsc::channel(AHEAD);
        let path = local.path().to_owned();
        let task = tokio::task::spawn_blocking(move || {
            local.list(from.as_ref(), &mut |batch, resume| match sender
                .blocking_send((batch, resume.cloned()))
            {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        Self { path, batches, task }
    }

    /// Returns the next batch, with how far a dump is then read; `None` at the end, whether good
    /// or bad.
    pub async fn next(&mut self) -> Option<(Batch, Option<Resume>)> {
        self.batches.recv().await
    }

    /// Tells, after the last batch, how it ended.
    pub async fn finish(self) -> Result<(), LocalError> {
        let Self { path, batches, task } = self;
        drop(batches);
        task.await.map_err(|source| LocalError::BrokenOff { path, source })?
    }
}

fn list_folder(folder: &Folder, place: &Place, sink: LocalSink<'_>) -> Result<(), FolderError> {
    let page = folder.list(place)?;
    let mut unreadable = Unreadable::default();
    for why in page.unreadable {
        unreadable.note(|| why);
    }
    let mut posts = page.posts.into_iter();
    loop {
        let batch: Vec<_> = posts.by_ref().take(BATCH_POSTS).collect();
        if batch.is_empty() && unreadable.count == 0 {
            return Ok(());
        }
        let batch = Batch { posts: batch, unreadable: std::mem::take(&mut unreadable) };
        if sink(batch, None).is_break() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_one_file_are_served_by_one_pass() {
        let places = ["urls:a.csv#cats", "folder:x", "urls:a.csv#dogs", "r/cats", "urls:b.csv"];
        let places = places.map(|it| Place(it.to_owned()));
        let parsed = places.clone().map(|it| (it.clone(), SourceSpec::parse(&it).unwrap()));

        let all = Local::all(&parsed);

        let served: Vec<Vec<&Place>> = all.iter().map(Local::places).collect();
        let [cats, folder, dogs, _, other] = &places;
        assert_eq!(served, [vec![cats, dogs], vec![folder], vec![other]]);
    }

    #[tokio::test]
    async fn a_reading_hands_on_every_batch_and_tells_how_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let rows: Vec<String> = (0..12_345).map(|n| format!("https://a.org/{n}\n")).collect();
        let rows = rows.concat();
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), rows.as_bytes())
            .unwrap();
        let place = Place(format!("urls:{}", path.display()));
        let local = Local::of(&place, &SourceSpec::parse(&place).unwrap()).unwrap();
        let lost = Local::Urls { path: dir.path().join("b.txt"), choices: Vec::new() };

        let mut reading = Reading::begin(local, None);
        let mut n_posts = 0;
        while let Some((batch, _)) = reading.next().await {
            n_posts += batch.posts.len();
        }
        let ended = reading.finish().await;
        let mut reading = Reading::begin(lost, None);
        let nothing = reading.next().await;
        let refusal = reading.finish().await.unwrap_err();

        assert_eq!((n_posts, ended.is_ok(), nothing.is_none()), (12_345, true, true));
        assert!(refusal.to_string().starts_with("there is no file `"), "{refusal}");
    }
}
