//! Numbers drawn from a key: the source of chance in training and in altered pictures.
//!
//! A generator per process would let two trainings at once disturb each other. Here every use
//! has a key of its own, (seed, purpose, epoch, picture), and what one thread draws never
//! depends on another.

/// What numbers are drawn for; keeps the streams of one seed apart.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    Weights,
    Dropout,
    Order,
    Augment,
    /// Which pictures are copied or left out where classes are made equal.
    Balance,
    /// Which of the variants of a picture an epoch sees.
    Variant,
    /// Which training pictures a smaller training is given.
    Growth,
    /// Which pictures of a class an epoch shows.
    Sample,
    /// Which pictures are blended, and how.
    Mixup,
}

/// A stream of numbers (`SplitMix64`), the same for the same key on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    state: u64,
}

impl Random {
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        let stream = match purpose {
            Purpose::Weights => 1,
            Purpose::Dropout => 2,
            Purpose::Order => 3,
            Purpose::Augment => 4,
            Purpose::Balance => 5,
            Purpose::Variant => 6,
            Purpose::Growth => 17,
            Purpose::Sample => 7,
            Purpose::Mixup => 8,
        };
        Self { state: mix(seed) }.at(stream)
    }

    /// Returns the stream number `index` below this one.
    #[must_use]
    pub fn at(&self, index: u64) -> Self {
        Self { state: mix(self.state ^ mix(index.wrapping_add(STEP))) }
    }

    /// Draws a number from 0 up to but not including 1.
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit an f32 exactly")]
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 16_777_216.0
    }

    /// Draws a number from `-reach` to `reach`.
    pub fn around_zero(&mut self, reach: f32) -> f32 {
        (self.unit() * 2.0 - 1.0) * reach
    }

    /// Draws a number from `low` up to but not including `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + self.unit() * (high - low)
    }

    /// Draws a number of the standard normal distribution, as the sum of eight even ones
    /// (Irwin and Hall): no number is further than 4.9 from zero.
    #[expect(clippy::cast_precision_loss, reason = "the sum is below 2^24")]
    pub fn normal(&mut self) -> f32 {
        let sum: u64 = [self.next(), self.next()]
            .into_iter()
            .flat_map(|bits| [0, 16, 32, 48].map(|from| (bits >> from) & 0xffff))
            .sum();
        // Each part has the mean 32,767.5 and the variance (65,536² − 1) / 12.
        (sum as f32 - 262_140.0) / 53_509.92
    }

    /// Draws a share from the symmetric beta distribution of `alpha`: near a half where it is large,
    /// near 0 or 1 where it is small.
    pub fn share(&mut self, alpha: f64) -> f64 {
        // Above 0, so that there is a logarithm.
        let mut even = || 1.0 - f64::from(self.unit());
        if alpha < 0.5 {
            // Jöhnk 1964; of the pairs drawn, three of four at the least are taken.
            loop {
                let [first, second] = [even().ln() / alpha, even().ln() / alpha];
                if first.exp() + second.exp() <= 1.0 {
                    return 1.0 / (1.0 + (second - first).exp());
                }
            }
        }
        // Ulrich 1984. At a half the root is 1, and what is left is the arcsine distribution.
        let distance = (1.0 - even().powf(2.0 / (2.0 * alpha - 1.0))).sqrt();
        0.5 + 0.5 * distance * (std::f64::consts::TAU * even()).cos()
    }

    /// Draws one of the 256 levels of a colour.
    pub fn level(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Draws a permutation of the numbers below `n`.
    pub fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    /// Draws a number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).expect("a usize has at most 64 bits");
        usize::try_from(self.next() % n).expect("the rest is below a usize")
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_every_number_once_and_differs_between_seeds() {
        let order = |seed| Random::new(seed, Purpose::Order).order(50);

        let mut sorted = order(1);
        sorted.sort_unstable();

        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn numbers_fill_their_range_evenly() {
        let mut random = Random::new(7, Purpose::Augment);

        let drawn: Vec<f32> = (0..10_000).map(|_| random.around_zero(2.0)).collect();

        assert!(drawn.iter().all(|number| (-2.0..2.0).contains(number)));
        let mean = drawn.iter().sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.05, "mean {mean}");
        let n_low = drawn.iter().filter(|number| **number < -1.0).count();
        assert!((2_350..2_650).contains(&n_low), "{n_low} of 10000 in the lowest quarter");
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_bell_curve() {
        let mut random = Random::new(7, Purpose::Augment);

        let drawn: Vec<f32> = (0..50_000).map(|_| random.normal()).collect();

        let mean = |of: fn(f32) -> f32| drawn.iter().map(|it| of(*it)).sum::<f32>() / 50_000.0;
        assert!(mean(|it| it).abs() < 0.02);
        assert!((mean(|it| it * it) - 1.0).abs() < 0.02);
        assert!(mean(|it| it * it * it).abs() < 0.05);
        // 3 of the normal distribution, 2.85 of a sum of eight.
        assert!((mean(|it| it.powi(4)) - 2.85).abs() < 0.1);
        let within = drawn.iter().filter(|it| it.abs() < 1.0).count();
        assert!((33_700..34_500).contains(&within), "{within} of 50000 within 1");
    }

    #[test]
    fn shares_have_the_moments_of_the_beta_distribution() {
        let mut random = Random::new(7, Purpose::Mixup);
        for alpha in [0.05, 0.2, 0.5, 1.0, 4.0, 32.0] {
            let drawn: Vec<f64> = (0..50_000).map(|_| random.share(alpha)).collect();

            assert!(drawn.iter().all(|share| (0.0..=1.0).contains(share)), "{alpha}");
            let mean = |of: fn(f64) -> f64| drawn.iter().map(|it| of(*it)).sum::<f64>() / 50_000.0;
            assert!((mean(|it| it) - 0.5).abs() < 0.01, "{alpha}");
            let variance = 0.25 / (2.0 * alpha + 1.0);
            let found = mean(|it| (it - 0.5).powi(2));
            assert!((found / variance - 1.0).abs() < 0.02, "{alpha}: {found}, not {variance}");
            // The fourth moment tells the families apart that share the first three.
            let fourth = 3.0 / 16.0 / ((2.0 * alpha + 1.0) * (2.0 * alpha + 3.0));
            let found = mean(|it| (it - 0.5).powi(4));
            assert!((found / fourth - 1.0).abs() < 0.05, "{alpha}: {found}, not {fourth}");
        }
    }

    #[test]
    fn streams_of_neighbouring_keys_have_nothing_in_common() {
        let base = Random::new(7, Purpose::Augment);
        let draw = |mut random: Random| random.unit();
        let drawn: std::collections::BTreeSet<u32> =
            (0..1000).map(|index| draw(base.at(index)).to_bits()).collect();
        assert!(990 < drawn.len(), "{} different of 1000", drawn.len());
    }
}
