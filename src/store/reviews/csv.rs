//! Decisions as a table, for spreadsheets and labelling tools: a row for each line of the file of
//! reviews. Columns may stand in any order; `picture` and `decision` must be there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

mod moment;
mod row;

use self::{moment::moment, row::Row};
use crate::domain::{
    id::{BlobId, Label},
    review::{Decision, Question, Queue, Review, latest},
};

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 9] =
    ["picture", "decision", "label", "reason", "other", "queue", "shown_as", "by", "at"];

/// Fewer digits than these do not name a picture.
const DIGITS_MIN: usize = 8;

/// How many faults a message lists.
const FAULTS_SHOWN: usize = 20;

/// What a table is read against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// Pictures that may be named by their first digits.
    pub known: &'a BTreeSet<BlobId>,
    /// The classes of the pipeline.
    pub classes: &'a BTreeSet<Label>,
    /// The lines there are already.
    pub lines: &'a [Review],
    /// The time of rows that tell none, in milliseconds since 1970-01-01 UTC.
    pub now_ms: u64,
    /// Who says what in rows that tell nobody.
    pub by: Option<&'a str>,
}

/// What a table adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Lines to be appended.
    pub lines: Vec<Review>,
    /// Rows that say what is said already.
    pub known: usize,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("there is no column `{0}`; there must be `picture` and `decision`")]
    NoColumn(&'static str),
    #[error("`{name}` is no column of decisions; they are {}", COLUMNS.join(", "))]
    UnknownColumn { name: String },
    #[error("column `{0}` is there twice")]
    Twice(String),
    #[error("nothing was imported:\n{}", listed(.0))]
    Rows(Vec<Fault>),
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1, the header included.
    pub line: u64,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

fn listed(faults: &[Fault]) -> String {
    let mut shown: Vec<String> =
        faults.iter().take(FAULTS_SHOWN).map(|fault| format!("  {fault}")).collect();
    if FAULTS_SHOWN < faults.len() {
        shown.push(format!("  and {} more", faults.len() - FAULTS_SHOWN));
    }
    shown.join("\n")
}

/// Writes lines as a table that [`read`] reads back.
pub fn write(lines: &[Review]) -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS).expect("writing to memory cannot fail");
    for line in lines {
        let (decision, label, reason, other) = cells(&line.decision);
        let shown_as = line.shown_as.as_ref().map_or("", Label::as_str);
        let (picture, at) = (line.picture.to_string(), moment(line.at_ms));
        let other = other.map_or_else(String::new, |it| it.to_string());
        let (reason, by) = (harmless(reason), harmless(line.by.as_deref().unwrap_or_default()));
        let queue = queue_name(line.queue);
        let row = [&picture, decision, label, &reason, &other, queue, shown_as, &by, &at];
        table.write_record(row).expect("writing to memory cannot fail");
    }
    table.into_inner().expect("writing to memory cannot fail")
}

/// Splits a decision into its word, label, reason and other picture.
fn cells(decision: &Decision) -> (&'static str, &str, &str, Option<BlobId>) {
    match decision {
        Decision::Keep => ("keep", "", "", None),
        Decision::Reject { reason } => ("reject", "", reason, None),
        Decision::Relabel { label } => ("relabel", label.as_str(), "", None),
        Decision::Undecide => ("undecide", "", "", None),
        Decision::Keeper => ("keeper", "", "", None),
        Decision::NoKeeper => ("no-keeper", "", "", None),
        Decision::NotTwins { other } => ("not-twins", "", "", Some(*other)),
        Decision::UndecideTwins { other } => ("undecide-twins", "", "", Some(*other)),
    }
}

fn queue_name(queue: Queue) -> &'static str {
    match queue {
        Queue::Conflicts => "conflicts",
        Queue::Twins => "twins",
        Queue::Suspects => "suspects",
        Queue::Leaks => "leaks",
        Queue::Quality => "quality",
        Queue::Audit => "audit",
        Queue::Elsewhere => "elsewhere",
    }
}

