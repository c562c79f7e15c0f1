use image::{Rgb, imageops};

use super::*;
use crate::{
    domain::flaws::{Limits, Measure},
    pixels::{
        Picture, decode,
        edits::{self, Dice},
        fingerprint, shared_data,
    },
};

fn of(picture: &Picture) -> Quality {
    quality(&Grey::of(picture))
}

fn plain(level: u8) -> Picture {
    Picture::from_pixel(256, 256, Rgb([level; 3]))
}

/// A picture like a photograph: shapes, a little noise, no even ground.
fn scene(seed: u64, width: u32, height: u32) -> Picture {
    let mut picture = imageops::blur(&edits::drawn(seed, width, height), 1.0);
    let mut dice = Dice(seed);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let light = i32::try_from((x + 2 * y) * 40 / (width + 2 * height)).unwrap();
        let noise = i32::try_from(dice.below(7)).unwrap() - 3;
        pixel.0 = pixel.0.map(|level| {
            u8::try_from((i32::from(level) * 3 / 4 + light + noise).clamp(0, 255)).unwrap()
        });
    }
    picture
}

/// Writes lines of strokes that look like letters from afar, from `top` on.
fn write(picture: &mut Picture, rows: std::ops::Range<u32>, ink: u8) {
    let mut dice = Dice(7);
    let mut y = rows.start;
    while y + 9 <= rows.end {
        let mut x = 12;
        while x + 8 < picture.width() - 12 {
            let is_space = dice.below(6) == 0;
            for (dx, dy) in (0..5).flat_map(|dx| (0..8).map(move |dy| (dx, dy))) {
                let is_stem = dx == 0 || (dy == dice.below(8) && dx < 4);
                if is_stem && !is_space {
                    picture.put_pixel(x + dx, y + dy, Rgb([ink; 3]));
                }
            }
            x += 6;
        }
        y += 14;
    }
}

#[test]
fn a_plain_picture_has_nothing_in_it() {
    let expected =
        Quality { brightness: 100, darkest: 100, uniform: Share::ALL, ..Quality::default() };
    assert_eq!(of(&plain(100)), expected);
}

#[test]
fn levels_are_counted_exactly() {
    let halves = Picture::from_fn(256, 256, |x, _| Rgb([if x < 128 { 40 } else { 240 }; 3]));

    let Quality { brightness, contrast, darkest, entropy, uniform, .. } = of(&halves);

    assert_eq!((brightness, contrast, darkest, entropy, uniform), (140, 100, 40, 100, Share(500)));
}

#[test]
fn the_logarithm_is_exact_at_powers_and_close_between() {
    assert_eq!([1, 2, 65_536].map(log2), [0, 1 << 16, 16 << 16]);
    assert_eq!(log2(0), 0);
    assert!(log2(3).abs_diff(103_872) <= 2, "{}", log2(3));
    assert!(log2(262_144 * 3).abs_diff((18 << 16) + 103_872) <= 2);
}

#[test]
fn a_soft_background_does_not_blur_a_sharp_subject() {
    let sharp = scene(3, 256, 256);
    let blurred = imageops::blur(&sharp, 4.0);
    let mut subject = blurred.clone();
    imageops::replace(
        &mut subject,
        &imageops::crop_imm(&sharp, 64, 64, 128, 128).to_image(),
        64,
        64,
    );

    let [sharp, blurred, subject] = [&sharp, &blurred, &subject].map(|it| of(it).sharpness);

    assert!(blurred * 20 < sharp, "{blurred} {sharp}");
    assert!(sharp / 2 < subject, "{subject} {sharp}");
}

#[test]
fn a_frame_counts_as_border_by_its_area() {
    let mut framed = plain(255);
    imageops::replace(&mut framed, &scene(5, 192, 192), 32, 32);

    let border = of(&framed).border.0;

    assert!((430..=445).contains(&border), "{border}");
}

#[test]
fn a_page_of_text_is_text_in_black_on_white_and_in_white_on_black() {
    for (ground, ink) in [(255, 0), (20, 230)] {
        let mut page = plain(ground);
        write(&mut page, 10..250, ink);

        let found = of(&page);

        assert_eq!(found.text, Share::ALL, "{ground}");
        assert!(Share(950) < found.page, "{found:?}");
    }
}

