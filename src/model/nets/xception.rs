//! Xception (Chollet 2017), under the names of `timm`'s `legacy_xception`.
//!
//! In the `SAME` style it is Keras' network: its pooling pads behind first and its normalisation
//! adds more to the variance.

use super::{Padding, unit::Unit};
use crate::model::graph::{Window, build::Value};

pub(super) fn body(unit: &mut Unit<'_, '_>, pictures: Value) -> Value {
    unit.epsilon = match unit.style.padding {
        Padding::Even => 1e-5,
        Padding::Same => 1e-3,
    };
    let mut maps = unit.full_relu(["conv1", "bn1"], pictures, 32, Window::of(3).stride(2));
    maps = unit.full_relu(["conv2", "bn2"], maps, 64, Window::of(3));
    maps = block(unit, "block1", maps, &[128, 128]);
    maps = block(unit, "block2", maps, &[256, 256]);
    maps = block(unit, "block3", maps, &[728, 728]);
    for n in 4..12 {
        maps = block(unit, &format!("block{n}"), maps, &[728, 728, 728]);
    }
    maps = block(unit, "block12", maps, &[728, 1024]);
    maps = separable(unit, ["conv3", "bn3"], maps, 1536);
    maps = unit.net.relu(maps);
    maps = separable(unit, ["conv4", "bn4"], maps, 2048);
    unit.net.relu(maps)
}

/// Separable convolutions with `ReLU` before each but the network's first, and a way around them;
/// where there are two of them, the map is halved.
fn block(unit: &mut Unit<'_, '_>, name: &str, from: Value, widths: &[usize]) -> Value {
    let is_first = name == "block1";
    let mut maps = from;
    // Numbers of the layers in a `Sequential`.
    let mut n = 0;
    for (at, width) in widths.iter().enumerate() {
        if 0 < at || !is_first {
            maps = unit.net.relu(maps);
            n += 1;
        }
        let (conv, norm) = (format!("{name}.rep.{n}"), format!("{name}.rep.{}", n + 1));
        maps = separable(unit, [&conv, &norm], maps, *width);
        n += 2;
    }
    let skip = if let [_, width] = widths {
        let window = unit.padded(maps, Window::of(3).stride(2));
        maps = unit.net.max_pool(maps, window);
        let (conv, norm) = (format!("{name}.skip"), format!("{name}.skipbn"));
        unit.full([&conv, &norm], from, *width, Window::of(1).stride(2))
    } else {
        from
    };
    unit.net.add(maps, skip)
}

/// A convolution of each channel by itself, one across the channels, and a normalisation.
fn separable(unit: &mut Unit<'_, '_>, names: [&str; 2], from: Value, n_out: usize) -> Value {
    let [name, norm] = names;
    let maps = unit.net.depthwise(
        &format!("{name}.conv1"),
        from,
        Window::of(3).pad(1),
        crate::model::graph::build::Bias::Without,
    );
    unit.full([&format!("{name}.pointwise"), norm], maps, n_out, Window::of(1))
}
