//! The column of the pictures: plain pages that are made on all cores, each picture read straight
//! to where it stays. After the `PageHeader` and the encodings RLE and PLAIN of Apache Parquet's
//! format, in Thrift's compact protocol.

use std::io;

use ::parquet::{
    basic::{Compression, Encoding, PageType},
    column::writer::ColumnCloseResult,
    errors::ParquetError,
    file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats},
    schema::types::ColumnDescPtr,
};

use super::super::{Dataset, ExportError, Row, crops};

/// What stands ahead of each value.
const LENGTH_BYTES: u64 = 4;

/// What is known of a page.
pub(super) struct Page {
    n_rows: i64,
    n_bytes: i64,
}

/// Appends a page of pictures: all that stands ahead of them is known before they are read.
pub(super) fn add(
    dataset: &Dataset<'_>,
    rows: &[&Row<'_>],
    piece: &mut Vec<u8>,
    failed: impl Fn(io::Error) -> ExportError,
) -> Result<Page, ExportError> {
    let sizes = rows.iter().map(|row| row.picture.crop.size_bytes);
    let head = head(rows.len(), sizes.clone().map(|size| LENGTH_BYTES + size).sum());
    let begin = piece.len();
    piece.extend(head.map_err(&failed)?);
    for (row, size) in rows.iter().zip(sizes) {
        let size = u32::try_from(size).map_err(|error| failed(io::Error::other(error)))?;
        piece.extend(size.to_le_bytes());
        crops::append(dataset, row, piece)?;
    }
    let number = |n| i64::try_from(n).map_err(|error| failed(io::Error::other(error)));
    Ok(Page { n_rows: number(rows.len())?, n_bytes: number(piece.len() - begin)? })
}

/// Returns what a column of such pages, one after the other, is closed with.
pub(super) fn closed(
    column: ColumnDescPtr,
    pages: &[Page],
) -> Result<ColumnCloseResult, ParquetError> {
    let n_rows = pages.iter().map(|page| page.n_rows).sum();
    let n_bytes = pages.iter().map(|page| page.n_bytes).sum();
    let n_pages = i32::try_from(pages.len())?;
    let metadata = ColumnChunkMetaData::builder(column)
        .set_compression(Compression::UNCOMPRESSED)
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
        .set_page_encoding_stats(vec![PageEncodingStats {
            page_type: PageType::DATA_PAGE,
            encoding: Encoding::PLAIN,
            count: n_pages,
        }])
        .set_total_compressed_size(n_bytes)
        .set_total_uncompressed_size(n_bytes)
        .set_num_values(n_rows)
        .set_data_page_offset(0)
        .build()?;
    let mut offsets = OffsetIndexBuilder::new();
    let mut begin = 0;
    for page in pages {
        offsets.append_row_count(page.n_rows);
        offsets.append_offset_and_size(begin, i32::try_from(page.n_bytes)?);
        begin += page.n_bytes;
    }
    Ok(ColumnCloseResult {
        bytes_written: u64::try_from(n_bytes)?,
        rows_written: u64::try_from(n_rows)?,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: Some(offsets.build()),
    })
}

/// Returns the header of a page with its levels, which say that no value is absent; the values are
/// of `n_bytes` with their lengths.
fn head(n_rows: usize, n_bytes: u64) -> io::Result<Vec<u8>> {
    const NUMBER: u8 = 0x15; // The next field, an `i32`.
    const STRUCT: u8 = 0x2c; // The next but one, a structure.
    const END: u8 = 0;
    const DATA_PAGE: u64 = 0;
    const PLAIN: u64 = 0;
    const RLE: u64 = 3;
    const DEPTH: u8 = 2; // A value that is there, below a picture that is there.
    let n_rows = u64::try_from(n_rows).map_err(io::Error::other)?;
    let run = [varint(n_rows << 1), vec![DEPTH]].concat();
    let n_run = u32::try_from(run.len()).map_err(io::Error::other)?;
    let n_bytes = LENGTH_BYTES + u64::from(n_run) + n_bytes;
    i32::try_from(n_bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::FileTooLarge, "a picture of 2 GiB or more"))?;

    let number = |value: u64| [vec![NUMBER], varint(value << 1)].concat(); // Zigzag, of no negative.
    let mut head = [DATA_PAGE, n_bytes, n_bytes].map(number).concat();
    head.push(STRUCT);
    head.extend([n_rows, PLAIN, RLE, RLE].map(number).concat());
    head.extend([END, END]);
    head.extend(n_run.to_le_bytes());
    head.extend(run);
    Ok(head)
}

/// Returns a number in groups of seven bits, the lowest first (ULEB128).
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::{
        column::page::{CompressedPage, Page as TheirPage, PageWriter as _},
        file::writer::{SerializedPageWriter, TrackedWrite},
    };

    use super::*;

    #[test]
    fn the_head_of_a_page_is_that_which_the_parquet_crate_writes() {
        for (n_rows, n_bytes) in [(1, 4), (63, 64), (64, 16_384), (1_000, 2_097_152)] {
            let head = head(n_rows, n_bytes).unwrap();
            let run: &[u8] = match n_rows {
                1 => &[2, 2],
                63 => &[126, 2],
                64 => &[128, 1, 2],
                _ => &[208, 15, 2],
            };
            let n_run = u32::try_from(run.len()).unwrap();
            let values = vec![7; usize::try_from(n_bytes).unwrap()];
            let body = [&n_run.to_le_bytes(), run, &values].concat();
            let size = body.len();

            let mut out = TrackedWrite::new(Vec::new());
            let page = TheirPage::DataPage {
                buf: body.into(),
                num_values: u32::try_from(n_rows).unwrap(),
                encoding: Encoding::PLAIN,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let mut theirs = SerializedPageWriter::new(&mut out);
            theirs.write_page(CompressedPage::new(page, size)).unwrap();

            assert_eq!([head, values].concat(), out.into_inner().unwrap(), "{n_rows}");
        }
    }

    #[test]
    fn a_page_of_two_gibibytes_is_refused() {
        let error = head(1, 1 << 31).unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
