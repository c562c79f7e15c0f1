//! Four blocks of 3×3 convolution, batch normalisation and `ReLU`, halved by pooling between
//! them; then of every feature its mean and its maximum over the picture, and one layer to the
//! classes.
//!
//! Mean and maximum do not care where in the picture a thing is, which is what lets it learn
//! from a few hundred pictures: the mean sees what fills the picture, the maximum what is small.
//! Few channels at full size keep a training within seconds: large maps cost most.

use crate::model::graph::{
    Window,
    build::{Builder, Value},
};

/// Channels out of each block.
const CHANNELS: [usize; 4] = [8, 24, 48, 96];

pub(super) fn answer(net: &mut Builder<'_>, pictures: Value, n_classes: usize, dropout: f64) {
    let mut maps = pictures;
    for (n, channels) in CHANNELS.into_iter().enumerate() {
        if 0 < n {
            maps = net.max_pool(maps, Window::of(2).stride(2));
        }
        // The normalisation takes the mean off, so a bias before it would do nothing.
        let window = Window::of(3).pad(1);
        maps = net.conv(&format!("blocks.{n}.conv"), maps, channels, window);
        maps = net.norm(&format!("blocks.{n}.norm"), maps, 1e-5, 0.1);
        maps = net.relu(maps);
    }
    let (mean, maximum) = (net.global_average(maps), net.global_max(maps));
    let features = net.concat(&[mean, maximum]);
    let features = net.dropout(features, dropout);
    net.output("output", features, n_classes);
}
