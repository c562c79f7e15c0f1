//! Two fingerprints → how alike the pictures are once the one is laid over the other.
//!
//! Hashes only propose pairs. Here the small pictures are aligned and looked at: whether the
//! brightness pattern, each block of it and the colours agree, and whether there is enough
//! texture for that to mean something.

use super::{
    align::{self, Movement, Sums},
    border::{self, Inner},
    fingerprint::Orientation,
    plane::Plane,
};
use crate::domain::fingerprint::{Fingerprint, Similarity};

const THUMBNAIL_PX: u8 = 64;
const COLOURS_PX: u8 = 16;

/// Blocks are compared one by one, so that a mark in one corner spoils few of them.
const BLOCK_PX: usize = 8;

/// Points of a block that must lie on the other picture for the block to count.
const COVERED_MIN: f32 = 40.0;

/// The variance of grey levels from which a block has texture.
const TEXTURE_MIN: f32 = 60.0;

/// Fewer textured blocks than this say nothing by themselves.
const N_TEXTURED_MIN: usize = 6;

/// Plain blocks whose levels lie this far apart have nothing in common.
const PLAIN_GAP_MAX: f32 = 35.0;

/// A picture whose strongest colour is weaker than this is grey.
const GREY_MAX: f32 = 4.0;

/// Strength of colour added so that the noise of weak colours counts little.
const COLOUR_NOISE: f32 = 3.0;

/// Colour gaps up to this are common among copies; they cost nothing.
const COLOUR_GAP_FREE: f32 = 0.3;

/// Copies that show at least this part of the original lose nothing for the rest.
const OVERLAP_FREE: f32 = 0.7;

/// Agreement of blocks beyond which no better alignment is looked for.
const SURE: f32 = 0.95;

/// A picture made ready for comparison: its levels at three sizes and its colours.
#[derive(Clone, Debug)]
pub struct Comparable {
    fine: Plane,
    middle: Plane,
    coarse: Plane,
    blue: Plane,
    red: Plane,
    /// Centre and half size of what is inside the border, across and along.
    inner: [(f32, f32); 2],
}

/// What is seen once two pictures lie on each other.
#[derive(Clone, Copy, Debug)]
struct Evidence {
    /// The part of the first picture that lies on the second.
    overlap: f32,
    /// How well blocks agree, −1 to 1, the worst quarter left out.
    blocks: f32,
    /// The same for blocks with texture alone; `None` if there are too few to tell.
    textured: Option<f32>,
    /// How much the colours differ once equally strong, as a part of their strength.
    colour_gap: f32,
    /// The mean difference of grey levels as they are.
    level_gap: f32,
}

impl Comparable {
    /// Prepares a picture as it lies.
    pub fn new(print: &Fingerprint) -> Self {
        Self::oriented(print, Orientation::of_hash(0))
    }

    /// Prepares a picture as the hash at `place` saw it.
    pub fn as_hashed(print: &Fingerprint, place: usize) -> Self {
        Self::oriented(print, Orientation::of_hash(place))
    }

    fn oriented(print: &Fingerprint, orientation: Orientation) -> Self {
        let levels = orientation.of(&print.thumbnail.0);
        let inner = halves(border::inner(&levels, THUMBNAIL_PX.into()));
        let fine = Plane::new(THUMBNAIL_PX, levels.into_iter().map(f32::from).collect());
        let middle = fine.halved();
        let coarse = middle.halved();
        let (colours, _) = print.colours.0.as_chunks::<3>();
        let colours = orientation.of(colours);
        let chroma = |weights: [f32; 3]| {
            let weigh = |colour: &[u8; 3]| {
                colour.iter().zip(weights).map(|(level, weight)| f32::from(*level) * weight).sum()
            };
            Plane::new(COLOURS_PX, colours.iter().map(weigh).collect())
        };
        let (blue, red) = (chroma([-0.169, -0.331, 0.5]), chroma([0.5, -0.419, -0.081]));
        Self { fine, middle, coarse, blue, red, inner }
    }
}

/// Converts a rectangle of the thumbnail to centre and half size from −1 to 1.
fn halves(inner: Inner) -> [(f32, f32); 2] {
    let place = |px: usize| {
        let px = u8::try_from(px).expect("the thumbnail is small");
        f32::from(px) / f32::from(THUMBNAIL_PX) * 2.0 - 1.0
    };
    let span = |from: usize, to: usize| {
        let (from, to) = (place(from), place(to));
        (f32::midpoint(from, to), (to - from) / 2.0)
    };
    [span(inner.left, inner.right), span(inner.top, inner.bottom)]
}

/// Compares two pictures.
pub fn compare(a: &Comparable, b: &Comparable) -> Similarity {
    similarity(&evidence(a, b))
}

