//! How many pictures each class has → which are copied, altered, and which are left out, so that
//! all classes have the same number.

use crate::domain::random::{Purpose, Random};

/// What becomes of the pictures of one class, in their order: `None` is left out, a number is
/// how many altered copies go with the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub copies: Vec<Option<usize>>,
}

/// Classes cannot be made equal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BalanceError {
    #[error("there is no class to make equal to another")]
    NoClass,
    #[error("the target is 0 pictures for each class; choose 1 or more")]
    NoTarget,
    #[error("class number {class} has no picture that could be copied")]
    EmptyClass { class: usize },
}

impl Share {
    /// Returns how many pictures the class has afterwards.
    pub fn n_pictures(&self) -> usize {
        self.copies.iter().flatten().map(|copies| 1 + copies).sum()
    }

    /// Lists the pictures that stay and, for each altered copy, its picture and its number.
    pub fn pictures(&self) -> impl Iterator<Item = (usize, Option<usize>)> {
        self.copies.iter().enumerate().flat_map(|(picture, copies)| {
            let kept = copies.map(|_| (picture, None));
            kept.into_iter()
                .chain((0..copies.unwrap_or_default()).map(move |copy| (picture, Some(copy))))
        })
    }
}

/// Makes all classes as large as `target`, or as the largest of them.
///
/// Pictures of a smaller class get equally many copies, give or take one; of a larger class as
/// many as fit are chosen. `seed` decides which, for each class by itself, so a class that grows
/// leaves the choice in the others alone unless it is the target.
pub fn plan(
    counts: &[usize],
    target: Option<usize>,
    seed: u64,
) -> Result<Vec<Share>, BalanceError> {
    let largest = *counts.iter().max().ok_or(BalanceError::NoClass)?;
    if target == Some(0) {
        return Err(BalanceError::NoTarget);
    }
    if let Some(class) = counts.iter().position(|count| *count == 0) {
        return Err(BalanceError::EmptyClass { class });
    }
    let target = target.unwrap_or(largest);
    let base = Random::new(seed, Purpose::Balance);
    Ok((0..).zip(counts).map(|(class, count)| share(*count, target, &mut base.at(class))).collect())
}

fn share(count: usize, target: usize, random: &mut Random) -> Share {
    let order = random.order(count);
    let (each, one_more) = (target / count, target % count);
    let mut copies = vec![each.checked_sub(1); count];
    for picture in &order[..one_more] {
        copies[*picture] = Some(each);
    }
    Share { copies }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_grows_to_the_largest_with_copies_spread_evenly() {
        let shares = plan(&[10, 3, 7], None, 1).unwrap();

        assert_eq!(shares[0].copies, [Some(0); 10]);
        for share in &shares {
            assert_eq!(share.n_pictures(), 10);
            let (least, most) = (share.copies.iter().min(), share.copies.iter().max());
            assert!(most.unwrap().unwrap() <= least.unwrap().unwrap() + 1, "{share:?}");
        }
        let of_third: Vec<_> = shares[1].pictures().filter(|(_, copy)| copy.is_none()).collect();
        assert_eq!(of_third, [(0, None), (1, None), (2, None)]);
        assert_eq!(shares[1].pictures().count(), 10);
    }

    #[test]
    fn a_class_above_the_target_loses_pictures_chosen_by_the_seed() {
        let chosen = |seed| plan(&[100, 20], Some(20), seed).unwrap();

        let shares = chosen(1);

        assert_eq!(shares[0].copies.iter().flatten().count(), 20);
        assert!(shares[0].copies.iter().flatten().all(|copies| *copies == 0));
        assert_eq!(shares[1].copies, [Some(0); 20]);
        assert_eq!(chosen(1), shares);
        assert_ne!(chosen(2), shares);
        let first: Vec<Option<usize>> = vec![Some(0); 20];
        assert_ne!(shares[0].copies[..20], first, "not simply the first");
    }

    #[test]
    fn a_target_above_all_classes_makes_them_all_grow() {
        let shares = plan(&[4, 1], Some(9), 0).unwrap();

        assert_eq!(shares[1].copies, [Some(8)]);
        let mut copies: Vec<usize> = shares[0].copies.iter().flatten().copied().collect();
        copies.sort_unstable();
        assert_eq!(copies, [1, 1, 1, 2]);
    }

    #[test]
    fn what_cannot_be_made_equal_is_refused() {
        assert_eq!(plan(&[], None, 0), Err(BalanceError::NoClass));
        assert_eq!(plan(&[3, 0], None, 0), Err(BalanceError::EmptyClass { class: 1 }));
        assert_eq!(plan(&[3, 1], Some(0), 0), Err(BalanceError::NoTarget));
    }
}
