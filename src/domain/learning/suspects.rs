//! Which labels a model does not believe: out-of-fold probabilities → the pictures that are
//! probably in the wrong class, and the class each probably shows.
//!
//! Source: C. Northcutt, L. Jiang, I. Chuang, "Confident Learning: Estimating Uncertainty in
//! Dataset Labels", JAIR 70 (2021). A class is believed of a picture where its probability
//! reaches what the model says, on average, of the pictures that are in that class.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::domain::id::{BlobId, Label};

/// What models that never saw a picture say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFold {
    pub blob: BlobId,
    /// The class it is in, by number.
    pub given: usize,
    /// One probability per class; they sum to 1.
    pub probabilities: Vec<f32>,
}

/// A label that models doubt which never saw the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The class the picture is in.
    pub given: Label,
    /// The class it probably shows.
    pub likely: Label,
    /// Out-of-fold probabilities of the two.
    pub p_given: f64,
    pub p_likely: f64,
    /// 0 is the most doubtful of all.
    pub rank: u32,
}

/// How far the label of a picture is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    /// The probability of the given class, which the paper calls self-confidence.
    pub confidence: f64,
    /// The other class that is believed instead of the given one, if one is.
    pub believed: Option<usize>,
}

/// Weighs every label, in the order of `said`.
pub fn trust(said: &[OutOfFold], n_classes: usize) -> Vec<Trust> {
    let thresholds: Vec<f64> = (0..n_classes).map(|class| threshold(said, class)).collect();
    let weigh = |it: &OutOfFold| {
        let p = |class: usize| it.probabilities.get(class).copied().map_or(0.0, f64::from);
        let believed = (0..n_classes).filter(|class| thresholds[*class] <= p(*class));
        // Of equal probabilities the given class has the benefit.
        let believed = believed.max_by(|a, b| {
            p(*a).total_cmp(&p(*b)).then_with(|| (*a == it.given).cmp(&(*b == it.given)))
        });
        let believed = believed.filter(|class| *class != it.given);
        Trust { confidence: p(it.given), believed }
    };
    said.iter().map(weigh).collect()
}

/// Returns the mean probability of a class over the pictures that are in it; one that no picture is
/// in is never believed.
fn threshold(said: &[OutOfFold], class: usize) -> f64 {
    let of_class = said.iter().filter(|it| it.given == class);
    let own = of_class.filter_map(|it| it.probabilities.get(class).copied().map(f64::from));
    let (n, sum) = own.fold((0.0, 0.0), |(n, sum), p| (n + 1.0, sum + p));
    if 0.0 < n { sum / n } else { f64::INFINITY }
}

/// Names the pictures that are probably in the wrong class, the most doubtful first.
pub fn suspects(said: &[OutOfFold], classes: &[Label]) -> Vec<(BlobId, Suspect)> {
    let trust = trust(said, classes.len());
    let mut doubted: Vec<(&OutOfFold, f64, usize)> = (said.iter().zip(trust))
        .filter_map(|(it, trust)| Some((it, trust.confidence, trust.believed?)))
        .collect();
    doubted.sort_by(|(a, confidence_a, _), (b, confidence_b, _)| {
        confidence_a.total_cmp(confidence_b).then_with(|| a.blob.cmp(&b.blob))
    });
    let suspect = |(rank, (it, _, likely)): (usize, (&OutOfFold, f64, usize))| {
        let p = |class: usize| it.probabilities.get(class).copied().map_or(0.0, f64::from);
        let suspect = Suspect {
            given: classes.get(it.given)?.clone(),
            likely: classes.get(likely)?.clone(),
            p_given: p(it.given),
            p_likely: p(likely),
            rank: u32::try_from(rank).unwrap_or(u32::MAX),
        };
        Some((it.blob, suspect))
    };
    doubted.into_iter().enumerate().filter_map(suspect).collect()
}

