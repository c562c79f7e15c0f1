//! A picture and the colour profile of its file → the same picture in sRGB. The only file that
//! knows `moxcms`.
//!
//! Profiles of three primaries and of grey, which nearly all are, are computed here in whole
//! numbers: the same levels on every machine. Profiles made of tables go through the library.
//! A broken profile, or one of another kind than the picture, says nothing: the levels stay.

use std::array;

use image::DynamicImage;
use moxcms::{
    ColorProfile, DataColorSpace, Layout, RenderingIntent, ToneReprCurve, TransformOptions, Xyzd,
};

use super::light;

/// Larger profiles are not read. Those of printing machines are 0.5 to 3 MB.
const PROFILE_BYTES_MAX: usize = 4 << 20;

/// Light of sRGB from the tristimulus values of its profile (D50).
const SRGB_FROM_XYZ: [[f64; 3]; 3] = [
    [3.133_856_1, -1.616_866_7, -0.490_614_6],
    [-0.978_768_4, 1.916_141_5, 0.033_454_0],
    [0.071_945_3, -0.228_991_4, 1.405_242_7],
];

/// Coefficients are whole numbers of 1/16,384.
const ONE: f64 = 16_384.0;
const ONE_BITS: u32 = 14;

/// Primaries that need a larger coefficient are not of this world.
const COEFFICIENT_MAX: f64 = 64.0;

/// What a level may change by and count as unchanged.
const SAME_LEVELS: u8 = 1;

/// What a coefficient may be off: profiles round the primaries of sRGB in several ways.
const SAME_COEFFICIENT: u64 = 40;

/// Brings `picture` to sRGB, as its file's `profile` says.
pub(super) fn to_srgb(picture: DynamicImage, profile: &[u8]) -> DynamicImage {
    let Some(profile) = read(profile) else { return picture };
    match (profile.color_space, picture.color().has_color()) {
        (DataColorSpace::Rgb, _) => rgb_to_srgb(picture, &profile),
        (DataColorSpace::Gray, false) => match &profile.gray_trc {
            Some(curve) => grey_to_srgb(picture, curve),
            None => picture,
        },
        // A profile of another kind than its picture.
        (_, _) => picture,
    }
}

/// Turns ink (cyan, magenta, yellow, black; 255 covers the paper) into sRGB, three levels each;
/// `None` if the profile is not one of ink.
pub(super) fn ink_to_srgb(ink: &[u8], profile: &[u8]) -> Option<Vec<u8>> {
    let profile = read(profile).filter(|it| it.color_space == DataColorSpace::Cmyk)?;
    let transform = profile
        .create_transform_8bit(
            Layout::Rgba, // The library's name for any four channels.
            &ColorProfile::new_srgb(),
            Layout::Rgb,
            options(&profile),
        )
        .ok()?;
    let mut levels = vec![0; ink.len() / 4 * 3];
    transform.transform(ink, &mut levels).ok()?;
    Some(levels)
}

fn read(profile: &[u8]) -> Option<ColorProfile> {
    // The library expects more than a header without asking.
    (profile.len() <= PROFILE_BYTES_MAX).then_some(())?;
    ColorProfile::new_from_slice(profile).ok()
}

fn options(profile: &ColorProfile) -> TransformOptions {
    let rendering_intent = match profile.rendering_intent {
        // Paper white stays white in a picture.
        RenderingIntent::AbsoluteColorimetric => RenderingIntent::RelativeColorimetric,
        RenderingIntent::Perceptual
        | RenderingIntent::RelativeColorimetric
        | RenderingIntent::Saturation => profile.rendering_intent,
    };
    TransformOptions { rendering_intent, prefer_fixed_point: true, ..TransformOptions::default() }
}

fn rgb_to_srgb(picture: DynamicImage, profile: &ColorProfile) -> DynamicImage {
    let has_tables = profile.lut_a_to_b_perceptual.is_some()
        || profile.lut_a_to_b_colorimetric.is_some()
        || profile.lut_a_to_b_saturation.is_some();
    let primaries = if has_tables { None } else { Primaries::of(profile) };
    match primaries {
        Some(primaries) if primaries.are_srgb() => picture,
        Some(primaries) => primaries.applied(picture),
        None => through_library(picture, profile),
    }
}

/// Applies a profile of tables row by row.
fn through_library(picture: DynamicImage, profile: &ColorProfile) -> DynamicImage {
    let srgb = ColorProfile::new_srgb();
    let has_alpha = picture.color().has_alpha();
    let (layout, channels) = if has_alpha { (Layout::Rgba, 4) } else { (Layout::Rgb, 3) };
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, options(profile))
    else {
        return picture;
    };
    let mut picture = eight_bits(picture);
    let mut row = vec![0; channels * usize::try_from(picture.width()).unwrap_or(0)];
    for levels in levels_of(&mut picture).chunks_exact_mut(row.len().max(1)) {
        if transform.transform(levels, &mut row).is_ok() {
            levels.copy_from_slice(&row);
        }
    }
    picture
}

fn eight_bits(picture: DynamicImage) -> DynamicImage {
    if picture.color().has_alpha() {
        picture.into_rgba8().into()
    } else {
        picture.into_rgb8().into()
    }
}

/// The levels of a picture that [`eight_bits`] made.
fn levels_of(picture: &mut DynamicImage) -> &mut [u8] {
    if picture.color().has_alpha() {
        picture.as_mut_rgba8().map_or(&mut [], |picture| picture)
    } else {
        picture.as_mut_rgb8().map_or(&mut [], |picture| picture)
    }
}

