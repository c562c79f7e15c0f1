//! A rectangle taken out of a picture (random erasing, Zhong et al. 2017).

use super::{
    Levels, Random, narrow, pixels,
    recipe::{Erase, ErasedWith},
};

/// The rectangle and what it is filled with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hole {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    with: ErasedWith,
    /// What noise is drawn from.
    random: Random,
}

/// How often a rectangle is drawn that does not fit before the picture is left whole.
const TRIES: usize = 10;

impl Hole {
    /// Draws a rectangle, or nothing for the share of pictures that stay whole.
    pub(super) fn draw(erase: &Erase, size: [usize; 2], random: &mut Random) -> Option<Self> {
        if f64::from(random.unit()) >= erase.probability {
            return None;
        }
        let [low, high] = erase.ratio.map(|ratio| narrow(ratio.ln()));
        let [smallest, largest] = erase.area.map(narrow);
        let whole = narrow(pixels(size[0]) * pixels(size[1]));
        let (width, height) = (0..TRIES).find_map(|_| {
            let area = random.between(smallest, largest) * whole;
            let ratio = random.between(low, high).exp();
            let (width, height) = (whole_px(area / ratio), whole_px(area * ratio));
            (width <= size[0] && height <= size[1]).then_some((width, height))
        })?;
        let left = random.below(size[0] - width + 1);
        let top = random.below(size[1] - height + 1);
        Some(Self { left, top, width, height, with: erase.with, random: random.clone() })
    }

    pub(super) fn take_out(&self, levels: &mut [Levels], picture_width: usize) {
        let colour = match self.with {
            ErasedWith::Noise | ErasedWith::Black => [0.0; 3],
            ErasedWith::Mean => mean(levels),
        };
        let mut random = self.random.clone();
        for row in levels.chunks_mut(picture_width).skip(self.top).take(self.height) {
            for pixel in &mut row[self.left..self.left + self.width] {
                *pixel = match self.with {
                    ErasedWith::Noise => [0; 3].map(|_: u8| f32::from(random.level())),
                    ErasedWith::Mean | ErasedWith::Black => colour,
                };
            }
        }
    }
}

/// Returns the side of a square, rounded to at least one pixel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
fn whole_px(area: f32) -> usize {
    area.sqrt().round().max(1.0) as usize
}

fn mean(levels: &[Levels]) -> Levels {
    let n = pixels(levels.len());
    std::array::from_fn(|channel| {
        let sum: f64 = levels.iter().map(|pixel| f64::from(pixel[channel])).sum();
        narrow(sum / n)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random::Purpose;

    const SIZE: [usize; 2] = [60, 40];

    fn holes(erase: &Erase) -> Vec<Option<Hole>> {
        let base = Random::new(3, Purpose::Augment);
        (0..2000).map(|key| Hole::draw(erase, SIZE, &mut base.at(key))).collect()
    }

    #[test]
    fn holes_lie_inside_and_have_the_shares_and_shapes_asked_for() {
        let erase = Erase { area: [0.1, 0.3], ratio: [0.5, 2.0], ..Erase::default() };

        let holes: Vec<Hole> = holes(&erase).into_iter().flatten().collect();

        assert!((900..1100).contains(&holes.len()), "{} of 2000", holes.len());
        for hole in &holes {
            assert!(hole.left + hole.width <= 60 && hole.top + hole.height <= 40, "{hole:?}");
            let share = pixels(hole.width * hole.height) / 2400.0;
            assert!((0.09..0.31).contains(&share), "{share}");
            let ratio = pixels(hole.height) / pixels(hole.width);
            assert!((0.45..2.2).contains(&ratio), "{ratio}");
        }
        assert!(holes.iter().any(|hole| hole.left == 0), "the left edge is reached");
        assert!(holes.iter().any(|hole| hole.top + hole.height == 40), "and the lower one");
    }

    #[test]
    fn only_the_rectangle_is_changed() {
        let random = Random::new(1, Purpose::Augment);
        for with in [ErasedWith::Noise, ErasedWith::Mean, ErasedWith::Black] {
            let hole = Hole { left: 2, top: 1, width: 3, height: 2, with, random: random.clone() };
            let old: Levels = [10.0, 20.0, 30.0];
            let mut levels = vec![old; 24];

            hole.take_out(&mut levels, 6);

            let changed: Vec<usize> = (0..24)
                .filter(|at| levels[*at].map(f32::to_bits) != old.map(f32::to_bits))
                .collect();
            match with {
                ErasedWith::Mean => assert!(changed.is_empty(), "{changed:?}"),
                ErasedWith::Noise | ErasedWith::Black => {
                    assert_eq!(changed, [8, 9, 10, 14, 15, 16], "{with:?}");
                }
            }
        }
    }
}
