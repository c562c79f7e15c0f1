//! A picture → the same picture as it comes back from the web: one edit or several in a row.

use image::{
    Rgb,
    imageops::{self, FilterType},
};
use snapset::pixels::{Picture, encode};

use super::{
    dice::Dice,
    font::{self, Line},
};

const WHITE: Rgb<u8> = Rgb([255; 3]);
const BLACK: Rgb<u8> = Rgb([0; 3]);
const NIGHT: Rgb<u8> = Rgb([18, 18, 20]);

/// One thing that happens to a picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Width and height to these per cent.
    Resize(u32, u32),
    /// This per cent of the width and of the height is cut off, parted between both ends by chance.
    Crop(u32),
    /// This per cent is cut off at one side alone.
    CutSide(u32),
    /// A bar with a line of text above or below.
    Caption {
        paper: Rgb<u8>,
        ink: Rgb<u8>,
        below: Ends,
    },
    /// Lines of white text with a dark rim over the top and the bottom.
    Meme,
    /// The name of a site in a corner.
    SmallMark,
    /// Half-transparent words over the whole picture.
    LargeMark,
    /// A plain disc over this per cent of the area, somewhere.
    Sticker(u32),
    /// A frame of this per cent of the shorter side.
    Frame(u32, Rgb<u8>),
    /// Bars that make it a square, or 16:9 if it is nearly one.
    Letterbox,
    /// A telephone's screen around it.
    Screenshot {
        paper: Rgb<u8>,
        ink: Rgb<u8>,
    },
    /// Levels shifted by this much.
    Brightness(i32),
    /// Contrast changed to this per cent.
    Contrast(f32),
    Gamma(f32),
    Grey,
    /// Colours this much stronger, in per cent, and warmer.
    Vivid(f32),
    Noise(u32),
    Blur(f32),
    Sharpen,
    /// Turned by this many degrees, the corners filled with black.
    Rotate(f32),
    Mirror,
    QuarterTurn,
    HalfTurn,
    Jpeg(u8),
}

/// An end of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    Top,
    Bottom,
}

use Step::{
    Blur, Brightness, Caption, Contrast, Crop, CutSide, Frame, Gamma, Grey, HalfTurn, Jpeg,
    LargeMark, Letterbox, Meme, Mirror, Noise, QuarterTurn, Resize, Rotate, Screenshot, Sharpen,
    SmallMark, Sticker, Vivid,
};

const CAPTION: Step = Caption { paper: WHITE, ink: BLACK, below: Ends::Top };
const LIGHT_SCREEN: Step = Screenshot { paper: WHITE, ink: BLACK };
const DARK_SCREEN: Step = Screenshot { paper: NIGHT, ink: WHITE };

/// Every edit by name. Whatever happens, the copy is saved as JPEG at quality 85 in the end.
pub(super) const EDITS: [(&str, &[Step]); 40] = [
    ("jpeg-70", &[Jpeg(70)]),
    ("jpeg-40", &[Jpeg(40)]),
    ("jpeg-20", &[Jpeg(20)]),
    ("resize-60", &[Resize(60, 60)]),
    ("resize-30", &[Resize(30, 30)]),
    ("resize-150", &[Resize(150, 150)]),
    ("squeezed", &[Resize(100, 85)]),
    ("crop-5", &[Crop(5)]),
    ("crop-10", &[Crop(10)]),
    ("crop-15", &[Crop(15)]),
    ("crop-20", &[Crop(20)]),
    ("side-cut-10", &[CutSide(10)]),
    ("caption-above", &[CAPTION]),
    ("caption-below", &[Caption { paper: BLACK, ink: WHITE, below: Ends::Bottom }]),
    ("meme-text", &[Meme]),
    ("mark-small", &[SmallMark]),
    ("mark-large", &[LargeMark]),
    ("sticker-6", &[Sticker(6)]),
    ("frame-white-5", &[Frame(5, WHITE)]),
    ("frame-black-10", &[Frame(10, BLACK)]),
    ("letterbox", &[Letterbox]),
    ("screen-light", &[LIGHT_SCREEN]),
    ("screen-dark", &[DARK_SCREEN]),
    ("brighter", &[Brightness(40)]),
    ("darker", &[Brightness(-40)]),
    ("contrast-60", &[Contrast(0.6)]),
    ("contrast-150", &[Contrast(1.5)]),
    ("gamma-0.6", &[Gamma(0.6)]),
    ("gamma-1.7", &[Gamma(1.7)]),
    ("grey", &[Grey]),
    ("vivid", &[Vivid(1.4)]),
    ("noise", &[Noise(40)]),
    ("blur", &[Blur(2.0)]),
    ("sharpen", &[Sharpen]),
    ("rotate-2", &[Rotate(2.0)]),
    ("mirror", &[Mirror]),
    ("turn-90", &[QuarterTurn]),
    ("turn-180", &[HalfTurn]),
    ("repost", &[Crop(5), Resize(50, 50), Jpeg(40), SmallMark]),
    ("disguise", &[Mirror, Crop(8), Brightness(20), Jpeg(50)]),
];