#[test]
fn a_photograph_is_no_text_no_collage_and_has_no_watermark() {
    for seed in 0..12 {
        let found = of(&scene(seed, 384, 256));
        let calm = [found.text, found.page, found.captions, found.seam.min(Share(400))];

        assert_eq!(calm, [Share(0), Share(0), Share(0), found.seam], "{seed}");
        assert!(found.repeats < Share(150), "{seed}: {found:?}");
    }
}

#[test]
fn a_bar_of_text_above_a_picture_is_a_caption_and_not_a_page() {
    let mut meme = Picture::from_pixel(256, 320, Rgb([255; 3]));
    write(&mut meme, 8..60, 0);
    imageops::replace(&mut meme, &scene(4, 256, 256), 0, 64);

    let found = of(&meme);

    assert!((180..=210).contains(&found.captions.0), "{found:?}");
    assert!(found.text < Share(300), "{found:?}");
}

#[test]
fn letters_with_dark_rims_over_a_picture_are_a_caption() {
    let mut meme = scene(6, 256, 256);
    for letter in 0..12 {
        for (dx, y) in (0..9).flat_map(|dx| (16..40).map(move |y| (dx, y))) {
            let level = if (2..7).contains(&dx) { 255 } else { 0 };
            meme.put_pixel(20 + letter * 18 + dx, y, Rgb([level; 3]));
        }
    }

    let captions = of(&meme).captions.0;

    assert!((90..=100).contains(&captions), "{captions}");
    assert_eq!(of(&scene(6, 256, 256)).captions, Share(0));
}

#[test]
fn two_pictures_side_by_side_have_a_seam_with_and_without_a_line_between() {
    for gap in [0, 3] {
        let mut collage = Picture::from_pixel(400 + gap, 256, Rgb([255; 3]));
        imageops::replace(&mut collage, &scene(8, 200, 256), 0, 0);
        imageops::replace(&mut collage, &scene(9, 200, 256), i64::from(200 + gap), 0);

        let upright = of(&collage).seam;
        let lying = of(&imageops::rotate90(&collage)).seam;

        assert!(Share(500) < upright, "{gap}: {upright}");
        assert_eq!(upright, lying);
    }
}

#[test]
fn a_horizon_is_no_seam() {
    let mut picture = scene(10, 256, 256);
    for (_, y, pixel) in picture.enumerate_pixels_mut() {
        pixel.0 = pixel.0.map(|level| if y < 128 { 170 + level / 4 } else { level / 3 });
    }

    assert!(of(&picture).seam < Share(400), "{}", of(&picture).seam);
}

#[test]
fn a_faint_mark_that_returns_everywhere_is_found() {
    let picture = imageops::blur(&scene(11, 256, 256), 2.0);
    let mut marked = picture.clone();
    for (x, y, pixel) in marked.enumerate_pixels_mut() {
        // A ring in every tile of 43 by 31 pixels.
        let (dx, dy) = ((x % 43).abs_diff(20), (y % 31).abs_diff(15));
        if (60..110).contains(&(dx * dx + dy * dy)) {
            pixel.0 = pixel.0.map(|level| level + (255 - level) / 4);
        }
    }

    let [without, with] = [&picture, &marked].map(|it| of(it).repeats);

    assert!(Share(300) < with && without < Share(150), "{without} {with}");
}

#[test]
fn slivers_and_single_pixels_are_measured_too() {
    for (width, height) in [(1, 1), (2, 1024), (1024, 3), (97, 97)] {
        let found = of(&Picture::from_pixel(width, height, Rgb([9; 3])));
        assert_eq!((found.brightness, found.uniform), (9, Share::ALL), "{width}\u{d7}{height}");
    }
}

/// What the default limits strike among photographs people posted or put on sale: one montage.
#[test]
fn hardly_a_real_photograph_is_struck_by_the_default_limits() {
    let mut struck = Vec::new();
    let mut n_photos = 0;
    for folder in ["raccoon_kangaroo", "clothing4_cc0"] {
        for (name, bytes) in shared_data::files(folder) {
            let Ok(decoded) = decode::decode(&bytes, decode::Limits::default()) else { continue };
            n_photos += 1;
            let flaw = Limits::default().flaw(&fingerprint::fingerprint(&decoded));
            struck
                .extend(flaw.filter(|it| it.measure != Measure::Side).map(|it| (name, it.measure)));
        }
    }

    if n_photos != 0 {
        let montage = ("kangaroo/00154.jpg".to_owned(), Measure::Seam);
        assert_eq!((n_photos, struck), (643, vec![montage]));
    }
}
