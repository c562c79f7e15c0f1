//! A small generator of numbers, so that every run draws the same.

/// Splitmix, started from a seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

const WORDS: [&str; 24] = [
    "when", "you", "see", "it", "nobody", "me", "the", "look", "best", "day", "ever", "found",
    "this", "again", "monday", "mood", "cat", "please", "thanks", "why", "not", "today", "posted",
    "again",
];

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Throws a number below `n`.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.next() % u64::from(n)).expect("less than n")
    }

    /// Makes a line of words of about `n_letters` letters.
    pub(super) fn words(&mut self, n_letters: usize) -> String {
        let mut line = String::new();
        while line.len() < n_letters {
            line.push_str(WORDS[usize::try_from(self.below(24)).expect("small")]);
            line.push(' ');
        }
        line.truncate(n_letters);
        line
    }
}
