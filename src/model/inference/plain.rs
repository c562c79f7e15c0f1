//! The steps that have no weights to speak of, and those on flat values.

use super::map::Map;
use crate::model::graph::Window;

/// What an average or the largest value is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    /// The padding never wins.
    Largest,
    /// The padding counts as zeros.
    Average,
}

/// A fully connected layer.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    /// `[values in, values out]`.
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Dense {
    pub(super) fn run(&self, map: &Map) -> Map {
        let n_out = self.bias.len();
        let mut out = Map::any([1, 1], n_out, n_out);
        out.values.copy_from_slice(&self.bias);
        for (value, weights) in map.planes().iter().zip(self.weight.chunks_exact(n_out)) {
            for (sum, weight) in out.values.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
        out
    }
}

/// Returns the values channel by channel, as channels of one place.
pub(super) fn flatten(map: &Map) -> Map {
    let values = map.planes();
    let mut out = Map::any([1, 1], values.len(), values.len());
    out.values.copy_from_slice(&values);
    out
}

/// Slides a window over the map.
pub(super) fn pool(map: &Map, window: Window, how: Pool) -> Map {
    let [height, width] = map.size;
    let size = window.over([map.n_channels, height, width]).expect("the window fits the map");
    let mut out = Map::any(size, map.n_channels, map.stride);
    let n_taps = short(window.kernel.iter().product());
    let inside = |axis: usize, at: usize| {
        let start = at * window.stride[axis];
        let before = window.padding[axis][0];
        let end = (start + window.kernel[axis]).saturating_sub(before).min(map.size[axis]);
        start.saturating_sub(before)..end
    };
    for (place, out) in out.places_mut().enumerate() {
        let (rows, columns) = (inside(0, place / size[1]), inside(1, place % size[1]));
        let taps = rows.flat_map(|y| columns.clone().map(move |x| (y * width + x) * map.stride));
        let taps = taps.map(|at| &map.values[at..][..map.stride]);
        reduce(taps, how, out);
        divide(out, how, n_taps);
    }
    out
}

/// Makes one place of all of them.
pub(super) fn pool_all(map: &Map, how: Pool) -> Map {
    let mut out = Map::any([1, 1], map.n_channels, map.stride);
    reduce(map.places(), how, &mut out.values);
    divide(&mut out.values, how, short(map.size.iter().product()));
    out
}

fn reduce<'a>(places: impl Iterator<Item = &'a [f32]>, how: Pool, out: &mut [f32]) {
    out.fill(if how == Pool::Largest { f32::NEG_INFINITY } else { 0.0 });
    for place in places {
        match how {
            // What is no number wins.
            Pool::Largest => out.iter_mut().zip(place).for_each(|(out, it)| {
                if *out < *it || it.is_nan() {
                    *out = *it;
                }
            }),
            Pool::Average => out.iter_mut().zip(place).for_each(|(out, it)| *out += it),
        }
    }
}

fn divide(sums: &mut [f32], how: Pool, n: f32) {
    if how == Pool::Average {
        for sum in sums {
            *sum /= n;
        }
    }
}

/// Adds maps of the same shape.
pub(super) fn add(maps: &[&Map]) -> Map {
    let mut sum = Map::zeros(maps[0].size, maps[0].n_channels, maps[0].stride);
    for map in maps {
        for (sum, place) in sum.places_mut().zip(map.places()) {
            sum.iter_mut().zip(place).for_each(|(sum, value)| *sum += value);
        }
    }
    sum
}

/// Puts the channels of maps behind each other.
pub(super) fn join(maps: &[&Map], lanes: usize) -> Map {
    let n_channels: usize = maps.iter().map(|map| map.n_channels).sum();
    let mut joined = Map::zeros(maps[0].size, n_channels, n_channels.next_multiple_of(lanes));
    let mut first = 0;
    for map in maps {
        for (to, from) in joined.places_mut().zip(map.places()) {
            to[first..first + map.n_channels].copy_from_slice(&from[..map.n_channels]);
        }
        first += map.n_channels;
    }
    joined
}

/// Multiplies each channel by a number and adds another.
pub(super) fn scale(map: &Map, [scale, shift]: [&[f32]; 2]) -> Map {
    let mut out = map.clone();
    for place in out.places_mut() {
        for (value, (scale, shift)) in place.iter_mut().zip(scale.iter().zip(shift)) {
            *value = *value * scale + shift;
        }
    }
    out
}

pub(super) fn bound(mut map: Map, [least, most]: [f32; 2]) -> Map {
    map.values.iter_mut().for_each(|value| *value = value.clamp(least, most));
    map
}

#[expect(clippy::cast_precision_loss, reason = "a map has fewer than 2^24 places")]
fn short(n: usize) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_not_lost() {
        let map = Map::of(&[1.0, f32::NAN, 3.0, 4.0], [1, 2, 2]);

        for how in [Pool::Largest, Pool::Average] {
            assert!(pool(&map, Window::of(2), how).values[0].is_nan());
            assert!(pool_all(&map, how).values[0].is_nan());
        }
        assert!(bound(map, [0.0, 6.0]).values[1].is_nan());
    }
}
