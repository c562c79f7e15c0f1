//! Tells of a training while it runs, and keeps what would be lost with the process.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::{features::Features, log::Log};
use crate::{
    domain::id::BlobId,
    engine::{
        StageName,
        events::{Event, Events},
        stop::Stop,
    },
    model::train::{Host, Progress, Warning},
    store::{
        files::{self, FileError},
        schema::Run,
    },
};

/// The host of a training of this program.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    epochs: u32,
    events: &'a Events,
    stop: &'a Stop,
    places: Places<'a>,
    features: Option<(BlobId, Features)>,
    log: Option<Log>,
    /// The last epoch that pictures were altered for.
    altered_for: u32,
    /// What makes the result doubtful.
    pub(super) warnings: Vec<Warning>,
    /// The first trouble with a file; the training is then broken off.
    pub(super) error: Option<FileError>,
}

/// Where a training keeps what would be lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<'a> {
    /// The file the next epoch starts from, unless a broken-off training is simply begun anew.
    pub(super) checkpoint: Option<&'a Path>,
    /// The folder for what frozen networks made of pictures.
    pub(super) features: &'a Path,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        epochs: u32,
        (events, stop): (&'a Events, &'a Stop),
        places: Places<'a>,
        log: Option<Log>,
    ) -> Self {
        let warnings = Vec::new();
        Self {
            epochs,
            events,
            stop,
            places,
            features: None,
            log,
            altered_for: 0,
            warnings,
            error: None,
        }
    }

    /// Ends the log, and lets go of features nobody asked for: those of another network, and of
    /// pictures that left.
    pub(super) fn finish(mut self, run: &Run) -> Result<(), FileError> {
        if let Some(log) = &mut self.log {
            log.finish(run)?;
        }
        let kept: Option<PathBuf> = self.features.as_ref().map(|(_, it)| it.path().to_owned());
        if let Some((_, features)) = self.features {
            features.finish()?;
            for path in files::entries(self.places.features)? {
                if Some(&path) != kept.as_ref() {
                    files::remove_if_any(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Returns what is known of the frozen part `by`, opened with its first use.
    fn features(&mut self, by: BlobId) -> Option<&mut Features> {
        if self.features.as_ref().is_none_or(|(known, _)| *known != by) {
            match Features::open(self.places.features, by) {
                Ok(features) => self.features = Some((by, features)),
                Err(error) => {
                    self.error.get_or_insert(error);
                    return None;
                }
            }
        }
        self.features.as_mut().map(|(_, features)| features)
    }

    fn note<T>(&mut self, result: Result<T, FileError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }

    fn portion(&self, done: usize, of: usize, before: u64, whole: u64) {
        let number = |n: usize| u64::try_from(n).expect("steps are few");
        let portion = Event::Portion {
            stage: StageName::Train,
            done: before * number(of) + number(done),
            of: whole * number(of),
        };
        self.events.send(portion);
    }
}

impl Host for Watch<'_> {
    fn observe(&mut self, progress: Progress) -> ControlFlow<()> {
        match progress {
            Progress::Features { epoch, done, of } => {
                if self.altered_for < epoch {
                    self.altered_for = epoch;
                    let word = format!("before epoch {epoch}: every picture is altered once more");
                    self.events.word(StageName::Train, word);
                }
                self.portion(done, of, 0, 1);
            }
            Progress::Batch { epoch, done, of, .. } => {
                self.portion(done, of, u64::from(epoch.saturating_sub(1)), self.epochs.into());
            }
            Progress::Epoch(epoch) => {
                if let Some(log) = &mut self.log {
                    let logged = log.epoch(&epoch);
                    self.note(logged);
                }
                self.events.word(
                    StageName::Train,
                    format!(
                        "epoch {}: loss {:.3}, val loss {:.3}, val accuracy {:.1} %",
                        epoch.number,
                        epoch.train_loss,
                        epoch.val_loss,
                        epoch.val_accuracy * 100.0
                    ),
                );
            }
        }
        if self.stop.is_asked() || self.error.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn warn(&mut self, warning: &Warning) {
        self.events.word(StageName::Train, warning.to_string());
        self.warnings.push(warning.clone());
    }

    fn recall(&mut self, by: BlobId, picture: BlobId) -> Option<Vec<f32>> {
        self.features(by)?.recall(picture)
    }

    fn remember(&mut self, by: BlobId, picture: BlobId, values: &[f32]) {
        if let Some(features) = self.features(by) {
            let kept = features.remember(picture, values);
            self.note(kept);
        }
    }

    fn save(&mut self, checkpoint: &[u8]) {
        if let Some(path) = self.places.checkpoint {
            let kept = files::write_atomic(path, checkpoint);
            self.note(kept);
        }
    }

    fn saved(&mut self) -> Option<Vec<u8>> {
        let path = self.places.checkpoint.filter(|path| path.exists())?;
        let bytes = files::read(path);
        self.note(bytes)
    }
}
