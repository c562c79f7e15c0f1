//! The usual reasons to leave a picture out, and what each says of other copies of it.
//!
//! A reason is a word of this table or any text of a person's own.

use serde::Serialize;

use crate::domain::flaws;

/// What a reason speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What the picture shows: every copy of it shows the same.
    Subject,
    /// This copy alone: another one may be good.
    Copy,
}

/// A usual reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The word in the file of reviews.
    pub slug: &'static str,
    /// What people read.
    pub words: &'static str,
    #[serde(skip)]
    pub about: About,
}

/// The reason of pictures that are not to be shown again, not even as examples.
pub const OFFENSIVE: &str = "offensive";

/// In the order in which they are offered.
pub const REASONS: [Reason; 10] = [
    Reason { slug: "wrong-subject", words: "wrong subject", about: About::Subject },
    Reason { slug: "screenshot", words: "screenshot", about: About::Subject },
    Reason { slug: "text", words: "text or meme", about: About::Subject },
    Reason { slug: "drawing", words: "drawing", about: About::Subject },
    Reason { slug: "collage", words: "collage", about: About::Subject },
    Reason { slug: "watermark", words: "watermark", about: About::Copy },
    Reason { slug: "blurred", words: "blurred", about: About::Copy },
    Reason { slug: "small", words: "too small or cropped", about: About::Copy },
    Reason { slug: OFFENSIVE, words: "offensive", about: About::Subject },
    Reason { slug: "duplicate", words: "duplicate", about: About::Copy },
];

fn row(reason: &str) -> Option<&'static Reason> {
    REASONS.iter().find(|it| it.slug == reason)
}

/// Tells what a reason speaks of. What a measure found (`domain::flaws`) speaks of the copy: others
/// are measured themselves. A text of a person's own speaks of what is shown: leaving out too much
/// is seen in the review, keeping what was refused is not.
pub fn about(reason: &str) -> About {
    let is_measured = || flaws::ROWS.iter().any(|it| it.kind == reason);
    let own = || if is_measured() { About::Copy } else { About::Subject };
    row(reason).map_or_else(own, |it| it.about)
}

/// Returns a reason as people read it.
pub fn words(reason: &str) -> &str {
    row(reason).map_or(reason, |it| it.words)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_reason_of_quality_speaks_of_the_copy_and_any_other_of_what_is_shown() {
        let of_copy: Vec<&str> =
            REASONS.iter().filter(|it| about(it.slug) == About::Copy).map(|it| it.slug).collect();
        assert_eq!(of_copy, ["watermark", "blurred", "small", "duplicate"]);
        assert_eq!(about("too small"), About::Copy);
        assert_eq!(about("a toy, not an animal"), About::Subject);
    }

    #[test]
    fn every_word_is_there_once_and_free_text_is_its_own_words() {
        let slugs: BTreeSet<&str> = REASONS.iter().map(|it| it.slug).collect();
        assert_eq!(slugs.len(), REASONS.len());
        assert_eq!(words("small"), "too small or cropped");
        assert_eq!(words("a toy"), "a toy");
    }
}
