//! Pictures → one Parquet file with the pictures in it, that Hugging Face's `datasets` reads with
//! its own types. Only here is the `parquet` crate known.
//!
//! The same rows give the same bytes: fixed sizes of pages and groups, no name of a writer's
//! version. Pages of pictures, and the other columns of a group, are made on all cores.

mod pages;

use std::{
    io::{self, Read, Write},
    iter, mem,
    path::Path,
    sync::Arc,
};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    column::writer::{ColumnCloseResult, get_column_writer, get_typed_column_writer},
    data_type::{ByteArray, ByteArrayType, DataType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        reader::{ChunkReader, Length},
        writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite},
    },
    schema::types::{ColumnPath, SchemaDescriptor, Type},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use self::pages::Page;
use super::{
    Dataset, ExportError, Row, crops,
    grown::{self, Sum},
    tables::{self, Cell, MANIFEST},
};
use crate::domain::{id::Label, kaggle::ColumnType};

/// What a file begins with.
const MAGIC: &[u8] = b"PAR1";

/// Rows read together: what a loader that wants one picture must go through.
const GROUP_ROWS: usize = 1000;
const GROUP_BYTES: u64 = 32 << 20;

/// The columns of the manifest that the picture and its class take the place of.
const REPLACED: [&str; 2] = ["label", "split"];

