//! What is left to do once an export can be used: to wait until the disk has it, and to let go of
//! what was there before. It goes on beside what comes after, a report or a training.
//!
//! A file beside the exports says so meanwhile ([`Layout::unsettled`]): where a power cut or a kill
//! left it, the export is written again, from what it was before.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use super::{ExportError, files, folder::Filled, swap};
use crate::store::{
    files::{self as stored, Disk},
    layout::Layout,
};

/// An export that the disk may not have all of.
#[derive(Debug)]
pub struct Unsettled {
    disk: Disk,
    note: PathBuf,
    dataset: Option<Filled>,
    /// Folders that were swapped in.
    swapped: Vec<PathBuf>,
}

impl Unsettled {
    /// To be called before anything is written.
    pub(super) fn begin(layout: &Layout) -> Result<Self, ExportError> {
        let note = layout.unsettled();
        let disk = Disk::below(layout.root()).map_err(files::told)?;
        stored::write_atomic(&note, b"An export is on its way to the disk.\n")
            .map_err(files::told)?;
        Ok(Self { disk, note, dataset: None, swapped: Vec::new() })
    }

    pub(super) fn filled(&mut self, dataset: Filled) {
        self.dataset = Some(dataset);
    }

    pub(super) fn swapped(&mut self, dir: PathBuf) {
        self.swapped.push(dir);
    }

    /// Waits until the disk has everything.
    fn settle(self) -> Result<(), ExportError> {
        self.disk.sync().map_err(files::told)?;
        self.dataset.iter().try_for_each(Filled::settle)?;
        self.swapped.iter().try_for_each(|dir| swap::settle(dir))?;
        stored::remove_if_any(&self.note).map_err(files::told)
    }
}

/// A wait for the disk beside other work. Dropped, it is waited for.
#[derive(Debug, Default)]
pub struct Settling(Mutex<Option<Wait>>);

type Wait = JoinHandle<Result<(), ExportError>>;

impl Settling {
    /// Begins to wait, after any wait of before.
    pub(super) fn begin(&self, unsettled: Unsettled) -> Result<(), ExportError> {
        self.end()?;
        let note = unsettled.note.clone();
        let wait = thread::Builder::new().spawn(move || unsettled.settle());
        *self.wait() = Some(wait.map_err(ExportError::write(&note))?);
        Ok(())
    }

    /// Ends the wait, if there is one: the disk has what was exported.
    pub fn end(&self) -> Result<(), ExportError> {
        let wait = self.wait().take();
        wait.map_or(Ok(()), |wait| wait.join().expect("a wait for the disk does not panic"))
    }

    fn wait(&self) -> MutexGuard<'_, Option<Wait>> {
        // Nothing is done while it is held that could leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        _ = self.end(); // The note is still there, so the next run writes the export again.
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn trouble_is_told_at_the_end_and_leaves_the_note() {
        let dir = tempdir().unwrap();
        let layout = Layout::new(dir.path(), "pets");
        let mark = layout.exports().join(".csv.snapset");
        stored::write_atomic(&mark, b"not a mark").unwrap();
        let settling = Settling::default();
        settling.end().unwrap();

        let mut unsettled = Unsettled::begin(&layout).unwrap();
        assert!(layout.unsettled().exists());
        unsettled.swapped(layout.exports().join("csv"));
        settling.begin(unsettled).unwrap();
        let trouble = settling.end();

        assert!(matches!(trouble, Err(ExportError::Mark { .. })), "{trouble:?}");
        assert!(layout.unsettled().exists(), "the next run writes the export again");
        settling.end().unwrap();
        settling.begin(Unsettled::begin(&layout).unwrap()).unwrap();
        drop(settling);
        assert!(!layout.unsettled().exists(), "a wait that is dropped is waited for");
    }
}
