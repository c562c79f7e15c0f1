//! Names of stages as arguments.

use clap::ValueEnum;

use crate::engine::StageName;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StageArg {
    Collect,
    Resolve,
    Fetch,
    Fingerprint,
    Dedupe,
    Prepare,
    Split,
    Export,
    Train,
}

impl From<StageArg> for StageName {
    fn from(argument: StageArg) -> Self {
        match argument {
            StageArg::Collect => Self::Collect,
            StageArg::Resolve => Self::Resolve,
            StageArg::Fetch => Self::Fetch,
            StageArg::Fingerprint => Self::Fingerprint,
            StageArg::Dedupe => Self::Dedupe,
            StageArg::Prepare => Self::Prepare,
            StageArg::Split => Self::Split,
            StageArg::Export => Self::Export,
            StageArg::Train => Self::Train,
        }
    }
}
