//! A small floating-point canvas with smooth edges: inks in, levels out. It knows no subjects.

/// Red, green and blue, each from 0 to 1.
pub(super) type Colour = [f32; 3];

/// A colour multiplied by its opacity, and the opacity.
pub(super) type Ink = [f32; 4];

/// A place on the canvas or in a figure's own coordinates: right, then down.
pub(super) type Point = [f32; 2];

pub(super) const CLEAR: Ink = [0.0; 4];

/// Rows of ink, painted from back to front.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<Ink>,
}

/// The part of a canvas that a brush may touch.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) centre: Point,
    pub(super) reach: f32,
}

/// Gives `colour` an opacity.
pub(super) fn ink(colour: Colour, opacity: f32) -> Ink {
    [colour[0] * opacity, colour[1] * opacity, colour[2] * opacity, opacity]
}

/// Lays `top` over `below`.
pub(super) fn over(below: Ink, top: Ink) -> Ink {
    let left = 1.0 - top[3];
    std::array::from_fn(|n| below[n] * left + top[n])
}

/// Mixes two colours: 0 is `from`, 1 is `to`.
pub(super) fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|n| from[n] + (to[n] - from[n]) * share)
}

/// Makes a colour lighter or darker.
pub(super) fn lit(colour: Colour, light: f32) -> Colour {
    colour.map(|level| level * light)
}

/// Returns how bright a colour looks.
pub(super) fn brightness(colour: Colour) -> f32 {
    0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
}

/// Makes a colour from hue (turns), saturation and value.
pub(super) fn hsv(hue: f32, saturation: f32, value: f32) -> Colour {
    [5.0, 3.0, 1.0].map(|offset| {
        let k = (offset + hue * 6.0).rem_euclid(6.0);
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

/// Rises smoothly from 0 at `low` to 1 at `high`; falls if `high` is the lesser.
pub(super) fn smooth(low: f32, high: f32, at: f32) -> f32 {
    let t = ((at - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Turns a place on the canvas into a number for geometry.
pub(super) fn real(n: usize) -> f32 {
    f32::from(u16::try_from(n).expect("a canvas has at most 65,535 pixels a side"))
}

/// Returns the whole number at or below `at`, 0 for negatives.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers stay within a canvas, and the cast saturates"
)]
pub(super) fn whole(at: f32) -> usize {
    at as usize
}

impl Canvas {
    pub(super) fn clear(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![CLEAR; width * height] }
    }

    pub(super) fn shorter_side(&self) -> f32 {
        real(self.width.min(self.height))
    }

    /// Sets every pixel.
    pub(super) fn fill(&mut self, colour: impl Fn(Point) -> Colour) {
        let width = self.width;
        for (y, row) in self.pixels.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = ink(colour([real(x), real(y)]), 1.0);
            }
        }
    }

    /// Lays the ink of `brush` over the pixels of `frame`.
    pub(super) fn paint(&mut self, frame: Frame, brush: impl Fn(Point) -> Ink) {
        let span = |centre: f32, size: usize| {
            let first = whole((centre - frame.reach).max(0.0)).min(size);
            let end = whole((centre + frame.reach + 2.0).max(0.0)).min(size);
            first..end.max(first)
        };
        for y in span(frame.centre[1], self.height) {
            for x in span(frame.centre[0], self.width) {
                let top = brush([real(x), real(y)]);
                if 0.0 < top[3] {
                    let pixel = &mut self.pixels[y * self.width + x];
                    *pixel = over(*pixel, top);
                }
            }
        }
    }

    /// Stretches the canvas to another size, in straight lines between pixels.
    pub(super) fn stretched(&self, width: usize, height: usize) -> Self {
        let mut stretched = Self::clear(width, height);
        let columns: Vec<_> = (0..width).map(|x| between(x, width, self.width)).collect();
        for y in 0..height {
            let (above, below, down) = between(y, height, self.height);
            for (x, (left, right, along)) in columns.iter().enumerate() {
                let at = |row: usize, column: usize| self.pixels[row * self.width + column];
                let (a, b) = (at(above, *left), at(above, *right));
                let (c, d) = (at(below, *left), at(below, *right));
                stretched.pixels[y * width + x] = std::array::from_fn(|n| {
                    let upper = a[n] + (b[n] - a[n]) * along;
                    let lower = c[n] + (d[n] - c[n]) * along;
                    upper + (lower - upper) * down
                });
            }
        }
        stretched
    }

    /// Blurs the canvas with a tent of the given radius: two moving means in each direction.
    pub(super) fn blur(&mut self, radius: usize) {
        for _ in 0..2 {
            for y in 0..self.height {
                moving_mean(&mut self.pixels, y * self.width, 1, (self.width, radius));
            }
            for x in 0..self.width {
                moving_mean(&mut self.pixels, x, self.width, (self.height, radius));
            }
        }
    }

    /// Softens the canvas a little: each pixel gives `share` of itself to its four neighbours.
    pub(super) fn soften(&mut self, share: f32) {
        let old = self.pixels.clone();
        let width = self.width;
        for y in 1..self.height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let at = y * width + x;
                self.pixels[at] = std::array::from_fn(|n| {
                    let round = old[at - 1][n] + old[at + 1][n];
                    let round = round + old[at - width][n] + old[at + width][n];
                    old[at][n] * (1.0 - share) + round * share * 0.25
                });
            }
        }
    }
}

/// Finds the two old places a new place lies between, and how far along.
fn between(at: usize, new_size: usize, old_size: usize) -> (usize, usize, f32) {
    let exact = ((real(at) + 0.5) * real(old_size) / real(new_size) - 0.5).max(0.0);
    let first = whole(exact).min(old_size - 1);
    (first, (first + 1).min(old_size - 1), (exact - real(first)).clamp(0.0, 1.0))
}

/// Replaces a row or column, from `start` in steps of `step`, by its moving mean.
fn moving_mean(pixels: &mut [Ink], start: usize, step: usize, (length, radius): (usize, usize)) {
    let line: Vec<Ink> = (0..length).map(|n| pixels[start + n * step]).collect();
    let at = |n: usize| line[n.saturating_sub(radius).min(length - 1)];
    let mut sum = CLEAR;
    for n in 0..=2 * radius {
        sum = std::array::from_fn(|c| sum[c] + at(n)[c]);
    }
    let share = 1.0 / real(2 * radius + 1);
    for n in 0..length {
        pixels[start + n * step] = sum.map(|level| level * share);
        let (next, last) = (at(n + 2 * radius + 1), at(n));
        sum = std::array::from_fn(|c| sum[c] + next[c] - last[c]);
    }
}
