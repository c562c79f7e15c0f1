//! VGG with 16 layers (Simonyan and Zisserman 2015, configuration D), under `torchvision`'s names.

use crate::model::graph::{
    Window,
    build::{Builder, Value},
};

/// Channels and convolutions of each stage.
const STAGES: [(usize, usize); 5] = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

pub(super) fn body(net: &mut Builder<'_>, pictures: Value) -> Value {
    let mut maps = pictures;
    let mut n = 0;
    for (channels, n_convs) in STAGES {
        for _ in 0..n_convs {
            maps = net.conv_bias(&format!("features.{n}"), maps, channels, Window::of(3).pad(1));
            maps = net.relu(maps);
            n += 2;
        }
        maps = net.max_pool(maps, Window::of(2).stride(2));
        n += 1;
    }
    maps
}
