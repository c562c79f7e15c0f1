//! Where each pixel of the new picture is found in the old one, and what lies there.
//!
//! Colours between pixels are blended from the four around them (bilinear). Where rows stay
//! rows, as after a flip, a shift or a crop, both axes are blended one after the other, which
//! gives the same levels in less time.

use super::{
    Levels, Random,
    elastic::Waves,
    narrow, pixels as side_of,
    recipe::{Augment, Fill, ResizedCrop},
};

/// How the plane moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warp {
    /// Takes offsets from the middle of the new picture to offsets in the old one.
    turn: [[f32; 2]; 2],
    /// Added to the old offsets, in pixels.
    shift: [f32; 2],
    fill: Fill,
    fill_colour: [u8; 3],
}

/// How often a crop is drawn that does not fit before the middle is taken.
const TRIES: usize = 10;

/// The pixels on both sides of a place and how far it is on the way between them; a number past
/// the last pixel stands for what is beyond the edge.
type Place = (usize, usize, f32);

impl Warp {
    pub(super) const NONE: Self = Self {
        turn: [[1.0, 0.0], [0.0, 1.0]],
        shift: [0.0, 0.0],
        fill: Fill::Nearest,
        fill_colour: [0; 3],
    };

    pub(super) fn new(turn: [[f32; 2]; 2], shift: [f32; 2], limits: &Augment) -> Self {
        Self { turn, shift, fill: limits.fill, fill_colour: limits.fill_colour }
    }

    /// Slides rows sideways by `slope` pixels for each pixel they are below the middle.
    pub(super) fn sheared(mut self, slope: f32) -> Self {
        for axis in 0..2 {
            self.turn[0][axis] += slope * self.turn[1][axis];
        }
        self
    }

    /// Scales a part of the old picture to all of the new one.
    ///
    /// As in torchvision, the share of the area is even, the shape even on a log scale, and the
    /// middle is taken after ten that do not fit. Edges may lie between pixels here.
    pub(super) fn cropped(
        mut self,
        crop: &ResizedCrop,
        size: [usize; 2],
        random: &mut Random,
    ) -> Self {
        let [narrowest, widest] = crop.ratio.map(|ratio| narrow(ratio.ln()));
        let [smallest, largest] = crop.scale.map(narrow);
        let shares = (0..TRIES).find_map(|_| {
            let area = random.between(smallest, largest);
            let ratio = random.between(narrowest, widest).exp();
            let shares = [(area * ratio).sqrt(), (area / ratio).sqrt()];
            shares.iter().all(|share| *share <= 1.0).then_some(shares)
        });
        let shares = shares.unwrap_or_else(|| {
            let ratio = 1.0_f32.clamp(narrowest.exp(), widest.exp());
            [ratio.min(1.0), (1.0 / ratio).min(1.0)]
        });
        for axis in 0..2 {
            let (share, side_px) = (shares[axis], narrow(side_of(size[axis])));
            // The middle of the part may be as far from the middle as leaves the part inside.
            let away = random.around_zero((1.0 - share) * side_px / 2.0);
            self.turn[axis] = self.turn[axis].map(|by| by * share);
            self.shift[axis] = self.shift[axis] * share + away;
        }
        self
    }

    /// Tells whether any pixel is found elsewhere.
    pub(super) fn moves_pixels(&self) -> bool {
        (self.turn, self.shift) != (Self::NONE.turn, Self::NONE.shift)
    }

    /// Returns the levels of the new picture, row by row; `waves` are added to the places.
    pub(super) fn resample(
        &self,
        pixels: &[[u8; 3]],
        size: [usize; 2],
        waves: Option<&Waves>,
    ) -> Vec<Levels> {
        if let Some(waves) = waves {
            return self.resample_freely(pixels, size, |y| waves.row(y, size[0]));
        }
        if !self.moves_pixels() {
            return pixels.iter().map(|pixel| pixel.map(f32::from)).collect();
        }
        let [[_, down], [across, _]] = self.turn;
        if down == 0.0 && across == 0.0 {
            self.resample_axes(pixels, size)
        } else {
            self.resample_freely(pixels, size, |_| Vec::new())
        }
    }

