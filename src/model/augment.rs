//! Pictures as bytes in, numbers as the network takes them out, changed at random on the way.
//!
//! What is drawn for a picture depends on its key alone, never on the thread that does it.

use rayon::prelude::*;

use super::{card::Preprocessing, random::Random, recipe::Augment};

/// One way of changing a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Alteration {
    /// Takes offsets from the middle of the new picture to offsets in the old one.
    turn: [[f32; 2]; 2],
    /// Added to the old offsets, in pixels.
    shift: [f32; 2],
    brightness: f32,
    contrast: f32,
    /// Makes new colours of old ones.
    colours: [[f32; 3]; 3],
}

impl Alteration {
    pub(super) const NONE: Self = Self {
        turn: [[1.0, 0.0], [0.0, 1.0]],
        shift: [0.0, 0.0],
        brightness: 1.0,
        contrast: 1.0,
        colours: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    };

    /// Draws an alteration for a picture of `side_px` pixels.
    ///
    /// Every number is drawn whatever the limits, so that changing one limit leaves the
    /// other draws alone.
    pub(super) fn draw(limits: &Augment, side_px: usize, random: &mut Random) -> Self {
        let angle = random.around_zero(narrow(limits.rotate_deg.to_radians()));
        let side = u32::try_from(side_px).expect("a side has fewer than 2^32 pixels");
        let reach = narrow(limits.shift * f64::from(side));
        let shift = [random.around_zero(reach), random.around_zero(reach)];
        let scale = 1.0 / (1.0 + random.around_zero(narrow(limits.zoom)));
        let brightness = 1.0 + random.around_zero(narrow(limits.brightness));
        let contrast = 1.0 + random.around_zero(narrow(limits.contrast));
        let hue = random.around_zero(narrow(limits.hue_deg.to_radians()));
        let colours = colours(hue, 1.0 + random.around_zero(narrow(limits.saturation)));
        let mut mirror = |wanted: bool| if random.unit() < 0.5 && wanted { -1.0 } else { 1.0 };
        let (across, down) = (mirror(limits.flip_horizontal), mirror(limits.flip_vertical));
        let (sin, cos) = angle.sin_cos();
        let turn = [
            [scale * cos * across, scale * sin * down],
            [-scale * sin * across, scale * cos * down],
        ];
        Self { turn, shift, brightness, contrast, colours }
    }
}

/// Turns colours around grey by the angle `hue` and moves them away from it by `saturation`.
///
/// Grey stays as it is, and so does every pixel's mean level.
fn colours(hue: f32, saturation: f32) -> [[f32; 3]; 3] {
    let (sin, cos) = hue.sin_cos();
    let grey = (1.0 - saturation * cos) / 3.0;
    let side = saturation * sin / 3_f32.sqrt();
    let own = grey + saturation * cos;
    [
        [own, grey - side, grey + side],
        [grey + side, own, grey - side],
        [grey - side, grey + side, own],
    ]
}

/// Writes pictures one after the other, channel by channel, as the network takes them.
///
/// `alteration` is asked for each picture's change by its place in `pictures`.
pub(super) fn batch(
    pictures: &[&[u8]],
    side_px: usize,
    preprocessing: &Preprocessing,
    alteration: impl Fn(usize) -> Alteration + Sync,
) -> Vec<f32> {
    let mut values = vec![0.0; pictures.len() * 3 * side_px * side_px];
    let places = values.par_chunks_mut(3 * side_px * side_px).enumerate();
    places.for_each(|(place, values)| {
        let mut levels = altered(pictures[place], side_px, &alteration(place));
        normalize(&mut levels, preprocessing);
        for (channel, plane) in values.chunks_mut(side_px * side_px).enumerate() {
            for (value, pixel) in plane.iter_mut().zip(&levels) {
                *value = pixel[channel];
            }
        }
    });
    values
}

