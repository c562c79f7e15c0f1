//! Whole alterations: what is drawn, and what old recipes have always given.

use super::{
    recipe::{Elastic, Erase, Fill, ResizedCrop},
    *,
};
use crate::{domain::random::Purpose, pixels::Pixel};

const SIZE: [usize; 2] = [8, 8];

fn picture() -> Vec<u8> {
    (0..8 * 8 * 3).map(|at| u8::try_from(at * 37 % 251).unwrap()).collect()
}

fn levels(rgb: &[u8]) -> Vec<[f32; 3]> {
    rgb.as_chunks::<3>().0.iter().map(|pixel| pixel.map(f32::from)).collect()
}

fn random(seed: u64) -> Random {
    Random::new(seed, Purpose::Augment)
}

type Change = fn(&mut Augment);

/// Everything at once.
fn all() -> Augment {
    Augment {
        flip_vertical: true,
        shear_deg: 10.0,
        crop: Some(ResizedCrop::default()),
        hue_deg: 20.0,
        elastic: Some(Elastic::default()),
        blur: 0.02,
        noise: 0.1,
        erase: Some(Erase { probability: 1.0, ..Erase::default() }),
        fill: Fill::Reflect,
        ..Augment::default()
    }
}

#[test]
fn no_alteration_leaves_every_level_as_it_is() {
    let rgb = picture();

    assert_eq!(Alteration::NONE.apply(&rgb, SIZE), levels(&rgb));
    assert_eq!(Alteration::draw(&Augment::NOTHING, SIZE, &mut random(1)), Alteration::NONE);
}

/// The expected levels were computed when the recipe knew flips, rotation, shift, zoom and colours
/// alone.
#[test]
fn a_recipe_of_old_gives_the_levels_it_always_gave() {
    let turned = Augment { hue_deg: 180.0, flip_vertical: true, ..Augment::default() };
    let moved = Augment { rotate_deg: 0.0, zoom: 0.0, saturation: 0.0, ..Augment::default() };
    let levels_turned = [
        [44.835, 109.171, 48.515],
        [95.463, 84.598, 162.136],
        [108.253, 103.144, 170.105],
        [156.538, 212.798, 155.824],
    ];
    let levels_moved = [
        [56.061, 98.060, 140.060],
        [115.988, 157.988, 170.647],
        [164.799, 177.458, 99.825],
        [114.195, 92.201, 134.201],
    ];
    for (limits, seed, expected) in [(turned, 5, levels_turned), (moved, 6, levels_moved)] {
        let levels = Alteration::draw(&limits, SIZE, &mut random(seed)).apply(&picture(), SIZE);

        for (at, expected) in [0, 13, 36, 63].into_iter().zip(expected) {
            for (found, expected) in levels[at].iter().zip(expected) {
                assert!((found - expected).abs() < 2e-3, "{limits:?} {at}: {:?}", levels[at]);
            }
        }
    }
}

#[test]
fn drawn_alterations_stay_within_their_limits_and_reach_them() {
    let limits = Augment { flip_vertical: true, rotate_deg: 30.0, ..Augment::default() };
    let base = random(3);
    // A white pixel on black, far from the middle, tells where the alteration moved it.
    let moved = |limits: &Augment, key: u64| {
        let mut rgb = vec![0; 101 * 101 * 3];
        rgb[(50 * 101 + 90) * 3..][..3].fill(255);
        let altered = Alteration::draw(limits, [101; 2], &mut base.at(key)).apply(&rgb, [101; 2]);
        let brightest = altered.iter().map(|pixel| pixel[0]).enumerate();
        let (at, _) = brightest.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        [at % 101, at / 101].map(|it| f32::from(u8::try_from(it).unwrap()) - 50.0)
    };
    let turned = Augment { shift: 0.0, zoom: 0.0, ..limits };
    let angles: Vec<f32> = (0..400)
        .map(|key| {
            let [x, y] = moved(&turned, key);
            (y / x).atan().to_degrees()
        })
        .collect();
    assert!(angles.iter().all(|angle| angle.abs() < 31.5));
    assert!(angles.iter().any(|angle| 28.0 < *angle) && angles.iter().any(|angle| *angle < -28.0));
    let shifted = Augment { rotate_deg: 0.0, zoom: 0.0, flip_horizontal: false, ..limits };
    let shifts: Vec<[f32; 2]> = (0..200).map(|key| moved(&shifted, key)).collect();
    assert!(shifts.iter().all(|[x, y]| (x - 40.0).abs() <= 10.6 && y.abs() <= 10.6));
    assert!(shifts.iter().any(|[x, _]| *x < 31.0) && shifts.iter().any(|[_, y]| 9.0 < *y));
}

