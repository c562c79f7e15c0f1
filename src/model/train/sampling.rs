//! Which training pictures an epoch shows, and in which order.

use crate::{
    domain::random::{Purpose, Random},
    model::recipe::Sampling,
};

/// One showing of a training picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Showing {
    /// Its place among the training pictures.
    pub(super) picture: usize,
    /// How often the epoch chose it before; each time it is altered anew.
    pub(super) repeat: usize,
}

impl Showing {
    /// Returns what is drawn for this showing. A picture shown once has the stream of its place.
    pub(super) fn draws(self, epoch: &Random) -> Random {
        let own = epoch.at(key(self.picture));
        if self.repeat == 0 { own } else { own.at(key(self.repeat)) }
    }
}

/// Returns how many pictures an epoch shows, where there are `counts` of the classes.
pub(super) fn n_shown(sampling: Sampling, counts: &[usize]) -> usize {
    counts_shown(sampling, counts).iter().sum()
}

/// Returns how often classes are shown beside each other, for weights that make up for it.
pub(super) fn proportions(sampling: Sampling, counts: &[usize]) -> Vec<usize> {
    match sampling {
        Sampling::Shuffled => counts.to_vec(),
        Sampling::Balanced | Sampling::Undersample => vec![1; counts.len()],
    }
}

fn counts_shown(sampling: Sampling, counts: &[usize]) -> Vec<usize> {
    let [n, n_classes]: [usize; 2] = [counts.iter().sum(), counts.len()];
    match sampling {
        Sampling::Shuffled => counts.to_vec(),
        // What is left over goes to other classes in every epoch.
        Sampling::Balanced => (0..n_classes).map(|class| quota(n, n_classes, class)).collect(),
        Sampling::Undersample => vec![counts.iter().min().copied().unwrap_or(0); n_classes],
    }
}

/// Returns what epoch number `epoch` shows, in order.
pub(super) fn showings(
    sampling: Sampling,
    classes: &[usize],
    n_classes: usize,
    seed: u64,
    epoch: u32,
) -> Vec<Showing> {
    let shuffle = |n: usize| Random::new(seed, Purpose::Order).at(epoch.into()).order(n);
    if sampling == Sampling::Shuffled {
        let once = |picture| Showing { picture, repeat: 0 };
        return shuffle(classes.len()).into_iter().map(once).collect();
    }
    let mut of_class: Vec<Vec<usize>> = vec![Vec::new(); n_classes];
    for (picture, class) in classes.iter().enumerate() {
        of_class[*class].push(picture);
    }
    let counts: Vec<usize> = of_class.iter().map(Vec::len).collect();
    let mut wanted = counts_shown(sampling, &counts);
    let turn = usize::try_from(epoch).unwrap_or(0) % n_classes.max(1);
    wanted.rotate_left(turn);
    let draws = Random::new(seed, Purpose::Sample).at(epoch.into());
    let mut chosen = Vec::new();
    for (class, (pictures, n)) in of_class.iter().zip(wanted).enumerate() {
        if pictures.is_empty() {
            continue;
        }
        let own = draws.at(key(class));
        // Every picture of the class once, before one of them comes again.
        let rounds = (0..).flat_map(|repeat| {
            let order = own.at(key(repeat)).order(pictures.len());
            order.into_iter().map(move |at| Showing { picture: pictures[at], repeat })
        });
        chosen.extend(rounds.take(n));
    }
    shuffle(chosen.len()).into_iter().map(|at| chosen[at]).collect()
}

/// Returns the share of class number `class` in `n` pictures that all classes share.
fn quota(n: usize, n_classes: usize, class: usize) -> usize {
    n / n_classes + usize::from(class < n % n_classes)
}

fn key(number: usize) -> u64 {
    u64::try_from(number).expect("a usize has at most 64 bits")
}

