//! Pictures → small pictures for people: thumbnails, contact sheets, the dataset's cover.

use image::{Rgb, imageops};

use super::{
    Picture, crop, encode,
    scale::{self, Filter, Region, Size},
};
use crate::domain::picture::FileFormat;

const PAPER: Rgb<u8> = Rgb([255, 255, 255]);

/// The size Kaggle asks of a dataset's header picture.
const COVER: Size = Size { width_px: 560, height_px: 280 };

/// Where the cells of a sheet lie.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    pub columns: u32,
    pub cell_px: u32,
    pub gap_px: u32,
}

/// Scales `picture` down to fit a square of `side_px` and encodes it as JPEG.
pub fn thumbnail_jpeg(picture: &Picture, side_px: u32, quality: u8) -> Vec<u8> {
    let small = fitted(picture, side_px);
    encode::encode(small.as_ref().unwrap_or(picture), FileFormat::Jpeg, quality)
}

/// Returns the picture scaled to a longer side of `side_px`, or nothing if it is no longer.
fn fitted(picture: &Picture, side_px: u32) -> Option<Picture> {
    let source = Size::of(picture);
    let longer_px = source.width_px.max(source.height_px);
    let scaled = |px: u32| {
        let exact = u64::from(px) * u64::from(side_px) / u64::from(longer_px);
        u32::try_from(exact.max(1)).expect("no side grows")
    };
    (side_px < longer_px).then(|| {
        let size = Size { width_px: scaled(source.width_px), height_px: scaled(source.height_px) };
        scale::colour(picture, Region::whole(source), size, Filter::Lanczos3)
    })
}

/// Lays the middle squares of `pictures` out in rows on white.
pub fn sheet(pictures: &[Picture], grid: Grid) -> Picture {
    assert!(0 < grid.columns && 0 < grid.cell_px, "a sheet has cells");
    let n_cells = u32::try_from(pictures.len()).expect("fewer pictures than pixels");
    let columns = grid.columns.min(n_cells.max(1));
    let rows = n_cells.div_ceil(columns).max(1);
    let pitch_px = grid.cell_px + grid.gap_px;
    let length_px = |cells: u32| cells * pitch_px + grid.gap_px;
    let mut sheet = Picture::from_pixel(length_px(columns), length_px(rows), PAPER);
    for (cell, picture) in (0..).zip(pictures) {
        let (column, row) = (cell % columns, cell / columns);
        let square = crop::center_square(picture, grid.cell_px, Filter::Lanczos3);
        let place = |cell: u32| i64::from(cell * pitch_px + grid.gap_px);
        imageops::replace(&mut sheet, &square, place(column), place(row));
    }
    sheet
}

/// Fills a cover of 560×280 pixels with up to eight pictures and no gaps.
pub fn cover(pictures: &[Picture]) -> Picture {
    let (columns, cell_px) = match pictures {
        [] => return Picture::from_pixel(COVER.width_px, COVER.height_px, PAPER),
        [only] => return crop::middle(only, COVER, Filter::Lanczos3),
        [_, _, _, _, _, _, _, _, ..] => (4, 140),
        [_, _, ..] => (2, 280),
    };
    let n_cells = if columns == 4 { 8 } else { 2 };
    sheet(&pictures[..n_cells], Grid { columns, cell_px, gap_px: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::decode::{self, Limits};

    fn plain(level: u8) -> Picture {
        Picture::from_pixel(50, 20, Rgb([level; 3]))
    }

    #[test]
    fn a_thumbnail_keeps_its_shape_and_never_grows() {
        let size = |side_px| {
            let bytes = thumbnail_jpeg(&plain(7), side_px, 80);
            decode::decode(&bytes, Limits::default()).unwrap().picture.dimensions()
        };
        assert_eq!([size(25), size(400)], [(25, 10), (50, 20)]);
    }

    #[test]
    fn a_sheet_places_pictures_row_by_row() {
        let pictures = [plain(10), plain(20), plain(30)];

        let sheet = sheet(&pictures, Grid { columns: 2, cell_px: 8, gap_px: 1 });

        let at = |x, y| sheet.get_pixel(x, y).0[0];
        assert_eq!(sheet.dimensions(), (19, 19));
        assert_eq!([at(0, 0), at(1, 1), at(10, 1), at(1, 10), at(10, 10)], [255, 10, 20, 30, 255]);
    }

    #[test]
    fn a_cover_has_one_size_however_many_pictures_there_are() {
        for n in [0, 1, 2, 7, 8, 40] {
            assert_eq!(cover(&vec![plain(1); n]).dimensions(), (560, 280), "{n} pictures");
        }
    }
}