#[test]
fn an_axis_may_be_moved_alone() {
    let limits = Augment { shift_x: Some(0.0), shift: 0.4, ..Augment::NOTHING };
    let rgb: Vec<u8> =
        (0..64).flat_map(|at| [[10, 20, 30, 40, 50, 60, 70, 80][at % 8]; 3]).collect();

    let after = Alteration::draw(&limits, SIZE, &mut random(4)).apply(&rgb, SIZE);

    let mean_apart = |a: &[[f32; 3]], b: &[[f32; 3]]| {
        a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f32::max)
    };
    assert!(mean_apart(&after, &levels(&rgb)) < 1e-3, "columns alike, so only rows have moved");
}

#[test]
fn changing_one_limit_leaves_the_other_draws_alone() {
    let draw = |limits: &Augment| Alteration::draw(limits, [64; 2], &mut random(9));
    let whole = draw(&all());
    let changes: [(Change, Alteration); 6] = [
        (|it| it.elastic = None, Alteration { waves: None, ..whole.clone() }),
        (|it| it.blur = 0.0, Alteration { blur_px: 0.0, ..whole.clone() }),
        (|it| it.noise = 0.0, Alteration { noise: None, ..whole.clone() }),
        (|it| it.erase = None, Alteration { hole: None, ..whole.clone() }),
        (
            |it| {
                it.brightness = 0.0;
                it.contrast = 0.0;
                it.hue_deg = 0.0;
                it.saturation = 0.0;
            },
            Alteration { tone: Tone { ..Tone::NONE }, ..whole.clone() },
        ),
        (|_| (), whole.clone()),
    ];
    for (change, expected) in changes {
        let mut limits = all();
        change(&mut limits);
        let drawn = draw(&limits);
        assert_eq!((&drawn.warp, &drawn.waves), (&expected.warp, &expected.waves));
        assert_eq!(
            (drawn.blur_px.to_bits(), &drawn.noise),
            (expected.blur_px.to_bits(), &expected.noise)
        );
        assert_eq!(drawn.hole, expected.hole);
        assert!((drawn.tone.brightness - expected.tone.brightness).abs() < 1e-6);
    }
}

#[test]
fn noise_and_blur_change_levels_as_far_as_asked_for() {
    let rgb = [128; 64 * 64 * 3];
    let spread = |limits: &Augment, seed| {
        let after = Alteration::draw(limits, [64; 2], &mut random(seed)).apply(&rgb, [64; 2]);
        let squares = after.as_flattened().iter().map(|level| (level - 128.0).powi(2));
        (squares.sum::<f32>() / (64.0 * 64.0 * 3.0)).sqrt()
    };
    let noisy = Augment { noise: 0.1, ..Augment::NOTHING };
    let blurred = Augment { blur: 0.1, ..Augment::NOTHING };

    let spreads: Vec<f32> = (0..100).map(|seed| spread(&noisy, seed)).collect();

    let (least, most) = (
        spreads.iter().copied().fold(f32::MAX, f32::min),
        spreads.iter().copied().fold(0.0, f32::max),
    );
    assert!(least < 1.5 && (24.0..26.5).contains(&most), "{least} to {most} levels");
    assert!(spread(&blurred, 1) < 1e-3, "a plain picture has nothing to blur");
}

#[test]
fn a_picture_of_any_shape_keeps_it() {
    let picture = Picture::from_fn(31, 17, |x, y| {
        Pixel::from([x, y, x + y].map(|it| u8::try_from(it * 5).unwrap()))
    });

    for seed in 0..20 {
        let altered = alter(&picture, &all(), &mut random(seed));
        assert_eq!(altered.dimensions(), (31, 17));
        assert_ne!(altered, picture);
        assert_eq!(altered, alter(&picture, &all(), &mut random(seed)));
    }
    let one = Picture::from_pixel(1, 1, Pixel::from([9, 9, 9]));
    assert_eq!(alter(&one, &all(), &mut random(1)).dimensions(), (1, 1));
}
