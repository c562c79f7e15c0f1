//! Picture → smaller or larger picture. The only file that knows `fast_image_resize`, whose
//! fixed-point arithmetic gives the same bytes on every machine and any number of threads.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use serde::{Deserialize, Serialize};

use super::{Picture, wide::widely};

pub(super) mod linear;

/// How pixels are averaged when a picture changes its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The mean of the covered area; the fastest.
    Area,
    Bilinear,
    CatmullRom,
    #[default]
    Lanczos3,
}

/// A rectangle of a picture, in pixels; its edges may lie between pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Region {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

/// Grey levels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grey {
    pub(super) size: Size,
    pub(super) levels: Vec<u8>,
}

/// Scales `region` of `picture` to `size`. Pixels just outside the region still count at its
/// edges, so the result equals scaling the whole picture first and cutting afterwards.
pub(super) fn colour(picture: &Picture, region: Region, size: Size, filter: Filter) -> Picture {
    let (width_px, height_px) = picture.dimensions();
    let source = Size { width_px, height_px };
    let levels = scaled((picture.as_raw(), source, PixelType::U8x3), region, size, filter);
    Picture::from_raw(size.width_px, size.height_px, levels)
        .expect("the resizer returns three bytes for each pixel")
}

/// Scales `region` of grey levels to `size`.
pub(super) fn grey(grey: &Grey, region: Region, size: Size, filter: Filter) -> Grey {
    let levels = scaled((&grey.levels, grey.size, PixelType::U8), region, size, filter);
    Grey { size, levels }
}

fn scaled(
    (bytes, source, pixel): (&[u8], Size, PixelType),
    region: Region,
    size: Size,
    filter: Filter,
) -> Vec<u8> {
    let source = ImageRef::new(source.width_px, source.height_px, bytes, pixel)
        .expect("a picture holds as many bytes as its size says");
    let mut target = Image::new(size.width_px, size.height_px, pixel);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter.convolution()))
        .crop(region.left, region.top, region.width, region.height);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both pictures have one pixel type and the region lies inside");
    target.into_vec()
}

impl Filter {
    fn convolution(self) -> FilterType {
        match self {
            Self::Area => FilterType::Box,
            Self::Bilinear => FilterType::Bilinear,
            Self::CatmullRom => FilterType::CatmullRom,
            Self::Lanczos3 => FilterType::Lanczos3,
        }
    }
}

impl Size {
    pub(super) fn square(side_px: u32) -> Self {
        Self { width_px: side_px, height_px: side_px }
    }

    pub(super) fn of(picture: &Picture) -> Self {
        let (width_px, height_px) = picture.dimensions();
        Self { width_px, height_px }
    }
}

impl Region {
    pub(super) fn whole(size: Size) -> Self {
        let (width, height) = (f64::from(size.width_px), f64::from(size.height_px));
        Self { left: 0.0, top: 0.0, width, height }
    }

    /// The largest rectangle of the shape of `target` in the middle of a picture of `source`.
    pub(super) fn middle(source: Size, target: Size) -> Self {
        Self::middle_of(Self::whole(source), target)
    }

    /// The largest rectangle of the shape of `target` in the middle of another.
    pub(super) fn middle_of(whole: Self, target: Size) -> Self {
        let (across, down) = (f64::from(target.width_px), f64::from(target.height_px));
        let pixels_per_target = (whole.width / across).min(whole.height / down);
        let width = (across * pixels_per_target).min(whole.width);
        let height = (down * pixels_per_target).min(whole.height);
        let left = whole.left + (whole.width - width) / 2.0;
        let top = whole.top + (whole.height - height) / 2.0;
        Self { left, top, width, height }
    }
}

impl Grey {
    /// Weighs red, green and blue as the eye does (BT.601).
    pub(super) fn of(picture: &Picture) -> Self {
        let (pixels, _) = picture.as_raw().as_chunks();
        let mut levels = vec![0; pixels.len()];
        widely(
            #[inline(always)]
            || weigh(pixels, &mut levels),
        );
        Self { size: Size::of(picture), levels }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
#[expect(clippy::cast_possible_truncation, reason = "the weights add up to 65,536")]
fn weigh(pixels: &[[u8; 3]], levels: &mut [u8]) {
    for (level, &[red, green, blue]) in levels.iter_mut().zip(pixels) {
        let sum = u32::from(red) * 19_595 + u32::from(green) * 38_470 + u32::from(blue) * 7_471;
        *level = ((sum + 32_768) >> 16) as u8;
    }
}
