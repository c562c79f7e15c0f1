//! Two fingerprints → how alike the pictures are once the one is laid over the other.
//!
//! Hashes only propose pairs. Here the small pictures are aligned and looked at: whether the
//! brightness pattern, each block of it and the colours agree, and whether there is enough
//! texture for that to mean something.

mod colours;

use colours::Colours;

use super::{
    align::{
        self, Agreement, Movement,
        sums::{Sums, Totals},
    },
    plane::{LANES, Lanes, Plane, Readings},
    wide::widely,
};
use crate::domain::fingerprint::{Extent, Fingerprint, Frame, Nearest, Orientation, Similarity};

const THUMBNAIL_PX: u8 = 64;
const COLOURS_PX: u8 = 16;

/// Points of a block, of 8×8, that must lie on the other picture for the block to count. Blocks are
/// compared one by one, so that a mark in one corner spoils few of them.
const COVERED_MIN: f32 = 40.0;

/// The standard deviation of grey levels from which a block counts fully.
const TEXTURE_FULL: f32 = 16.0;

/// What a block without any texture counts.
const PLAIN_WEIGHT: f32 = 0.06;

/// Less texture than this, in blocks that count fully, says nothing by itself.
const TEXTURE_MIN: f32 = 6.0;

/// This part of what is seen may disagree for free where there is much texture: marks, captions,
/// stickers. Where there are only a few lights in the dark, each of them must agree.
const SPOILED_MAX: f32 = 0.25;
const TEXTURE_MUCH: f32 = 16.0;

/// What is taken off, as a part, where little texture was moved far.
const STRAY_MAX: f32 = 0.5;

/// Plain blocks whose levels lie this far apart have nothing in common.
const PLAIN_GAP_MAX: f32 = 35.0;

/// Colour gaps up to this are common among copies; they cost nothing.
const COLOUR_GAP_FREE: f32 = 0.3;

/// One of two copies lies on the other at least so far, or loses for the rest.
const CONTAINED_FREE: f32 = 0.9;

/// Copies share at least this part of each.
const SHARED_FREE: f32 = 0.35;

/// Agreement of blocks beyond which no better alignment is looked for.
const SURE: f32 = 0.95;

/// By so much pictures of twins may agree less at half the size: a mark spoils larger blocks there.
/// Of 42,356 pairs of edited copies eight are missed for it.
const SMALLER_GAP_MAX: f32 = 0.4;

/// So many starts of the registration are followed: those that agree best as they are.
const FOLLOWED: usize = 3;

/// A picture made ready for comparison: its levels at three sizes and its colours.
#[derive(Clone, Debug)]
pub struct Comparable {
    fine: Plane,
    middle: Plane,
    coarse: Plane,
    blue: Plane,
    red: Plane,
    /// What is inside its border or bars.
    inner: Frame,
    /// How it came near the picture it is compared with.
    nearest: Option<Nearest>,
}

/// What is seen once two pictures lie on each other.
#[derive(Clone, Copy, Debug)]
struct Evidence {
    /// How well their levels agree there.
    blocks: Blocks,
    /// How much the colours differ once equally strong, as a part of their strength.
    colour_gap: f32,
}

impl Comparable {
    /// Prepares a picture as it lies.
    pub fn new(print: &Fingerprint) -> Self {
        Self::laid(print, Orientation::UPRIGHT, None)
    }

    /// Prepares a picture in the orientation in which it came near another one.
    pub fn as_hashed(print: &Fingerprint, nearest: Nearest) -> Self {
        Self::laid(print, nearest.orientation, Some(nearest))
    }

    fn laid(print: &Fingerprint, orientation: Orientation, nearest: Option<Nearest>) -> Self {
        let levels = orientation.lay(&print.thumbnail);
        let fine = Plane::new(THUMBNAIL_PX, levels.into_iter().map(f32::from).collect());
        let middle = fine.halved();
        let coarse = middle.halved();
        let colours = orientation.lay(print.colours.as_chunks::<3>().0);
        let chroma = |[of_red, of_green, of_blue]: [f32; 3]| {
            let weigh = |colour: &[u8; 3]| {
                let [red, green, blue] = colour.map(f32::from);
                red * of_red + green * of_green + blue * of_blue
            };
            Plane::new(COLOURS_PX, colours.iter().map(weigh).collect())
        };
        let (blue, red) = (chroma([-0.169, -0.331, 0.5]), chroma([0.5, -0.419, -0.081]));
        let inner = print.views.iter().find(|view| view.extent == Extent::Inner);
        let inner = inner.map_or(Frame::WHOLE, |view| view.frame.laid(orientation));
        Self { fine, middle, coarse, blue, red, inner, nearest }
    }
}

/// Compares two pictures.
pub fn compare(a: &Comparable, b: &Comparable) -> Similarity {
    at_least(a, b, Similarity(0)).unwrap_or(Similarity(0))
}

