//! Publishing an export with the tool of its platform, where that is installed.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use super::workshop::Workshop;
use crate::stage::export::kaggle::{self, Layout};

/// What is run to publish a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where the program is; `None` where it is not installed.
    pub program: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("there is no folder `{}` to publish", dir.display())]
    NoExport { dir: PathBuf },
    #[error("the disk may not have all of `{}`; run the pipeline again first", dir.display())]
    Unsettled { dir: PathBuf },
    #[error("could not start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("`{command}` ended with {status}")]
    Failed { command: String, status: ExitStatus },
}

/// What a dataset becomes on Kaggle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Create,
    /// A new version of what is there, with notes on what changed.
    Version {
        notes: String,
    },
}

impl Workshop {
    /// Returns the export for Kaggle; archives before class folders where both are there.
    fn kaggle_form(&self) -> Result<(PathBuf, Layout), PublishError> {
        let exports = self.layout.exports();
        let forms = [("kaggle", Layout::Archives), ("kaggle-dirs", Layout::Folders)];
        let placed = forms.map(|(name, layout)| (exports.join(name), layout));
        let there = placed.into_iter().find(|(dir, _)| dir.join("dataset-metadata.json").is_file());
        let (dir, layout) =
            there.ok_or_else(|| PublishError::NoExport { dir: exports.join("kaggle") })?;
        if self.layout.unsettled().exists() {
            return Err(PublishError::Unsettled { dir });
        }
        Ok((dir, layout))
    }

    /// Returns the folder [`Self::kaggle_upload`] publishes.
    pub fn kaggle_folder(&self) -> Result<PathBuf, PublishError> {
        Ok(self.kaggle_form()?.0)
    }

    /// Returns the command that publishes the export for Kaggle.
    pub fn kaggle_upload(&self, step: &Step) -> Result<Upload, PublishError> {
        let (dir, layout) = self.kaggle_form()?;
        let [create, version] = kaggle::upload_commands(&dir, layout);
        let command = match step {
            Step::Create => create,
            Step::Version { notes } => {
                let mut command = version;
                command.extend(["-m".to_owned(), notes.clone()]);
                command
            }
        };
        let program = command.first().and_then(|name| on_path(name));
        Ok(Upload { command, program })
    }
}

impl Upload {
    /// Writes the command as a person would type it.
    pub fn in_words(&self) -> String {
        let is_plain = |it: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+".contains(c);
            !it.is_empty() && it.chars().all(plain)
        };
        let quoted = |it: &String| {
            if is_plain(it) { it.clone() } else { format!("'{}'", it.replace('\'', r"'\''")) }
        };
        self.command.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// Runs the program and waits for its end; what it says goes to `out`.
    pub fn run(&self, out: Stdio) -> Result<(), PublishError> {
        let Some(program) = &self.program else { return Ok(()) };
        let mut command = Command::new(program);
        let status = command.args(self.command.iter().skip(1)).stdout(out).status();
        let status = status.map_err(|source| PublishError::Start {
            program: program.display().to_string(),
            source,
        })?;
        if status.success() {
            Ok(())
        } else {
            Err(PublishError::Failed { command: self.in_words(), status })
        }
    }
}

/// Finds a program where the shell would.
fn on_path(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.with_extension("exe").is_file()
}
