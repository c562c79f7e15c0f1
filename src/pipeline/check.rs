//! An audit of any image folder, ours or another's.

use std::path::{Path, PathBuf};

pub use crate::stage::audit::AuditError;
use crate::{domain::audit::Audit, pixels::twins::Reach, stage::audit};

/// Audits a folder of classes, in splits or not, with the usual limits for twins.
pub async fn check(dir: &Path) -> Result<Audit, AuditError> {
    let dir: PathBuf = dir.to_owned();
    let work = move || audit::audit(&dir, Reach::default());
    tokio::task::spawn_blocking(work).await.map_err(AuditError::BrokenOff)?
}