/// Returns the changed picture's levels, 0 to 255, row by row; beyond the edge its last
/// pixels go on.
fn altered(rgb: &[u8], side_px: usize, alteration: &Alteration) -> Vec<[f32; 3]> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let side = u16::try_from(side_px).expect("a side has fewer than 65536 pixels");
    let steps: Vec<f32> = (0..side).map(f32::from).collect();
    let middle = steps.last().map_or(0.0, |last| last / 2.0);
    let mut levels = Vec::with_capacity(pixels.len());
    for y in &steps {
        for x in &steps {
            let (across, down) = (x - middle, y - middle);
            let source = |axis: usize| {
                let [by_x, by_y] = alteration.turn[axis];
                by_x * across + by_y * down + middle + alteration.shift[axis]
            };
            levels.push(sample(pixels, side_px, source(0), source(1)));
        }
    }
    if *alteration == Alteration::NONE {
        return levels;
    }
    let mean = mean_level(&levels);
    for pixel in &mut levels {
        let old = *pixel;
        for (level, [red, green, blue]) in pixel.iter_mut().zip(&alteration.colours) {
            let turned = red * old[0] + green * old[1] + blue * old[2];
            let contrasted = (turned - mean) * alteration.contrast + mean;
            *level = (contrasted * alteration.brightness).clamp(0.0, 255.0);
        }
    }
    levels
}

fn mean_level(levels: &[[f32; 3]]) -> f32 {
    let sum: f64 = levels.iter().flatten().copied().map(f64::from).sum();
    let n_pixels = u32::try_from(levels.len()).expect("a picture has fewer than 2^32 pixels");
    narrow(sum / (3.0 * f64::from(n_pixels)))
}

/// Reads a colour between pixels, blending the four around it.
fn sample(pixels: &[[u8; 3]], side_px: usize, x: f32, y: f32) -> [f32; 3] {
    let (left, right, to_right) = neighbours(x, side_px - 1);
    let (top, bottom, to_bottom) = neighbours(y, side_px - 1);
    std::array::from_fn(|channel| {
        let level = |x: usize, y: usize| f32::from(pixels[y * side_px + x][channel]);
        let upper = level(left, top) * (1.0 - to_right) + level(right, top) * to_right;
        let lower = level(left, bottom) * (1.0 - to_right) + level(right, bottom) * to_right;
        upper * (1.0 - to_bottom) + lower * to_bottom
    })
}

/// Returns the pixels on both sides of `at` and how far it is on the way between them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the side")]
#[expect(clippy::cast_precision_loss, reason = "a side has fewer than 2^24 pixels")]
fn neighbours(at: f32, last: usize) -> (usize, usize, f32) {
    let at = at.clamp(0.0, last as f32);
    let low = at as usize;
    (low, (low + 1).min(last), at - low as f32)
}

