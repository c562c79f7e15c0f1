//! An error on its way to the terminal: what happened, what to do about it, how to exit.

use std::{error::Error, process::ExitCode};

use crate::{
    engine,
    pipeline::{
        PipelineError, ask::AskError, augment::AugmentError, run::PipelineRunError,
        starter::StarterError, workshop::WorkshopError,
    },
    report::ReportError,
    store::{StoreError, files::FileError, reviews::ReviewsError},
};

/// How a command ends; the discriminant is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    /// The arguments or the pipeline file.
    Usage = 2,
    /// `plan --exit-code` has found work.
    Pending = 10,
    /// Done, but some items failed.
    Partial = 11,
    /// `check` has found something wrong.
    Invalid = 12,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<&'static str>,
}

const CREDENTIALS_HINT: &str = "\
create an app at https://www.reddit.com/prefs/apps (new ones need approval since November 2025)
and set the variables in the environment or in .env; folder: and demo: places need none";

const CONTACT_HINT: &str =
    "set REDDIT_USERNAME, or contact under [collect]; Reddit bars clients that hide who they are";

const BUSY_HINT: &str =
    "wait for the other run of this dataset to end, or give --data another folder";

impl Complaint {
    pub(crate) fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    fn hinting(self, hint: Option<&'static str>) -> Self {
        Self { hint, ..self }
    }

    pub(crate) fn render(&self) -> String {
        let error = engine::chain(&*self.error);
        match self.hint {
            Some(hint) => format!("error: {error}\n\nhint: {hint}\n"),
            None => format!("error: {error}\n"),
        }
    }
}

impl From<PipelineError> for Complaint {
    fn from(error: PipelineError) -> Self {
        let hint = match &error {
            PipelineError::Missing { .. } => {
                Some("snapset new NAME --class LABEL=PLACE writes one")
            }
            PipelineError::Name { .. }
            | PipelineError::File(_)
            | PipelineError::At { .. }
            | PipelineError::Secret { .. }
            | PipelineError::Unsound { .. } => None,
        };
        Self::new(Exit::Usage, error).hinting(hint)
    }
}

impl From<StoreError> for Complaint {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Busy { .. } => Some(BUSY_HINT),
            StoreError::Shape { .. } | StoreError::KeyShape { .. } | StoreError::Short { .. } => {
                Some("the store was written by another version; move it away and run again")
            }
            StoreError::Open { .. }
            | StoreError::File(_)
            | StoreError::Read { .. }
            | StoreError::Write { .. }
            | StoreError::Flush { .. } => None,
        };
        Self::new(Exit::Failed, error).hinting(hint)
    }
}

impl From<WorkshopError> for Complaint {
    fn from(error: WorkshopError) -> Self {
        match error {
            WorkshopError::Pipeline(error) => error.into(),
            WorkshopError::Store(error) => error.into(),
            WorkshopError::File(error) => error.into(),
            WorkshopError::NoSuchClass { .. } => Self::new(Exit::Usage, error),
        }
    }
}

impl From<FileError> for Complaint {
    fn from(error: FileError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<ReviewsError> for Complaint {
    fn from(error: ReviewsError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<StarterError> for Complaint {
    fn from(error: StarterError) -> Self {
        match error {
            StarterError::File(error) => error.into(),
            StarterError::NoClass { .. }
            | StarterError::Label(_)
            | StarterError::Place(_)
            | StarterError::Classes(_)
            | StarterError::Exists { .. } => Self::new(Exit::Usage, error),
        }
    }
}

impl From<ReportError> for Complaint {
    fn from(error: ReportError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<AskError> for Complaint {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Store(error) => error.into(),
            AskError::Reviews(error) => error.into(),
            AskError::NoModel { .. } => Self::new(Exit::Failed, error)
                .hinting(Some("snapset train PIPELINE trains one; the file needs a [train] table")),
            AskError::NoRecipe { .. } => Self::new(Exit::Usage, error),
            AskError::Stale { .. } => Self::new(Exit::Failed, error)
                .hinting(Some("snapset run PIPELINE brings the model up to date")),
            AskError::Train(ref source) if source.is_interruption() => {
                Self::new(Exit::Interrupted, error)
            }
            AskError::NothingToTest { .. }
            | AskError::NoPictures { .. }
            | AskError::Model(_)
            | AskError::Train(_)
            | AskError::Predict(_) => Self::new(Exit::Failed, error),
        }
    }
}

impl From<AugmentError> for Complaint {
    fn from(error: AugmentError) -> Self {
        match error {
            AugmentError::File(error) => error.into(),
            AugmentError::Broken { .. } | AugmentError::Whereabouts { .. } => {
                Self::new(Exit::Failed, error)
            }
            AugmentError::NoClass { .. }
            | AugmentError::EmptyClass { .. }
            | AugmentError::NoTarget
            | AugmentError::Name { .. }
            | AugmentError::Overlap { .. }
            | AugmentError::NotOurs { .. }
            | AugmentError::Foreign { .. }
            | AugmentError::MarkEscapes { .. } => Self::new(Exit::Usage, error),
        }
    }
}

impl From<PipelineRunError> for Complaint {
    fn from(error: PipelineRunError) -> Self {
        let (exit, hint) = match &error {
            PipelineRunError::NoCredentials { .. } => (Exit::Usage, Some(CREDENTIALS_HINT)),
            PipelineRunError::NoContact => (Exit::Usage, Some(CONTACT_HINT)),
            PipelineRunError::Folder(_) | PipelineRunError::Path(_) => {
                (Exit::Usage, Some("folder: paths start where the program is started"))
            }
            PipelineRunError::Split(error) => (Exit::Failed, error.hint()),
            PipelineRunError::Store(_)
            | PipelineRunError::Asking(_)
            | PipelineRunError::File(_)
            | PipelineRunError::Access(_)
            | PipelineRunError::Fatal { .. }
            | PipelineRunError::Dedupe(_)
            | PipelineRunError::Export(_)
            | PipelineRunError::Train(_) => (Exit::Failed, None),
        };
        Self::new(exit, error).hinting(hint)
    }
}