/// Compares two pictures as [`compare`] does, and tells how alike they are if it is at least so
/// much; what cannot change that any more, or hardly can, is not looked at.
pub fn at_least(a: &Comparable, b: &Comparable, least: Similarity) -> Option<Similarity> {
    let (blocks, movement) = lay(a, b, least)?;
    // Colours only take off.
    if thousandths(blocks.score()) < least.0 {
        return None;
    }
    let colour_gap = colour_gap_of(a, b, &blocks, &movement);
    let similarity = similarity(&Evidence { blocks, colour_gap });
    (least <= similarity).then_some(similarity)
}

/// Lays the one picture over the other as well as may be; nothing where a smaller picture of each
/// shows that they will not come near being so much alike.
fn lay(a: &Comparable, b: &Comparable, least: Similarity) -> Option<(Blocks, Movement)> {
    let registered = register(a, b);
    // A mark pulls the registration away from where everything else lies still.
    let expected = [Movement::NONE].into_iter().chain(hinted(a, b).into_iter().flatten());
    let stray = expected.clone().map(|it| it.gap(&registered)).fold(f32::MAX, f32::min);
    let mut best: Option<(Blocks, Movement)> = None;
    for (movement, stray) in [(registered, stray)].into_iter().chain(expected.map(|it| (it, 0.0))) {
        if best.is_some_and(|(blocks, _)| SURE <= blocks.score()) {
            break;
        }
        let smaller = Blocks::compare(&a.middle, &b.middle, &movement);
        if thousandths(smaller.score() + SMALLER_GAP_MAX) < least.0 {
            continue;
        }
        let blocks = Blocks { stray, ..Blocks::compare(&a.fine, &b.fine, &movement) };
        if best.is_none_or(|(best, _)| best.score() < blocks.score()) {
            best = Some((blocks, movement));
        }
    }
    best
}

/// Measures how far the colours lie apart, at least as far as copies may.
fn colour_gap_of(a: &Comparable, b: &Comparable, blocks: &Blocks, movement: &Movement) -> f32 {
    let pairs = colours::pairs(a, b, movement);
    // Of a plain picture nothing but its colour is known: that has to be the same as it is.
    let cast = pairs.iter().map(|pair| Colours::SAME.gap(pair)).fold(0.0, f32::max) / PLAIN_GAP_MAX;
    let plain = (1.0 - blocks.texture / TEXTURE_MIN).max(0.0);
    colours::gap(&pairs).max(COLOUR_GAP_FREE + plain * cast)
}

/// Finds the movement that lays `b` under `a`: coarsely from several starts, of which the best are
/// followed, then finer for as long as it is worth it.
fn register(a: &Comparable, b: &Comparable) -> Movement {
    let still = |a: &Plane, b: &Plane| align::agreement(a, b, &Movement::NONE).correlation;
    if 0.95 < still(&a.coarse, &b.coarse) && 0.985 < still(&a.fine, &b.fine) {
        return Movement::NONE;
    }
    let starts = [
        Movement::NONE,
        Movement::scale(0.88, 0.88),
        Movement::scale(1.14, 1.14),
        Movement::scale(1.0, 0.85),
        Movement::scale(1.0, 1.18),
        Movement::scale(0.8, 0.8),
        Movement::scale(1.25, 1.25),
    ];
    let standing = |start| score(align::agreement(&a.coarse, &b.coarse, &start));
    let starts = hinted(a, b).into_iter().flatten().chain(starts);
    let mut starts: Vec<(f32, Movement)> = starts.map(|it| (standing(it), it)).collect();
    starts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best = (Movement::NONE, -2.0);
    for (_, start) in starts.into_iter().take(FOLLOWED) {
        let (movement, found) = align::refine(&a.coarse, &b.coarse, start, 2);
        let score = score(found);
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
    let (movement, found) = align::refine(&a.middle, &b.middle, movement, 2);
    if found.correlation < 0.6 {
        return movement;
    }
    let (movement, found) = align::refine(&a.middle, &b.middle, movement, 3);
    if found.correlation < 0.7 {
        return movement;
    }
    align::refine(&a.fine, &b.fine, movement, 3).0
}

/// Weighs how well two planes agree: where little overlaps, much may agree by chance.
fn score(found: Agreement) -> f32 {
    found.correlation - (1.0 - found.overlap) * 0.15
}

/// Returns the movements that views suggest: between the nearest two, and between what is inside
/// borders and bars.
fn hinted(a: &Comparable, b: &Comparable) -> [Option<Movement>; 2] {
    let frames = b.nearest.map(|it| (it.own, it.other)).into_iter().chain([(a.inner, b.inner)]);
    let mut movements = frames.map(|(a, b)| (a != b).then(|| Movement::between(a, b)));
    let first = movements.next().flatten();
    [first, movements.next().flatten().filter(|it| Some(*it) != first)]
}

/// What comparing block by block gives.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    /// How well blocks agree, −1 to 1, weighed by their texture, the worst left out.
    agreement: f32,
    /// How many blocks of the full size, with full texture, that is.
    texture: f32,
    /// The parts of the first picture and of the second that lie on the other.
    covered: [f32; 2],
    /// The mean difference of grey levels as they are.
    level_gap: f32,
    /// How far the movement lies from any that was expected.
    stray: f32,
}

