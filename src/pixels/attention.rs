//! Where people look first: the window of a picture that holds most of what stands out.
//!
//! What stands out is told by Achanta and Süsstrunk's "Saliency Detection using Maximum
//! Symmetric Surround" (ICIP 2010): a point counts by how far its colour lies from the mean of
//! the largest rectangle around it that is centred on it and lies inside the picture. Light that
//! falls off across the picture does not count that way. Integers throughout, so that every
//! machine chooses the same window.

use super::{
    Picture,
    scale::{self, Filter, Region, Size},
};

/// The longer side of the picture that is looked at.
const LOOK_PX: u32 = 96;

/// Of windows that hold at least this share of what the best one holds, in hundredths, the one
/// nearest to the middle is taken: without a clear reason nothing moves.
const GOOD_ENOUGH: u64 = 97;

/// Finds the largest rectangle of the shape of `target` within `whole` that holds most of what
/// stands out.
pub(super) fn window(picture: &Picture, whole: Region, target: Size) -> Region {
    let middle = Region::middle_of(whole, target);
    let (free_x, free_y) = (whole.width - middle.width, whole.height - middle.height);
    if free_x.max(free_y) < 1.0 {
        return middle;
    }
    let small = looked_at(picture, whole);
    let salience = Salience::of(&small);
    if free_x < free_y {
        let kept = middle.height / whole.height;
        Region { top: whole.top + free_y * place(&salience.rows(), kept), ..middle }
    } else {
        let kept = middle.width / whole.width;
        Region { left: whole.left + free_x * place(&salience.columns(), kept), ..middle }
    }
}

fn looked_at(picture: &Picture, whole: Region) -> Picture {
    let source = Size::of(picture);
    let longer = u64::from(source.width_px.max(source.height_px));
    let scaled = |px: u32| {
        let exact = u64::from(px) * u64::from(LOOK_PX) / longer;
        u32::try_from(exact.max(1)).expect("at most the length looked at")
    };
    let size = Size { width_px: scaled(source.width_px), height_px: scaled(source.height_px) };
    scale::colour(picture, whole, size, Filter::Area)
}

/// Returns where the best window of `kept` of the length begins: 0 at the start, 1 as far on as
/// it fits.
fn place(sums: &[u64], kept: f64) -> f64 {
    let length = window_length(sums.len(), kept);
    let held: Vec<u64> = sums.windows(length).map(|window| window.iter().sum()).collect();
    let best = held.iter().copied().max().unwrap_or_default();
    let last = held.len().saturating_sub(1);
    let off_middle = |start: usize| (2 * start).abs_diff(last);
    let start = (0..held.len())
        .filter(|start| best * GOOD_ENOUGH <= held[*start] * 100)
        .min_by_key(|start| off_middle(*start))
        .unwrap_or_default();
    if off_middle(start) <= 1 {
        return 0.5;
    }
    share(start, last)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a length of at most a hundred points"
)]
fn window_length(n: usize, kept: f64) -> usize {
    ((n as f64 * kept).round() as usize).clamp(1, n)
}

#[expect(clippy::cast_precision_loss, reason = "at most a hundred places")]
fn share(start: usize, last: usize) -> f64 {
    start as f64 / last.max(1) as f64
}

/// How much every point stands out, row by row.
struct Salience {
    width: usize,
    points: Vec<u64>,
}

impl Salience {
    fn of(small: &Picture) -> Self {
        let sums = Sums::of(small);
        let (width, height) = (sums.width, sums.height);
        let mut points = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let (across, down) = (x.min(width - 1 - x), y.min(height - 1 - y));
                let around = sums.mean((x - across, y - down), (x + across, y + down));
                let own = sums.mean((x, y), (x, y));
                points
                    .push(own.iter().zip(around).map(|(a, b)| (a - b).unsigned_abs().pow(2)).sum());
            }
        }
        Self { width, points }
    }

    fn rows(&self) -> Vec<u64> {
        self.points.chunks_exact(self.width).map(|row| row.iter().sum()).collect()
    }

    fn columns(&self) -> Vec<u64> {
        let column = |x: usize| self.points.iter().skip(x).step_by(self.width).sum();
        (0..self.width).map(column).collect()
    }
}

/// Sums of colours over all rectangles that begin at the top left corner.
struct Sums {
    width: usize,
    height: usize,
    /// One column and one row more than the picture has.
    corners: Vec<[i64; 3]>,
}

