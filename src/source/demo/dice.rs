//! Chance that repeats itself: a name in, the same row of numbers out, on every machine.

/// A row of random numbers (`SplitMix64`), begun by a name.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Begins the row called `name`.
    pub(super) fn of(name: &str) -> Self {
        let digest = blake3::hash(name.as_bytes());
        let (words, _) = digest.as_bytes().as_chunks::<8>();
        Self(u64::from_le_bytes(words[0]))
    }

    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws from 0 up to but not including 1.
    pub(super) fn unit(&mut self) -> f32 {
        let [low, high, ..] = self.word().to_le_bytes();
        f32::from(u16::from_le_bytes([low, high])) / 65_536.0
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    pub(super) fn happens(&mut self, chance: f32) -> bool {
        self.unit() < chance
    }

    /// Draws a number below `end`, which is at least 1.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a size fits 64 bits");
        usize::try_from(self.word() % end).expect("it is below a size")
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Puts `items` in a random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_own_row_again() {
        let row = |name: &str| {
            let mut dice = Dice::of(name);
            [dice.word(), dice.word(), dice.word()]
        };

        assert_eq!(row("a"), row("a"));
        assert_ne!(row("a"), row("b"));
    }

    #[test]
    fn draws_stay_inside_and_reach_both_ends() {
        let mut dice = Dice::of("ends");
        let draws: Vec<f32> = (0..2_000).map(|_| dice.between(2.0, 3.0)).collect();

        assert!(draws.iter().all(|draw| (2.0..3.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw < 2.01) && draws.iter().any(|draw| 2.99 < *draw));
    }
}
