//! Levels → smoothed levels. Beyond the edge the picture is mirrored about its last pixel, as
//! `OpenCV` does unless told otherwise.

/// From this standard deviation on, running means take the place of the bell.
const WIDE_PX: f32 = 10.0;

/// How many running means come close to a bell: five leave half a level in a photograph.
const N_MEANS: u8 = 5;

/// How pixels of a line are weighed.
enum Kernel {
    /// The weights of a bell, from the middle outwards.
    Bell(Vec<f32>),
    /// A running mean over `radius` pixels to both sides, done a few times; of the pixels beside
    /// them `share` counts, so that the variance is exactly that of the bell (Gwosdek et al. 2011).
    Boxes { radius: usize, share: f32 },
}

/// Smooths by a Gaussian with a standard deviation of `sigma_px` pixels; `size` is width and
/// height, `N` the number of values of a pixel.
pub(super) fn blur<const N: usize>(
    levels: &[[f32; N]],
    [width, height]: [usize; 2],
    sigma_px: f32,
) -> Vec<[f32; N]> {
    assert_eq!(levels.len(), width * height, "a value for each pixel");
    let kernel = Kernel::new(sigma_px);
    let upright = transposed(&kernel.along_rows(levels, width), width);
    transposed(&kernel.along_rows(&upright, height), height)
}

impl Kernel {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, positive")]
    #[expect(clippy::cast_precision_loss, reason = "a radius is far below 2^24")]
    fn new(sigma_px: f32) -> Self {
        let variance = sigma_px * sigma_px;
        if sigma_px < WIDE_PX {
            let radius = (4.0 * sigma_px).ceil() as usize;
            let bell = |at: usize| (-((at * at) as f32) / (2.0 * variance)).exp();
            let half: Vec<f32> = (0..=radius).map(bell).collect();
            let sum = 2.0 * half.iter().sum::<f32>() - 1.0;
            return Self::Bell(half.iter().map(|weight| weight / sum).collect());
        }
        // The widest whole mean that alone does not spread too far.
        let part = variance / f32::from(N_MEANS);
        let radius = (((12.0 * part + 1.0).sqrt() - 1.0) / 2.0).floor();
        let own = radius * (radius + 1.0) / 3.0;
        let n = 2.0 * radius + 1.0;
        let share = n * (part - own) / (2.0 * ((radius + 1.0) * (radius + 1.0) - part));
        Self::Boxes { radius: radius as usize, share }
    }

    fn along_rows<const N: usize>(&self, levels: &[[f32; N]], width: usize) -> Vec<[f32; N]> {
        let mut smooth = Vec::with_capacity(levels.len());
        for row in levels.chunks_exact(width) {
            match self {
                Self::Bell(half) => smooth.extend(weighed(row, half)),
                Self::Boxes { radius, share } => {
                    let once = averaged(row, *radius, *share);
                    let all = (1..N_MEANS).fold(once, |row, _| averaged(&row, *radius, *share));
                    smooth.extend(all);
                }
            }
        }
        smooth
    }
}

/// Returns the row with `radius` pixels more at both ends.
fn mirrored<const N: usize>(row: &[[f32; N]], radius: usize) -> Vec<[f32; N]> {
    let last = row.len() - 1;
    let inside = |away: usize| {
        let folded = away % (2 * last).max(1);
        folded.min(2 * last - folded)
    };
    let before = (1..=radius).rev().map(|away| row[inside(away)]);
    let after = (1..=radius).map(|away| row[inside(last + away)]);
    before.chain(row.iter().copied()).chain(after).collect()
}

fn weighed<const N: usize>(row: &[[f32; N]], half: &[f32]) -> Vec<[f32; N]> {
    let radius = half.len() - 1;
    let wide = mirrored(row, radius);
    let wide = wide.as_flattened();
    let mut sums: Vec<[f32; N]> = vec![[0.0; N]; row.len()];
    // One weight for the whole row at a time, so that many pixels are worked on at once.
    for at in 0..=2 * radius {
        let weight = half[at.abs_diff(radius)];
        for (sum, level) in sums.as_flattened_mut().iter_mut().zip(&wide[at * N..]) {
            *sum += weight * level;
        }
    }
    sums
}

#[expect(clippy::cast_possible_truncation, reason = "levels need no more digits")]
#[expect(clippy::cast_precision_loss, reason = "a radius is far below 2^24")]
fn averaged<const N: usize>(row: &[[f32; N]], radius: usize, share: f32) -> Vec<[f32; N]> {
    let wide = mirrored(row, radius + 1);
    let weight = 1.0 / f64::from(2.0 * radius as f32 + 1.0 + 2.0 * share);
    let share = f64::from(share);
    let mut sum = [0.0_f64; N];
    for pixel in &wide[1..=2 * radius + 1] {
        (0..N).for_each(|at| sum[at] += f64::from(pixel[at]));
    }
    (0..row.len())
        .map(|x| {
            let (before, after) = (wide[x], wide[x + 2 * radius + 2]);
            let mean = std::array::from_fn(|at| {
                let beside = f64::from(before[at]) + f64::from(after[at]);
                ((sum[at] + share * beside) * weight) as f32
            });
            (0..N).for_each(|at| sum[at] += f64::from(after[at]) - f64::from(wide[x + 1][at]));
            mean
        })
        .collect()
}

fn transposed<const N: usize>(levels: &[[f32; N]], width: usize) -> Vec<[f32; N]> {
    (0..width).flat_map(|x| levels.iter().skip(x).step_by(width).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the mean and the variance of where the light of one bright pixel went.
    fn spread(sigma_px: f32) -> (f32, f32) {
        let side = 241;
        let mut levels = vec![[0.0_f32]; side];
        levels[120] = [1.0];
        let line = blur(&levels, [side, 1], sigma_px);
        let away = |at: usize| f32::from(i16::try_from(at).unwrap() - 120);
        let moment = |power: i32| -> f32 {
            line.iter().enumerate().map(|(at, level)| level[0] * away(at).powi(power)).sum()
        };
        assert!((moment(0) - 1.0).abs() < 1e-4, "all of the light is still there");
        (moment(1), moment(2))
    }

    #[test]
    fn light_spreads_as_far_as_asked_for_by_either_way() {
        for sigma_px in [0.8, 3.0, 9.9, 10.0, 17.3, 24.0] {
            let (mean, variance) = spread(sigma_px);
            assert!(mean.abs() < 1e-3);
            assert!((variance.sqrt() / sigma_px - 1.0).abs() < 2e-3, "{variance} for {sigma_px}");
        }
    }

    #[test]
    fn a_plain_picture_stays_plain_to_its_edges() {
        for sigma_px in [2.0, 40.0] {
            let smooth = blur(&[[80.0_f32, 7.0]; 35], [5, 7], sigma_px);
            for pixel in smooth {
                assert!((pixel[0] - 80.0).abs() < 1e-3 && (pixel[1] - 7.0).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn the_edge_is_mirrored_about_its_last_pixel() {
        let row = [[1.0_f32], [2.0], [3.0]];

        let wide: Vec<f32> = mirrored(&row, 5).iter().map(|level| level[0]).collect();

        assert_eq!(wide, [2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    }
}
