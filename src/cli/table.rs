//! Rows in columns: on a terminal no wider than it, and in colours unless `NO_COLOR` is set.

use std::{
    env,
    io::{self, IsTerminal},
};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table,
    presets::NOTHING,
};

/// Between two columns.
const GAP: u16 = 2;

/// What is left of a column of words on a narrow terminal, before rows are stacked instead.
const LEAST_WORDS: u16 = 24;

/// What the place the rows are printed on can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// In columns; `None` where lines may be of any length, as in a file.
    width: Option<u16>,
    is_coloured: bool,
}

impl Look {
    fn of_stdout() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|it| !it.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|it| it == "dumb");
        let is_coloured = io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb;
        Self { width: Table::new().width(), is_coloured }
    }
}

/// Lays rows out in columns for stdout; those named in `numbers` are flush right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> String {
    lay_out(header, rows, numbers, Look::of_stdout())
}

fn lay_out(header: &[&str], rows: &[Vec<String>], numbers: &[usize], look: Look) -> String {
    let mut table = bare(look);
    let title = |name: &&str| {
        let cell = Cell::new(name);
        if look.is_coloured { cell.add_attribute(Attribute::Bold) } else { cell }
    };
    table.set_header(header.iter().map(title));
    for row in rows {
        let cells = row.iter().zip(header).map(|(text, name)| {
            let cell = Cell::new(text);
            match tone(name, text).filter(|_| look.is_coloured) {
                Some(colour) => cell.fg(colour),
                None => cell,
            }
        });
        table.add_row(cells);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let natural = table.column_max_content_widths();
    let Some(width) = look.width.filter(|width| *width < whole(&natural)) else {
        return trimmed(&table);
    };
    // Only the longest words are broken into lines; all other columns stay as they are.
    let words = (0..natural.len()).filter(|at| !numbers.contains(at));
    let Some(longest) = words.max_by_key(|at| natural[*at]) else {
        return stacked(header, rows, numbers, look);
    };
    let others = whole(&natural) - natural[longest];
    if width < others + LEAST_WORDS {
        return stacked(header, rows, numbers, look);
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for (at, column) in table.column_iter_mut().enumerate() {
        if at != longest {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    trimmed(&table)
}

/// Lays each row out as a title, the words before the first number, and a paragraph of the rest.
fn stacked(header: &[&str], rows: &[Vec<String>], numbers: &[usize], look: Look) -> String {
    let n_title = numbers.iter().min().copied().unwrap_or(1).max(1);
    let mut table = bare(look);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = look.width {
        table.set_width(width);
    }
    for row in rows {
        let (title, rest) = row.split_at(n_title.min(row.len()));
        let title = Cell::new(title.join("  ").trim_end());
        table.add_row([if look.is_coloured {
            title.add_attribute(Attribute::Bold)
        } else {
            title
        }]);
        let named = header.iter().skip(n_title).zip(rest).filter(|(_, text)| !text.is_empty());
        let named: Vec<String> =
            named.map(|(name, text)| format!("{name} {text}").trim_start().to_owned()).collect();
        if !named.is_empty() {
            table.add_row([named.join(", ")]);
        }
    }
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    trimmed(&table)
}

fn bare(look: Look) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).force_no_tty();
    if look.is_coloured {
        table.enforce_styling();
    }
    table
}

/// What a number means for who reads it.
fn tone(header: &str, text: &str) -> Option<Color> {
    match header {
        "failed" if text != "0" => Some(Color::Red),
        "due" | "pending" if text != "0" => Some(Color::Yellow),
        "kept" => Some(Color::Green),
        _ if text == "0" => Some(Color::DarkGrey),
        _ => None,
    }
}

/// Returns the columns that all columns take side by side.
fn whole(widths: &[u16]) -> u16 {
    widths.iter().map(|width| width + GAP).sum()
}

fn trimmed(table: &Table) -> String {
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 4] = ["stage", "done", "failed", "result"];

    fn rows() -> Vec<Vec<String>> {
        let rows = [
            ["fetch", "230", "15", ""],
            ["dedupe", "1", "0", "194 kept, 4 in two classes, 19 twins of what is kept"],
        ];
        rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    }

    fn laid_out(width: Option<u16>) -> String {
        lay_out(&HEADER, &rows(), &[1, 2], Look { width, is_coloured: false })
    }

    #[test]
    fn a_file_gets_a_line_for_each_row_however_long() {
        let expected = "\
stage   done  failed  result
fetch    230      15
dedupe     1       0  194 kept, 4 in two classes, 19 twins of what is kept";
        assert_eq!(laid_out(None), expected);
        assert_eq!(laid_out(Some(80)), expected);
    }

    #[test]
    fn on_a_narrow_terminal_the_longest_words_are_broken_into_lines() {
        let expected = "\
stage   done  failed  result
fetch    230      15
dedupe     1       0  194 kept, 4 in two
                      classes, 19 twins of what
                      is kept";
        assert_eq!(laid_out(Some(50)), expected);
    }

    #[test]
    fn on_a_very_narrow_terminal_every_row_is_a_paragraph() {
        let expected = "\
fetch
done 230, failed 15
dedupe
done 1, failed 0, result 194
kept, 4 in two classes, 19
twins of what is kept";
        assert_eq!(laid_out(Some(30)), expected);
    }

    #[test]
    fn failures_are_red_and_nothing_is_faint() {
        let text = lay_out(&HEADER, &rows(), &[1, 2], Look { width: None, is_coloured: true });
        assert!(text.contains("\u{1b}[38;5;9m"), "{text:?}");
        let line = text.lines().find(|line| line.contains("fetch")).unwrap();
        assert!(line.contains("15") && line.contains("\u{1b}[38;5;9m"), "{line:?}");
        let line = text.lines().find(|line| line.contains("dedupe")).unwrap();
        assert!(line.contains("\u{1b}[38;5;8m") && !line.contains("[38;5;9m"), "{line:?}");
    }
}