fn normalize(levels: &mut [[f32; 3]], preprocessing: &Preprocessing) {
    for pixel in levels {
        for (channel, level) in pixel.iter_mut().enumerate() {
            let mean = preprocessing.mean[channel];
            *level = (*level / 255.0 - mean) / preprocessing.std[channel];
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pixels and their levels need no more digits")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use super::{super::random::Purpose, *};

    const SIDE: usize = 8;

    fn picture() -> Vec<u8> {
        (0..SIDE * SIDE * 3).map(|at| u8::try_from(at * 37 % 251).unwrap()).collect()
    }

    fn levels(rgb: &[u8]) -> Vec<[f32; 3]> {
        rgb.as_chunks::<3>().0.iter().map(|pixel| pixel.map(f32::from)).collect()
    }

    #[test]
    fn no_alteration_leaves_every_level_as_it_is() {
        let rgb = picture();

        assert_eq!(altered(&rgb, SIDE, &Alteration::NONE), levels(&rgb));
        let drawn =
            Alteration::draw(&Augment::NOTHING, SIDE, &mut Random::new(1, Purpose::Augment));
        assert_eq!(drawn, Alteration::NONE);
    }

    #[test]
    fn a_mirrored_picture_has_its_rows_reversed() {
        let rgb = picture();
        let mirror = Alteration { turn: [[-1.0, 0.0], [0.0, 1.0]], ..Alteration::NONE };

        let mut expected = levels(&rgb);
        expected.chunks_mut(SIDE).for_each(<[_]>::reverse);

        assert_eq!(altered(&rgb, SIDE, &mirror), expected);
    }

    #[test]
    fn a_quarter_turn_makes_columns_of_rows() {
        let rgb = picture();
        let turn = Alteration { turn: [[0.0, 1.0], [-1.0, 0.0]], ..Alteration::NONE };

        let (before, after) = (levels(&rgb), altered(&rgb, SIDE, &turn));

        for y in 0..SIDE {
            for x in 0..SIDE {
                assert_eq!(after[y * SIDE + x], before[(SIDE - 1 - x) * SIDE + y]);
            }
        }
    }

    #[test]
    fn beyond_the_edge_its_last_pixel_goes_on() {
        let rgb = picture();
        let shift = Alteration { shift: [3.5, 0.0], ..Alteration::NONE };

        let (before, after) = (levels(&rgb), altered(&rgb, SIDE, &shift));

        assert_eq!(after[7], before[7]);
        assert_eq!(after[4], before[7]);
        let between =
            std::array::from_fn(|channel| f32::midpoint(before[3][channel], before[4][channel]));
        assert_eq!(after[0], between);
    }

    #[test]
    fn brightness_and_contrast_change_levels_around_the_mean() {
        let rgb: Vec<u8> = [[100; 3], [200; 3], [100; 3], [200; 3]].concat();
        let alteration = Alteration { brightness: 1.5, contrast: 0.5, ..Alteration::NONE };

        let after = altered(&rgb, 2, &alteration);

        assert_eq!(after, [[187.5; 3], [255.0; 3], [187.5; 3], [255.0; 3]]);
    }

    #[test]
    fn turned_colours_keep_their_mean_and_leave_grey_alone() {
        let third = colours(std::f32::consts::TAU / 3.0, 1.0);
        let apply = |colours: [[f32; 3]; 3], rgb: [f32; 3]| {
            colours.map(|row| {
                (row.iter().zip(rgb).map(|(part, level)| part * level).sum::<f32>()).round()
            })
        };

        assert_eq!(apply(third, [10.0, 20.0, 30.0]), [30.0, 10.0, 20.0]);
        assert_eq!(apply(colours(0.0, 0.0), [10.0, 20.0, 30.0]), [20.0; 3]);
        assert_eq!(apply(colours(1.0, 1.7), [90.0; 3]), [90.0; 3]);
    }

    #[test]
    fn drawn_alterations_stay_within_their_limits_and_reach_them() {
        let limits = Augment { flip_vertical: true, rotate_deg: 30.0, ..Augment::default() };
        let base = Random::new(3, Purpose::Augment);

        let drawn: Vec<Alteration> =
            (0..2000).map(|index| Alteration::draw(&limits, 100, &mut base.at(index))).collect();

        let largest = |of: fn(&Alteration) -> f32| drawn.iter().map(of).fold(f32::MIN, f32::max);
        let close = |found: f32, limit: f32| {
            assert!((limit * 0.98..=limit).contains(&found), "{found} {limit}");
        };
        close(largest(|it| it.shift[0].abs()), 10.0);
        close(largest(|it| it.brightness), 1.1);
        close(largest(|it| it.contrast), 1.1);
        let area =
            |it: &Alteration| (it.turn[0][0] * it.turn[1][1] - it.turn[0][1] * it.turn[1][0]).abs();
        close(drawn.iter().map(area).fold(f32::MIN, f32::max), 1.0 / 0.81);
        let sine = |it: &Alteration| it.turn[1][0].abs() / area(it).sqrt();
        close(drawn.iter().map(sine).fold(f32::MIN, f32::max), 0.5);
        let n_mirrored = drawn.iter().filter(|it| it.turn[0][0] < 0.0).count();
        assert!((900..1100).contains(&n_mirrored), "{n_mirrored} of 2000 mirrored");
    }

    #[test]
    fn a_batch_is_the_same_on_any_number_of_threads() {
        let rgb = picture();
        let pictures = vec![rgb.as_slice(); 20];
        let preprocessing = Preprocessing::of(&pictures, 8);
        let random = Random::new(5, Purpose::Augment);
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| {
                batch(&pictures, SIDE, &preprocessing, |place| {
                    let mut own = random.at(u64::try_from(place).unwrap());
                    Alteration::draw(&Augment::default(), SIDE, &mut own)
                })
            })
        };

        let alone = on(1);

        assert_eq!(alone, on(4));
        let (first, second) = alone.split_at(SIDE * SIDE * 3);
        assert_ne!(first, &second[..first.len()]);
    }
}
