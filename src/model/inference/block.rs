//! A convolution of each channel by itself, with the pointwise ones before and behind it.
//!
//! Together they are the block that small networks are made of, and what lies between them is six
//! times as wide as what goes in: it is made a band of rows at a time and never leaves the cache.

use super::{
    buffer::Buffer,
    map::Map,
    panels::{Panels, Places},
    windows::{Nine, Windows},
};
use crate::model::graph::Window;

/// How many numbers a band has that windows are over.
const BAND: usize = 96 << 10;

#[derive(Clone, Debug)]
pub(super) struct Block {
    /// A pointwise convolution before, and the bounds of what it gives.
    pub(super) before: Option<(Panels, [f32; 2])>,
    pub(super) nine: Nine,
    pub(super) window: Window,
    pub(super) bounds: [f32; 2],
    /// How many channels the windows are over.
    pub(super) n_channels: usize,
    /// A pointwise convolution behind, how many channels it gives, and their bounds.
    pub(super) behind: Option<(Panels, usize, [f32; 2])>,
}

/// The rows that windows are over, padded, of which the first is row `first` of the map.
struct Held {
    values: Buffer,
    first: usize,
    n_rows: usize,
    row: usize,
}

impl Block {
    /// Returns what comes out, with `added` to it where there is a part behind.
    pub(super) fn run(&self, map: &Map, added: Option<&Map>) -> Map {
        let Window { stride: [down, across], padding: [above, beside], .. } = self.window;
        let size @ [height, width] = self
            .window
            .over([map.n_channels, map.size[0], map.size[1]])
            .expect("the window fits the map");
        let inner = self.nine.stride();
        let mut out = match &self.behind {
            Some((panels, n_out, _)) => Map::any(size, *n_out, panels.stride()),
            None => Map::any(size, self.n_channels, inner),
        };
        let added = added.map(|it| it.with_stride(out.stride));
        // Without a part before, the rows are those of the map.
        let map = &*map.with_stride(if self.before.is_some() { map.stride } else { inner });
        let row = (map.size[1] + beside[0] + beside[1]) * inner;
        let n_rows = ((BAND / row).saturating_sub(3) / down + 1).min(height);
        let values = Buffer::any(((n_rows - 1) * down + 3) * row);
        let mut held = Held { values, first: 0, n_rows: 0, row };
        let mut between = Buffer::any(n_rows * width * inner);
        for y in (0..height).step_by(n_rows) {
            let end = (y + n_rows).min(height);
            self.fill(&mut held, map, [y * down, (end - 1) * down + 3], above[0]);
            for (at, sums) in between.chunks_exact_mut(width * inner).take(end - y).enumerate() {
                let input = &held.values[at * down * row..];
                Windows { nine: &self.nine, input, row, across, bounds: self.bounds }.sum(sums);
            }
            let n_places = (end - y) * width;
            let part = y * width * out.stride..end * width * out.stride;
            let Some((panels, _, bounds)) = &self.behind else {
                out.values[part].copy_from_slice(&between[..n_places * inner]);
                continue;
            };
            let at: Vec<[usize; 2]> =
                (0..n_places).map(|at| [at * inner, at * out.stride]).collect();
            let places = Places {
                panels,
                input: &between,
                taps: &[0],
                n_in: self.n_channels,
                at: &at,
                added: added.as_ref().map(|it| &it.values[part.clone()]),
                bounds: *bounds,
            };
            places.sum(&mut out.values[part]);
        }
        out
    }

    /// Makes `held` have the rows from `from` to `to` of the padded map, and keeps those it has.
    fn fill(&self, held: &mut Held, map: &Map, [from, to]: [usize; 2], above: usize) {
        let (inner, row) = (self.nine.stride(), held.row);
        let n_gone = (from - held.first).min(held.n_rows);
        held.values.copy_within(n_gone * row..held.n_rows * row, 0);
        held.n_rows -= n_gone;
        held.first = from;
        let left = self.window.padding[1][0] * inner;
        let inside = map.size[1] * inner;
        let mut at = Vec::new();
        for n in held.n_rows..to - from {
            let target = &mut held.values[n * row..][..row];
            let y = (from + n).checked_sub(above).filter(|y| *y < map.size[0]);
            let Some(y) = y else {
                target.fill(0.0);
                continue;
            };
            target[..left].fill(0.0);
            target[left + inside..].fill(0.0);
            if self.before.is_some() {
                let places = y * map.size[1]..(y + 1) * map.size[1];
                let to = (n * row + left..).step_by(inner);
                at.extend(places.zip(to).map(|(place, to)| [place * map.stride, to]));
            } else {
                target[left..left + inside].copy_from_slice(map.row(y));
            }
        }
        held.n_rows = to - from;
        if let Some((panels, bounds)) = &self.before {
            let places = Places {
                panels,
                input: &map.values,
                taps: &[0],
                n_in: map.n_channels,
                at: &at,
                added: None,
                bounds: *bounds,
            };
            places.sum(&mut held.values);
        }
    }
}
