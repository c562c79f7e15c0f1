//! How the maps of a convolution are laid out so that a shift is a shift of one long row.
//!
//! A map is written with its padding, as wide as the window needs; rows follow each other without
//! a gap. What a place of the window (a *tap*) meets for every value that comes out is then one
//! slice of the map, shifted. At the end of each row the sums reach into the next one: those are
//! not used. With a stride, the map is dealt out into *phases*: the rows and columns that have the
//! same remainder by the stride lie together, and each tap belongs to one phase.

use std::ops::Range;

use crate::model::graph::Window;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) struct Geometry {
    pub(super) n_pictures: usize,
    pub(super) groups: usize,
    /// Channels of one group.
    pub(super) n_in: usize,
    pub(super) n_out: usize,
    /// Height and width of what goes in, of the kernel, and of what comes out.
    pub(super) size: [usize; 2],
    pub(super) kernel: [usize; 2],
    pub(super) out: [usize; 2],
    stride: [usize; 2],
    /// Padding above and on the left.
    before: [usize; 2],
}

/// One place of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) phase: [usize; 2],
    pub(super) shift: usize,
}

impl Geometry {
    pub(super) fn of(x: [usize; 4], weight: [usize; 4], window: Window, groups: usize) -> Self {
        let [n_pictures, n_channels, height, width] = x;
        let out = window.over([n_channels, height, width]).expect("the window fits the map");
        Self {
            n_pictures,
            groups,
            n_in: n_channels / groups,
            n_out: weight[0] / groups,
            size: [height, width],
            kernel: window.kernel,
            out,
            stride: window.stride,
            before: window.padding.map(|[before, _]| before),
        }
    }

    pub(super) fn shape_in(&self) -> [usize; 4] {
        [self.n_pictures, self.groups * self.n_in, self.size[0], self.size[1]]
    }

    pub(super) fn shape_out(&self) -> [usize; 4] {
        [self.n_pictures, self.groups * self.n_out, self.out[0], self.out[1]]
    }

    pub(super) fn shape_of_weight(&self) -> [usize; 4] {
        [self.groups * self.n_out, self.n_in, self.kernel[0], self.kernel[1]]
    }

    /// How many values one map has that goes in, and that comes out.
    pub(super) fn map_in(&self) -> usize {
        self.size.iter().product()
    }

    pub(super) fn map_out(&self) -> usize {
        self.out.iter().product()
    }

