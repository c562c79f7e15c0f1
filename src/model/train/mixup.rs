//! Pictures blended in pairs, and their classes with them (Zhang, Cissé, Dauphin and Lopez-Paz 2018).
//!
//! As in the authors' own program, one share holds for a whole batch, and each picture is blended
//! with one of the same batch.

use crate::{domain::random::Random, model::loss::Truth};

/// How the pictures of one batch are blended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mixture {
    /// How much of each picture stays.
    share: f64,
    /// For each picture, the place in the batch of the one that is the rest.
    partners: Vec<usize>,
}

impl Mixture {
    /// Draws how `n` pictures are blended; `None` where `alpha` is 0.
    pub(super) fn draw(alpha: f64, n: usize, random: &mut Random) -> Option<Self> {
        let is_wanted = 0.0 < alpha;
        is_wanted.then(|| Self { share: random.share(alpha), partners: random.order(n) })
    }

    /// Blends pictures that lie one behind the other, as the network takes them.
    pub(super) fn blend(&self, values: &[f32]) -> Vec<f32> {
        let [own, rest] = [self.share, 1.0 - self.share].map(narrow);
        let length = values.len() / self.partners.len().max(1);
        let pictures: Vec<&[f32]> = values.chunks(length.max(1)).collect();
        let blended = pictures.iter().zip(&self.partners).flat_map(|(picture, partner)| {
            let pairs = picture.iter().zip(pictures[*partner]);
            pairs.map(|(one, other)| own * one + rest * other)
        });
        blended.collect()
    }

    pub(super) fn truths(&self, classes: &[usize]) -> Vec<Truth> {
        let truth = |(class, partner): (&usize, &usize)| Truth {
            class: *class,
            other: classes[*partner],
            share: self.share,
        };
        classes.iter().zip(&self.partners).map(truth).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the network computes in this precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random::Purpose;

    #[test]
    fn pictures_and_their_classes_are_blended_alike() {
        let mixture = Mixture { share: 0.75, partners: vec![2, 1, 0] };

        let blended = mixture.blend(&[0.0, 4.0, 10.0, 20.0, 8.0, -4.0]);
        let truths = mixture.truths(&[3, 1, 0]);

        assert_eq!(blended, [2.0, 2.0, 10.0, 20.0, 6.0, -2.0]);
        let expected = [(3, 0), (1, 1), (0, 3)]
            .map(|(class, other)| Truth { class, other, share: 0.75 })
            .to_vec();
        assert_eq!(truths, expected);
    }

    #[test]
    fn every_picture_is_the_partner_of_one_and_nothing_is_drawn_without_alpha() {
        let mut random = Random::new(7, Purpose::Mixup);
        let before = random.clone();

        assert_eq!(Mixture::draw(0.0, 5, &mut random), None);
        assert_eq!(random, before);
        let mut drawn = Mixture::draw(0.4, 5, &mut random).unwrap();
        drawn.partners.sort_unstable();
        assert_eq!(drawn.partners, [0, 1, 2, 3, 4]);
        assert!((0.0..=1.0).contains(&drawn.share));
    }
}
