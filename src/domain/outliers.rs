//! Which pictures look unlike the rest of their class. These are suggestions for a person to
//! look at, never a reason to drop anything.
//!
//! A picture is described by a few numbers of its light, colour, shape and texture, each measured
//! in what is usual in its class. One that is far from even its nearest neighbours stands out.

use std::{cmp::Reverse, collections::BTreeMap};

use rayon::prelude::*;

use super::{
    fingerprint::Fingerprint,
    id::{BlobId, Label},
};

/// A picture that stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlier {
    pub blob: BlobId,
    /// How far from its neighbours, in hundredths of what is usual in its class.
    pub strangeness: u32,
}

/// Smaller classes have no usual look.
const PICTURES_MIN: usize = 20;

/// How many neighbours are asked: a handful of equal strangers still stand out.
const NEIGHBOURS: usize = 8;

/// How far from its neighbours a picture must be, in median deviations of its class.
const SPREADS: u32 = 6;

/// With more pictures of a class than this, only so many, spread over their digests, are asked.
const ASKED_MAX: usize = 1500;

/// A number counts for no more than this, in hundredths of what is usual.
const STRANGE_MAX: i32 = 1200;

/// The side of the thumbnail texture is read from.
const SIDE: usize = 64;

/// What a picture looks like, in numbers that mean about as much each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look([i32; N_NUMBERS]);

const N_NUMBERS: usize = 13;

/// Finds the pictures of each class that stand out, the strangest first.
pub fn find<'a>(
    pictures: impl IntoIterator<Item = (BlobId, &'a Label, Look)>,
) -> BTreeMap<Label, Vec<Outlier>> {
    let mut classes: BTreeMap<&Label, Vec<(BlobId, Look)>> = BTreeMap::new();
    for (blob, label, look) in pictures {
        classes.entry(label).or_default().push((blob, look));
    }
    let mut found = BTreeMap::new();
    for (label, mut looks) in classes {
        looks.sort_unstable();
        let outliers = of_class(&looks);
        if !outliers.is_empty() {
            found.insert(label.clone(), outliers);
        }
    }
    found
}

fn of_class(looks: &[(BlobId, Look)]) -> Vec<Outlier> {
    if looks.len() < PICTURES_MIN {
        return Vec::new();
    }
    let looks = against_usual(looks);
    let step = looks.len().div_ceil(ASKED_MAX);
    let asked: Vec<&(BlobId, Look)> = looks.iter().step_by(step).collect();
    let remoteness: Vec<u32> =
        looks.par_iter().map(|picture| remoteness(picture, &asked)).collect();
    let usual = median(remoteness.clone());
    let spread = median(remoteness.iter().map(|it| it.abs_diff(usual)).collect()).max(1);
    let limit = usual + spread * SPREADS;
    let beyond = looks.iter().zip(remoteness).filter(|(_, it)| limit < *it);
    let mut outliers: Vec<Outlier> = beyond
        .map(|((blob, _), it)| Outlier { blob: *blob, strangeness: it * 100 / usual.max(1) })
        .collect();
    outliers.sort_by_key(|it| (Reverse(it.strangeness), it.blob));
    outliers
}

/// Writes each number as its distance from the middle of its class, in hundredths of the
/// median one.
fn against_usual(looks: &[(BlobId, Look)]) -> Vec<(BlobId, Look)> {
    let mut looks = looks.to_vec();
    for at in 0..N_NUMBERS {
        let middle = median(looks.iter().map(|(_, look)| look.0[at]).collect());
        let usual = median(looks.iter().map(|(_, look)| (look.0[at] - middle).abs()).collect());
        for (_, look) in &mut looks {
            let strange = (look.0[at] - middle) * 100 / usual.max(2);
            look.0[at] = strange.clamp(-STRANGE_MAX, STRANGE_MAX);
        }
    }
    looks
}

/// Returns how far a picture is from its nearest neighbours on the whole.
fn remoteness((blob, look): &(BlobId, Look), asked: &[&(BlobId, Look)]) -> u32 {
    let others = asked.iter().filter(|(other, _)| other != blob);
    let mut distances: Vec<u32> = others.map(|(_, other)| distance(look, other)).collect();
    if NEIGHBOURS < distances.len() {
        distances.select_nth_unstable(NEIGHBOURS);
    }
    distances.iter().take(NEIGHBOURS).sum()
}

fn distance(a: &Look, b: &Look) -> u32 {
    a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b)).sum()
}

fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl Look {
    pub fn of(print: &Fingerprint) -> Self {
        let quality = &print.quality;
        let [mut saturation, mut warmth, mut green] = [0; 3];
        let (colours, _) = print.colours.as_chunks::<3>();
        for colour in colours {
            let [r, g, b] = colour.map(i32::from);
            saturation += r.max(g).max(b) - r.min(g).min(b);
            warmth += r - b;
            green += 2 * g - r - b;
        }
        let n = i32::try_from(colours.len().max(1)).expect("a few hundred colours");
        let (across, along) = slopes(&print.thumbnail);
        Self([
            quality.brightness.into(),
            quality.contrast.into(),
            quality.darkest.into(),
            quality.entropy.into(),
            i32::from(quality.uniform.0) / 4,
            doublings(quality.sharpness + 1),
            saturation / n,
            warmth / n,
            green / n,
            across,
            along,
            4 * (doublings(print.width_px) - doublings(print.height_px)),
            middle(&print.thumbnail),
        ])
    }
}

/// Returns how often one must be doubled to reach a number, in sixteenths.
fn doublings(number: u32) -> i32 {
    let whole = number.max(1).ilog2();
    let part = (u64::from(number) << 4 >> whole) & 15;
    i32::try_from(u64::from(whole) * 16 + part).expect("at most 32 doublings")
}

/// Returns how much the levels of a thumbnail change on the way right and down, in quarters.
fn slopes(levels: &[u8]) -> (i32, i32) {
    let mean = |step: usize| {
        let pairs = levels.iter().zip(levels.iter().skip(step));
        let sum: usize = pairs.map(|(a, b)| usize::from(a.abs_diff(*b))).sum();
        i32::try_from(sum * 4 / levels.len().max(1)).expect("a mean of levels")
    };
    (mean(2), mean(2 * SIDE))
}

/// Returns how much lighter the middle of a thumbnail is than the whole.
fn middle(levels: &[u8]) -> i32 {
    let mean = |levels: &mut dyn Iterator<Item = &u8>| {
        let (n, sum) = levels.fold((0, 0), |(n, sum), level| (n + 1, sum + i32::from(*level)));
        sum / i32::max(n, 1)
    };
    let rows = levels.chunks(SIDE).skip(SIDE / 4).take(SIDE / 2);
    let mut inner = rows.flat_map(|row| row.iter().skip(SIDE / 4).take(SIDE / 2));
    mean(&mut inner) - mean(&mut levels.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quality::Quality;

    fn blob(n: u8) -> BlobId {
        BlobId::of(&[n])
    }

    fn print(brightness: u8, colour: [u8; 3]) -> Fingerprint {
        Fingerprint {
            width_px: 300,
            height_px: 300,
            format: "JPEG".to_owned(),
            views: Vec::new(),
            thumbnail: (0..7).map(|step| brightness / 2 + step).cycle().take(SIDE * SIDE).collect(),
            colours: colour.repeat(256),
            quality: Quality { brightness, contrast: brightness / 3, ..Quality::default() },
        }
    }

    /// Green pictures that differ a little.
    fn meadows() -> Vec<(BlobId, Fingerprint)> {
        (0..40)
            .map(|n| (blob(n), print(90 + n % 13, [60 + n % 5, 120 + n % 7, 30 + n % 11])))
            .collect()
    }

    fn found(prints: &[(BlobId, Fingerprint)]) -> Vec<BlobId> {
        let label = Label::new("grass").unwrap();
        let found = find(prints.iter().map(|(blob, print)| (*blob, &label, Look::of(print))));
        found.into_values().flatten().map(|it| it.blob).collect()
    }

    #[test]
    fn a_picture_unlike_the_rest_stands_out_and_the_rest_does_not() {
        let mut prints = meadows();
        assert_eq!(found(&prints), []);

        prints.push((blob(99), print(240, [250, 240, 245])));

        assert_eq!(found(&prints), [blob(99)]);
    }

    #[test]
    fn a_second_look_within_a_class_is_nobodys_outlier() {
        let mut prints = meadows();
        prints.extend((100..125).map(|n| (blob(n), print(200 + n % 7, [200, 50, n]))));

        assert_eq!(found(&prints), []);
    }

    #[test]
    fn a_small_class_has_no_usual_look() {
        let mut prints = meadows();
        prints.truncate(PICTURES_MIN - 2);
        prints.push((blob(99), print(240, [250, 240, 245])));

        assert_eq!(found(&prints), []);
    }

    #[test]
    fn the_order_of_arrival_changes_nothing() {
        let mut prints = meadows();
        prints.extend([(blob(99), print(240, [250, 240, 245])), (blob(98), print(2, [0, 0, 9]))]);
        let forwards = found(&prints);

        prints.reverse();

        assert_eq!((found(&prints), forwards.len()), (forwards, 2));
    }
}
