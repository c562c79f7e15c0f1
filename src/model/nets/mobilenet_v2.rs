//! `MobileNetV2` at width 1 (Sandler et al. 2018, table 2), under `torchvision`'s names.
//!
//! Two kinds of published weights differ in where they pad: `torchvision`'s evenly, those of
//! `TensorFlow` behind first where a stride of 2 leaves an odd row.

use super::unit::Unit;
use crate::model::graph::{Window, build::Value};

/// For each stage: expansion, channels, blocks, stride of the first one.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

pub(super) fn body(unit: &mut Unit<'_, '_>, pictures: Value) -> Value {
    let mut maps = full(unit, "features.0", pictures, 32, Window::of(3).stride(2));
    let mut n = 0;
    for (expansion, channels, n_blocks, first_stride) in STAGES {
        for block in 0..n_blocks {
            n += 1;
            let stride = if block == 0 { first_stride } else { 1 };
            let size = Size { n_inner: unit.net.shape(maps)[0] * expansion, channels, stride };
            maps = inverted_residual(unit, &format!("features.{n}.conv"), maps, &size);
        }
    }
    full(unit, "features.18", maps, 1280, Window::of(1))
}

/// The widths of a block, and how far its window moves.
#[derive(Clone, Copy, Debug)]
struct Size {
    n_inner: usize,
    channels: usize,
    stride: usize,
}

fn inverted_residual(unit: &mut Unit<'_, '_>, name: &str, from: Value, size: &Size) -> Value {
    let Size { n_inner, channels, stride } = *size;
    let n_in = unit.net.shape(from)[0];
    let mut maps = from;
    let mut part = 0;
    if n_in < n_inner {
        maps = full(unit, &format!("{name}.0"), maps, n_inner, Window::of(1));
        part = 1;
    }
    let window = unit.padded(maps, Window::of(3).stride(stride));
    let (conv, norm) = (format!("{name}.{part}.0"), format!("{name}.{part}.1"));
    maps = unit.depthwise([&conv, &norm], maps, window);
    maps = unit.net.relu6(maps);
    let (conv, norm) = (format!("{name}.{}", part + 1), format!("{name}.{}", part + 2));
    maps = unit.full([&conv, &norm], maps, channels, Window::of(1));
    if stride == 1 && n_in == channels { unit.net.add(from, maps) } else { maps }
}

fn full(unit: &mut Unit<'_, '_>, name: &str, from: Value, n_out: usize, window: Window) -> Value {
    let window = unit.padded(from, window);
    let (conv, norm) = (format!("{name}.0"), format!("{name}.1"));
    let maps = unit.full([&conv, &norm], from, n_out, window);
    unit.net.relu6(maps)
}