fn grey_to_srgb(picture: DynamicImage, curve: &ToneReprCurve) -> DynamicImage {
    let deep = is_deep(&picture);
    let Some(lights) = lights(curve, if deep { 65_536 } else { 256 }) else { return picture };
    let level = |level: usize| light::coded(lights[level]);
    if deep {
        let mut picture = picture.into_luma_alpha16();
        picture.pixels_mut().for_each(|it| it.0[0] = u16::from(level(it.0[0].into())) * 257);
        return picture.into();
    }
    if picture.color().has_alpha() {
        let mut picture = picture.into_luma_alpha8();
        picture.pixels_mut().for_each(|it| it.0[0] = level(it.0[0].into()));
        return picture.into();
    }
    let mut picture = picture.into_luma8();
    picture.iter_mut().for_each(|it| *it = level((*it).into()));
    picture.into()
}

fn is_deep(picture: &DynamicImage) -> bool {
    let color = picture.color();
    color.channel_count() < color.bytes_per_pixel()
}

/// Returns the light of each of `n_levels` levels.
fn lights(curve: &ToneReprCurve, n_levels: u32) -> Option<Vec<u16>> {
    let curve = curve.make_linear_evaluator().ok()?;
    let last = f64::from(n_levels - 1);
    #[expect(clippy::cast_possible_truncation, reason = "the library's curves take f32")]
    let light = |level| curve.evaluate_value((f64::from(level) / last) as f32);
    Some((0..n_levels).map(|level| light::sixteen_bits(light(level).into())).collect())
}

/// A profile of three curves and three primaries.
struct Primaries<'a> {
    curves: [&'a ToneReprCurve; 3],
    /// Light of sRGB from light of the profile's primaries.
    coefficients: [[i64; 3]; 3],
}

impl<'a> Primaries<'a> {
    fn of(profile: &'a ColorProfile) -> Option<Self> {
        let curves =
            [profile.red_trc.as_ref()?, profile.green_trc.as_ref()?, profile.blue_trc.as_ref()?];
        let column = |it: Xyzd| [it.x, it.y, it.z];
        let colorants =
            [profile.red_colorant, profile.green_colorant, profile.blue_colorant].map(column);
        let mut coefficients = [[0; 3]; 3];
        for (row, from_xyz) in coefficients.iter_mut().zip(SRGB_FROM_XYZ) {
            for (coefficient, colorant) in row.iter_mut().zip(colorants) {
                let sum: f64 = from_xyz.iter().zip(colorant).map(|(a, b)| a * b).sum();
                *coefficient = whole(sum)?;
            }
        }
        Some(Self { curves, coefficients })
    }

    /// Tells whether the profile says what would be assumed without it.
    fn are_srgb(&self) -> bool {
        let unmixed = self.coefficients.iter().enumerate().all(|(row, coefficients)| {
            coefficients.iter().enumerate().all(|(column, coefficient)| {
                let own = if row == column { 1 << ONE_BITS } else { 0 };
                coefficient.abs_diff(own) <= SAME_COEFFICIENT
            })
        });
        let same = |(light, level): (&u16, u8)| light::coded(*light).abs_diff(level) <= SAME_LEVELS;
        let Some(lights) = self.lights(256) else { return false };
        unmixed && lights.iter().all(|lights| lights.iter().zip(0..=255).all(same))
    }

    fn applied(&self, picture: DynamicImage) -> DynamicImage {
        let alpha = picture.color().has_alpha();
        let deep = is_deep(&picture);
        let Some(lights) = self.lights(if deep { 65_536 } else { 256 }) else { return picture };
        let channels = if alpha { 4 } else { 3 };
        if !deep {
            let mut picture = eight_bits(picture);
            for pixel in levels_of(&mut picture).chunks_exact_mut(channels) {
                let light = array::from_fn(|it| lights[it][usize::from(pixel[it])]);
                pixel[..3].copy_from_slice(&self.level(light));
            }
            return picture;
        }
        // Shadows of a linear profile need all sixteen bits; sRGB does with eight.
        let mut picture = picture.into_rgba16();
        for pixel in picture.pixels_mut() {
            let light = array::from_fn(|it| lights[it][usize::from(pixel.0[it])]);
            for (deep, level) in pixel.0.iter_mut().zip(self.level(light)) {
                *deep = u16::from(level) * 257;
            }
        }
        if alpha { picture.into() } else { DynamicImage::from(picture).into_rgb8().into() }
    }

    fn lights(&self, n_levels: u32) -> Option<[Vec<u16>; 3]> {
        let [red, green, blue] = self.curves;
        Some([lights(red, n_levels)?, lights(green, n_levels)?, lights(blue, n_levels)?])
    }

    fn level(&self, light: [u16; 3]) -> [u8; 3] {
        self.coefficients.map(|row| {
            let sum: i64 = row.iter().zip(light).map(|(a, b)| a * i64::from(b)).sum();
            let rounded = (sum + (1 << (ONE_BITS - 1))) >> ONE_BITS;
            let light = rounded.clamp(0, light::FULL.into());
            light::coded(u16::try_from(light).expect("it was brought into the range"))
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a coefficient has at most 21 bits")]
fn whole(coefficient: f64) -> Option<i64> {
    (coefficient.abs() <= COEFFICIENT_MAX).then_some((coefficient * ONE).round() as i64)
}

#[cfg(test)]
mod tests;
