//! Secrets do not belong in a file that people commit. Found before anything else is read, so
//! that no other message can show one.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::fault::{PipelineError, line_of};

/// Keys that hold secrets, in any table, and the variable each belongs in.
const SECRETS: &[(&str, &str)] = &[
    ("reddit_client_id", "REDDIT_CLIENT_ID"),
    ("client_id", "REDDIT_CLIENT_ID"),
    ("reddit_client_secret", "REDDIT_CLIENT_SECRET"),
    ("client_secret", "REDDIT_CLIENT_SECRET"),
    ("secret", "REDDIT_CLIENT_SECRET"),
    ("reddit_password", "REDDIT_PASSWORD"),
    ("password", "REDDIT_PASSWORD"),
    ("reddit_username", "REDDIT_USERNAME"),
    ("username", "REDDIT_USERNAME"),
    ("kaggle_username", "KAGGLE_USERNAME"),
    ("kaggle_key", "KAGGLE_KEY"),
    ("kaggle_api_token", "KAGGLE_API_TOKEN"),
    ("api_key", "KAGGLE_KEY"),
    ("token", "KAGGLE_API_TOKEN"),
];

pub(super) fn check(path: &Path, text: &str) -> Result<(), PipelineError> {
    // What does not parse is told by the parser that reads the whole file.
    let Ok(table) = DeTable::parse(text) else { return Ok(()) };
    walk(path, text, table.get_ref())
}

fn walk(path: &Path, text: &str, table: &DeTable<'_>) -> Result<(), PipelineError> {
    for (key, value) in table {
        let name = key.get_ref().to_ascii_lowercase().replace('-', "_");
        if let Some((_, variable)) = SECRETS.iter().find(|(secret, _)| *secret == name) {
            return Err(PipelineError::Secret {
                path: path.to_owned(),
                line: line_of(text, key.span().start),
                key: key.get_ref().to_string(),
                variable,
            });
        }
        // Under [classes] the keys are names people choose.
        if let DeValue::Table(inner) = value.get_ref()
            && name != "classes"
        {
            walk(path, text, inner)?;
        }
    }
    Ok(())
}
