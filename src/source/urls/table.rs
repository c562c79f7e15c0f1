//! CSV and TSV → rows. A quote that is never closed costs its own row, not the rest of the file.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    ops::ControlFlow,
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    Told,
    row::{Field, Row},
};

/// The longest record that is read; a record that goes on for longer has a stray quote.
const RECORD_BYTES_MAX: usize = 64 << 10;
const CELLS_MAX: usize = 1024;

pub(super) fn each_row(
    text: impl Read,
    delimiter: u8,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut table = Table::new(text, delimiter);
    let mut fields: Option<(BTreeMap<usize, Field>, usize)> = None;
    loop {
        let told = match table.next()? {
            Step::End => return Ok(()),
            Step::Broken { line } => {
                Told::Broken(format!("line {line}: no row, perhaps a stray quote"))
            }
            Step::Record { line } => match &fields {
                None => {
                    let columns: Vec<String> = table.cells().map(text_of).collect();
                    fields = Some((Field::choose(&columns), columns.len()));
                    Told::Columns(columns)
                }
                Some((fields, n_columns)) => match row(&table, line, fields) {
                    Some(row) => Told::Row(row),
                    None => {
                        let n = table.cells().count();
                        Told::Broken(format!("line {line}: {n} cells of {n_columns}"))
                    }
                },
            },
        };
        if tell(told).is_break() {
            return Ok(());
        }
    }
}

/// Takes the cells we understand; `None` if the row ends before its address.
fn row(table: &Table<impl Read>, line: u64, fields: &BTreeMap<usize, Field>) -> Option<Row> {
    let mut row = Row::new(format!("line {line}"));
    let mut has_address_cell = false;
    for (at, cell) in table.cells().enumerate() {
        if let Some(field) = fields.get(&at) {
            has_address_cell |= *field == Field::Address;
            row.set(*field, &text_of(cell));
        }
    }
    has_address_cell.then_some(row)
}

/// Reads a cell as text; bytes that are no UTF-8 become marks, as titles come in all encodings.
fn text_of(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

/// What came next.
enum Step {
    /// The cells hold a record that began on this line, counted from 1.
    Record {
        line: u64,
    },
    Broken {
        line: u64,
    },
    End,
}

/// Records out of a text, one at a time, in a window that holds the longest of them.
struct Table<R> {
    from: R,
    core: Reader,
    window: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    line: u64,
    output: Vec<u8>,
    ends: Vec<usize>,
    n_cells: usize,
}

impl<R: Read> Table<R> {
    fn new(from: R, delimiter: u8) -> Self {
        Self {
            from,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            window: vec![0; 4 * RECORD_BYTES_MAX],
            start: 0,
            end: 0,
            is_at_end: false,
            line: 1,
            output: vec![0; RECORD_BYTES_MAX],
            ends: vec![0; CELLS_MAX],
            n_cells: 0,
        }
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let ends = &self.ends[..self.n_cells];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| &self.output[start..*end])
    }

    fn next(&mut self) -> io::Result<Step> {
        loop {
            self.fill()?;
            let line = self.pass_blank_lines();
            let window = &self.window[self.start..self.end.min(self.start + RECORD_BYTES_MAX)];
            if window.is_empty() {
                if self.is_at_end {
                    return Ok(Step::End);
                }
                continue;
            }
            let is_all = self.is_at_end && window.len() == self.end - self.start;
            let reach = if is_all { Reach::ToTheEnd } else { Reach::Part };
            let Some((n_cells, length)) =
                record(&mut self.core, window, reach, &mut self.output, &mut self.ends)
            else {
                let length = memchr::memchr(b'\n', window).map_or(window.len(), |it| it + 1);
                self.step(length);
                return Ok(Step::Broken { line });
            };
            self.n_cells = n_cells;
            self.step(length);
            return Ok(Step::Record { line });
        }
    }

    fn step(&mut self, length: usize) {
        let passed = &self.window[self.start..self.start + length];
        let n_lines = memchr::memchr_iter(b'\n', passed).count();
        self.line += u64::try_from(n_lines).expect("a length fits 64 bits");
        self.start += length;
    }

    /// Goes to the next line that holds something and returns its number.
    fn pass_blank_lines(&mut self) -> u64 {
        while self.start < self.end && matches!(self.window[self.start], b'\n' | b'\r') {
            self.step(1);
        }
        self.line
    }

    /// Makes the window hold the longest record, or all that is left.
    fn fill(&mut self) -> io::Result<()> {
        if self.is_at_end || RECORD_BYTES_MAX <= self.end - self.start {
            return Ok(());
        }
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < self.window.len() {
            match self.from.read(&mut self.window[self.end..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    break;
                }
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// How far a window reaches into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Part,
    ToTheEnd,
}

/// Reads the record at the start of `window`; returns its cells' number and its length, or
/// `None` if no record ends in the window.
fn record(
    core: &mut Reader,
    window: &[u8],
    reach: Reach,
    output: &mut [u8],
    ends: &mut [usize],
) -> Option<(usize, usize)> {
    core.reset();
    let (result, length, n_written, mut n_cells) = core.read_record(window, output, ends);
    let mut ended = result == ReadRecordResult::Record;
    if result == ReadRecordResult::InputEmpty && reach == Reach::ToTheEnd {
        // The last line may lack its end; within quotes a line's end would end no record.
        let (result, _, _, cells) =
            core.read_record(b"\n", &mut output[n_written..], &mut ends[n_cells..]);
        n_cells += cells;
        ended = result == ReadRecordResult::Record;
    }
    ended.then_some((n_cells, length))
}