impl Sums {
    fn of(small: &Picture) -> Self {
        let length = |px: u32| usize::try_from(px).expect("a picture looked at is small");
        let (width, height) = (length(small.width()), length(small.height()));
        let mut corners = vec![[0; 3]; (width + 1) * (height + 1)];
        let (pixels, _) = small.as_raw().as_chunks::<3>();
        for (y, row) in pixels.chunks_exact(width).enumerate() {
            let mut left = [0; 3];
            for (x, pixel) in row.iter().enumerate() {
                let above = corners[y * (width + 1) + x + 1];
                for (channel, level) in opponent(*pixel).into_iter().enumerate() {
                    left[channel] += level;
                    corners[(y + 1) * (width + 1) + x + 1][channel] =
                        above[channel] + left[channel];
                }
            }
        }
        Self { width, height, corners }
    }

    /// Returns the mean colour of a rectangle, both corners included, in 256ths.
    fn mean(&self, (left, top): (usize, usize), (right, bottom): (usize, usize)) -> [i64; 3] {
        let corner = |x: usize, y: usize| self.corners[y * (self.width + 1) + x];
        let area = (right + 1 - left) * (bottom + 1 - top);
        let area = i64::try_from(area).expect("a picture looked at is small");
        let (a, b) = (corner(left, top), corner(right + 1, top));
        let (c, d) = (corner(left, bottom + 1), corner(right + 1, bottom + 1));
        std::array::from_fn(|channel| {
            (a[channel] - b[channel] - c[channel] + d[channel]) * 256 / area
        })
    }
}

/// Parts a colour into brightness, orange against blue, and green against magenta (`YCoCg`).
fn opponent([red, green, blue]: [u8; 3]) -> [i64; 3] {
    let [red, green, blue] = [red, green, blue].map(i64::from);
    [(red + 2 * green + blue) / 4, (red - blue) / 2, (2 * green - red - blue) / 4]
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;

    const SQUARE: Size = Size { width_px: 64, height_px: 64 };

    fn window(picture: &Picture, target: Size) -> Region {
        super::window(picture, Region::whole(Size::of(picture)), target)
    }

    /// A disc on waving ground.
    fn disc(width: u32, height: u32, (x0, y0): (i64, i64)) -> Picture {
        Picture::from_fn(width, height, |x, y| {
            let (dx, dy) = (i64::from(x) - x0, i64::from(y) - y0);
            let wave = u8::try_from((x * 7 + y * 13) % 24).unwrap();
            if dx * dx + dy * dy < 40 * 40 {
                Rgb([220, 90 + wave, 40])
            } else {
                Rgb([90 + wave, 120, 100 + wave])
            }
        })
    }

    #[test]
    fn the_window_goes_to_what_stands_out() {
        let left = window(&disc(600, 200, (70, 100)), SQUARE);
        let right = window(&disc(600, 200, (530, 100)), SQUARE);
        let low = window(&disc(200, 600, (100, 500)), SQUARE);

        assert!(left.left <= 35.0, "{left:?}");
        assert!(365.0 <= right.left, "{right:?}");
        assert!(330.0 <= low.top && low.top + low.height <= 600.0, "{low:?}");
        for region in [left, right, low] {
            assert!((region.width - 200.0).abs() < 1e-9 && (region.height - 200.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_that_stands_out_leaves_the_window_in_the_middle() {
        for (width, height) in [(500, 200), (200, 500), (300, 300), (9000, 1), (1, 1)] {
            let plain = Picture::from_pixel(width, height, Rgb([40, 90, 30]));
            let source = Size::of(&plain);
            assert_eq!(window(&plain, SQUARE), Region::middle(source, SQUARE), "{width}×{height}");
        }
    }

    #[test]
    fn a_mirrored_picture_has_its_window_mirrored() {
        let picture = disc(600, 200, (110, 90));
        let (there, back) =
            (window(&picture, SQUARE), window(&imageops::flip_horizontal(&picture), SQUARE));

        assert!((there.left + back.left + 200.0 - 600.0).abs() < 7.0, "{there:?} {back:?}");
    }

    #[test]
    fn light_that_falls_off_across_a_picture_draws_nothing() {
        let mut picture = disc(600, 200, (150, 100));
        for (x, _, pixel) in picture.enumerate_pixels_mut() {
            let light = u8::try_from(x / 6).unwrap();
            pixel.0 = pixel.0.map(|level| (level / 2) + light);
        }

        let window = window(&picture, SQUARE);

        assert!(window.left <= 120.0 && 180.0 <= window.left + window.width, "{window:?}");
    }
}