/// Tells whether a spreadsheet would run a text as a formula, or did not because of a `'`.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn harmless(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}

/// Takes back what [`harmless`] did.
fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Reads a table, and returns what it adds to the lines there are: all of it, or the faults of
/// its rows. What is said already is not said again, so that a table read twice adds nothing.
pub fn read(bytes: &[u8], against: Against<'_>) -> Result<Added, TableError> {
    let mut table = csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .flexible(true)
        .trim(csv::Trim::Headers)
        .from_reader(bytes);
    let columns = columns(&mut table)?;
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    for record in table.byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                faults.push(Fault { line, what: "is not readable as CSV".to_owned() });
                continue;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        match Row::of(&record, &columns).and_then(|row| row.review(against)) {
            Ok((review, has_time)) => rows.push((line, review, has_time)),
            Err(what) => faults.push(Fault { line, what }),
        }
    }
    faults.extend(contradictions(&rows));
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.line);
        return Err(TableError::Rows(faults));
    }
    Ok(added(rows, against))
}

/// Finds what stands between the columns: spreadsheets of half the world write `;`.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_there = |byte: &u8| header.contains(byte);
    *[b',', b';', b'\t'].iter().find(|byte| is_there(byte)).unwrap_or(&b',')
}

/// The place of each column that is there.
type Columns = BTreeMap<&'static str, usize>;

fn columns(table: &mut csv::Reader<&[u8]>) -> Result<Columns, TableError> {
    let mut columns = Columns::new();
    let header = table.byte_headers().cloned().unwrap_or_default();
    for (at, name) in header.iter().enumerate() {
        let name = String::from_utf8_lossy(name).to_lowercase();
        let Some(column) = COLUMNS.into_iter().find(|column| *column == name) else {
            return Err(TableError::UnknownColumn { name });
        };
        if columns.insert(column, at).is_some() {
            return Err(TableError::Twice(name));
        }
    }
    match ["picture", "decision"].into_iter().find(|column| !columns.contains_key(column)) {
        Some(missing) => Err(TableError::NoColumn(missing)),
        None => Ok(columns),
    }
}

type Read = (u64, Review, bool);

/// Finds rows that decide one question differently and do not tell which of them came later.
fn contradictions(rows: &[Read]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut first: BTreeMap<Question, &Read> = BTreeMap::new();
    for row in rows {
        let (line, review, has_time) = row;
        let (earlier, other, other_has_time) = *first.entry(review.question()).or_insert(row);
        let is_same = Review { at_ms: 0, ..review.clone() } == Review { at_ms: 0, ..other.clone() };
        let is_ordered = *has_time && *other_has_time;
        if !is_same && !is_ordered {
            let what =
                format!("decides otherwise than line {earlier}; tell in `at` which is later");
            faults.push(Fault { line: *line, what });
        }
    }
    faults
}

/// Leaves out what is said already. A row without a time says so if what holds of its question is
/// the same; if it is not, it comes after it.
fn added(rows: Vec<Read>, against: Against<'_>) -> Added {
    let said: BTreeSet<&Review> = against.lines.iter().collect();
    let latest = latest(against.lines);
    let mut added = Added::default();
    let mut new: BTreeSet<Review> = BTreeSet::new();
    for (_, mut review, has_time) in rows {
        let held = latest.get(&review.question());
        let is_said = if has_time {
            said.contains(&review)
        } else {
            let is_held =
                held.is_some_and(|held| Review { at_ms: held.at_ms, ..review.clone() } == **held);
            let after = held.map_or(0, |held| held.at_ms.saturating_add(1));
            review.at_ms = review.at_ms.max(after);
            is_held
        };
        if is_said || !new.insert(review.clone()) {
            added.known += 1;
        } else {
            added.lines.push(review);
        }
    }
    added
}

#[cfg(test)]
mod tests;
