//! The baseline: every pixel has a say for every class, and that is all.

use crate::model::graph::build::{Builder, Value};

pub(super) fn answer(net: &mut Builder<'_>, pictures: Value, n_classes: usize) {
    let pixels = net.flatten(pictures);
    net.output("output", pixels, n_classes);
}
