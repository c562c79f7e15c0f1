//! Three 3×3 convolutions with pooling, and hidden layers of 64 with dropout behind each: one in
//! the base network, two in the regularised one.

use crate::model::graph::{
    Window,
    build::{Builder, Value},
};

/// The network has as many hidden layers as `dropouts`.
pub(super) fn answer<const N: usize>(
    net: &mut Builder<'_>,
    pictures: Value,
    n_classes: usize,
    dropouts: [f64; N],
) {
    let mut maps = pictures;
    for (n, channels) in (1..).zip([32, 32, 64]) {
        maps = net.conv_bias(&format!("conv{n}"), maps, channels, Window::of(3));
        maps = net.relu(maps);
        maps = net.max_pool(maps, Window::of(2).stride(2));
    }
    let mut values = net.flatten(maps);
    for (n, dropout) in (1..).zip(dropouts) {
        values = net.dense(&format!("dense{n}"), values, 64);
        values = net.relu(values);
        values = net.dropout(values, dropout);
    }
    net.output("output", values, n_classes);
}
