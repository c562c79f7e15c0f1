//! `snapset check`: what is wrong with an image folder, whoever made it.

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;

use super::{
    complaint::{Complaint, Exit},
    table::table,
    talk::{Talk, count, plural},
};
use crate::{
    domain::audit::{Audit, Finding},
    pipeline::check::{self, AuditError},
};

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// A folder that holds train, val and test, or the class folders themselves; only read
    folder: PathBuf,
}

/// How many findings of what is merely worth a look are shown without -v.
const N_SHOWN: usize = 20;

pub(crate) async fn check(arguments: &CheckArguments, talk: &Talk) -> Result<Exit, Complaint> {
    let audit = check::check(&arguments.folder).await?;
    if talk.is_json() {
        talk.json(&audit);
    } else {
        talk.result(&in_words(&audit, talk));
    }
    Ok(if audit.is_wrong() { Exit::Invalid } else { Exit::Done })
}

fn in_words(audit: &Audit, talk: &Talk) -> String {
    let mut parts = vec![counts(audit)];
    let (wrong, odd): (Vec<&Finding>, Vec<&Finding>) =
        audit.findings.iter().partition(|it| it.is_wrong());
    let lines = |findings: &[&Finding]| -> String {
        findings.iter().map(|it| format!("  {it}")).collect::<Vec<_>>().join("\n")
    };
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    if wrong.is_empty() {
        parts.push("nothing is wrong".to_owned());
    } else {
        parts.push(format!("{} wrong:\n{}", plural(number(wrong.len()), "thing"), lines(&wrong)));
    }
    if !odd.is_empty() {
        let n_shown = if talk.is_verbose() { odd.len() } else { N_SHOWN.min(odd.len()) };
        let mut text = format!("worth a look:\n{}", lines(&odd[..n_shown]));
        if n_shown < odd.len() {
            text = format!("{text}\n  and {} more; -v shows them", odd.len() - n_shown);
        }
        parts.push(text);
    }
    parts.join("\n\n")
}

/// Lays out how many pictures of every class are in every split.
fn counts(audit: &Audit) -> String {
    let classes: BTreeSet<&String> = audit.pictures.values().flat_map(|it| it.keys()).collect();
    let mut header = vec!["class"];
    let splits: Vec<&str> = audit.pictures.keys().map(String::as_str).collect();
    header.extend(splits.iter().map(|it| if it.is_empty() { "pictures" } else { it }));
    let rows: Vec<Vec<String>> = classes
        .into_iter()
        .map(|class| {
            let of = |split: &&str| {
                let n = audit.pictures.get(*split).and_then(|it| it.get(class));
                n.map_or_else(|| "-".to_owned(), |n| count(*n))
            };
            std::iter::once(class.clone()).chain(splits.iter().map(of)).collect()
        })
        .collect();
    let numbers: Vec<usize> = (1..=splits.len()).collect();
    table(&header, &rows, &numbers)
}

impl From<AuditError> for Complaint {
    fn from(error: AuditError) -> Self {
        let exit = match error {
            AuditError::NoFolder { .. } | AuditError::NoClasses { .. } => Exit::Usage,
            AuditError::Folder { .. } | AuditError::BrokenOff(_) => Exit::Failed,
        };
        Self::new(exit, error)
    }
}
