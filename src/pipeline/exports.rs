//! Exports as people ask about them: what changed from one to another, and what is still to be
//! answered.

use std::path::Path;

use super::Pipeline;
pub use crate::stage::export::compare::CompareError;
use crate::{
    domain::{datasheet::Question, manifest::Changes},
    stage::export::compare,
};

/// Compares two exports: folders, or the manifests in them.
pub fn compare(old: &Path, new: &Path) -> Result<Changes, CompareError> {
    compare::compare(old, new)
}

impl Pipeline {
    /// Lists the questions of the datasheet that nobody has answered yet.
    pub fn open_questions(&self) -> Vec<Question> {
        self.export.open_questions()
    }
}