pub(super) fn apply(picture: &Picture, steps: &[Step], dice: &mut Dice) -> Picture {
    steps.iter().fold(picture.clone(), |picture, step| step.apply(&picture, dice))
}

impl Step {
    fn apply(self, picture: &Picture, dice: &mut Dice) -> Picture {
        let (width, height) = picture.dimensions();
        match self {
            Resize(across, along) => {
                let size = |px: u32, percent: u32| (px * percent / 100).max(1);
                let (width, height) = (size(width, across), size(height, along));
                imageops::resize(picture, width, height, FilterType::CatmullRom)
            }
            Crop(percent) => {
                let (cut_x, cut_y) = (width * percent / 100, height * percent / 100);
                let (left, top) = (dice.below(cut_x + 1), dice.below(cut_y + 1));
                imageops::crop_imm(picture, left, top, width - cut_x, height - cut_y).to_image()
            }
            CutSide(percent) => {
                let (x, y) = (width * percent / 100, height * percent / 100);
                let (left, top, width, height) = match dice.below(4) {
                    0 => (x, 0, width - x, height),
                    1 => (0, 0, width - x, height),
                    2 => (0, y, width, height - y),
                    _ => (0, 0, width, height - y),
                };
                imageops::crop_imm(picture, left, top, width, height).to_image()
            }
            Caption { paper, ink, below } => captioned(picture, (paper, ink), below, dice),
            Meme => meme(picture, dice),
            SmallMark => small_mark(picture, dice),
            LargeMark => large_mark(picture, dice),
            Sticker(percent) => sticker(picture, percent, dice),
            Frame(percent, colour) => {
                let edge = width.min(height) * percent / 100;
                let mut framed = Picture::from_pixel(width + 2 * edge, height + 2 * edge, colour);
                imageops::replace(&mut framed, picture, edge.into(), edge.into());
                framed
            }
            Letterbox => letterbox(picture),
            Screenshot { paper, ink } => screenshot(picture, (paper, ink), dice),
            Brightness(shift) => {
                let shift = i16::try_from(shift).expect("a level");
                levels(picture, |level| level + f32::from(shift))
            }
            Contrast(factor) => levels(picture, |level| (level - 128.0) * factor + 128.0),
            Gamma(power) => levels(picture, |level| (level / 255.0).powf(power) * 255.0),
            Grey => image::DynamicImage::ImageLuma8(imageops::grayscale(picture)).into_rgb8(),
            Vivid(factor) => vivid(picture, factor),
            Noise(width) => {
                let mut noisy = picture.clone();
                for level in noisy.iter_mut() {
                    let thrown = dice.below(width) + dice.below(width);
                    let moved = u32::from(*level) + thrown;
                    *level = u8::try_from(moved.saturating_sub(width).min(255)).expect("a level");
                }
                noisy
            }
            Blur(sigma) => imageops::blur(picture, sigma),
            Sharpen => imageops::unsharpen(picture, 2.0, 0),
            Rotate(degrees) => rotated(picture, degrees),
            Mirror => imageops::flip_horizontal(picture),
            QuarterTurn => imageops::rotate90(picture),
            HalfTurn => imageops::rotate180(picture),
            Jpeg(quality) => {
                let bytes = encode::jpeg(picture, quality);
                image::load_from_memory(&bytes).expect("just encoded").into_rgb8()
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to levels")]
fn level_of(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

fn levels(picture: &Picture, change: impl Fn(f32) -> f32) -> Picture {
    let mut changed = picture.clone();
    for level in changed.iter_mut() {
        *level = level_of(change((*level).into()));
    }
    changed
}

fn vivid(picture: &Picture, factor: f32) -> Picture {
    let mut changed = picture.clone();
    for pixel in changed.pixels_mut() {
        let [red, green, blue] = pixel.0.map(f32::from);
        let grey = 0.3 * red + 0.59 * green + 0.11 * blue;
        let moved = [(red, 8.0), (green, 0.0), (blue, -8.0)];
        pixel.0 = moved.map(|(level, warm)| level_of(grey + (level - grey) * factor + warm));
    }
    changed
}

/// Writes `text` in the middle of a line.
fn centred(picture: &mut Picture, text: &str, mut line: Line) {
    let n_letters = u32::try_from(text.len()).expect("a short line");
    let space = picture.width().saturating_sub(font::width_px(n_letters, line.dot_px));
    line.left += space / 2;
    font::write(picture, text, line);
}

/// Dots so large that `n_letters` letters fill the width.
fn dot_px(width: u32, n_letters: u32) -> u32 {
    (width / (6 * n_letters)).max(1)
}

fn captioned(
    picture: &Picture,
    (paper, ink): (Rgb<u8>, Rgb<u8>),
    end: Ends,
    dice: &mut Dice,
) -> Picture {
    let (width, height) = picture.dimensions();
    let dot_px = dot_px(width, 26);
    let n_lines = 1 + dice.below(2);
    let bar = dot_px * (8 + 10 * n_lines);
    let mut whole = Picture::from_pixel(width, height + bar, paper);
    let (bar_top, picture_top) = match end {
        Ends::Top => (0, bar),
        Ends::Bottom => (height, 0),
    };
    imageops::replace(&mut whole, picture, 0, picture_top.into());
    for n in 0..n_lines {
        let top = bar_top + dot_px * (5 + 10 * n);
        let text = dice.words(22);
        centred(&mut whole, &text, Line { left: 0, top, dot_px, ink, percent: 100 });
    }
    whole
}

fn meme(picture: &Picture, dice: &mut Dice) -> Picture {
    let mut marked = picture.clone();
    let (width, height) = picture.dimensions();
    let dot_px = dot_px(width, 18);
    for top in [dot_px * 2, height.saturating_sub(dot_px * 9)] {
        let text = dice.words(16);
        for (right, down, ink) in [(1, 1, BLACK), (0, 0, WHITE)] {
            let (left, top) = (right * dot_px.div_ceil(2), top + down * dot_px.div_ceil(2));
            centred(&mut marked, &text, Line { left, top, dot_px, ink, percent: 100 });
        }
    }
    marked
}

fn small_mark(picture: &Picture, dice: &mut Dice) -> Picture {
    let mut marked = picture.clone();
    let (width, height) = picture.dimensions();
    let dot_px = dot_px(width, 50);
    let text = dice.words(12);
    let left = dice.below(2) * width.saturating_sub(font::width_px(13, dot_px)) + dot_px;
    let top = height.saturating_sub(dot_px * 10);
    font::write(&mut marked, &text, Line { left, top, dot_px, ink: WHITE, percent: 80 });
    marked
}

fn large_mark(picture: &Picture, dice: &mut Dice) -> Picture {
    let mut marked = picture.clone();
    let (width, height) = picture.dimensions();
    let dot_px = dot_px(width, 11);
    let text = dice.words(9);
    for n in 0..3 {
        let top = (height * (2 * n + 1) / 6).saturating_sub(dot_px * 3);
        let line = Line { left: 0, top, dot_px, ink: WHITE, percent: 45 };
        centred(&mut marked, &text, line);
    }
    marked
}

fn sticker(picture: &Picture, percent: u32, dice: &mut Dice) -> Picture {
    let mut marked = picture.clone();
    let (width, height) = picture.dimensions();
    let radius = (width * height / 100 * percent * 7 / 22).isqrt().min(width.min(height) / 2 - 1);
    let x = radius + dice.below(width - 2 * radius);
    let y = radius + dice.below(height - 2 * radius);
    let colour = Rgb([0; 3].map(|_: u8| u8::try_from(dice.below(256)).expect("a level")));
    for (px, py, pixel) in marked.enumerate_pixels_mut() {
        if px.abs_diff(x).pow(2) + py.abs_diff(y).pow(2) < radius * radius {
            *pixel = colour;
        }
    }
    marked
}

fn letterbox(picture: &Picture) -> Picture {
    let (width, height) = picture.dimensions();
    let side = width.max(height);
    let is_nearly_square = side * 10 < width.min(height) * 12;
    let (wide, high) = if is_nearly_square { (side * 16 / 9, side) } else { (side, side) };
    let mut whole = Picture::from_pixel(wide, high, BLACK);
    let (left, top) = ((wide - width) / 2, (high - height) / 2);
    imageops::replace(&mut whole, picture, left.into(), top.into());
    whole
}

/// A status line, the name of who posted, the picture over the whole width, a row of signs.
fn screenshot(picture: &Picture, (paper, ink): (Rgb<u8>, Rgb<u8>), dice: &mut Dice) -> Picture {
    const WIDTH: u32 = 540;
    let (width, height) = picture.dimensions();
    let shown = imageops::resize(picture, WIDTH, height * WIDTH / width, FilterType::CatmullRom);
    let (above, below) = (110 + dice.below(60), 90 + dice.below(90));
    let mut whole = Picture::from_pixel(WIDTH, above + shown.height() + below, paper);
    imageops::replace(&mut whole, &shown, 0, above.into());
    let mut line = |left, top, n_letters, dot_px| {
        let text = dice.words(n_letters);
        font::write(&mut whole, &text, Line { left, top, dot_px, ink, percent: 90 });
    };
    line(20, 12, 5, 2);
    line(420, 12, 8, 2);
    line(24, above - 50, 14, 3);
    line(24, above - 22, 24, 2);
    line(24, above + shown.height() + 20, 4, 4);
    line(200, above + shown.height() + 24, 6, 3);
    line(24, above + shown.height() + 62, 30, 2);
    whole
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places inside a picture"
)]
fn rotated(picture: &Picture, degrees: f32) -> Picture {
    let (width, height) = picture.dimensions();
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let (sine, cosine) = degrees.to_radians().sin_cos();
    Picture::from_fn(width, height, |x, y| {
        let (right, down) = (x as f32 + 0.5 - middle_x, y as f32 + 0.5 - middle_y);
        let source_x = cosine * right + sine * down + middle_x - 0.5;
        let source_y = cosine * down - sine * right + middle_y - 0.5;
        let inside = (0.0..width as f32 - 1.0).contains(&source_x)
            && (0.0..height as f32 - 1.0).contains(&source_y);
        if !inside {
            return BLACK;
        }
        let (left, top) = (source_x as u32, source_y as u32);
        let (across, along) = (source_x.fract(), source_y.fract());
        let mix = |channel: usize| {
            let at = |x: u32, y: u32| f32::from(picture.get_pixel(x, y).0[channel]);
            let above = at(left, top) + (at(left + 1, top) - at(left, top)) * across;
            let below = at(left, top + 1) + (at(left + 1, top + 1) - at(left, top + 1)) * across;
            level_of(above + (below - above) * along)
        };
        Rgb([mix(0), mix(1), mix(2)])
    })
}