fn evidence(a: &Comparable, b: &Comparable) -> Evidence {
    let registered = register(a, b);
    let mut movement = registered;
    let mut best = Blocks::compare(a, b, &registered);
    // A mark pulls the registration away from where everything else lies still.
    if best.all < SURE {
        for other in between_boxes(a, b).into_iter().chain([Movement::NONE]) {
            let blocks = Blocks::compare(a, b, &other);
            if best.all < blocks.all {
                (best, movement) = (blocks, other);
            }
        }
    }
    Evidence {
        overlap: best.overlap,
        blocks: best.all,
        textured: best.textured,
        colour_gap: colour_gap(a, b, &movement),
        level_gap: best.level_gap,
    }
}

/// Finds the movement that lays `b` under `a`: coarsely from several starts, then finer.
fn register(a: &Comparable, b: &Comparable) -> Movement {
    let still = align::agreement(&a.fine, &b.fine, &Movement::NONE);
    if 0.985 < still.correlation {
        return Movement::NONE;
    }
    let bordered = between_boxes(a, b);
    let starts = [
        Movement::NONE,
        Movement::scale(0.88, 0.88),
        Movement::scale(1.14, 1.14),
        Movement::scale(1.0, 0.85),
        Movement::scale(1.0, 1.18),
        Movement::scale(0.8, 0.8),
        Movement::scale(1.25, 1.25),
    ];
    let mut best = (Movement::NONE, -2.0);
    for start in bordered.into_iter().chain(starts) {
        let (movement, found) = align::refine(&a.coarse, &b.coarse, start, 4);
        let score = found.correlation - (1.0 - found.overlap) * 0.15;
        if best.1 < score {
            best = (movement, score);
        }
        if 0.93 < score {
            break;
        }
    }
    if best.1 < 0.5 {
        return best.0;
    }
    let (movement, _) = align::refine(&a.coarse, &b.coarse, best.0, 4);
    let (movement, found) = align::refine(&a.middle, &b.middle, movement, 5);
    if found.correlation < 0.7 {
        return movement;
    }
    align::refine(&a.fine, &b.fine, movement, 3).0
}

/// Returns the movement between what is inside the borders, if there is any border.
fn between_boxes(a: &Comparable, b: &Comparable) -> Option<Movement> {
    let whole = [(0.0, 1.0); 2];
    if a.inner == whole && b.inner == whole {
        return None;
    }
    let [across, along] = [0, 1].map(|axis| {
        let ((centre_a, half_a), (centre_b, half_b)) = (a.inner[axis], b.inner[axis]);
        let scale = half_b / half_a;
        (scale, centre_b - centre_a * scale)
    });
    Some(Movement { right: across.1, down: along.1, ..Movement::scale(across.0, along.0) })
}

/// What comparing block by block gives.
struct Blocks {
    all: f32,
    textured: Option<f32>,
    overlap: f32,
    level_gap: f32,
}

impl Blocks {
    fn compare(a: &Comparable, b: &Comparable, movement: &Movement) -> Self {
        let moved: Vec<Option<f32>> = (a.fine.points())
            .map(|(u, v, _)| {
                let (u, v) = movement.apply(u, v);
                b.fine.read(u, v).map(|reading| reading.level)
            })
            .collect();
        let (mut whole, mut gap, mut n_points) = (Sums::default(), 0.0, 0.0);
        for ((_, _, level), moved) in a.fine.points().zip(&moved) {
            n_points += 1.0;
            if let Some(moved) = moved {
                whole.add(level, *moved);
                gap += (level - moved).abs();
            }
        }
        let (mut all, mut textured) = (Vec::new(), Vec::new());
        for sums in block_sums(&a.fine, &moved, whole.fit()) {
            let score = sums.correlation();
            let (mean_a, mean_b) = sums.means();
            let (spread_a, spread_b, _) = sums.spread();
            if TEXTURE_MIN < spread_a.max(spread_b) {
                all.push(score);
                textured.push(score);
            } else {
                all.push(1.0 - ((mean_a - mean_b).abs() / PLAIN_GAP_MAX).min(1.0));
            }
        }
        let enough = N_TEXTURED_MIN <= textured.len();
        Self {
            all: upper_mean(all),
            textured: enough.then(|| upper_mean(textured)),
            overlap: whole.n / n_points,
            level_gap: gap / whole.n.max(1.0),
        }
    }
}

/// Sums each block of which most is covered, with the second picture at the contrast and
/// brightness of the first.
fn block_sums(a: &Plane, moved: &[Option<f32>], (gain, offset): (f32, f32)) -> Vec<Sums> {
    let side = a.side();
    let corners = (0..side).step_by(BLOCK_PX);
    let corners = corners.clone().flat_map(|top| corners.clone().map(move |left| (left, top)));
    let block = |(left, top): (usize, usize)| {
        let mut sums = Sums::default();
        for y in top..top + BLOCK_PX {
            for x in left..left + BLOCK_PX {
                if let Some(moved) = moved[y * side + x] {
                    sums.add(a.level(x, y), gain * moved + offset);
                }
            }
        }
        sums
    };
    corners.map(block).filter(|sums| COVERED_MIN <= sums.n).collect()
}