    /// Blends along rows, then between rows; each row of the old picture only once.
    fn resample_axes(&self, pixels: &[[u8; 3]], size: [usize; 2]) -> Vec<Levels> {
        let places = |axis: usize| -> Vec<Place> {
            let (steps, middle) = steps(size[axis]);
            let by = self.turn[axis][axis];
            let at = |step: &f32| by * (step - middle) + middle + self.shift[axis];
            steps.iter().map(|step| place(at(step), size[axis], self.fill)).collect()
        };
        let (columns, rows) = (places(0), places(1));
        let beyond = self.fill_colour.map(f32::from);
        let mut blended = Blended { number: [None; 2], rows: [Vec::new(), Vec::new()] };
        let mut levels = Vec::with_capacity(pixels.len());
        for (top, bottom, to_bottom) in rows {
            let mut source = Vec::new();
            let make = |y: usize, row: &mut Vec<Levels>| {
                source.clear();
                match pixels.get(y * size[0]..(y + 1) * size[0]) {
                    Some(old) => source.extend(old.iter().map(|pixel| pixel.map(f32::from))),
                    None => source.resize(size[0], beyond),
                }
                source.push(beyond);
                row.clear();
                row.extend(
                    columns
                        .iter()
                        .map(|(left, right, way)| blend(source[*left], source[*right], *way)),
                );
            };
            let [upper, lower] = blended.pair([top, bottom], make);
            levels.extend(upper.iter().zip(lower).map(|(a, b)| blend(*a, *b, to_bottom)));
        }
        levels
    }

    /// Blends the four pixels around every place by itself. `waves` gives what is added to the
    /// places of a row, or nothing.
    fn resample_freely(
        &self,
        pixels: &[[u8; 3]],
        size: [usize; 2],
        waves: impl Fn(usize) -> Vec<[f32; 2]>,
    ) -> Vec<Levels> {
        let [width, height] = size;
        let (columns, middle_x) = steps(width);
        let (rows, middle_y) = steps(height);
        let beyond = self.fill_colour.map(f32::from);
        let colour = |x: usize, y: usize| match pixels.get(y * width + x) {
            Some(pixel) if x < width => pixel.map(f32::from),
            Some(_) | None => beyond,
        };
        let mut levels = Vec::with_capacity(pixels.len());
        for (number, y) in rows.iter().enumerate() {
            let moved = waves(number);
            let mut moved = moved.iter();
            let down = y - middle_y;
            for x in &columns {
                let across = x - middle_x;
                let source = |axis: usize, middle: f32| {
                    let [by_x, by_y] = self.turn[axis];
                    by_x * across + by_y * down + middle + self.shift[axis]
                };
                let (mut x, mut y) = (source(0, middle_x), source(1, middle_y));
                if let Some([by_x, by_y]) = moved.next() {
                    x += by_x;
                    y += by_y;
                }
                let (left, right, to_right) = place(x, width, self.fill);
                let (top, bottom, to_bottom) = place(y, height, self.fill);
                let upper = blend(colour(left, top), colour(right, top), to_right);
                let lower = blend(colour(left, bottom), colour(right, bottom), to_right);
                levels.push(blend(upper, lower, to_bottom));
            }
        }
        levels
    }
}

/// Two rows of the old picture, blended along the row, and their numbers.
struct Blended {
    number: [Option<usize>; 2],
    rows: [Vec<Levels>; 2],
}

