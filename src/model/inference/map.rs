//! What a step gives for one picture: channels last, each place filled up to whole registers where
//! a convolution gave it.

use std::borrow::Cow;

use super::buffer::Buffer;
use crate::model::graph::{Shape, Window};

#[derive(Clone, Debug)]
pub(super) struct Map {
    /// Height and width.
    pub(super) size: [usize; 2],
    pub(super) n_channels: usize,
    /// How far apart places are; what lies between their channels counts for nothing.
    pub(super) stride: usize,
    pub(super) values: Buffer,
}

impl Map {
    pub(super) fn zeros(size: [usize; 2], n_channels: usize, stride: usize) -> Self {
        Self { size, n_channels, stride, values: Buffer::zeros(size[0] * size[1] * stride) }
    }

    /// Returns a map all of whose numbers are still to be written.
    pub(super) fn any(size: [usize; 2], n_channels: usize, stride: usize) -> Self {
        Self { size, n_channels, stride, values: Buffer::any(size[0] * size[1] * stride) }
    }

    /// Takes a picture that lies channel by channel.
    pub(super) fn of(planes: &[f32], [n_channels, height, width]: Shape) -> Self {
        let mut map = Self::any([height, width], n_channels, n_channels);
        for (channel, plane) in planes.chunks_exact(height * width).enumerate() {
            let values = map.values[channel..].iter_mut().step_by(n_channels);
            values.zip(plane).for_each(|(value, given)| *value = *given);
        }
        map
    }

    /// Returns the values channel by channel.
    pub(super) fn planes(&self) -> Vec<f32> {
        let of = |channel: usize| self.values[channel..].iter().step_by(self.stride).copied();
        (0..self.n_channels).flat_map(of).collect()
    }

    /// The channels of each place, row by row.
    pub(super) fn places(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.stride)
    }

    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.stride)
    }

    /// Returns the map with its places so far apart.
    pub(super) fn with_stride(&self, stride: usize) -> Cow<'_, Self> {
        if self.stride == stride {
            return Cow::Borrowed(self);
        }
        let mut laid = Self::zeros(self.size, self.n_channels, stride);
        for (to, from) in laid.places_mut().zip(self.places()) {
            to[..self.n_channels].copy_from_slice(&from[..self.n_channels]);
        }
        Cow::Owned(laid)
    }

    pub(super) fn row(&self, y: usize) -> &[f32] {
        let row = self.size[1] * self.stride;
        &self.values[y * row..][..row]
    }

    /// Returns the map with the zeros around it that a window wants.
    pub(super) fn padded(&self, window: Window) -> Self {
        let [down, across] = window.padding;
        let size = [self.size[0] + down[0] + down[1], self.size[1] + across[0] + across[1]];
        let mut padded = Self::any(size, self.n_channels, self.stride);
        let row = size[1] * self.stride;
        let (left, inside) = (across[0] * self.stride, self.size[1] * self.stride);
        for (y, target) in padded.values.chunks_exact_mut(row).enumerate() {
            match y.checked_sub(down[0]).filter(|y| *y < self.size[0]) {
                Some(y) => {
                    target[..left].fill(0.0);
                    target[left..left + inside].copy_from_slice(self.row(y));
                    target[left + inside..].fill(0.0);
                }
                None => target.fill(0.0),
            }
        }
        padded
    }
}