/// Returns the mean of all but the lowest quarter; −1 of nothing.
fn upper_mean(mut scores: Vec<f32>) -> f32 {
    scores.sort_by(f32::total_cmp);
    let upper = &scores[scores.len() / 4..];
    let (n, sum) = upper.iter().fold((0.0, 0.0), |(n, sum), score| (n + 1.0, sum + score));
    if upper.is_empty() { -1.0 } else { sum / n }
}

/// Measures how far the colours lie apart once equally strong, as a part of their strength.
/// A grey picture has none to compare: then shapes decide alone.
fn colour_gap(a: &Comparable, b: &Comparable, movement: &Movement) -> f32 {
    let mut pairs = Vec::new();
    for ((u, v, blue), (_, _, red)) in a.blue.points().zip(a.red.points()) {
        let (u, v) = movement.apply(u, v);
        if let (Some(other_blue), Some(other_red)) = (b.blue.read(u, v), b.red.read(u, v)) {
            pairs.push(([blue, red], [other_blue.level, other_red.level]));
        }
    }
    let dot = |a: [f32; 2], b: [f32; 2]| a[0] * b[0] + a[1] * b[1];
    let (mut n, mut both, mut squares) = (0.0_f32, 0.0, 0.0_f32);
    let (mut strength, mut peak_a, mut peak_b) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in &pairs {
        n += 1.0;
        both += dot(*a, *b);
        squares += dot(*b, *b);
        strength += dot(*a, *a).sqrt();
        peak_a = peak_a.max(dot(*a, *a).sqrt());
        peak_b = peak_b.max(dot(*b, *b).sqrt());
    }
    if peak_a.min(peak_b) < GREY_MAX {
        return 0.0;
    }
    let gain = (both / squares).max(0.05);
    let gap = pairs.iter().map(|(a, b)| {
        let rest = [a[0] - gain * b[0], a[1] - gain * b[1]];
        dot(rest, rest).sqrt()
    });
    gap.sum::<f32>() / (strength + COLOUR_NOISE * n)
}

/// Weighs the evidence to one figure.
fn similarity(evidence: &Evidence) -> Similarity {
    let shapes = match evidence.textured {
        Some(textured) => f32::midpoint(evidence.blocks, textured),
        // Without texture any two plain pictures agree; only equal levels say something.
        None => evidence.blocks.min(1.0 - evidence.level_gap / PLAIN_GAP_MAX),
    };
    let colours = 1.0 - (evidence.colour_gap - COLOUR_GAP_FREE).clamp(0.0, 0.5);
    let overlap = (evidence.overlap / OVERLAP_FREE).min(1.0);
    Similarity(thousandths(shapes.max(0.0) * colours * overlap))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the figure lies between 0 and 1"
)]
fn thousandths(figure: f32) -> u16 {
    (figure.clamp(0.0, 1.0) * 1000.0).round() as u16
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;
    use crate::pixels::{
        Picture,
        decode::Decoded,
        edits::{self, Dice, Edit},
        fingerprint,
    };

    fn ready(picture: Picture) -> Comparable {
        Comparable::new(&fingerprint::fingerprint(&Decoded::whole(picture, "PNG")))
    }

    #[test]
    fn a_picture_is_wholly_like_itself() {
        let picture = ready(edits::drawn(1, 300, 200));

        assert_eq!(compare(&picture, &picture), Similarity(1000));
    }

    #[test]
    fn edited_copies_are_alike_and_other_pictures_are_not() {
        let original = edits::drawn(2, 400, 300);
        let like = |picture: Picture| compare(&ready(original.clone()), &ready(picture));
        let dice = &mut Dice(3);

        for edit in [Edit::Jpeg(50), Edit::Resize(50), Edit::Crop(8), Edit::Mark(5), Edit::Frame(8)]
        {
            let similarity = like(edit.apply(&original, dice));
            assert!(Similarity(900) <= similarity, "{edit:?}: {similarity}");
        }
        for seed in 10..20 {
            let similarity = like(edits::drawn(seed, 400, 300));
            assert!(similarity < Similarity(500), "{seed}: {similarity}");
        }
    }

    #[test]
    fn the_same_shapes_in_other_colours_are_less_alike() {
        let original = edits::drawn(4, 300, 300);
        let mut swapped = original.clone();
        for pixel in swapped.pixels_mut() {
            let Rgb([red, green, blue]) = *pixel;
            *pixel = Rgb([blue, green, red]);
        }

        assert!(compare(&ready(original), &ready(swapped)) < Similarity(700));
    }

    #[test]
    fn a_grey_copy_is_alike() {
        let original = edits::drawn(5, 300, 300);
        let grey = image::DynamicImage::ImageLuma8(imageops::grayscale(&original)).into_rgb8();

        assert!(Similarity(950) <= compare(&ready(original.clone()), &ready(grey.clone())));
        assert!(Similarity(950) <= compare(&ready(grey), &ready(original)));
    }

    #[test]
    fn plain_pictures_of_different_brightness_are_not_alike() {
        let plain = |level| ready(Picture::from_pixel(200, 200, Rgb([level; 3])));

        assert!(compare(&plain(40), &plain(90)) < Similarity(500));
        assert_eq!(compare(&plain(40), &plain(40)), Similarity(1000));
    }
}
