//! JSON lines → rows: every line an object, its keys the columns.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    ops::ControlFlow,
};

use serde_json::{Map, Value};

use super::{
    Told,
    row::{Field, LINE_BYTES_MAX, Row},
};
use crate::source::lines::{Line, Lines};

pub(super) fn each_row(
    text: impl Read,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut lines = Lines::new(text, 0, LINE_BYTES_MAX);
    let mut n = 0_u64;
    let mut is_first = true;
    while let Some(line) = lines.next()? {
        n += 1;
        let bytes = match line {
            Line::Whole { bytes, .. } => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
            Line::TooLong { size_bytes, .. } => {
                if tell(Told::Broken(format!("line {n}: {size_bytes} bytes long"))).is_break() {
                    break;
                }
                continue;
            }
        };
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let flow = match serde_json::from_slice::<Map<String, Value>>(bytes) {
            Err(error) => tell(Told::Broken(format!("line {n}: {error}"))),
            Ok(object) => {
                // The first object speaks for the list.
                if std::mem::take(&mut is_first)
                    && tell(Told::Columns(object.keys().cloned().collect())).is_break()
                {
                    break;
                }
                tell(Told::Row(row(format!("line {n}"), &object)))
            }
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn row(is_at: String, object: &Map<String, Value>) -> Row {
    let mut best: BTreeMap<Field, (usize, String)> = BTreeMap::new();
    for (key, value) in object {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        if let Some((field, rank)) = Field::of(key)
            && best.get(&field).is_none_or(|(held, _)| rank < *held)
        {
            best.insert(field, (rank, text));
        }
    }
    let mut row = Row::new(is_at);
    for (field, (_, text)) in best {
        row.set(field, &text);
    }
    row
}