/// Deals pictures to `n` hands of about equal size: those of a group to one hand, so that no
/// picture is judged by a model that saw its twin, and those of each class evenly. `pictures` holds
/// the group and the class of each; the answer is in their order.
///
/// The digest that names a group is as good as a draw: where it lands hangs on nothing else.
pub fn deal(pictures: &[(BlobId, usize)], n: usize) -> Vec<usize> {
    let mut groups: BTreeMap<BlobId, (usize, usize)> = BTreeMap::new();
    for (group, class) in pictures {
        // A group of several classes counts as one of the class it is first met with.
        groups.entry(*group).or_insert((*class, 0)).1 += 1;
    }
    let mut order: Vec<(usize, Reverse<usize>, BlobId)> =
        groups.into_iter().map(|(group, (class, size))| (class, Reverse(size), group)).collect();
    // Large groups first: what comes last evens out.
    order.sort_unstable();
    let mut hands: BTreeMap<BlobId, usize> = BTreeMap::new();
    let mut held = vec![(0_usize, 0_usize); n];
    let mut last = None;
    for (class, Reverse(size), group) in order {
        if last.replace(class) != Some(class) {
            for (of_class, _) in &mut held {
                *of_class = 0;
            }
        }
        let Some((hand, held)) = held.iter_mut().enumerate().min_by_key(|(_, held)| **held) else {
            break;
        };
        *held = (held.0 + size, held.1 + size);
        hands.insert(group, hand);
    }
    pictures.iter().filter_map(|(group, _)| hands.get(group).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: u8, given: usize, probabilities: &[f32]) -> OutOfFold {
        OutOfFold { blob: BlobId::of(&[number]), given, probabilities: probabilities.to_vec() }
    }

    fn labels() -> Vec<Label> {
        ["cat", "dog", "owl"].map(|it| Label::new(it).unwrap()).to_vec()
    }

    /// Worked by hand: the thresholds are (0.9 + 0.8 + 0.2) / 3, (0.7 + 0.6) / 2 and 0.5.
    #[test]
    fn a_class_is_believed_where_it_reaches_what_its_own_pictures_do() {
        let said = [
            said(0, 0, &[0.9, 0.05, 0.05]),
            said(1, 0, &[0.8, 0.1, 0.1]),
            said(2, 0, &[0.2, 0.7, 0.1]),
            said(3, 1, &[0.1, 0.7, 0.2]),
            said(4, 1, &[0.4, 0.6, 0.0]),
            said(5, 2, &[0.5, 0.0, 0.5]),
        ];
        let trust = trust(&said, 3);
        assert_eq!(
            trust.iter().map(|it| it.believed).collect::<Vec<_>>(),
            [
                None,
                None,
                Some(1),
                None,
                None, // Less than what is said of dogs, but nothing else is believed either.
                None, // The cat of equal probability stays below its threshold.
            ]
        );
        assert!((trust[2].confidence - 0.2).abs() < 1e-6);
        let found = suspects(&said, &labels());
        let [(blob, suspect)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(*blob, BlobId::of(&[2]));
        assert_eq!((suspect.given.as_str(), suspect.likely.as_str()), ("cat", "dog"));
    }

    #[test]
    fn the_most_doubtful_come_first_and_ties_by_their_names() {
        let mut all: Vec<OutOfFold> = (0..20).map(|n| said(n, 0, &[0.8, 0.2, 0.0])).collect();
        all.extend((20..40).map(|n| said(n, 1, &[0.2, 0.8, 0.0])));
        all.push(said(50, 0, &[0.1, 0.9, 0.0]));
        all.push(said(51, 0, &[0.0, 1.0, 0.0]));
        all.push(said(52, 1, &[0.9, 0.1, 0.0]));
        let found = suspects(&all, &labels());
        let ranks: Vec<u32> = found.iter().map(|(_, it)| it.rank).collect();
        assert_eq!(ranks, [0, 1, 2]);
        assert_eq!(found[0].0, BlobId::of(&[51]));
        let tied: Vec<BlobId> = found[1..].iter().map(|(blob, _)| *blob).collect();
        let mut sorted = vec![BlobId::of(&[50]), BlobId::of(&[52])];
        sorted.sort();
        assert_eq!(tied, sorted);
    }

    #[test]
    fn a_class_without_pictures_is_never_believed() {
        let said = [said(0, 0, &[0.1, 0.0, 0.9]), said(1, 1, &[0.0, 0.6, 0.4])];
        assert!(trust(&said, 3).iter().all(|it| it.believed.is_none()));
    }

    #[test]
    fn groups_stay_together_and_classes_are_dealt_evenly() {
        let of = |n: u32| BlobId::of(&n.to_le_bytes());
        // 103 of one class, three of them twins, and 21 of another.
        let mut pictures: Vec<(BlobId, usize)> = (0..100).map(|n| (of(n), 0)).collect();
        pictures.extend([(of(7), 0), (of(7), 0), (of(7), 0)]);
        pictures.extend((200..221).map(|n| (of(n), 1)));
        let hands = deal(&pictures, 10);
        assert!(hands[100..103].iter().all(|hand| *hand == hands[7]));
        for hand in 0..10 {
            let n_of = |class| {
                let all = pictures.iter().zip(&hands);
                all.filter(|((_, of), at)| *of == class && **at == hand).count()
            };
            assert!((10..=11).contains(&n_of(0)), "{hand}");
            assert!((2..=3).contains(&n_of(1)), "{hand}");
        }
    }
}
