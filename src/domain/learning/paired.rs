//! Two models on the same test pictures → whether one is better than the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Answer, count,
    interval::Score,
    resample::{Strata, once},
};
use crate::domain::id::BlobId;

/// How a second model does where a first one was asked too.
///
/// Differences are second less first. Both models are judged by the same resampled pictures, so
/// what makes a picture hard for both does not blur the difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// How many test pictures both were asked about.
    pub n_pictures: u32,
    /// Pictures that only the first model knew.
    pub n_only_first: u32,
    pub n_only_second: u32,
    pub accuracy: Score,
    /// The difference of the macro F1 over the classes that have test pictures.
    pub macro_f1: Score,
    /// The chance that two equally good models differ so much or more: the exact
    /// two-sided test of Q. McNemar (Psychometrika 12, 1947).
    pub p_value: f64,
}

impl Paired {
    /// Compares two models over `n_classes` classes by the pictures that both were asked about
    /// with the same truth; `None` where there is none.
    pub fn of(first: &[Answer], second: &[Answer], n_classes: usize, seed: u64) -> Option<Self> {
        let known: BTreeMap<BlobId, &Answer> = second.iter().map(|it| (it.blob, it)).collect();
        let both: Vec<[&Answer; 2]> = first
            .iter()
            .filter_map(|it| Some([it, *known.get(&it.blob)?]))
            .filter(|[first, second]| first.truth == second.truth)
            .collect();
        if both.is_empty() {
            return None;
        }
        let said: Vec<Said> = both
            .iter()
            .map(|pair| Said { truth: pair[0].truth, said: pair.map(Answer::predicted) })
            .collect();
        let strata = Strata::of(said.iter().map(|it| it.truth), n_classes);
        let resampled = strata.resample(seed, |times| differences(&said, n_classes, times));
        let whole = differences(&said, n_classes, &once(said.len()));
        let score = |which: usize| {
            let column: Vec<Option<f64>> = resampled.iter().map(|it| Some(it[which])).collect();
            Score::of_resampled(whole[which], &column)
        };
        let only = |which: usize| {
            let is_so = |it: &&Said| it.said[which] == it.truth && it.said[1 - which] != it.truth;
            count(said.iter().filter(is_so).count())
        };
        Some(Self {
            n_pictures: count(said.len()),
            n_only_first: only(0),
            n_only_second: only(1),
            accuracy: score(0),
            macro_f1: score(1),
            p_value: mcnemar(only(0), only(1)),
        })
    }
}

struct Said {
    truth: usize,
    said: [usize; 2],
}

/// Returns the differences of accuracy and macro F1 in a resample.
fn differences(pictures: &[Said], n_classes: usize, times: &[u32]) -> [f64; 2] {
    let scores = [0, 1].map(|which| {
        // Right answers, true pictures and predictions of each class.
        let mut counts = vec![[0_u32; 3]; n_classes];
        for (it, times) in pictures.iter().zip(times) {
            let said = it.said[which];
            counts[it.truth][1] += times;
            counts[said][2] += times;
            if said == it.truth {
                counts[said][0] += times;
            }
        }
        let present = || counts.iter().filter(|it| it[1] != 0);
        let right: u32 = counts.iter().map(|it| it[0]).sum();
        let f1 = present().map(|it| f64::from(2 * it[0]) / f64::from(it[1] + it[2]));
        let n: u32 = times.iter().sum();
        [f64::from(right) / f64::from(n), f1.sum::<f64>() / f64::from(count(present().count()))]
    });
    [scores[1][0] - scores[0][0], scores[1][1] - scores[0][1]]
}

/// Returns the two-sided exact binomial p-value of `a` against `b` where both are as likely.
fn mcnemar(a: u32, b: u32) -> f64 {
    let n = a + b;
    // ln of the chance of exactly k of n, from k = 0 up.
    let mut log = -f64::from(n) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for k in 0..=a.min(b) {
        sum += log.exp();
        log += (f64::from(n - k) / f64::from(k + 1)).ln();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers that are right where the text has an `x`; the truth alternates.
    fn answers(right: &str) -> Vec<Answer> {
        let answer = |(at, mark): (usize, char)| {
            let truth = at % 2;
            let sure = if (truth == 0) == (mark == 'x') { 0.9 } else { 0.1 };
            let blob = BlobId::of(&[u8::try_from(at).unwrap()]);
            Answer { blob, truth, probabilities: vec![sure, 1.0 - sure] }
        };
        right.chars().enumerate().map(answer).collect()
    }

    #[test]
    fn mcnemars_p_value_is_that_of_statsmodels() {
        // mcnemar([[0, a], [b, 0]], exact=True).pvalue of statsmodels 0.15.0
        let known = [
            (0, 0, 1.0),
            (1, 5, 0.21875),
            (3, 12, 0.035_156_25),
            (10, 10, 1.0),
            (300, 380, 0.002_424_868_707_699_883_7),
        ];
        for (a, b, p) in known {
            assert!((mcnemar(a, b) - p).abs() < 1e-9, "{a} {b}: {}", mcnemar(a, b));
        }
    }

    #[test]
    fn pictures_that_one_model_alone_knew_tell_which_is_better() {
        let first = answers("xxxxxxxxxx-----xxxxx");
        let second = answers("xxxxxxxxxxxxxxxxxxx-");

        let paired = Paired::of(&first, &second, 2, 1).unwrap();

        assert_eq!((paired.n_pictures, paired.n_only_first, paired.n_only_second), (20, 1, 5));
        assert!((paired.accuracy.value - 0.2).abs() < 1e-12, "{paired:?}");
        let interval = paired.accuracy.interval.unwrap();
        assert!(interval.low < 0.2 && 0.2 < interval.high && interval.high < 0.5, "{interval:?}");
        assert!((paired.p_value - 0.21875).abs() < 1e-12, "{paired:?}");
    }

    #[test]
    fn only_pictures_both_were_asked_about_count() {
        let (first, mut second) = (answers("xx-x"), answers("xxx-"));
        second.truncate(3);
        second[0].truth = 1;

        let paired = Paired::of(&first, &second, 2, 1).unwrap();

        assert_eq!((paired.n_pictures, paired.n_only_first, paired.n_only_second), (2, 0, 1));
        assert_eq!(Paired::of(&first, &[], 2, 1), None);
    }

    #[test]
    fn equal_models_differ_by_nothing() {
        let same = answers("xxxxxxxxxx--x-x-");

        let paired = Paired::of(&same, &same, 2, 1).unwrap();

        assert_eq!(paired.accuracy, Score { value: 0.0, interval: None });
        assert!((paired.p_value - 1.0).abs() < 1e-12);
    }
}