impl Blended {
    /// Returns two rows, making only those that are not there from the last time.
    fn pair(
        &mut self,
        wanted: [usize; 2],
        mut make: impl FnMut(usize, &mut Vec<Levels>),
    ) -> [&[Levels]; 2] {
        // Going down or up the picture, one of the rows was the other one before.
        if self.number[0] == Some(wanted[1]) || self.number[1] == Some(wanted[0]) {
            self.number.swap(0, 1);
            self.rows.swap(0, 1);
        }
        for ((number, row), wanted) in self.number.iter_mut().zip(&mut self.rows).zip(wanted) {
            if *number != Some(wanted) {
                make(wanted, row);
                *number = Some(wanted);
            }
        }
        [&self.rows[0], &self.rows[1]]
    }
}

/// Numbers the pixels of one side and finds its middle.
fn steps(side_px: usize) -> (Vec<f32>, f32) {
    let side = u16::try_from(side_px).expect("a side has fewer than 65536 pixels");
    let steps: Vec<f32> = (0..side).map(f32::from).collect();
    let middle = steps.last().map_or(0.0, |last| last / 2.0);
    (steps, middle)
}

#[inline]
fn blend(a: Levels, b: Levels, way: f32) -> Levels {
    std::array::from_fn(|channel| a[channel] * (1.0 - way) + b[channel] * way)
}

/// Finds the pixels on both sides of `at`.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies inside")]
#[expect(clippy::cast_precision_loss, reason = "a side has fewer than 2^24 pixels")]
fn place(at: f32, side_px: usize, fill: Fill) -> Place {
    let last = side_px - 1;
    if fill == Fill::Nearest || (0.0..last as f32).contains(&at) {
        let at = at.clamp(0.0, last as f32);
        let low = at as usize;
        return (low, (low + 1).min(last), at - low as f32);
    }
    let low = at.floor();
    let found = |whole: i64| beyond(whole, side_px, fill);
    (found(low as i64), found(low as i64 + 1), at - low)
}

