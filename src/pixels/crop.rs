//! The cut every model sees: the shorter side to a given length, then the middle square
//! (as for AlexNet), done in one step from the source pixels.

pub use super::scale::Filter;
use super::{
    Picture,
    decode::Decoded,
    scale::{self, Region, Size},
};

/// Cuts the middle square of what was decoded, whole or reduced, and scales it to `side_px`.
pub fn square_of(decoded: &Decoded, side_px: u32, filter: Filter) -> Picture {
    let size = Size::square(side_px);
    scale::colour(&decoded.picture, Region::middle_of(decoded.shown(), size), size, filter)
}

/// Cuts the middle square of `picture` and scales it to `side_px`, enlarging small pictures.
pub fn center_square(picture: &Picture, side_px: u32, filter: Filter) -> Picture {
    middle(picture, Size::square(side_px), filter)
}

/// Cuts the largest middle rectangle of the shape of `size` and scales it to `size`.
pub(super) fn middle(picture: &Picture, size: Size, filter: Filter) -> Picture {
    assert!(0 < size.width_px && 0 < size.height_px, "a cut has pixels");
    assert!(!picture.is_empty(), "a decoded picture has pixels");
    scale::colour(picture, Region::middle(Size::of(picture), size), size, filter)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;

    #[test]
    fn a_wide_picture_keeps_its_middle() {
        let picture = Picture::from_fn(30, 10, |x, _| match x {
            10..20 => Rgb([0, 255, 0]),
            _ => Rgb([255, 0, 0]),
        });

        let square = center_square(&picture, 10, Filter::Lanczos3);

        assert_eq!(square, Picture::from_pixel(10, 10, Rgb([0, 255, 0])));
    }

    #[test]
    fn cutting_first_equals_scaling_first() {
        let picture = Picture::from_fn(180, 120, |x, y| {
            let level = |n: u32| u8::try_from(n % 256).unwrap();
            Rgb([level(x * x / 90), level(x * y / 70), level(255 - y)])
        });
        let scaled = scale::colour(
            &picture,
            Region::whole(Size::of(&picture)),
            Size { width_px: 60, height_px: 40 },
            Filter::Lanczos3,
        );

        let square = center_square(&picture, 40, Filter::Lanczos3);

        assert_eq!(square, imageops::crop_imm(&scaled, 10, 0, 40, 40).to_image());
    }

    #[test]
    fn a_picture_smaller_than_the_cut_is_enlarged() {
        let picture = Picture::from_pixel(7, 3, Rgb([9, 8, 7]));

        let square = center_square(&picture, 16, Filter::CatmullRom);

        assert_eq!(square, Picture::from_pixel(16, 16, Rgb([9, 8, 7])));
    }
}
