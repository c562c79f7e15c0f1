//! Drawing the test pictures again, to see how much a figure depends on which they happened to be.
//!
//! The draw is stratified: each class keeps its number of pictures. The split gives every class
//! its share of test pictures on purpose, so that number is no chance; and no class can be missing
//! from a resample, where a recall or an area under the curve would not exist.
//!
//! Of 200 simulated test sets each, the 95 % intervals held the truth: macro F1 in 90 % (60 pictures,
//! two classes) to 95 % (200 pictures), area under the curve in 89 % to 95 %, calibration error in
//! 82 % to 89 %. So they are a little narrow where pictures are few.

use super::count;

/// How many resamples an interval is made of.
pub(super) const N_RESAMPLES: usize = 1_000;

/// With fewer pictures a class looks the same in too many resamples to tell anything.
const CLASS_PICTURES_MIN: usize = 5;

/// A stream of numbers: `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

/// The pictures of each class, by their place.
#[derive(Debug)]
pub(super) struct Strata {
    classes: Vec<Vec<usize>>,
    n: usize,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.next()) * u128::try_from(n).expect("128 bits hold a length");
        usize::try_from(wide >> 64).expect("the product's upper half is below n")
    }

    /// Draws a number from 0 up to but not including 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Draws which share of `n` pictures is right if each is with this chance. From 1,000 pictures
    /// the normal distribution stands in for the binomial one.
    pub(super) fn share_of(&mut self, n: u32, chance: f64) -> f64 {
        let whole = f64::from(n);
        if n < 1_000 {
            let n_right = (0..n).filter(|_| self.unit() < chance).count();
            return super::float(n_right) / whole;
        }
        // Box and Muller (1958).
        let length = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = length * (std::f64::consts::TAU * self.unit()).cos();
        (chance + normal * (chance * (1.0 - chance) / whole).sqrt()).clamp(0.0, 1.0)
    }
}

impl Strata {
    /// Sorts the pictures by their true classes; `truths` are below `n_classes`.
    pub(super) fn of(truths: impl Iterator<Item = usize>, n_classes: usize) -> Self {
        let mut classes = vec![Vec::new(); n_classes];
        let mut n = 0;
        for truth in truths {
            classes[truth].push(n);
            n += 1;
        }
        Self { classes, n }
    }

    /// Tells whether every class that occurs has pictures enough to draw from.
    fn is_enough(&self) -> bool {
        let n_each = self.classes.iter().map(Vec::len).filter(|n| *n != 0);
        n_each.min().is_some_and(|least| CLASS_PICTURES_MIN <= least)
    }

    /// Asks `measure` about each resample: how often each picture was drawn. Nothing is asked
    /// where a class is too small.
    pub(super) fn resample<T>(&self, seed: u64, mut measure: impl FnMut(&[u32]) -> T) -> Vec<T> {
        if !self.is_enough() {
            return Vec::new();
        }
        let mut dice = Dice::new(seed);
        let mut times = vec![0; self.n];
        let draw = |_| {
            times.fill(0);
            for class in &self.classes {
                for _ in class {
                    times[class[dice.below(class.len())]] += 1;
                }
            }
            measure(&times)
        };
        (0..N_RESAMPLES).map(draw).collect()
    }
}

/// Counts the pictures that `times` stands for.
pub(super) fn once(n: usize) -> Vec<u32> {
    vec![1; usize::try_from(count(n)).expect("32 bits fit")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resample_keeps_the_number_of_pictures_of_each_class() {
        let truths = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1];
        let strata = Strata::of(truths.into_iter(), 3);

        let drawn = strata.resample(7, |times| {
            let of = |class| -> u32 {
                truths.iter().zip(times).filter(|(it, _)| **it == class).map(|(_, n)| n).sum()
            };
            [of(0), of(1)]
        });

        assert_eq!(drawn, vec![[5, 7]; N_RESAMPLES]);
    }

    #[test]
    fn equal_seeds_draw_equal_pictures_and_others_do_not() {
        let strata = Strata::of([0; 50].into_iter(), 1);
        let drawn = |seed| strata.resample(seed, <[u32]>::to_vec);

        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn a_class_of_four_pictures_is_not_drawn_from() {
        let strata = Strata::of([0, 0, 0, 0, 1, 1, 1, 1, 1].into_iter(), 2);
        assert_eq!(strata.resample(1, |_| ()), Vec::<()>::new());
    }
}
