use image::{DynamicImage, GrayImage, ImageBuffer, Rgb, RgbImage, Rgba};
use moxcms::ColorProfile;

use super::*;

fn written(profile: &ColorProfile) -> Vec<u8> {
    profile.encode().unwrap()
}

/// Every 15th level of each of three channels.
fn cube() -> RgbImage {
    let level = |n: u32| u8::try_from(n % 18 * 15).unwrap();
    RgbImage::from_fn(18 * 18, 18, |x, y| Rgb([level(x), level(x / 18), level(y)]))
}

/// Returns the largest difference of one level, and where it lies.
fn apart(a: &RgbImage, b: &RgbImage) -> (u8, [u8; 3], [u8; 3]) {
    let pairs = a.pixels().zip(b.pixels());
    let apart = |(a, b): (&Rgb<u8>, &Rgb<u8>)| {
        let most = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b)).max().unwrap();
        (most, a.0, b.0)
    };
    pairs.map(apart).max().unwrap()
}

#[test]
fn a_profile_of_srgb_changes_nothing() {
    let srgb = written(&ColorProfile::new_srgb());

    assert!(to_srgb(cube().into(), &srgb) == cube().into());
}

#[test]
fn wider_colours_are_brought_to_where_the_library_puts_them() {
    for profile in [
        ColorProfile::new_adobe_rgb(),
        ColorProfile::new_display_p3(),
        ColorProfile::new_pro_photo_rgb(),
        ColorProfile::new_bt2020(),
    ] {
        let written = written(&profile);
        let read = ColorProfile::new_from_slice(&written).unwrap();
        let expected = through_library(cube().into(), &read).into_rgb8();

        let found = to_srgb(cube().into(), &written).into_rgb8();

        assert!(apart(&cube(), &found).0 > 20);
        assert!(apart(&expected, &found).0 <= 2, "{:?}", apart(&expected, &found));
    }
}

#[test]
fn one_colour_of_adobe_rgb_is_where_others_put_it() {
    let picture = RgbImage::from_raw(2, 1, vec![100, 150, 200, 40, 180, 40]).unwrap();

    let found = to_srgb(picture.into(), &written(&ColorProfile::new_adobe_rgb()));

    // As Little CMS computes them.
    assert_eq!(found.into_rgb8().into_raw(), [66, 151, 203, 0, 181, 0]);
}

#[test]
fn holes_stay_holes_and_their_colours_are_brought_too() {
    let profile = written(&ColorProfile::new_adobe_rgb());
    let picture = ImageBuffer::from_pixel(1, 1, Rgba([100, 150, 200, 77]));
    let deep = ImageBuffer::from_pixel(1, 1, Rgba([100, 150, 200, 77_u16].map(|it| it * 257)));

    let found = to_srgb(DynamicImage::ImageRgba8(picture), &profile).into_rgba8();
    let found_deep = to_srgb(DynamicImage::ImageRgba16(deep), &profile).into_rgba8();

    assert_eq!(found.into_raw(), [66, 151, 203, 77]);
    assert_eq!(found_deep.into_raw(), [66, 151, 203, 77]);
}

#[test]
fn shadows_of_a_linear_profile_need_its_sixteen_bits() {
    let mut linear = ColorProfile::new_srgb();
    let curve = Some(ToneReprCurve::Lut(vec![]));
    linear.red_trc.clone_from(&curve);
    linear.green_trc.clone_from(&curve);
    linear.blue_trc = curve;
    let picture =
        ImageBuffer::from_fn(256, 1, |x, _| Rgb([light::linear(u8::try_from(x).unwrap()); 3]));

    let found = to_srgb(DynamicImage::ImageRgb16(picture), &written(&linear)).into_rgb8();

    let expected = RgbImage::from_fn(256, 1, |x, _| Rgb([u8::try_from(x).unwrap(); 3]));
    assert!(apart(&expected, &found).0 <= 1, "{:?}", apart(&expected, &found));
}

#[test]
fn grey_follows_its_own_curve() {
    let picture = GrayImage::from_raw(3, 1, vec![0, 128, 255]).unwrap();
    let profile = written(&ColorProfile::new_gray_with_gamma(1.0));

    let found = to_srgb(picture.into(), &profile).into_luma8();

    assert_eq!(found.into_raw(), [0, 188, 255]);
}

#[test]
fn a_profile_that_is_broken_or_of_another_kind_changes_nothing() {
    let adobe = written(&ColorProfile::new_adobe_rgb());
    let grey = written(&ColorProfile::new_gray_with_gamma(1.0));
    let vast = vec![0; PROFILE_BYTES_MAX + 1];

    for profile in [&[][..], &adobe[..100], &adobe[..200], &vast, &grey] {
        assert!(to_srgb(cube().into(), profile) == cube().into(), "{} bytes", profile.len());
    }
    assert_eq!(ink_to_srgb(&[0; 8], &adobe), None);
}
