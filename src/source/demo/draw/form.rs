//! What kind of file shows a subject, and how large: known without drawing anything.

use super::{super::dice::Dice, Edit, Motif, Subject};
use crate::pixels::encode::{Colour, JpegLayout, Scans, Stored};

/// The outside of a picture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Form {
    pub(in super::super) width_px: u32,
    pub(in super::super) height_px: u32,
    pub(in super::super) file: File,
}

/// The kinds of files people post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum File {
    Jpeg {
        quality: u8,
        layout: JpegLayout,
    },
    Png,
    /// The subject alone, on nothing.
    PngWithAlpha,
    Webp,
}

impl File {
    pub(in super::super) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Png | Self::PngWithAlpha => "png",
            Self::Webp => "webp",
        }
    }

    pub(in super::super) fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "image/jpeg",
            Self::Png | Self::PngWithAlpha => "image/png",
            Self::Webp => "image/webp",
        }
    }

    pub(super) fn is_grey(self) -> bool {
        match self {
            Self::Jpeg { layout, .. } => layout.colour == Colour::Grey,
            Self::Png | Self::PngWithAlpha | Self::Webp => false,
        }
    }
}

/// Shapes of pictures, width to height, as often as people take them.
const SHAPES: [(u32, u32); 12] = [
    (4, 3),
    (4, 3),
    (4, 3),
    (3, 2),
    (3, 2),
    (16, 9),
    (1, 1),
    (1, 1),
    (3, 4),
    (3, 4),
    (2, 3),
    (4, 5),
];

/// No picture is narrower: everything of the demo passes usual limits.
const SHORTER_SIDE_MIN_PX: u32 = 320;

/// Larger pictures are never kept without loss: grain makes such files heavy.
const LOSSLESS_MAX_PX: u32 = 1_000;

impl Form {
    /// Draws the form of a subject as its author posted it.
    pub(super) fn of_original(motif: Motif, key: &str) -> Self {
        match motif {
            Motif::Figure(_) => Self::of_photograph(key),
            Motif::Quilt => Self::of_quilt(key),
        }
    }

    fn of_quilt(key: &str) -> Self {
        let mut dice = Dice::of(&format!("form of {key}"));
        let (width_px, height_px) = dice.pick(&[(400, 300), (300, 400), (320, 320), (480, 320)]);
        let file = File::Jpeg { quality: 75, layout: JpegLayout::default() };
        Self { width_px, height_px, file }
    }

    fn of_photograph(key: &str) -> Self {
        let mut dice = Dice::of(&format!("form of {key}"));
        let quality = 75 + u8::try_from(dice.below(21)).expect("it is below 21");
        let jpeg = |layout| File::Jpeg { quality, layout };
        let plain = JpegLayout::default();
        let file = match dice.below(100) {
            0..67 => jpeg(plain),
            67..71 => jpeg(JpegLayout { scans: Scans::Progressive, ..plain }),
            71..75 => jpeg(JpegLayout { stored: stored(&mut dice), ..plain }),
            75..78 => jpeg(JpegLayout { colour: Colour::Grey, ..plain }),
            78..81 => File::PngWithAlpha,
            81..93 => File::Png,
            _ => File::Webp,
        };
        let longest = longest_side(file, &mut dice);
        let (across, down) = dice.pick(&SHAPES);
        let (larger, lesser) = (across.max(down), across.min(down));
        let longest = longest.max(SHORTER_SIDE_MIN_PX * larger / lesser);
        let side = |share: u32| longest * share / larger;
        Self { width_px: side(across), height_px: side(down), file }
    }

    /// Draws the form of an edited subject; the picture is made from `self`.
    pub(super) fn edited(self, edit: Edit, dice: &mut Dice) -> Self {
        let low = 50 + u8::try_from(dice.below(22)).expect("it is below 22");
        let jpeg = |quality| {
            let colour = if self.file.is_grey() { Colour::Grey } else { Colour::Full };
            File::Jpeg { quality, layout: JpegLayout { colour, ..JpegLayout::default() } }
        };
        match edit {
            Edit::None => self,
            Edit::Reencoded => {
                let may_be_lossless = self.file.extension() == "jpg"
                    && !self.file.is_grey()
                    && self.width_px.max(self.height_px) <= LOSSLESS_MAX_PX;
                let file = match dice.below(10) {
                    0 | 1 if may_be_lossless => File::Png,
                    2 if may_be_lossless => File::Webp,
                    _ => jpeg(low),
                };
                Self { file, ..self }
            }
            Edit::Resized => {
                let wanted = 400 + u32::try_from(dice.below(401)).expect("it is below 401");
                let shorter = self.width_px.min(self.height_px);
                // A copy must still pass the usual limits on size.
                let permille = wanted.max(256 * 1000 / shorter).min(800);
                let scaled = |px: u32| px * permille / 1000;
                let (width_px, height_px) = (scaled(self.width_px), scaled(self.height_px));
                Self { width_px, height_px, file: jpeg(low + 20) }
            }
            Edit::Cropped => {
                let mut left_of = |px: u32| {
                    px - px * (20 + u32::try_from(dice.below(31)).expect("it is below 31")) / 1000
                };
                let (width_px, height_px) = (left_of(self.width_px), left_of(self.height_px));
                Self { width_px, height_px, file: jpeg(low + 20) }
            }
            Edit::Watermarked => Self { file: jpeg(low + 20), ..self },
        }
    }
}

impl Subject {
    /// Returns what file shows this subject.
    pub(in super::super) fn form(&self) -> Form {
        Form::of_original(self.motif, &self.key).edited(self.edit, &mut self.dice("copy"))
    }
}

fn stored(dice: &mut Dice) -> Stored {
    dice.pick(&[Stored::UpsideDown, Stored::OnItsLeft, Stored::OnItsRight, Stored::OnItsLeft])
}

/// Draws the longest side: mostly what sites show, sometimes what cameras take.
fn longest_side(file: File, dice: &mut Dice) -> u32 {
    let mut from_to = |from: u32, to: u32| {
        let span = usize::try_from(to - from).expect("a side fits an address");
        from + u32::try_from(dice.below(span)).expect("it is below a side")
    };
    let (usual, large) = (from_to(500, 1_200), from_to(1_200, 3_000));
    let lot = from_to(0, 100);
    match file {
        File::Png | File::PngWithAlpha | File::Webp => usual.min(LOSSLESS_MAX_PX),
        File::Jpeg { .. } => match lot {
            0..8 => usual * 2 / 3,
            8..13 => large,
            _ => usual,
        },
    }
}
