//! A picture with holes → a picture without: what shows through, and how edges mix with it.

use image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::pixels::{Picture, light};

pub use crate::pixels::light::Light;

/// The colour behind transparent pixels; written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Background {
    pub levels: [u8; 3],
}

/// A text that names no colour.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no colour: a background is written `#` and six hexadecimal digits")]
pub struct BadColour {
    text: String,
}

impl Background {
    pub const WHITE: Self = Self { levels: [255; 3] };

    /// Lays `picture` on this colour and brings it to eight bits of red, green and blue.
    pub(super) fn under(self, picture: DynamicImage, light: Light) -> Picture {
        if !picture.color().has_alpha() {
            return picture.into_rgb8();
        }
        let picture = picture.into_rgba8();
        let (width, height) = picture.dimensions();
        let mut levels = picture.into_raw();
        // In place: of a large picture there must never be two.
        let n_pixels = levels.len() / 4;
        for pixel in 0..n_pixels {
            let [red, green, blue, alpha] =
                *levels[4 * pixel..].first_chunk().expect("four levels for each pixel");
            let mixed = match alpha {
                255 => [red, green, blue],
                0 => self.levels,
                _ => self.behind([red, green, blue], alpha, light),
            };
            levels[3 * pixel..3 * pixel + 3].copy_from_slice(&mixed);
        }
        levels.truncate(3 * n_pixels);
        levels.shrink_to_fit();
        Picture::from_raw(width, height, levels).expect("three levels for each pixel")
    }

    fn behind(self, front: [u8; 3], alpha: u8, light: Light) -> [u8; 3] {
        let mut mixed = front;
        for (level, behind) in mixed.iter_mut().zip(self.levels) {
            *level = match light {
                Light::Coded => {
                    let mean = weighted((*level).into(), behind.into(), alpha);
                    u8::try_from(mean).expect("a mean of two levels is a level")
                }
                Light::Linear => {
                    let (front, behind) = (light::linear(*level), light::linear(behind));
                    let mean = weighted(front.into(), behind.into(), alpha);
                    light::coded(u16::try_from(mean).expect("a mean of two amounts is one"))
                }
            };
        }
        mixed
    }
}

fn weighted(front: u32, behind: u32, alpha: u8) -> u32 {
    let alpha = u32::from(alpha);
    (front * alpha + behind * (255 - alpha) + 127) / 255
}

impl Default for Background {
    fn default() -> Self {
        Self::WHITE
    }
}

impl TryFrom<String> for Background {
    type Error = BadColour;

    fn try_from(text: String) -> Result<Self, BadColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let number = digits
            .filter(|digits| digits.bytes().all(|it| it.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number.map(u32::to_be_bytes) {
            Some([_, red, green, blue]) => Ok(Self { levels: [red, green, blue] }),
            None => Err(BadColour { text }),
        }
    }
}

impl From<Background> for String {
    fn from(Background { levels: [red, green, blue] }: Background) -> Self {
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use image::RgbaImage;

    use super::*;

    fn laid(pixel: [u8; 4], background: &str, light: Light) -> Vec<u8> {
        let background = Background::try_from(background.to_owned()).unwrap();
        let picture = RgbaImage::from_raw(2, 1, [pixel, [1, 2, 3, 255]].concat()).unwrap();
        background.under(picture.into(), light).into_raw()
    }

    #[test]
    fn holes_show_the_background_and_edges_mix_with_it() {
        assert_eq!(laid([9, 9, 9, 0], "#0a141e", Light::Coded), [10, 20, 30, 1, 2, 3]);
        assert_eq!(laid([0, 0, 0, 51], "#ffffff", Light::Coded), [204, 204, 204, 1, 2, 3]);
        assert_eq!(laid([9, 8, 7, 255], "#ffffff", Light::Linear), [9, 8, 7, 1, 2, 3]);
    }

    #[test]
    fn half_white_over_black_is_half_the_light_only_where_light_is_asked_for() {
        assert_eq!(laid([255, 255, 255, 128], "#000000", Light::Coded)[0], 128);
        assert_eq!(laid([255, 255, 255, 128], "#000000", Light::Linear)[0], 188);
    }

    #[test]
    fn a_colour_is_written_as_it_is_read_and_nothing_else_is_one() {
        let text = |text: &str| Background::try_from(text.to_owned()).map(String::from);

        assert_eq!(text("#00Ff7f").as_deref(), Ok("#00ff7f"));
        for bad in ["", "white", "#fff", "#00ff7", "#+0ff7f", "00ff7f", "#00ff7\u{e9}"] {
            assert_eq!(text(bad), Err(BadColour { text: bad.to_owned() }));
        }
    }
}
