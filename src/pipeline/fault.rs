//! What can be wrong with a pipeline file, told with the line it stands in.

use std::path::{Path, PathBuf};

use crate::store::files::FileError;

#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error("there is no pipeline file `{}`", path.display())]
    Missing { path: PathBuf },
    #[error(
        "`{}` cannot name a dataset: use lower-case letters, digits, `_` and `-`", path.display()
    )]
    Name { path: PathBuf },
    #[error(transparent)]
    File(FileError),
    #[error("{}:{line}: {message}", path.display())]
    At { path: PathBuf, line: usize, message: String },
    #[error(
        "{}:{line}: `{key}` is a secret and does not belong in a file that is shared; \
         set the environment variable {variable} (or a line in .env)", path.display()
    )]
    Secret { path: PathBuf, line: usize, key: String, variable: &'static str },
    #[error("{}: {message}", path.display())]
    Unsound { path: PathBuf, message: String },
}

impl PipelineError {
    /// Reads the line and, for an unknown key, the nearest known one from the parser's error.
    pub(super) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Self::At { path: path.to_owned(), line, message: suggest(error.message()) }
    }
}

/// Counts lines from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Turns serde's words about an unknown key into a suggestion. Its error carries the key and
/// the known keys as text only, each in backticks, so the text is where they must be read.
fn suggest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let what = ["unknown field", "unknown variant"].into_iter().find(|it| message.starts_with(it));
    let (Some(what), Some(unknown)) = (what, quoted.next()) else {
        return message.trim().to_owned();
    };
    let known: Vec<&str> = quoted.collect();
    let likeness = |name: &&&str| strsim::damerau_levenshtein(name, unknown);
    let nearest = known.iter().min_by_key(likeness).filter(|name| likeness(name) <= 3);
    let what = if what == "unknown field" { "unknown key" } else { "unknown value" };
    match nearest {
        Some(name) => format!("{what} `{unknown}`; did you mean `{name}`?"),
        None => format!("{what} `{unknown}`; known are {}", known.join(", ")),
    }
}