/// Finds the pixel that is seen at `at`, which may lie beyond the edge.
fn beyond(at: i64, side_px: usize, fill: Fill) -> usize {
    let side = i64::try_from(side_px).expect("a side has fewer than 65536 pixels");
    let found = match fill {
        Fill::Nearest => at.clamp(0, side - 1),
        Fill::Constant => return usize::try_from(at).map_or(side_px, |at| at.min(side_px)),
        Fill::Reflect => {
            let there_and_back = at.rem_euclid(2 * side);
            there_and_back.min(2 * side - 1 - there_and_back)
        }
        Fill::Wrap => at.rem_euclid(side),
    };
    usize::try_from(found).expect("it was brought inside")
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use super::*;
    use crate::domain::random::Purpose;

    const SIZE: [usize; 2] = [8, 6];

    fn picture() -> Vec<[u8; 3]> {
        let level = |at: usize| u8::try_from(at * 37 % 251).unwrap();
        (0..SIZE[0] * SIZE[1])
            .map(|at| [level(3 * at), level(3 * at + 1), level(3 * at + 2)])
            .collect()
    }

    fn levels(pixels: &[[u8; 3]]) -> Vec<Levels> {
        pixels.iter().map(|pixel| pixel.map(f32::from)).collect()
    }

    fn row_shifted(fill: Fill, by: f32) -> Vec<f32> {
        let pixels: Vec<[u8; 3]> = (1..=4).map(|level| [level; 3]).collect();
        let warp = Warp { shift: [by, 0.0], fill, fill_colour: [9; 3], ..Warp::NONE };
        warp.resample(&pixels, [4, 1], None).iter().map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn a_mirrored_picture_has_its_rows_reversed() {
        let mirror = Warp { turn: [[-1.0, 0.0], [0.0, 1.0]], ..Warp::NONE };

        let mut expected = levels(&picture());
        expected.chunks_mut(SIZE[0]).for_each(<[_]>::reverse);

        assert_eq!(mirror.resample(&picture(), SIZE, None), expected);
    }

    #[test]
    fn a_quarter_turn_makes_columns_of_rows() {
        let side = 6;
        let pixels = &picture()[..side * side];
        let turn = Warp { turn: [[0.0, 1.0], [-1.0, 0.0]], ..Warp::NONE };

        let (before, after) = (levels(pixels), turn.resample(pixels, [side; 2], None));

        for y in 0..side {
            for x in 0..side {
                assert_eq!(after[y * side + x], before[(side - 1 - x) * side + y]);
            }
        }
    }

    #[test]
    fn what_is_seen_beyond_the_edge_is_as_in_keras() {
        assert_eq!(row_shifted(Fill::Nearest, 2.0), [3.0, 4.0, 4.0, 4.0]);
        assert_eq!(row_shifted(Fill::Constant, 2.0), [3.0, 4.0, 9.0, 9.0]);
        assert_eq!(row_shifted(Fill::Constant, -1.5), [9.0, 5.0, 1.5, 2.5]);
        assert_eq!(row_shifted(Fill::Reflect, -3.0), [3.0, 2.0, 1.0, 1.0]);
        assert_eq!(row_shifted(Fill::Reflect, 9.0), [2.0, 3.0, 4.0, 4.0]);
        assert_eq!(row_shifted(Fill::Wrap, 2.5), [3.5, 2.5, 1.5, 2.5]);
    }

    #[test]
    fn both_ways_of_resampling_give_the_same_levels() {
        for fill in [Fill::Nearest, Fill::Constant, Fill::Reflect, Fill::Wrap] {
            let warp = Warp {
                turn: [[-0.8, 0.0], [0.0, 1.3]],
                shift: [1.7, -0.6],
                fill,
                fill_colour: [200, 0, 7],
            };

            let axes = warp.resample_axes(&picture(), SIZE);

            assert_eq!(axes, warp.resample_freely(&picture(), SIZE, |_| Vec::new()), "{fill:?}");
        }
    }

    #[test]
    fn sheared_rows_slide_by_their_distance_from_the_middle() {
        let warp = Warp { fill: Fill::Constant, ..Warp::NONE }.sheared(2.0);
        let pixels: Vec<[u8; 3]> = (1..=9).map(|level| [level; 3]).collect();

        let after = warp.resample(&pixels, [3, 3], None);

        let after: Vec<f32> = after.iter().map(|pixel| pixel[0]).collect();
        assert_eq!(after, [0.0, 0.0, 1.0, 4.0, 5.0, 6.0, 9.0, 0.0, 0.0]);
    }

    #[test]
    fn crops_stay_inside_and_have_the_shares_and_shapes_asked_for() {
        let crop = ResizedCrop { scale: [0.1, 0.9], ratio: [0.5, 2.0] };
        let size = [200, 100];
        let (mut areas, mut ratios) = (Vec::new(), Vec::new());
        for key in 0..2000 {
            let mut random = Random::new(key, Purpose::Augment);
            let warp = Warp::NONE.cropped(&crop, size, &mut random);
            let [across, down] = [warp.turn[0][0], warp.turn[1][1]];
            areas.push(across * down);
            ratios.push(across / down);
            for (share, away, side) in
                [(across, warp.shift[0], 200.0), (down, warp.shift[1], 100.0)]
            {
                assert!(away.abs() <= (1.0 - share) * side / 2.0 + 1e-3, "{warp:?}");
            }
        }
        let ends = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            [values[0], values[values.len() - 1]].map(|end| (end * 10.0).round() / 10.0)
        };
        assert_eq!(ends(areas), [0.1, 0.9]);
        assert_eq!(ends(ratios), [0.5, 2.0]);
    }

    #[test]
    fn a_crop_that_never_fits_takes_the_middle() {
        let crop = ResizedCrop { scale: [1.0, 1.0], ratio: [2.0, 2.0] };

        let warp = Warp::NONE.cropped(&crop, [64; 2], &mut Random::new(1, Purpose::Augment));

        assert_eq!(warp.turn[0][0].to_bits(), 1.0_f32.to_bits());
        assert!((warp.turn[1][1] - 0.5).abs() < 1e-6, "{warp:?}");
    }
}