/// A piece of a file.
enum Part<'a> {
    Magic,
    Pictures(&'a [&'a Row<'a>]),
    /// The other columns of a group of rows.
    Columns(&'a [&'a Row<'a>]),
}

/// What the end of a file tells of a piece.
enum Told {
    Magic,
    Page(Page),
    Columns(Vec<ColumnCloseResult>),
}

/// Writes `rows` to a new file of that name below `new`; `classes` are numbered in their order.
pub(super) fn write(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    rows: &[&Row<'_>],
    (new, name): (&Path, &str),
) -> Result<(String, Sum), ExportError> {
    let path = new.join(name);
    let failed = |error| ExportError::write(&path)(io_error(error));
    let shape = Shape::new(classes).map_err(failed)?;
    let mut pieces = vec![Part::Magic];
    for group in crops::cut(rows, GROUP_ROWS, GROUP_BYTES) {
        pieces.extend(crops::pieces(group).into_iter().map(Part::Pictures));
        pieces.push(Part::Columns(group));
    }
    let make = |part: &Part<'_>, piece: &mut Vec<u8>| match part {
        Part::Magic => {
            piece.extend(MAGIC);
            Ok(Told::Magic)
        }
        Part::Pictures(rows) => {
            pages::add(dataset, rows, piece, |error| ExportError::write(&path)(error))
                .map(Told::Page)
        }
        Part::Columns(rows) => {
            columns_of(dataset, classes, rows, (&shape, piece)).map(Told::Columns).map_err(failed)
        }
    };
    let close = |placed, end| shape.end(placed, end).map_err(io_error);
    grown::write((new, name), &pieces, make, close)
}

/// What all groups of a file have in common.
struct Shape {
    schema: Arc<Type>,
    columns: SchemaDescriptor,
    properties: Arc<WriterProperties>,
}

impl Shape {
    fn new(classes: &[&Label]) -> Result<Self, ParquetError> {
        let schema = schema()?;
        let columns = SchemaDescriptor::new(Arc::clone(&schema));
        Ok(Self { schema, columns, properties: Arc::new(properties(classes)) })
    }

    /// Returns what stands behind the last group, which ends at `end`: the file is written once more
    /// as if to memory, its columns being elsewhere, and all up to there is dropped.
    fn end(&self, placed: Vec<(u64, Told)>, end: u64) -> Result<Vec<u8>, ParquetError> {
        let tail = Tail { at: 0, from: end, kept: Vec::new() };
        let (schema, properties) = (Arc::clone(&self.schema), Arc::clone(&self.properties));
        let mut writer = SerializedFileWriter::new(tail, schema, properties)?;
        let mut pages = Vec::new();
        for (_, told) in placed {
            match told {
                Told::Magic => (),
                Told::Page(page) => pages.push(page),
                Told::Columns(columns) => {
                    let mut group = writer.next_row_group()?;
                    let pictures = pages::closed(self.columns.column(0), &mem::take(&mut pages))?;
                    for column in iter::once(pictures).chain(columns) {
                        group.append_column(&Elsewhere, column)?;
                    }
                    group.close()?;
                }
            }
        }
        if u64::try_from(writer.bytes_written())? != end {
            return Err(ParquetError::General("groups are not where they were written".to_owned()));
        }
        Ok(writer.into_inner()?.kept)
    }
}

/// Keeps what is written behind a place.
struct Tail {
    at: u64,
    from: u64,
    kept: Vec<u8>,
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_dropped = usize::try_from(self.from.saturating_sub(self.at)).unwrap_or(usize::MAX);
        self.kept.extend(bytes.iter().skip(n_dropped));
        self.at += u64::try_from(bytes.len()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A column whose bytes nobody looks at: they are in the file already.
struct Elsewhere;

impl Read for Elsewhere {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

impl Length for Elsewhere {
    fn len(&self) -> u64 {
        u64::MAX
    }
}

impl ChunkReader for Elsewhere {
    type T = Self;

    fn get_read(&self, _: u64) -> Result<Self, ParquetError> {
        Ok(Self)
    }

    fn get_bytes(&self, _: u64, n_bytes: usize) -> Result<Bytes, ParquetError> {
        Ok(vec![0; n_bytes].into())
    }
}

/// Returns the features as Hugging Face writes them: in the file and in the card.
pub(super) fn features(classes: &[&Label]) -> Map<String, Value> {
    let names: Vec<&str> = classes.iter().map(|it| it.as_str()).collect();
    let mut features = Map::new();
    features.insert("image".to_owned(), json!({"_type": "Image"}));
    features.insert("label".to_owned(), json!({"names": names, "_type": "ClassLabel"}));
    for (name, kind) in columns() {
        features.insert(name.to_owned(), json!({"dtype": value_type(kind), "_type": "Value"}));
    }
    features
}

/// Lists the columns behind picture and label, with what Hugging Face calls their type.
pub(super) fn columns() -> impl Iterator<Item = (&'static str, ColumnType)> {
    MANIFEST.iter().filter(|it| !REPLACED.contains(&it.name)).map(|it| (it.name, it.kind))
}

pub(super) fn value_type(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "string",
        ColumnType::Integer => "int64",
    }
}

fn properties(classes: &[&Label]) -> WriterProperties {
    let info = json!({"info": {"features": features(classes)}}).to_string();
    let bytes = || ColumnPath::from(vec!["image".to_owned(), "bytes".to_owned()]);
    WriterProperties::builder()
        .set_created_by("snapset version 1".to_owned())
        .set_compression(Compression::SNAPPY)
        // Pictures do not shrink, and no two are the same.
        .set_column_compression(bytes(), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(bytes(), false)
        .set_column_statistics_enabled(bytes(), EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![KeyValue::new("huggingface".to_owned(), info)]))
        .build()
}

fn schema() -> Result<Arc<Type>, ParquetError> {
    let leaf = |name: &str, physical: Physical, logical: Option<LogicalType>| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let text = || Some(LogicalType::String);
    let image = Type::group_type_builder("image")
        .with_repetition(Repetition::OPTIONAL)
        .with_fields(vec![
            leaf("bytes", Physical::BYTE_ARRAY, None)?,
            leaf("path", Physical::BYTE_ARRAY, text())?,
        ])
        .build()?;
    let mut fields = vec![Arc::new(image), leaf("label", Physical::INT64, None)?];
    for (name, kind) in columns() {
        fields.push(match kind {
            ColumnType::Text => leaf(name, Physical::BYTE_ARRAY, text())?,
            ColumnType::Integer => leaf(name, Physical::INT64, None)?,
        });
    }
    Type::group_type_builder("schema").with_fields(fields).build().map(Arc::new)
}

/// Appends all columns of a group but that of the pictures.
fn columns_of(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    rows: &[&Row<'_>],
    (shape, piece): (&Shape, &mut Vec<u8>),
) -> Result<Vec<ColumnCloseResult>, ParquetError> {
    let told = |row: &&Row<'_>| {
        let name = row.path.rsplit('/').next().unwrap_or_default();
        Some(ByteArray::from(name))
    };
    let number = |row: &&Row<'_>| {
        let at = classes.iter().position(|it| **it == row.picture.label);
        at.and_then(|at| i64::try_from(at).ok()) // Rows are of listed classes, so there is one.
    };
    let mut closed = vec![
        put::<ByteArrayType>((shape, 1), rows.iter().map(told), 2, piece)?,
        put::<Int64Type>((shape, 2), rows.iter().map(number), 1, piece)?,
    ];
    let cells: Vec<_> = rows
        .iter()
        .map(|row| tables::manifest_cells(row, dataset.license, dataset.transform))
        .collect();
    let listed = MANIFEST.iter().enumerate().filter(|(_, it)| !REPLACED.contains(&it.name));
    for (to, (from, column)) in (3..).zip(listed) {
        let cells = cells.iter().filter_map(|row| row.get(from));
        closed.push(match column.kind {
            ColumnType::Text => put::<ByteArrayType>((shape, to), cells.map(text), 1, piece),
            ColumnType::Integer => put::<Int64Type>((shape, to), cells.map(integer), 1, piece),
        }?);
    }
    Ok(closed)
}

/// Appends a column, by its number: a value, or nothing, for each row. `depth` is how many of the
/// names that lead to the column may be absent.
fn put<T: DataType>(
    (shape, at): (&Shape, usize),
    cells: impl Iterator<Item = Option<T::T>>,
    depth: i16,
    piece: &mut Vec<u8>,
) -> Result<ColumnCloseResult, ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for value in cells {
        levels.push(if value.is_some() { depth } else { depth - 1 });
        values.extend(value);
    }
    let mut out = TrackedWrite::new(piece);
    let pages = Box::new(SerializedPageWriter::new(&mut out));
    let (column, properties) = (shape.columns.column(at), Arc::clone(&shape.properties));
    let mut column = get_typed_column_writer::<T>(get_column_writer(column, properties, pages));
    column.write_batch(&values, Some(&levels), None)?;
    let closed = column.close()?;
    out.into_inner()?;
    Ok(closed)
}

fn text(cell: &Cell<'_>) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => (!text.is_empty()).then(|| ByteArray::from(text.as_ref())),
        Cell::Integer(_) => None,
    }
}

fn integer(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Integer(number) => *number,
        Cell::Text(_) => None,
    }
}

/// Takes the trouble with the disk out of its wrapping; the rest are mistakes of ours.
fn io_error(error: ParquetError) -> io::Error {
    if let ParquetError::External(source) = error {
        source.downcast::<io::Error>().map_or_else(io::Error::other, |source| *source)
    } else {
        io::Error::other(error)
    }
}
