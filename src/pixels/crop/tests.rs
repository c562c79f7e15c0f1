use image::{Rgb, imageops};

use super::*;

const GREEN: Pixel = Rgb([0, 255, 0]);
const RED: Pixel = Rgb([255, 0, 0]);

fn ramp(width: u32, height: u32) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        let level = |n: u32| u8::try_from(n % 256).unwrap();
        Rgb([level(x * x / 90), level(x * y / 70), level(255 - y % 256)])
    })
}

fn small(fit: Fit) -> Recipe {
    Recipe { size: 20, fit, ..Recipe::default() }
}

fn whole(picture: Picture) -> Decoded {
    Decoded::whole(picture, "PNG")
}

#[test]
fn a_wide_picture_keeps_its_middle() {
    let picture = Picture::from_fn(30, 10, |x, _| match x {
        10..20 => GREEN,
        _ => RED,
    });

    let square = center_square(&picture, 10, Filter::Lanczos3);

    assert_eq!(square, Picture::from_pixel(10, 10, GREEN));
}

#[test]
fn cutting_first_equals_scaling_first() {
    let picture = ramp(180, 120);
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

#[test]
fn a_letterbox_shows_all_of_a_picture_between_two_bars() {
    let picture = Picture::from_pixel(40, 20, GREEN);
    let recipe = Recipe { background: Background { levels: [255, 0, 0] }, ..small(Fit::Letterbox) };

    let square = square(&whole(picture), &recipe);

    let expected = Picture::from_fn(20, 20, |_, y| if (5..15).contains(&y) { GREEN } else { RED });
    assert_eq!(square, expected);
}

#[test]
fn squashing_keeps_both_edges_of_a_wide_picture() {
    let picture = Picture::from_fn(40, 10, |x, _| if x < 20 { GREEN } else { RED });

    let square = square(&whole(picture), &small(Fit::Squash));

    assert_eq!(square.dimensions(), (20, 20));
    assert_eq!((*square.get_pixel(0, 9), *square.get_pixel(19, 9)), (GREEN, RED));
}

#[test]
fn a_smart_cut_holds_what_a_centre_crop_loses() {
    let picture = Picture::from_fn(300, 100, |x, y| {
        if (15..75).contains(&x) && (20..80).contains(&y) { RED } else { Rgb([30, 40, 50]) }
    });
    let n_red = |fit| {
        let square = square(&whole(picture.clone()), &small(fit));
        square.pixels().filter(|pixel| 200 < pixel.0[0]).count()
    };

    assert_eq!(n_red(Fit::CenterCrop), 0);
    assert!((100..=160).contains(&n_red(Fit::Smart)), "{}", n_red(Fit::Smart));
}

#[test]
fn every_fit_makes_a_square_of_any_shape_and_the_file_holds_it() {
    for fit in [Fit::CenterCrop, Fit::Smart, Fit::Letterbox, Fit::Squash] {
        for (width, height) in [(1, 1), (900, 2), (3, 700), (64, 64), (33, 47)] {
            for light in [Light::Coded, Light::Linear] {
                let recipe = Recipe { light, format: FileFormat::Webp, ..small(fit) };
                let decoded = whole(ramp(width, height));

                let (crop, bytes) = file(&decoded, &recipe);

                let again = crate::pixels::decode::decode(&bytes, Limits::default()).unwrap();
                assert_eq!((crop.width_px, crop.height_px), (20, 20));
                assert_eq!(again.picture, square(&decoded, &recipe), "{fit:?} {width}×{height}");
            }
        }
    }
}

#[test]
fn only_what_was_decoded_far_enough_serves_a_recipe() {
    let mut half = whole(ramp(400, 300));
    (half.width_px, half.height_px) = (800, 600);
    let of = |size, light| Recipe { size, light, ..Recipe::default() };

    assert!(of(64, Light::Coded).is_served_by(&half));
    assert!(of(292, Light::Coded).is_served_by(&half));
    assert!(!of(293, Light::Coded).is_served_by(&half));
    assert!(!of(64, Light::Linear).is_served_by(&half));
    assert!(of(4096, Light::Coded).is_served_by(&whole(ramp(400, 300))));
}

#[test]
fn another_background_is_served_by_the_usual_decode_only_where_nothing_is_transparent() {
    let on_black = Recipe { background: Background { levels: [0; 3] }, ..Recipe::default() };
    let in_light = Recipe { light: Light::Linear, ..Recipe::default() };

    for recipe in [on_black, in_light] {
        assert!(recipe.is_served_by(&Decoded::whole(ramp(400, 300), "JPEG")));
        assert!(!recipe.is_served_by(&Decoded::whole(ramp(400, 300), "PNG")));
    }
}

#[test]
fn the_words_for_a_recipe_name_what_was_done() {
    let words = |recipe: Recipe| recipe.in_words();
    let default = Recipe::default();

    assert_eq!(
        words(default.clone()),
        "shorter side scaled, centre cropped to 256\u{d7}256, JPEG quality 90"
    );
    assert_eq!(
        words(Recipe {
            fit: Fit::Letterbox,
            light: Light::Linear,
            background: Background { levels: [0; 3] },
            format: FileFormat::Webp,
            ..default
        }),
        "longer side scaled, filled up with #000000 to 256\u{d7}256 in linear light, lossless WebP"
    );
}
