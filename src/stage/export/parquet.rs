//! Pictures → one Parquet file with the pictures in it, that Hugging Face's `datasets` reads with
//! its own types. The only file of this room that knows the `parquet` crate.
//!
//! The same rows give the same bytes: fixed sizes of pages and groups, no name of a writer's
//! version. A group of rows is in memory at a time, never its pictures.

use std::{io, mem, path::Path, sync::Arc};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DataType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{ColumnPath, Type},
};
use serde_json::{Map, Value, json};

use super::{
    Dataset, ExportError, Row, crops,
    grown::{Grown, Growth, Summed},
    tables::{self, Cell, MANIFEST},
};
use crate::domain::{id::Label, kaggle::ColumnType};

/// Rows read together: what a loader that wants one picture must go through.
const GROUP_ROWS: usize = 1000;
const GROUP_BYTES: u64 = 32 << 20;

/// The columns of the manifest that the picture and its class take the place of.
const REPLACED: [&str; 2] = ["label", "split"];

/// Writes `rows` to a new file of that name below `new`; `classes` are numbered in their order.
pub(super) fn write(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    rows: &[&Row<'_>],
    (new, name, summed): (&Path, &str, &mut Summed),
) -> Result<(), ExportError> {
    let file = Grown::create(new, name, Growth::Onward)?;
    let path = file.path().to_owned();
    let failed = |error| ExportError::write(&path)(io_error(error));
    let properties = Arc::new(properties(classes));
    let schema = schema().map_err(failed)?;
    let mut writer = SerializedFileWriter::new(file, schema, properties).map_err(failed)?;
    for group in groups(rows) {
        write_group(dataset, classes, group, (&mut writer, &path))?;
    }
    writer.into_inner().map_err(failed)?.end(summed)
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

/// Cuts the rows into groups that are small in number and in bytes.
fn groups<'a, 'b>(rows: &'b [&'a Row<'a>]) -> impl Iterator<Item = &'b [&'a Row<'a>]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut size_bytes = 0;
        let fits = |row: &&Row<'_>| {
            size_bytes += row.picture.crop.size_bytes;
            size_bytes <= GROUP_BYTES
        };
        let n = rest.iter().copied().take(GROUP_ROWS).take_while(fits).count();
        let (group, after) = rest.split_at(n.max(1).min(rest.len()));
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}

fn write_group(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    rows: &[&Row<'_>],
    (writer, path): (&mut SerializedFileWriter<Grown>, &Path),
) -> Result<(), ExportError> {
    let failed = |error| ExportError::write(path)(io_error(error));
    let mut group = writer.next_row_group().map_err(failed)?;
    write_pictures(dataset, rows, (&mut group, path))?;
    let told = |row: &&Row<'_>| {
        let name = row.path.rsplit('/').next().unwrap_or_default();
        Some(ByteArray::from(name))
    };
    put::<ByteArrayType>(&mut group, rows.iter().map(told), 2).map_err(failed)?;
    let number = |row: &&Row<'_>| {
        let at = classes.iter().position(|it| **it == row.picture.label);
        at.and_then(|at| i64::try_from(at).ok()) // Rows are of listed classes, so there is one.
    };
    put::<Int64Type>(&mut group, rows.iter().map(number), 1).map_err(failed)?;
    let cells: Vec<_> = rows
        .iter()
        .map(|row| tables::manifest_cells(row, dataset.license, dataset.transform))
        .collect();
    for (at, column) in MANIFEST.iter().enumerate() {
        if REPLACED.contains(&column.name) {
            continue;
        }
        let of_column = cells.iter().filter_map(|row| row.get(at));
        match column.kind {
            ColumnType::Text => put::<ByteArrayType>(&mut group, of_column.map(text), 1),
            ColumnType::Integer => put::<Int64Type>(&mut group, of_column.map(integer), 1),
        }
        .map_err(failed)?;
    }
    group.close().map(drop).map_err(failed)
}

/// Writes the bytes of the pictures, each gone from memory once its page is written.
fn write_pictures(
    dataset: &Dataset<'_>,
    rows: &[&Row<'_>],
    (group, path): (&mut SerializedRowGroupWriter<'_, Grown>, &Path),
) -> Result<(), ExportError> {
    let failed = |error| ExportError::write(path)(io_error(error));
    let mut column = group.next_column().map_err(failed)?.expect("the schema has this column");
    crops::each(dataset, rows, |_, bytes| {
        let value = [ByteArray::from(mem::take(bytes))];
        let written = column.typed::<ByteArrayType>().write_batch(&value, Some(&[2]), None);
        written.map(drop).map_err(failed)
    })?;
    column.close().map_err(failed)
}

/// Writes the next column: a value, or nothing, for each row. `depth` is how many of the names
/// that lead to the column may be absent.
fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Grown>,
    cells: impl Iterator<Item = Option<T::T>>,
    depth: i16,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("the schema has this column");
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for value in cells {
        levels.push(if value.is_some() { depth } else { depth - 1 });
        values.extend(value);
    }
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
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
