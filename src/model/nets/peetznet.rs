//! Two branches of convolution pairs over the same picture, one with wider windows, joined before
//! two wide layers: for squares of 224 pixels.

use super::vgg_style::{pair, wide};
use crate::model::graph::build::{Builder, Value};

/// Side of the windows and channels of the pairs of each branch.
const BRANCHES: [[(usize, usize); 3]; 2] =
    [[(5, 64), (4, 128), (3, 256)], [(3, 64), (4, 128), (3, 256)]];

pub(super) fn answer(net: &mut Builder<'_>, pictures: Value, n_classes: usize, dropout: f64) {
    let branches = ["a", "b"].into_iter().zip(BRANCHES).map(|(name, pairs)| {
        (1..).zip(pairs).fold(pictures, |maps, (n, size)| {
            let maps = pair(net, &format!("branch_{name}.{n}"), maps, size);
            net.dropout(maps, dropout)
        })
    });
    let branches: Vec<Value> = branches.collect();
    let maps = net.concat(&branches);
    let maps = net.dropout(maps, dropout);
    wide(net, maps, n_classes, dropout);
}