    pub(super) fn n_taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// How far apart the first and the last tap of a phase are.
    fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) / self.stride[axis]
    }

    /// Length of a row of a phase.
    fn width(&self) -> usize {
        self.out[1] + self.reach(1)
    }

    /// How many values a phase of one map has.
    pub(super) fn plane(&self) -> usize {
        (self.out[0] + self.reach(0)) * self.width()
    }

    /// Where in a phase the last sum that is used ends.
    pub(super) fn span(&self) -> usize {
        (self.out[0] - 1) * self.width() + self.out[1]
    }

    pub(super) fn longest_shift(&self) -> usize {
        self.reach(0) * self.width() + self.reach(1)
    }

    fn n_phases(&self, axis: usize) -> usize {
        self.stride[axis].min(self.kernel[axis])
    }

    pub(super) fn phases(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let (down, across) = (self.n_phases(0), self.n_phases(1));
        (0..down).flat_map(move |row| (0..across).map(move |column| [row, column]))
    }

    pub(super) fn n_planes(&self) -> usize {
        self.n_phases(0) * self.n_phases(1)
    }

    /// Where a phase lies among the phases.
    pub(super) fn place_of(&self, phase: [usize; 2]) -> usize {
        phase[0] * self.n_phases(1) + phase[1]
    }

    /// The taps in the order of the weights.
    pub(super) fn taps(&self) -> impl Iterator<Item = Tap> + use<> {
        let Self { kernel, stride, .. } = *self;
        let width = self.width();
        (0..kernel[0]).flat_map(move |row| {
            (0..kernel[1]).map(move |column| Tap {
                phase: [row % stride[0], column % stride[1]],
                shift: row / stride[0] * width + column / stride[1],
            })
        })
    }

    /// Writes one phase of a map; what is padding becomes zero.
    pub(super) fn lay(&self, map: &[f32], phase: [usize; 2], plane: &mut [f32]) {
        let columns = self.inside(1, phase);
        for (row, target) in plane.chunks_exact_mut(self.width()).enumerate() {
            let Some(from) = self.row_of(row, phase) else {
                target.fill(0.0);
                continue;
            };
            let source = &map[from * self.size[1]..][..self.size[1]];
            target[..columns.start].fill(0.0);
            target[columns.end..].fill(0.0);
            let source = &source[self.column_of(columns.start, phase)..];
            let target = &mut target[columns.clone()];
            if self.stride[1] == 1 {
                target.copy_from_slice(&source[..target.len()]);
            } else {
                for (to, from) in target.iter_mut().zip(source.iter().step_by(self.stride[1])) {
                    *to = *from;
                }
            }
        }
    }

    /// Does the reverse of [`Self::lay`]: takes a phase back into a map, from place `start` of
    /// the phase on.
    pub(super) fn take_back(&self, part: &[f32], start: usize, phase: [usize; 2], map: &mut [f32]) {
        let columns = self.inside(1, phase);
        let (width, mut at) = (self.width(), 0);
        while at < part.len() {
            let (row, column) = ((start + at) / width, (start + at) % width);
            let length = (width - column).min(part.len() - at);
            let first = column.max(columns.start);
            let last = (column + length).min(columns.end);
            if let (Some(to), true) = (self.row_of(row, phase), first < last) {
                let source = &part[at + first - column..at + last - column];
                let target = &mut map[to * self.size[1]..][..self.size[1]];
                let target = &mut target[self.column_of(first, phase)..];
                if self.stride[1] == 1 {
                    target[..source.len()].copy_from_slice(source);
                } else {
                    for (to, from) in target.iter_mut().step_by(self.stride[1]).zip(source) {
                        *to = *from;
                    }
                }
            }
            at += length;
        }
    }

    /// Writes a map that came out as wide as a phase, with zeros where the sums are not used.
    pub(super) fn lay_out(&self, map: &[f32], plane: &mut [f32]) {
        let rows = map.chunks_exact(self.out[1]).map(Some).chain(std::iter::repeat(None));
        for (target, row) in plane.chunks_exact_mut(self.width()).zip(rows) {
            let (values, rest) = target.split_at_mut(self.out[1]);
            match row {
                Some(row) => values.copy_from_slice(row),
                None => values.fill(0.0),
            }
            rest.fill(0.0);
        }
    }

    /// Copies the sums that are used into the map that comes out; `part` begins at `start`.
    pub(super) fn take_out(&self, part: &[f32], start: usize, map: &mut [f32]) {
        // Rows without a gap between them are as good as one.
        let (width, out) = match self.reach(1) {
            0 => (self.plane(), self.map_out()),
            _ => (self.width(), self.out[1]),
        };
        let mut at = 0;
        while at < part.len() {
            let (row, column) = ((start + at) / width, (start + at) % width);
            let length = (width - column).min(part.len() - at);
            if column < out && row * out < map.len() {
                let used = length.min(out - column);
                map[row * out + column..][..used].copy_from_slice(&part[at..at + used]);
            }
            at += length;
        }
    }

    /// The row of the map that a row of a phase comes from.
    fn row_of(&self, row: usize, phase: [usize; 2]) -> Option<usize> {
        let row = (row * self.stride[0] + phase[0]).checked_sub(self.before[0])?;
        (row < self.size[0]).then_some(row)
    }

    /// The column of the map that a column of a phase comes from, which is not padding.
    fn column_of(&self, column: usize, phase: [usize; 2]) -> usize {
        (column * self.stride[1] + phase[1]).saturating_sub(self.before[1]).min(self.size[1])
    }

    /// The columns of a phase that are not padding.
    fn inside(&self, axis: usize, phase: [usize; 2]) -> Range<usize> {
        let width = self.width();
        let stride = self.stride[axis];
        let start = self.before[axis].saturating_sub(phase[axis]).div_ceil(stride).min(width);
        let end = (self.size[axis] + self.before[axis]).saturating_sub(phase[axis]);
        start..end.div_ceil(stride).clamp(start, width)
    }
}
