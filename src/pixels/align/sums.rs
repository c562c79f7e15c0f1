//! Two series of numbers → how far they go together.

use crate::pixels::plane::{LANES, Lanes};

/// Running sums of two series, for their correlation and the best linear fit: each lane of its
/// own, so that eight pairs are added at once and the answer is the same on every machine.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pixels) struct Sums {
    n: Lanes,
    a: Lanes,
    b: Lanes,
    aa: Lanes,
    bb: Lanes,
    ab: Lanes,
}

/// The sums of two series, all lanes added up.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pixels) struct Totals {
    n: f32,
    a: f32,
    b: f32,
    aa: f32,
    bb: f32,
    ab: f32,
}

/// Where two series lie and how far they spread.
#[derive(Clone, Copy, Debug)]
pub(in crate::pixels) struct Spread {
    pub(in crate::pixels) mean_a: f32,
    pub(in crate::pixels) mean_b: f32,
    pub(in crate::pixels) variance_a: f32,
    pub(in crate::pixels) variance_b: f32,
    covariance: f32,
}

/// A change of contrast and brightness.
#[derive(Clone, Copy, Debug)]
pub(in crate::pixels) struct Tone {
    gain: f32,
    offset: f32,
}

impl Sums {
    /// Adds the pairs that are `on`: those where it is 1, and not those where it is 0.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loops around it are quick only with it inside")]
    pub(in crate::pixels) fn add(&mut self, on: &Lanes, a: &Lanes, b: &Lanes) {
        for lane in 0..LANES {
            let (a, b) = (on[lane] * a[lane], on[lane] * b[lane]);
            self.n[lane] += on[lane];
            self.a[lane] += a;
            self.b[lane] += b;
            self.aa[lane] += a * a;
            self.bb[lane] += b * b;
            self.ab[lane] += a * b;
        }
    }

    /// Adds up the lanes.
    pub(in crate::pixels) fn totals(&self) -> Totals {
        let [n, a, b, aa, bb, ab] = [self.n, self.a, self.b, self.aa, self.bb, self.ab]
            .map(|lanes| lanes.iter().sum::<f32>());
        Totals { n, a, b, aa, bb, ab }
    }
}

impl Totals {
    /// How many pairs were added.
    pub(in crate::pixels) fn n(&self) -> f32 {
        self.n
    }

    pub(in crate::pixels) fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.a += other.a;
        self.b += other.b;
        self.aa += other.aa;
        self.bb += other.bb;
        self.ab += other.ab;
    }

    /// Normalised cross-correlation, as of the spread; −1 of too few pairs.
    pub(in crate::pixels) fn correlation(&self) -> f32 {
        if self.n < 8.0 { -1.0 } else { self.spread().correlation() }
    }

    pub(in crate::pixels) fn spread(&self) -> Spread {
        let (mean_a, mean_b) = (self.a / self.n, self.b / self.n);
        Spread {
            mean_a,
            mean_b,
            variance_a: (self.aa / self.n - mean_a * mean_a).max(0.0),
            variance_b: (self.bb / self.n - mean_b * mean_b).max(0.0),
            covariance: self.ab / self.n - mean_a * mean_b,
        }
    }
}

impl Spread {
    /// Normalised cross-correlation; differences below one level count as none.
    pub(in crate::pixels) fn correlation(&self) -> f32 {
        let variances = self.variance_a.max(1.0) * self.variance_b.max(1.0);
        (self.covariance / variances.sqrt()).clamp(-1.0, 1.0)
    }

    /// The contrast and brightness that bring the second series nearest to the first.
    pub(in crate::pixels) fn fit(&self) -> Tone {
        let gain = if 1.0 < self.variance_b { self.covariance / self.variance_b } else { 1.0 };
        Tone { gain, offset: self.mean_a - gain * self.mean_b }
    }

    /// The same, had the second series another tone.
    pub(in crate::pixels) fn toned(&self, Tone { gain, offset }: Tone) -> Self {
        Self {
            mean_b: gain * self.mean_b + offset,
            variance_b: gain * gain * self.variance_b,
            covariance: gain * self.covariance,
            ..*self
        }
    }
}
