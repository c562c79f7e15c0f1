//! Pictures as bytes in, numbers as the network takes them out, altered on the way.
//!
//! What is drawn for a picture depends on its key alone, never on the thread that does it.

use rayon::prelude::*;

use super::card::Preprocessing;
pub(super) use crate::pixels::augment::Alteration;

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
        let mut levels = alteration(place).apply(pictures[place], [side_px; 2]);
        normalize(&mut levels, preprocessing);
        for (channel, plane) in values.chunks_mut(side_px * side_px).enumerate() {
            for (value, pixel) in plane.iter_mut().zip(&levels) {
                *value = pixel[channel];
            }
        }
    });
    values
}

fn normalize(levels: &mut [[f32; 3]], preprocessing: &Preprocessing) {
    for pixel in levels {
        for (channel, level) in pixel.iter_mut().enumerate() {
            let mean = preprocessing.mean[channel];
            *level = (*level / 255.0 - mean) / preprocessing.std[channel];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::random::{Purpose, Random},
        pixels::augment::Augment,
    };

    const SIDE: usize = 8;

    fn picture() -> Vec<u8> {
        (0..SIDE * SIDE * 3).map(|at| u8::try_from(at * 37 % 251).unwrap()).collect()
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
                    Alteration::draw(&Augment::default(), [SIDE; 2], &mut own)
                })
            })
        };

        let alone = on(1);

        assert_eq!(alone, on(4));
        let (first, second) = alone.split_at(SIDE * SIDE * 3);
        assert_ne!(first, &second[..first.len()]);
    }
}
