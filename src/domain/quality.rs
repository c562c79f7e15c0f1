//! What can be measured of a picture's worth. Nothing here says what is good enough: see
//! [`super::flaws`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A share in thousandths: 1000 is all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(pub u16);

/// Measures of one picture, taken of it scaled to a shorter side of 256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Mean grey level, 0 to 255.
    pub brightness: u8,
    /// Standard deviation of the grey levels, 0 to 127.
    pub contrast: u8,
    /// The grey level only a hundredth of the picture is darker than.
    pub darkest: u8,
    /// Entropy of the grey levels in hundredths of a bit, 0 to 800.
    pub entropy: u16,
    /// Variance of the Laplacian where the picture is sharpest, so that a soft background does
    /// not count against it.
    pub sharpness: u32,
    /// How much of the picture has nearly one and the same level.
    pub uniform: Share,
    /// How much of the picture is a uniform margin.
    pub border: Share,
    /// How much of what is drawn on even ground is lines of text.
    pub text: Share,
    /// How much of the height is a page: even ground over the whole width, with text on it.
    pub page: Share,
    /// How much of the height is caption: a bar with text above or below, or letters laid over
    /// the picture.
    pub captions: Share,
    /// How much of the best straight line from edge to edge parts two pictures.
    pub seam: Share,
    /// How strongly the same faint pattern returns all over the picture.
    pub repeats: Share,
}

impl Share {
    pub const ALL: Self = Self(1000);

    /// Returns `part` of `whole`; nothing of nothing is none.
    pub fn of(part: usize, whole: usize) -> Self {
        let thousandths = (part * 1000).checked_div(whole).unwrap_or(0).min(1000);
        Self(u16::try_from(thousandths).expect("at most 1000"))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} %", self.0 / 10, self.0 % 10)
    }
}
