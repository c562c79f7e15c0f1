//! Three pairs of 4×4 convolutions after VGG, and two wide layers: for squares of 224 pixels.

use crate::model::graph::{
    Window,
    build::{Builder, Value},
};

pub(super) fn answer(net: &mut Builder<'_>, pictures: Value, n_classes: usize, dropout: f64) {
    let mut maps = pictures;
    for (n, channels) in (1..).zip([64, 128, 256]) {
        maps = pair(net, &format!("blocks.{n}"), maps, (4, channels));
        maps = net.dropout(maps, dropout);
    }
    wide(net, maps, n_classes, dropout);
}

/// Two convolutions that keep the size of the map, and pooling that halves it.
pub(super) fn pair(
    net: &mut Builder<'_>,
    name: &str,
    from: Value,
    (kernel, channels): (usize, usize),
) -> Value {
    let mut maps = from;
    for n in 1..=2 {
        let window = Window::of(kernel).same(net.shape(maps));
        maps = net.conv_bias(&format!("{name}.conv{n}"), maps, channels, window);
        maps = net.relu(maps);
    }
    net.max_pool(maps, Window::of(2).stride(2))
}

/// Two layers of 1,024 and one to the classes.
pub(super) fn wide(net: &mut Builder<'_>, maps: Value, n_classes: usize, dropout: f64) {
    let mut values = net.flatten(maps);
    for n in 1..=2 {
        values = net.dense(&format!("dense{n}"), values, 1024);
        values = net.relu(values);
        values = net.dropout(values, dropout);
    }
    net.output("output", values, n_classes);
}
