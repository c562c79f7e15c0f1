//! The three-block network of Keras' image classification tutorial, with dropout once, behind the
//! last pooling.

use crate::model::graph::{
    Window,
    build::{Builder, Value},
};

/// The channels of its convolutions.
pub(super) const CHANNELS: [usize; 3] = [16, 32, 64];

pub(super) fn answer(net: &mut Builder<'_>, pictures: Value, n_classes: usize, dropout: f64) {
    let mut maps = pictures;
    for (n, channels) in (1..).zip(CHANNELS) {
        maps = block(net, &format!("conv{n}"), maps, channels);
    }
    maps = net.dropout(maps, dropout);
    let values = net.flatten(maps);
    let values = net.dense("dense1", values, 128);
    let values = net.relu(values);
    net.output("output", values, n_classes);
}

/// A convolution that keeps the size of the map, and pooling that halves it.
pub(super) fn block(net: &mut Builder<'_>, name: &str, from: Value, channels: usize) -> Value {
    let maps = net.conv_bias(name, from, channels, Window::of(3).pad(1));
    let maps = net.relu(maps);
    net.max_pool(maps, Window::of(2).stride(2))
}
