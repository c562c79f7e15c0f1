//! Parquet → rows. The only file that knows the `parquet` crate. Only the columns that mean
//! something to us are read.

use std::{fs::File, ops::ControlFlow, path::Path, sync::Arc};

use ::parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::Field as Cell,
    schema::types::Type,
};

use super::{
    Told, UrlsError,
    row::{Field, Row},
};
use crate::source::glance::PathError;

pub(super) fn each_row(
    path: &Path,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> Result<(), UrlsError> {
    let file = File::open(path).map_err(PathError::read(path))?;
    let failed = |source: ParquetError| UrlsError::Parquet { path: path.to_owned(), source };
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let schema = reader.metadata().file_metadata().schema();
    // Columns of columns, such as pictures with their bytes, are not for us.
    let flat: Vec<&Arc<Type>> = schema.get_fields().iter().filter(|it| it.is_primitive()).collect();
    let columns: Vec<String> = flat.iter().map(|it| it.name().to_owned()).collect();
    let fields = Field::choose(&columns);
    let has_addresses = fields.values().any(|it| *it == Field::Address);
    if tell(Told::Columns(columns)).is_break() || !has_addresses {
        return Ok(());
    }
    let chosen = fields.keys().map(|at| Arc::clone(flat[*at])).collect();
    let projection = Type::group_type_builder(schema.name()).with_fields(chosen).build();
    let projection = projection.map_err(failed)?;
    let kinds: Vec<Field> = fields.values().copied().collect();
    let mut n = 0_u64;
    for group in 0..reader.num_row_groups() {
        let opened = reader.get_row_group(group).map_err(failed)?;
        for read in opened.get_row_iter(Some(projection.clone())).map_err(failed)? {
            n += 1;
            let flow = match &read {
                Ok(record) => {
                    let mut row = Row::new(format!("row {n}"));
                    for (kind, (_, cell)) in kinds.iter().zip(record.get_column_iter()) {
                        if let Some(text) = text_of(cell) {
                            row.set(*kind, &text);
                        }
                    }
                    tell(Told::Row(row))
                }
                Err(error) => tell(Told::Broken(format!(
                    "row {n}, and the rest of row group {group} with it: {error}"
                ))),
            };
            if flow.is_break() {
                return Ok(());
            }
            if read.is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn text_of(cell: &Cell) -> Option<String> {
    if let Cell::Str(text) = cell {
        return Some(text.clone());
    }
    // Text whose column does not say that it is text.
    if let Cell::Bytes(bytes) = cell {
        return Some(String::from_utf8_lossy(bytes.data()).into_owned());
    }
    let is_nothing =
        matches!(cell, Cell::Null | Cell::Group(_) | Cell::ListInternal(_) | Cell::MapInternal(_));
    (!is_nothing).then(|| cell.to_string())
}
