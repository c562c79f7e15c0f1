//! MobileNetV2 at width 1 (Sandler et al. 2018, table 2), under `torchvision`'s names.
//!
//! Two kinds of published weights differ in where they pad: `torchvision`'s evenly, those of
//! `TensorFlow` behind first where a stride of 2 leaves an odd row.

use crate::model::graph::{
    Window,
    build::{Builder, Value},
};

/// How a network was padded when its weights were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Padding {
    Even,
    /// As `TensorFlow`'s `SAME`.
    Same,
}

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

/// How the convolutions are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) struct Style {
    pub(in crate::model) padding: Padding,
    /// Whether the normalisation is already part of the convolutions.
    pub(in crate::model) is_folded: bool,
}

pub(in crate::model) fn body(net: &mut Builder<'_>, pictures: Value, style: Style) -> Value {
    let mut unit = Unit { net, style };
    let mut maps = unit.full("features.0", pictures, 32, Window::of(3).stride(2));
    maps = unit.net.relu6(maps);
    let mut n = 0;
    for (expansion, channels, n_blocks, first_stride) in STAGES {
        for block in 0..n_blocks {
            n += 1;
            let stride = if block == 0 { first_stride } else { 1 };
            maps = unit.block(n, maps, expansion, channels, stride);
        }
    }
    maps = unit.full("features.18", maps, 1280, Window::of(1));
    unit.net.relu6(maps)
}

/// A convolution and its normalisation.
struct Unit<'a, 'b> {
    net: &'a mut Builder<'b>,
    style: Style,
}

impl Unit<'_, '_> {
    fn block(
        &mut self,
        n: usize,
        from: Value,
        expansion: usize,
        channels: usize,
        stride: usize,
    ) -> Value {
        let name = format!("features.{n}.conv");
        let n_in = self.net.shape(from)[0];
        let mut maps = from;
        let mut part = 0;
        if 1 < expansion {
            maps = self.full(&format!("{name}.0"), maps, n_in * expansion, Window::of(1));
            maps = self.net.relu6(maps);
            part = 1;
        }
        let window = Window::of(3).stride(stride);
        maps = self.depthwise(&format!("{name}.{part}"), maps, window);
        maps = self.net.relu6(maps);
        let last = format!("{name}.{}", part + 1);
        maps = self.normal(&last, &format!("{name}.{}", part + 2), maps, channels, Window::of(1));
        if stride == 1 && n_in == channels { self.net.add(from, maps) } else { maps }
    }

    fn full(&mut self, name: &str, from: Value, n_out: usize, window: Window) -> Value {
        self.normal(&format!("{name}.0"), &format!("{name}.1"), from, n_out, window)
    }

    fn normal(
        &mut self,
        conv: &str,
        norm: &str,
        from: Value,
        n_out: usize,
        window: Window,
    ) -> Value {
        let window = self.padded(from, window);
        if self.style.is_folded {
            return self.net.conv_bias(conv, from, n_out, window);
        }
        let maps = self.net.conv(conv, from, n_out, window);
        self.net.norm(norm, maps, 1e-5, 0.1)
    }

    fn depthwise(&mut self, name: &str, from: Value, window: Window) -> Value {
        let window = self.padded(from, window);
        let is_folded = self.style.is_folded;
        let maps = self.net.depthwise(&format!("{name}.0"), from, window, is_folded);
        if is_folded { maps } else { self.net.norm(&format!("{name}.1"), maps, 1e-5, 0.1) }
    }

    fn padded(&self, from: Value, window: Window) -> Window {
        match self.style.padding {
            Padding::Even => window.centred(),
            Padding::Same => window.same(self.net.shape(from)),
        }
    }
}
