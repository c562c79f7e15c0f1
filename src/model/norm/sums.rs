//! What normalisation adds up over the maps of a channel, sixteen values side by side, and what it
//! does to each value.

/// How many sums are made side by side.
const LANES: usize = 16;

/// What is done to each value of a channel.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) mean: f32,
    pub(super) per_deviation: f32,
    /// What the difference to the mean is multiplied by, and what is added then.
    pub(super) scale: f32,
    pub(super) shift: f32,
    /// The bounds of what comes out.
    pub(super) within: [f32; 2],
}

impl Line {
    #[inline]
    fn unbounded(&self, x: f32) -> f32 {
        (x - self.mean) * self.scale + self.shift
    }

    #[inline]
    pub(super) fn value(&self, x: f32) -> f32 {
        let [least, most] = self.within;
        self.unbounded(x).clamp(least, most)
    }

    /// Returns the gradient of a value if that lies between the bounds and on none of them.
    #[inline]
    pub(super) fn passed(&self, x: f32, gradient: f32) -> f32 {
        let [least, most] = self.within;
        let y = self.unbounded(x);
        if least < y && y < most { gradient } else { 0.0 }
    }

    /// Adds up the gradients of a map, and their products with the differences to the mean.
    pub(super) fn sums(&self, x: &[f32], gradient: &[f32]) -> [f64; 2] {
        let ((blocks, rest), (others, other_rest)) =
            (x.as_chunks::<LANES>(), gradient.as_chunks::<LANES>());
        let mut sums = [[0.0_f32; LANES]; 2];
        for (block, other) in blocks.iter().zip(others) {
            for lane in 0..LANES {
                let gradient = self.passed(block[lane], other[lane]);
                sums[0][lane] += gradient;
                sums[1][lane] += (block[lane] - self.mean) * gradient;
            }
        }
        let mut totals = sums.map(|lanes| lanes.into_iter().map(f64::from).sum());
        for (x, gradient) in rest.iter().zip(other_rest) {
            let gradient = self.passed(*x, *gradient);
            totals[0] += f64::from(gradient);
            totals[1] += f64::from((x - self.mean) * gradient);
        }
        totals
    }
}

/// Returns the mean and the biased variance of all values of some maps of one size. Each map is
/// summed about its own mean while it is in the cache, and put to the others as in Chan, Golub and
/// `LeVeque`, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
pub(super) fn moments<'a>(maps: impl Iterator<Item = &'a [f32]>) -> [f64; 2] {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for map in maps {
        let own_n = count(map);
        let own_mean = sum(map, |x| x) / own_n;
        let centre = single(own_mean);
        let own_squares = sum(map, |x| (x - centre) * (x - centre));
        let (gap, both) = (own_mean - mean, n + own_n);
        mean += gap * own_n / both;
        squares += own_squares + gap * gap * n * own_n / both;
        n = both;
    }
    [mean, squares / n]
}

/// Adds up what `of` makes of each value.
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += of(*value);
        }
    }
    sums.into_iter().chain(rest.iter().map(|it| of(*it))).map(f64::from).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a map has fewer than 2^52 values")]
fn count(map: &[f32]) -> f64 {
    map.len() as f64
}

#[expect(clippy::cast_possible_truncation, reason = "single precision is what networks have")]
pub(super) fn single(value: f64) -> f32 {
    value as f32
}
