//! Whole steps on a drawn picture, beside what `OpenCV` makes of it.

use super::*;
use crate::pixels::Pixel;

/// A slope with a disc, a bar and a coarse grain, as `tests/judges/steps.py` draws it.
fn drawn() -> Picture {
    Picture::from_fn(48, 40, |x, y| {
        let [x, y] = [x, y].map(|it| i32::try_from(it).unwrap());
        let disc = if (x - 17).pow(2) + (y - 19).pow(2) < 120 { 70 } else { 0 };
        let bar = if (35..39).contains(&x) { 90 } else { 0 };
        let grain = (x * 37 + y * 91) % 23;
        let red = 20 + x * 2 + disc + grain;
        let green = 30 + y * 2 + disc / 2 + bar + grain;
        let blue = 90 + x + y - disc + bar / 3;
        Pixel::from([red, green, blue].map(|level| u8::try_from(level.clamp(0, 255)).unwrap()))
    })
}

/// Step, mean of all levels, and the levels of three pixels, printed by `tests/judges/steps.py`
/// with `OpenCV` 5.0.
const OF_OPENCV: [(&str, f64, [u8; 9]); 11] = [
    (r#""grey""#, 96.64, [34, 34, 34, 115, 115, 115, 136, 136, 136]),
    (r#""equalize""#, 134.20, [0, 0, 57, 222, 202, 142, 237, 231, 255]),
    (r#""clahe""#, 127.22, [20, 30, 91, 165, 145, 85, 195, 189, 237]),
    (
        r#"{"step": "clahe", "clip": 3, "tiles": 7}"#,
        126.11,
        [16, 26, 87, 160, 140, 80, 181, 175, 223],
    ),
    (r#""sharpen""#, 102.59, [6, 16, 89, 136, 115, 56, 144, 138, 177]),
    (r#""threshold""#, 25.37, [0, 0, 0, 0, 0, 0, 255, 255, 255]),
    (r#""otsu""#, 139.32, [0, 0, 0, 255, 255, 255, 255, 255, 255]),
    (r#""sobel""#, 27.51, [0, 0, 0, 29, 29, 29, 0, 0, 0]),
    (r#""canny""#, 21.12, [0; 9]),
    (r#""background""#, 128.01, [99, 99, 122, 130, 130, 128, 154, 154, 134]),
    (r#"{"step": "background", "width": 0.6}"#, 126.90, [0, 11, 89, 222, 170, 6, 199, 183, 213]),
];

fn mean(picture: &Picture) -> f64 {
    let sum: f64 = picture.as_raw().iter().map(|level| f64::from(*level)).sum();
    sum / f64::from(picture.width() * picture.height() * 3)
}

#[test]
fn every_step_gives_the_levels_of_opencv() {
    let picture = drawn();
    for (text, mean_there, levels_there) in OF_OPENCV {
        let step: Step = serde_json::from_str(text).unwrap();

        let found = apply(&picture, &[step]);

        assert!((mean(&found) - mean_there).abs() < 0.5, "{text}: {} {mean_there}", mean(&found));
        let places = [(0, 0), (17, 19), (47, 39)];
        let levels = places.iter().flat_map(|(x, y)| found.get_pixel(*x, *y).0);
        for (level, there) in levels.zip(levels_there) {
            assert!(level.abs_diff(there) <= 3, "{text}: {level}, not {there}");
        }
    }
}

#[test]
fn stretching_makes_the_percentiles_black_and_white_and_keeps_hues() {
    // Brightness 60 to 109, each as often.
    let picture = Picture::from_fn(50, 4, |x, _| {
        let level = u8::try_from(60 + x).unwrap();
        Pixel::from([level; 3])
    });
    let stretched = |low, high| apply(&picture, &[Step::Stretch { low, high }]);
    let row = |picture: &Picture| [0, 5, 25, 44, 49].map(|x| picture.get_pixel(x, 0).0[0]);

    assert_eq!(row(&stretched(0.0, 100.0)), [0, 26, 130, 229, 255]);
    // The 10th percentile is 64, the 90th 104.
    assert_eq!(row(&stretched(10.0, 90.0)), [0, 6, 134, 255, 255]);
    let plain = Picture::from_pixel(5, 5, Pixel::from([9, 80, 200]));
    assert_eq!(apply(&plain, &[Step::Stretch { low: 1.0, high: 99.0 }]), plain);
}

#[test]
fn steps_are_done_in_their_order() {
    let picture = drawn();
    let grey_first = apply(&picture, &[Step::Grey, Step::Sharpen { sigma: 1.0, amount: 2.0 }]);
    let by_hand =
        apply(&apply(&picture, &[Step::Grey]), &[Step::Sharpen { sigma: 1.0, amount: 2.0 }]);

    assert_eq!(grey_first, by_hand);
    assert_eq!(apply(&picture, &[]), picture);
}

#[test]
fn uneven_light_goes_and_a_spot_stays() {
    let spotted = |x: u32, y: u32| if (x, y) == (30, 30) { 40 } else { 0 };
    let picture = Picture::from_fn(64, 64, |x, y| {
        Pixel::from([u8::try_from(40 + 2 * x + spotted(x, y)).unwrap(); 3])
    });

    let found = apply(&picture, &[Step::Background { width: 0.05, gain: 2.0 }]);

    let level = |x, y| found.get_pixel(x, y).0[0];
    assert!(level(12, 40).abs_diff(128) <= 1 && level(50, 40).abs_diff(128) <= 1);
    assert!(190 < level(30, 30), "{}", level(30, 30));
}

#[test]
fn a_picture_of_one_pixel_a_line_and_one_of_one_level_survive_every_step() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (3, 2), (20, 20)] {
        let plain = Picture::from_pixel(width, height, Pixel::from([200, 10, 90]));
        for step in Step::ALL {
            let found = apply(&plain, &[step]);
            assert_eq!(found.dimensions(), (width, height), "{step:?}");
            let first = found.get_pixel(0, 0);
            assert!(found.pixels().all(|pixel| pixel == first), "{step:?} on {width}×{height}");
        }
    }
}
