//! `ResNet` with 18 and 50 layers (He et al. 2016, table 1), under `torchvision`'s names, which
//! moves by two in the middle convolution of a bottleneck.

use super::unit::Unit;
use crate::model::graph::{Window, build::Value};

/// What the blocks of a network are made of.
#[derive(Clone, Copy)]
enum Block {
    /// Two convolutions of 3×3.
    Basic,
    /// 1×1 down, 3×3, and 1×1 up to four times as many channels.
    Bottleneck,
}

pub(super) fn body_18(unit: &mut Unit<'_, '_>, pictures: Value) -> Value {
    body(unit, pictures, Block::Basic, [2, 2, 2, 2])
}

pub(super) fn body_50(unit: &mut Unit<'_, '_>, pictures: Value) -> Value {
    body(unit, pictures, Block::Bottleneck, [3, 4, 6, 3])
}

fn body(unit: &mut Unit<'_, '_>, pictures: Value, kind: Block, n_blocks: [usize; 4]) -> Value {
    let stem = Window::of(7).stride(2).pad(3);
    let mut maps = unit.full_relu(["conv1", "bn1"], pictures, 64, stem);
    maps = unit.net.max_pool(maps, Window::of(3).stride(2).pad(1));
    for (layer, (n_blocks, width)) in (1..).zip(n_blocks.into_iter().zip([64, 128, 256, 512])) {
        for block in 0..n_blocks {
            let stride = if 1 < layer && block == 0 { 2 } else { 1 };
            maps = residual(unit, &format!("layer{layer}.{block}"), maps, (kind, width, stride));
        }
    }
    maps
}

fn residual(
    unit: &mut Unit<'_, '_>,
    name: &str,
    from: Value,
    (kind, width, stride): (Block, usize, usize),
) -> Value {
    let names = |n: usize| (format!("{name}.conv{n}"), format!("{name}.bn{n}"));
    let ((conv1, bn1), (conv2, bn2), (conv3, bn3)) = (names(1), names(2), names(3));
    let narrow = Window::of(1);
    let (maps, n_out) = match kind {
        Block::Basic => {
            let window = Window::of(3).pad(1);
            let maps = unit.full_relu([&conv1, &bn1], from, width, window.stride(stride));
            (unit.full([&conv2, &bn2], maps, width, window), width)
        }
        Block::Bottleneck => {
            let window = Window::of(3).pad(1).stride(stride);
            let maps = unit.full_relu([&conv1, &bn1], from, width, narrow);
            let maps = unit.full_relu([&conv2, &bn2], maps, width, window);
            (unit.full([&conv3, &bn3], maps, 4 * width, narrow), 4 * width)
        }
    };
    let skip = if stride == 1 && unit.net.shape(from)[0] == n_out {
        from
    } else {
        let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
        unit.full([&conv, &norm], from, n_out, narrow.stride(stride))
    };
    let sum = unit.net.add(maps, skip);
    unit.net.relu(sum)
}
