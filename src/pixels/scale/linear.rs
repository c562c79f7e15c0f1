//! Scaling in linear light: levels become amounts of light, are averaged as such, and become
//! levels again. Fine bright detail on dark ground keeps its brightness that way.

use std::sync::LazyLock;

use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};

use super::{Filter, Region, Size};
use crate::pixels::Picture;

/// Light of the brightest level.
const FULL: f64 = 65_535.0;

/// The amount of light of each level, by the transfer function of sRGB (IEC 61966-2-1).
static LIGHT: LazyLock<Vec<u16>> =
    LazyLock::new(|| (0..=255).map(|level| light(level, 0)).collect());

/// The level of each amount of light: the one that is nearest as levels go.
static LEVEL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bounds: Vec<u16> = (0..255).map(|level| light(level, 1)).collect();
    (0..=u16::MAX)
        .map(|light| {
            let level = bounds.partition_point(|bound| *bound <= light);
            u8::try_from(level).expect("255 bounds part 256 levels")
        })
        .collect()
});

/// Returns the light of a level, or of the place as many halves above it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "light lies between 0 and 65,535"
)]
fn light(level: u16, halves: u16) -> u16 {
    let share = (f64::from(level) + f64::from(halves) / 2.0) / 255.0;
    let linear =
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) };
    (linear * FULL).round() as u16
}

/// Scales `region` of `picture` to `size` in linear light.
pub(in crate::pixels) fn colour(
    picture: &Picture,
    region: Region,
    size: Size,
    filter: Filter,
) -> Picture {
    let (width_px, height_px) = picture.dimensions();
    let mut source = Image::new(width_px, height_px, PixelType::U16x3);
    let (amounts, _) = source.buffer_mut().as_chunks_mut::<2>();
    for (amount, level) in amounts.iter_mut().zip(picture.as_raw()) {
        *amount = LIGHT[usize::from(*level)].to_ne_bytes();
    }
    let mut target = Image::new(size.width_px, size.height_px, PixelType::U16x3);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter.convolution()))
        .crop(region.left, region.top, region.width, region.height);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both pictures have one pixel type and the region lies inside");
    let (amounts, _) = target.buffer().as_chunks::<2>();
    let level = |bytes: &[u8; 2]| LEVEL[usize::from(u16::from_ne_bytes(*bytes))];
    Picture::from_raw(size.width_px, size.height_px, amounts.iter().map(level).collect())
        .expect("the resizer returns three amounts for each pixel")
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::pixels::scale;

    #[test]
    fn every_level_survives_the_way_to_light_and_back() {
        for level in 0..=u8::MAX {
            assert_eq!(LEVEL[usize::from(LIGHT[usize::from(level)])], level);
        }
    }

    #[test]
    fn a_fine_chequer_keeps_the_light_it_gives() {
        let chequer =
            Picture::from_fn(64, 64, |x, y| Rgb([if (x + y) % 2 == 0 { 255 } else { 0 }; 3]));
        let (whole, one) = (Region::whole(Size::of(&chequer)), Size::square(8));

        let honest = colour(&chequer, whole, one, Filter::Area);
        let usual = scale::colour(&chequer, whole, one, Filter::Area);

        // Half the light of white is level 188 of sRGB, not 128.
        assert_eq!(*honest.get_pixel(3, 3), Rgb([188; 3]));
        assert_eq!(*usual.get_pixel(3, 3), Rgb([128; 3]));
    }
}