/// Cuts `order` into batches; a picture left over alone joins the batch before, because
/// a batch of one has no variance to normalise by.
pub(super) fn batches<T>(order: &[T], size: usize) -> Vec<&[T]> {
    let n_left = order.len() % size;
    let n_alone = usize::from(n_left == 1 && size < order.len());
    let (regular, _) = order.split_at(order.len() - n_alone);
    let mut batches: Vec<&[T]> = regular.chunks(size).collect();
    if let (1, Some(last)) = (n_alone, batches.last_mut()) {
        *last = &order[regular.len() - size..];
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Two of class 0, nine of class 1, five of class 2.
    const CLASSES: [usize; 16] = [1, 0, 1, 2, 1, 1, 2, 1, 0, 1, 2, 1, 1, 2, 1, 2];

    fn shown(sampling: Sampling, epoch: u32) -> Vec<Showing> {
        showings(sampling, &CLASSES, 3, 7, epoch)
    }

    fn counts(shown: &[Showing]) -> [usize; 3] {
        let of = |class| shown.iter().filter(|it| CLASSES[it.picture] == class).count();
        [of(0), of(1), of(2)]
    }

    #[test]
    fn a_shuffled_epoch_shows_every_picture_once() {
        let shown = shown(Sampling::Shuffled, 3);

        let order = Random::new(7, Purpose::Order).at(3).order(16);
        assert_eq!(shown.iter().map(|it| it.picture).collect::<Vec<_>>(), order);
        assert!(shown.iter().all(|it| it.repeat == 0));
    }

    #[test]
    fn a_balanced_epoch_shows_all_classes_equally_often_and_spreads_repeats() {
        for epoch in 1..20 {
            let shown = shown(Sampling::Balanced, epoch);

            let mut sorted = counts(&shown);
            assert!(sorted.iter().all(|n| (5..=6).contains(n)), "{sorted:?}");
            sorted.sort_unstable();
            assert_eq!(sorted, [5, 5, 6]);
            let different: BTreeSet<(usize, usize)> =
                shown.iter().map(|it| (it.picture, it.repeat)).collect();
            assert_eq!(different.len(), 16, "no showing is like another");
            let times = |picture| shown.iter().filter(|it| it.picture == picture).count();
            assert!([1, 8].map(times).iter().all(|n| (2..=3).contains(n)));
            assert!([0, 2, 4, 5, 7].map(times).iter().all(|n| *n <= 1));
        }
        let extra: BTreeSet<[usize; 3]> =
            (1..4).map(|epoch| counts(&shown(Sampling::Balanced, epoch))).collect();
        assert_eq!(extra.len(), 3, "what is left over goes round");
    }

    #[test]
    fn an_undersampled_epoch_shows_as_many_of_each_class_as_the_smallest_has() {
        let first = shown(Sampling::Undersample, 1);

        assert_eq!(counts(&first), [2, 2, 2]);
        assert!(first.iter().all(|it| it.repeat == 0));
        assert_eq!(first, shown(Sampling::Undersample, 1));
        let seen: BTreeSet<usize> = (1..60)
            .flat_map(|epoch| shown(Sampling::Undersample, epoch))
            .map(|it| it.picture)
            .collect();
        assert_eq!(seen.len(), 16, "every picture has its turn");
    }

    #[test]
    fn counts_are_known_beforehand() {
        for sampling in [Sampling::Shuffled, Sampling::Balanced, Sampling::Undersample] {
            assert_eq!(shown(sampling, 5).len(), n_shown(sampling, &[2, 9, 5]));
        }
    }

    #[test]
    fn a_repeated_picture_is_altered_anew() {
        let epoch = Random::new(7, Purpose::Augment).at(3);
        let draws = |repeat| Showing { picture: 4, repeat }.draws(&epoch);

        assert_eq!(draws(0), epoch.at(4));
        assert_ne!(draws(0), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn a_picture_left_over_alone_joins_the_last_batch() {
        let order: Vec<usize> = (0..9).collect();
        let sizes = |n: usize, size| -> Vec<usize> {
            let batches = batches(&order[..n], size);
            assert_eq!(batches.concat(), order[..n]);
            batches.iter().map(|batch| batch.len()).collect()
        };

        assert_eq!(sizes(9, 4), [4, 5]);
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(7, 4), [4, 3]);
        assert_eq!(sizes(3, 2), [3]);
        assert_eq!(sizes(1, 2), [1]);
    }
}
