//! Picture and how much each part of it matters → the picture with colours laid over it.

use image::imageops;

use super::{
    Picture, Pixel, crop,
    scale::{self, Filter, Grey, Region, Size},
};

/// How much each part of a picture matters: cells of one size that cover it, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    height: usize,
    width: usize,
    /// From 0, nothing, to 1, the most of this picture.
    values: Vec<f32>,
}

/// How much of a pixel is the colour laid over it, in hundredths.
const COVER: u16 = 55;

/// What lies between the parts of a panel.
const GAP_PX: u32 = 4;
const PAPER: Pixel = image::Rgb([255; 3]);

impl HeatMap {
    /// Keeps what is above 0 as a share of the largest; where nothing is, all cells are 0.
    ///
    /// `evidence` holds `height` rows of `width` numbers in any unit.
    pub fn of(evidence: &[f32], [height, width]: [usize; 2]) -> Self {
        assert!(evidence.len() == height * width && !evidence.is_empty(), "every cell has a value");
        let largest = evidence.iter().copied().fold(0.0, f32::max);
        let share = |value: &f32| if 0.0 < largest { (value / largest).max(0.0) } else { 0.0 };
        Self { height, width, values: evidence.iter().map(share).collect() }
    }

    /// Returns the number of rows and of columns.
    pub fn sides(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Returns the values from 0 to 1, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns row and column of the hottest cell, the first of equals; `None` if all are cold.
    pub fn hottest(&self) -> Option<[usize; 2]> {
        let at = self.values.iter().position(|value| 1.0 <= *value)?;
        Some([at / self.width, at % self.width])
    }

    /// Returns the levels, 255 for 1, of a picture this map is stretched over, blended between
    /// the middles of its cells.
    fn levels(&self, size: Size) -> Grey {
        let cells = |n: usize| u32::try_from(n).expect("a map has fewer cells than a picture");
        let own = Size { width_px: cells(self.width), height_px: cells(self.height) };
        let cells = Grey { size: own, levels: self.values.iter().copied().map(level).collect() };
        scale::grey(&cells, Region::whole(own), size, Filter::Bilinear)
    }
}

/// Lays the colours of `heat` over the whole of `picture`, which turns grey, so that every colour
/// seen is one of the map's.
pub fn overlay(picture: &Picture, heat: &HeatMap) -> Picture {
    let size = Size::of(picture);
    let (under, over) = (Grey::of(picture).levels, heat.levels(size).levels);
    let pixel = |(under, over): (&u8, &u8)| {
        let blend = |colour: u8| {
            let sum = (100 - COVER) * u16::from(*under) + COVER * u16::from(colour);
            u8::try_from((sum + 50) / 100).expect("between two bytes")
        };
        inferno(*over).map(blend)
    };
    let bytes = under.iter().zip(&over).flat_map(pixel).collect();
    Picture::from_raw(size.width_px, size.height_px, bytes).expect("three bytes for each pixel")
}

/// Shows the middle square of `picture`, then the same with `heat` over it, then a bar of the
/// colours from nothing at its foot to the most at its head.
///
/// The squares have sides of `side_px`; the panel has white gaps and is that high.
pub fn panel(picture: &Picture, heat: &HeatMap, side_px: u32) -> Picture {
    let square = crop::center_square(picture, side_px, Filter::default());
    let over = overlay(&square, heat);
    let bar_px = (side_px / 20).max(4);
    let places = [0, side_px + GAP_PX, 2 * (side_px + GAP_PX)];
    let mut panel = Picture::from_pixel(2 * (side_px + GAP_PX) + bar_px, side_px, PAPER);
    for (part, left_px) in [square, over, bar(bar_px, side_px)].iter().zip(places) {
        imageops::replace(&mut panel, part, left_px.into(), 0);
    }
    panel
}

fn bar(width_px: u32, height_px: u32) -> Picture {
    let last = height_px.saturating_sub(1).max(1);
    Picture::from_fn(width_px, height_px, |_, y| {
        let level = u8::try_from((last - y.min(last)) * 255 / last).expect("a share of 255");
        image::Rgb(inferno(level))
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1 is given")]
fn level(value: f32) -> u8 {
    (value * 255.0).round() as u8
}

/// Returns the colour of a level: black, violet, orange, pale yellow. Its brightness rises evenly,
/// so it reads the same without colour vision and in print.
fn inferno(level: u8) -> [u8; 3] {
    let at = u16::from(level) * 32;
    let (place, rest) = (usize::from(at / 255), at % 255);
    let [low, high] = [place, (place + 1).min(32)].map(|place| INFERNO[place]);
    std::array::from_fn(|channel| {
        let sum = u16::from(low[channel]) * (255 - rest) + u16::from(high[channel]) * rest;
        u8::try_from((sum + 127) / 255).expect("between two bytes")
    })
}

/// Every eighth colour of `matplotlib`'s map of that name (van der Walt and Smith 2015, CC0).
const INFERNO: [[u8; 3]; 33] = [
    [0, 0, 4],
    [4, 3, 18],
    [11, 7, 36],
    [21, 11, 55],
    [33, 12, 74],
    [47, 10, 91],
    [61, 9, 101],
    [74, 12, 107],
    [87, 16, 110],
    [100, 21, 110],
    [113, 25, 110],
    [125, 30, 109],
    [138, 34, 106],
    [151, 39, 102],
    [163, 44, 97],
    [176, 49, 91],
    [188, 55, 84],
    [198, 61, 77],
    [208, 69, 69],
    [218, 78, 60],
    [227, 89, 51],
    [235, 100, 41],
    [241, 113, 31],
    [246, 126, 20],
    [249, 140, 10],
    [251, 155, 6],
    [252, 170, 15],
    [251, 186, 31],
    [249, 201, 50],
    [245, 217, 73],
    [242, 232, 101],
    [243, 245, 134],
    [252, 255, 164],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_for_a_class_is_warm() {
        let heat = HeatMap::of(&[-4.0, 0.0, 1.0, 2.0, 0.5, -1.0], [2, 3]);

        assert_eq!(heat.values(), [0.0, 0.0, 0.5, 1.0, 0.25, 0.0]);
        assert_eq!((heat.sides(), heat.hottest()), ([2, 3], Some([1, 0])));
        let cold = HeatMap::of(&[-4.0, -1.0], [1, 2]);
        assert_eq!((cold.values(), cold.hottest()), ([0.0, 0.0].as_slice(), None));
    }

    /// As `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` has them, times
    /// 255: of `[[0, 1], [0.5, 0.25]]` at 4×4 pixels.
    #[test]
    fn a_map_is_stretched_as_pytorch_does() {
        let heat = HeatMap::of(&[0.0, 1.0, 0.5, 0.25], [2, 2]);

        let levels = heat.levels(Size::square(4)).levels;

        let expected = [
            [0.0, 63.75, 191.25, 255.0],
            [31.875, 75.70312, 163.35938, 207.1875],
            [95.625, 99.60938, 107.57812, 111.5625],
            [127.5, 111.5625, 79.6875, 63.75],
        ];
        for (level, expected) in levels.iter().zip(expected.as_flattened()) {
            assert!((f64::from(*level) - expected).abs() <= 1.0, "{levels:?}");
        }
    }

    /// Colours of `matplotlib.colormaps["inferno"]`, in bytes.
    #[test]
    fn colours_are_those_of_matplotlib() {
        let expected = [
            (0, [0, 0, 4]),
            (52, [67, 10, 104]),
            (101, [145, 37, 103]),
            (200, [251, 157, 6]),
            (255, [252, 255, 164]),
        ];
        for (level, colour) in expected {
            let found = inferno(level);
            let is_near = found.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 2);
            assert!(is_near, "level {level}: {found:?}, not {colour:?}");
        }
    }

    #[test]
    fn a_panel_shows_the_picture_then_the_map_over_it_then_the_colours() {
        let red = Picture::from_pixel(30, 20, image::Rgb([200, 0, 0]));
        let heat = HeatMap::of(&[0.0, 1.0], [1, 2]);

        let panel = panel(&red, &heat, 20);

        assert_eq!(panel.dimensions(), (20 + 4 + 20 + 4 + 4, 20));
        let at = |x, y| panel.get_pixel(x, y).0;
        assert_eq!([at(0, 0), at(19, 19), at(21, 5)], [[200, 0, 0], [200, 0, 0], [255; 3]]);
        // Red is grey level 60; 45 % of it are 27, and 55 % of the colours come on top.
        assert_eq!([at(24, 0), at(43, 19)], [[27, 27, 29], [166, 167, 117]]);
        assert_eq!([at(48, 0), at(51, 19)], [[252, 255, 164], [0, 0, 4]]);
    }
}