impl Blocks {
    fn compare(a: &Plane, b: &Plane, movement: &Movement) -> Self {
        let (gap, sums) = widely(
            #[inline(always)]
            || block_sums(a, b, movement),
        );
        let mut whole = Totals::default();
        for sums in &sums {
            whole.add(sums);
        }
        let tone = whole.spread().fit();
        let mut blocks = Vec::with_capacity(sums.len());
        // A block of a smaller picture is as large as several.
        let n_fine = f32::from(THUMBNAIL_PX).powi(2) / a.n_points();
        let mut texture = 0.0;
        for sums in sums.iter().filter(|sums| COVERED_MIN <= sums.n()) {
            let spread = sums.spread().toned(tone);
            let deviation = spread.variance_a.max(spread.variance_b).sqrt();
            let textured = (deviation / TEXTURE_FULL).min(1.0);
            texture += textured * n_fine;
            let plain = 1.0 - ((spread.mean_a - spread.mean_b).abs() / PLAIN_GAP_MAX).min(1.0);
            let score = textured * spread.correlation() + (1.0 - textured) * plain;
            blocks.push((score, textured.max(PLAIN_WEIGHT)));
        }
        let covered = whole.n() / a.n_points();
        Self {
            agreement: upper_mean(blocks, SPOILED_MAX * much(texture)),
            texture,
            covered: [covered, (covered * movement.area()).min(1.0)],
            level_gap: gap / whole.n().max(1.0),
            stray: 0.0,
        }
    }

    /// Weighs what is seen to one figure.
    fn score(&self) -> f32 {
        // Without texture any two plain pictures agree; only equal levels say something.
        let enough = (self.texture / TEXTURE_MIN).min(1.0);
        let levels = 1.0 - self.level_gap / PLAIN_GAP_MAX;
        let shapes = self.agreement.min(levels + enough * (1.0 - levels));
        let contained = self.covered[0].max(self.covered[1]) / CONTAINED_FREE;
        let shared = self.covered[0].min(self.covered[1]) / SHARED_FREE;
        // Three lights can be laid on any other three.
        let stray = (1.0 - much(self.texture)) * self.stray.min(STRAY_MAX);
        shapes.max(0.0) * contained.min(1.0) * shared.min(1.0) * (1.0 - stray)
    }
}

/// Tells from 0 to 1 whether there is so much texture that some of it may be spoiled.
fn much(texture: f32) -> f32 {
    ((texture - TEXTURE_MIN) / (TEXTURE_MUCH - TEXTURE_MIN)).clamp(0.0, 1.0)
}

/// Sums the differences of levels over all points, and the levels block by block. A block is as
/// wide as what is read at once.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn block_sums(a: &Plane, b: &Plane, movement: &Movement) -> (f32, Vec<Totals>) {
    let n_across = a.side() / LANES;
    let mut gaps = Lanes::default();
    let mut blocks = Vec::with_capacity(n_across * n_across);
    for at in 0..n_across * n_across {
        let mut sums = Sums::default();
        for (u, v, levels) in a.square((at % n_across, at / n_across)) {
            let Readings { on, level, .. } = align::read(b, movement, u, v);
            sums.add(&on, levels, &level);
            for lane in 0..LANES {
                gaps[lane] += on[lane] * (levels[lane] - level[lane]).abs();
            }
        }
        blocks.push(sums.totals());
    }
    (gaps.iter().sum(), blocks)
}

/// Returns the weighed mean of all but the lowest scores, of which `spoiled` is the part; −1 of
/// nothing.
fn upper_mean(mut scores: Vec<(f32, f32)>, spoiled: f32) -> f32 {
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all: f32 = scores.iter().map(|(_, weight)| weight).sum();
    let mut left = all * (1.0 - spoiled);
    let (mut n, mut sum) = (0.0, 0.0);
    for (score, weight) in scores {
        let weight = weight.min(left);
        n += weight;
        sum += score * weight;
        left -= weight;
    }
    if 0.0 < n { sum / n } else { -1.0 }
}

/// Weighs the evidence to one figure.
fn similarity(evidence: &Evidence) -> Similarity {
    let colours = 1.0 - (evidence.colour_gap - COLOUR_GAP_FREE).clamp(0.0, 0.5);
    Similarity(thousandths(evidence.blocks.score() * colours))
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
    fn what_is_left_out_for_a_limit_changes_no_answer_above_it() {
        let original = edits::drawn(6, 400, 300);
        let dice = &mut Dice(7);
        let edits =
            [Edit::Jpeg(40), Edit::Crop(10), Edit::Mark(5), Edit::Frame(8), Edit::Resize(50)];
        let copies = edits.map(|edit| edit.apply(&original, dice));
        let strangers = (20..40).map(|seed| edits::drawn(seed, 400, 300));
        let (original, limit) = (ready(original.clone()), Similarity(900));

        for other in copies.into_iter().chain(strangers).map(ready) {
            let all = compare(&original, &other);
            let some = at_least(&original, &other, limit);
            assert_eq!(some, Some(all).filter(|all| limit <= *all));
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
