//! One picture many times: first as it is, then altered, to see what a recipe does.

use super::{Augment, alter};
use crate::{
    domain::random::Random,
    pixels::{
        Picture,
        contact::{self, Grid},
        crop::{self, Filter},
    },
};

/// Lays out the middle square of `picture`, followed by alterations of it, in `rows` rows.
///
/// Each alteration is drawn below `random` by its number, so a larger sheet begins like a
/// smaller one. `crop`, `shift` and the like see the square as training would.
pub fn sheet(
    picture: &Picture,
    limits: &Augment,
    grid: Grid,
    rows: u32,
    random: &Random,
) -> Picture {
    let square = crop::center_square(picture, grid.cell_px, Filter::default());
    let n_altered = (u64::from(grid.columns) * u64::from(rows)).saturating_sub(1);
    let altered = (0..n_altered).map(|number| alter(&square, limits, &mut random.at(number)));
    let pictures: Vec<Picture> = std::iter::once(square.clone()).chain(altered).collect();
    contact::sheet(&pictures, grid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::random::Purpose, pixels::Pixel};

    #[test]
    fn the_picture_itself_comes_first_and_its_alterations_after_it() {
        let picture = Picture::from_fn(40, 20, |x, y| {
            Pixel::from([x, y, 9].map(|it| u8::try_from(it * 6).unwrap()))
        });
        let limits = Augment { flip_horizontal: true, ..Augment::NOTHING };
        let random = Random::new(2, Purpose::Augment);
        let grid = Grid { columns: 4, cell_px: 20, gap_px: 2 };

        let sheet = sheet(&picture, &limits, grid, 2, &random);

        assert_eq!(sheet.dimensions(), (4 * 22 + 2, 2 * 22 + 2));
        let cell = |column: u32, row: u32| {
            image::imageops::crop_imm(&sheet, 2 + column * 22, 2 + row * 22, 20, 20).to_image()
        };
        let original = image::imageops::crop_imm(&picture, 10, 0, 20, 20).to_image();
        let mirrored = image::imageops::flip_horizontal(&original);
        assert_eq!(cell(0, 0), original);
        let cells = (1..8).map(|at| cell(at % 4, at / 4));
        let (same, other): (Vec<_>, Vec<_>) = cells.partition(|cell| *cell == original);
        assert!(!same.is_empty() && !other.is_empty());
        assert!(other.iter().all(|cell| *cell == mirrored));
    }
}
