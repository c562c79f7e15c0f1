//! Scaling in linear light: levels become amounts of light, are averaged as such, and become
//! levels again. Fine bright detail on dark ground keeps its brightness that way.

use fast_image_resize::{PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};

use super::{Filter, Region, Size};
use crate::pixels::{Picture, light};

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
        *amount = light::linear(*level).to_ne_bytes();
    }
    let mut target = Image::new(size.width_px, size.height_px, PixelType::U16x3);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter.convolution()))
        .crop(region.left, region.top, region.width, region.height);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both pictures have one pixel type and the region lies inside");
    let (amounts, _) = target.buffer().as_chunks::<2>();
    let level = |bytes: &[u8; 2]| light::coded(u16::from_ne_bytes(*bytes));
    Picture::from_raw(size.width_px, size.height_px, amounts.iter().map(level).collect())
        .expect("the resizer returns three amounts for each pixel")
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::pixels::scale;

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
