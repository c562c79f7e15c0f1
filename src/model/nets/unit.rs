//! A convolution and the normalisation behind it, which published weights hold apart or as one.

use super::{Padding, Style};
use crate::model::graph::{
    Window,
    build::{Bias, Builder, Value},
};

/// Builds convolutions with normalisation in the style of some weights.
pub(super) struct Unit<'a, 'b> {
    pub(super) net: &'a mut Builder<'b>,
    pub(super) style: Style,
    /// What normalisation adds to the variance.
    pub(super) epsilon: f64,
}

impl Unit<'_, '_> {
    /// A convolution and a normalisation, which have a name each.
    pub(super) fn full(
        &mut self,
        names: [&str; 2],
        from: Value,
        n_out: usize,
        window: Window,
    ) -> Value {
        let [conv, norm] = names;
        if self.style.is_folded {
            return self.net.conv_bias(conv, from, n_out, window);
        }
        let maps = self.net.conv(conv, from, n_out, window);
        self.net.norm(norm, maps, self.epsilon, 0.1)
    }

    /// The same with `ReLU` behind it.
    pub(super) fn full_relu(
        &mut self,
        names: [&str; 2],
        from: Value,
        n_out: usize,
        window: Window,
    ) -> Value {
        let maps = self.full(names, from, n_out, window);
        self.net.relu(maps)
    }

    /// A convolution of each channel by itself, and a normalisation.
    pub(super) fn depthwise(&mut self, names: [&str; 2], from: Value, window: Window) -> Value {
        let [conv, norm] = names;
        if self.style.is_folded {
            return self.net.depthwise(conv, from, window, Bias::With);
        }
        let maps = self.net.depthwise(conv, from, window, Bias::Without);
        self.net.norm(norm, maps, self.epsilon, 0.1)
    }

    /// Pads a window whose stride of 1 would keep the size of the map.
    pub(super) fn padded(&self, from: Value, window: Window) -> Window {
        match self.style.padding {
            Padding::Even => window.centred(),
            Padding::Same => window.same(self.net.shape(from)),
        }
    }
}
