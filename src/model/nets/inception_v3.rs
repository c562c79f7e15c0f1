//! Inception v3 (Szegedy et al. 2016) without the auxiliary head, under `torchvision`'s names.

use super::unit::Unit;
use crate::model::graph::{Window, build::Value};

pub(super) fn body(unit: &mut Unit<'_, '_>, pictures: Value) -> Value {
    unit.epsilon = 1e-3;
    let mut maps = conv(unit, "Conv2d_1a_3x3", pictures, 32, Window::of(3).stride(2));
    maps = conv(unit, "Conv2d_2a_3x3", maps, 32, Window::of(3));
    maps = conv(unit, "Conv2d_2b_3x3", maps, 64, Window::of(3).pad(1));
    maps = unit.net.max_pool(maps, Window::of(3).stride(2));
    maps = conv(unit, "Conv2d_3b_1x1", maps, 80, Window::of(1));
    maps = conv(unit, "Conv2d_4a_3x3", maps, 192, Window::of(3));
    maps = unit.net.max_pool(maps, Window::of(3).stride(2));
    for (name, n_pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
        maps = block_35(unit, name, maps, n_pooled);
    }
    maps = reduction_35(unit, "Mixed_6a", maps);
    for (name, n) in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)] {
        maps = block_17(unit, name, maps, n);
    }
    maps = reduction_17(unit, "Mixed_7a", maps);
    for name in ["Mixed_7b", "Mixed_7c"] {
        maps = block_8(unit, name, maps);
    }
    maps
}

/// `torchvision`'s `InceptionA`; named, like the others, after the size of its maps at 299 pixels.
fn block_35(unit: &mut Unit<'_, '_>, name: &str, from: Value, n_pooled: usize) -> Value {
    let single = conv(unit, &format!("{name}.branch1x1"), from, 64, Window::of(1));
    let five = format!("{name}.branch5x5");
    let five = chain(unit, &five, from, &[(48, Window::of(1)), (64, Window::of(5).centred())]);
    let threes = [(64, Window::of(1)), (96, Window::of(3).pad(1)), (96, Window::of(3).pad(1))];
    let threes = chain(unit, &format!("{name}.branch3x3dbl"), from, &threes);
    let pooled = pooled(unit, name, from, n_pooled);
    unit.net.concat(&[single, five, threes, pooled])
}

/// `torchvision`'s `InceptionB`.
fn reduction_35(unit: &mut Unit<'_, '_>, name: &str, from: Value) -> Value {
    let halved = Window::of(3).stride(2);
    let three = conv(unit, &format!("{name}.branch3x3"), from, 384, halved);
    let threes = [(64, Window::of(1)), (96, Window::of(3).pad(1)), (96, halved)];
    let threes = chain(unit, &format!("{name}.branch3x3dbl"), from, &threes);
    let pooled = unit.net.max_pool(from, halved);
    unit.net.concat(&[three, threes, pooled])
}

/// `torchvision`'s `InceptionC`: 7×7 as a row and a column.
fn block_17(unit: &mut Unit<'_, '_>, name: &str, from: Value, n: usize) -> Value {
    let (row, column) = (Window::wide(1, 7).centred(), Window::wide(7, 1).centred());
    let single = conv(unit, &format!("{name}.branch1x1"), from, 192, Window::of(1));
    let once = [(n, Window::of(1)), (n, row), (192, column)];
    let once = chain(unit, &format!("{name}.branch7x7"), from, &once);
    let twice = [(n, Window::of(1)), (n, column), (n, row), (n, column), (192, row)];
    let twice = chain(unit, &format!("{name}.branch7x7dbl"), from, &twice);
    let pooled = pooled(unit, name, from, 192);
    unit.net.concat(&[single, once, twice, pooled])
}

/// `torchvision`'s `InceptionD`.
fn reduction_17(unit: &mut Unit<'_, '_>, name: &str, from: Value) -> Value {
    let (row, column) = (Window::wide(1, 7).centred(), Window::wide(7, 1).centred());
    let halved = Window::of(3).stride(2);
    let three = [(192, Window::of(1)), (320, halved)];
    let three = chain(unit, &format!("{name}.branch3x3"), from, &three);
    let seven = [(192, Window::of(1)), (192, row), (192, column), (192, halved)];
    let seven = chain(unit, &format!("{name}.branch7x7x3"), from, &seven);
    let pooled = unit.net.max_pool(from, halved);
    unit.net.concat(&[three, seven, pooled])
}

/// `torchvision`'s `InceptionE`: rows and columns side by side.
fn block_8(unit: &mut Unit<'_, '_>, name: &str, from: Value) -> Value {
    let single = conv(unit, &format!("{name}.branch1x1"), from, 320, Window::of(1));
    let three = conv(unit, &format!("{name}.branch3x3_1"), from, 384, Window::of(1));
    let three = cross(unit, &format!("{name}.branch3x3_2"), three);
    let threes = [(448, Window::of(1)), (384, Window::of(3).pad(1))];
    let threes = chain(unit, &format!("{name}.branch3x3dbl"), from, &threes);
    let threes = cross(unit, &format!("{name}.branch3x3dbl_3"), threes);
    let pooled = pooled(unit, name, from, 192);
    let [[a, b], [c, d]] = [three, threes];
    unit.net.concat(&[single, a, b, c, d, pooled])
}

/// A row and a column over the same maps.
fn cross(unit: &mut Unit<'_, '_>, name: &str, from: Value) -> [Value; 2] {
    [("a", Window::wide(1, 3)), ("b", Window::wide(3, 1))]
        .map(|(part, window)| conv(unit, &format!("{name}{part}"), from, 384, window.centred()))
}

/// Convolutions one behind the other, numbered from 1.
fn chain(unit: &mut Unit<'_, '_>, name: &str, from: Value, layers: &[(usize, Window)]) -> Value {
    (1..).zip(layers).fold(from, |maps, (n, (n_out, window))| {
        conv(unit, &format!("{name}_{n}"), maps, *n_out, *window)
    })
}

fn pooled(unit: &mut Unit<'_, '_>, name: &str, from: Value, n_out: usize) -> Value {
    let mean = unit.net.average_pool(from, Window::of(3).pad(1));
    conv(unit, &format!("{name}.branch_pool"), mean, n_out, Window::of(1))
}

fn conv(unit: &mut Unit<'_, '_>, name: &str, from: Value, n_out: usize, window: Window) -> Value {
    let (conv, norm) = (format!("{name}.conv"), format!("{name}.bn"));
    unit.full_relu([&conv, &norm], from, n_out, window)
}
