//! One row of a table of decisions: its cells, and what they say or what is wrong with them.

use std::collections::BTreeMap;

use super::{Against, Columns, DIGITS_MIN, cells, moment::read_moment, plain, queue_name};
use crate::domain::{
    id::{BlobId, Label},
    review::{Decision, Queue, Review},
};

/// Clocks of two people may differ by so much.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// The cells of a row; those of columns that are not there are empty.
pub(super) struct Row<'a> {
    cells: BTreeMap<&'static str, &'a str>,
}

impl<'a> Row<'a> {
    pub(super) fn of(record: &'a csv::ByteRecord, columns: &Columns) -> Result<Self, String> {
        if columns.len() < record.len() {
            return Err(format!("{} cells for {} columns", record.len(), columns.len()));
        }
        let mut cells = BTreeMap::new();
        for (column, at) in columns {
            let cell = str::from_utf8(record.get(*at).unwrap_or_default())
                .map_err(|_| format!("`{column}` is not UTF-8"))?;
            // What people wrote stays as they wrote it.
            let is_text = ["reason", "by"].contains(column) && !cell.trim().is_empty();
            cells.insert(*column, if is_text { cell } else { cell.trim() });
        }
        Ok(Self { cells })
    }

    fn cell(&self, column: &str) -> &'a str {
        self.cells.get(column).copied().unwrap_or_default()
    }

    /// Reads a row, and whether it tells its time.
    pub(super) fn review(&self, against: Against<'_>) -> Result<(Review, bool), String> {
        let at = self.cell("at");
        let at_ms = if at.is_empty() {
            against.now_ms
        } else {
            read_moment(at).ok_or_else(|| {
                format!(
                    "`{at}` is no time: write it as 2026-01-31, 2026-01-31T12:00:00Z or in \
                     milliseconds since 1970"
                )
            })?
        };
        if against.now_ms.saturating_add(DAY_MS) < at_ms {
            return Err(format!("`{at}` is still to come; nothing said from now on would hold"));
        }
        let shown_as = match self.cell("shown_as") {
            "" => None,
            text => Some(Label::new(text).map_err(|error| error.to_string())?),
        };
        let by = Some(plain(self.cell("by"))).filter(|by| !by.is_empty()).or(against.by);
        let review = Review {
            at_ms,
            picture: picture(self.cell("picture"), against)?,
            decision: self.decision(against)?,
            queue: queue(self.cell("queue"))?,
            shown_as,
            by: by.map(str::to_owned),
        };
        Ok((review, !at.is_empty()))
    }

    fn decision(&self, against: Against<'_>) -> Result<Decision, String> {
        let word = self.cell("decision");
        let needed = |column: &str| match self.cell(column) {
            "" => Err(format!("`{word}` needs a {column}")),
            text => Ok(text),
        };
        let decision = match word {
            "keep" => Decision::Keep,
            "reject" => Decision::Reject { reason: plain(needed("reason")?).to_owned() },
            "relabel" => Decision::Relabel { label: class(needed("label")?, against)? },
            "undecide" => Decision::Undecide,
            "keeper" => Decision::Keeper,
            "no-keeper" => Decision::NoKeeper,
            "not-twins" => Decision::NotTwins { other: picture(needed("other")?, against)? },
            "undecide-twins" => {
                Decision::UndecideTwins { other: picture(needed("other")?, against)? }
            }
            _ => {
                return Err(format!(
                    "`{word}` is no decision; use keep, reject, relabel, undecide, keeper, \
                     no-keeper, not-twins or undecide-twins"
                ));
            }
        };
        let (_, label, reason, other) = cells(&decision);
        let idle = [
            ("label", label.is_empty()),
            ("reason", reason.is_empty()),
            ("other", other.is_none()),
        ];
        for (column, is_idle) in idle {
            if is_idle && !self.cell(column).is_empty() {
                return Err(format!("`{word}` takes no {column}, but there is one"));
            }
        }
        Ok(decision)
    }
}

fn queue(text: &str) -> Result<Queue, String> {
    if text.is_empty() {
        return Ok(Queue::Elsewhere);
    }
    Queue::ALL.into_iter().find(|queue| queue_name(*queue) == text).ok_or_else(|| {
        format!("`{text}` is no queue; they are {}", Queue::ALL.map(queue_name).join(", "))
    })
}

fn class(text: &str, against: Against<'_>) -> Result<Label, String> {
    against.classes.iter().find(|label| label.as_str() == text).cloned().ok_or_else(|| {
        let known: Vec<&str> = against.classes.iter().map(Label::as_str).collect();
        format!("no class `{text}`; classes are {}", known.join(", "))
    })
}

/// Finds the picture that is named by its digest, by the first digits of it, or by a file of an
/// export, whose name ends in such digits.
fn picture(text: &str, against: Against<'_>) -> Result<BlobId, String> {
    if text.is_empty() {
        return Err("no picture is named".to_owned());
    }
    if let Ok(blob) = text.parse::<BlobId>() {
        return Ok(blob);
    }
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let stem = name.split('.').next().unwrap_or(name);
    let digits = stem.rsplit('-').next().unwrap_or(stem).to_ascii_lowercase();
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits.len() < 64;
    if !is_digits || digits.len() < DIGITS_MIN {
        return Err(format!(
            "`{text}` names no picture: use the 64 digits of its digest, at least {DIGITS_MIN} of \
             the first, or the name of its file in an export"
        ));
    }
    let first: BlobId = format!("{digits:0<64}").parse().expect("sixty-four digits are a digest");
    let mut named =
        against.known.range(first..).take_while(|blob| blob.to_string().starts_with(&digits));
    match (named.next(), named.next()) {
        (Some(blob), None) => Ok(*blob),
        (None, _) => Err(format!("no picture is known whose digest begins with {digits}")),
        (Some(_), Some(_)) => {
            Err(format!("several digests begin with {digits}: write more digits"))
        }
    }
}
