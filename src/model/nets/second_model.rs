//! The three-block network of Keras' image classification tutorial, with dropout behind every
//! layer.

use super::first_model::{CHANNELS, block};
use crate::model::graph::build::{Builder, Value};

pub(super) fn answer(net: &mut Builder<'_>, pictures: Value, n_classes: usize, dropout: f64) {
    let mut maps = pictures;
    for (n, channels) in (1..).zip(CHANNELS) {
        maps = block(net, &format!("conv{n}"), maps, channels);
        maps = net.dropout(maps, dropout);
    }
    let values = net.flatten(maps);
    let values = net.dense("dense1", values, 128);
    let values = net.relu(values);
    let values = net.dropout(values, dropout);
    net.output("output", values, n_classes);
}
