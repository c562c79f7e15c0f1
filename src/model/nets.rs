//! The networks by name: each is put together by a file of its own.

use burn::tensor::Device;

use self::mobilenet_v2::{Padding, Style};
use super::{
    graph::{
        Graph, Shape,
        build::{Builder, Fill, TooSmall, Value},
    },
    recipe::Architecture,
};

pub(super) mod mobilenet_v2;
mod linear;
mod small_cnn;

/// What fixes the size of a network.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) architecture: Architecture,
    pub(super) side_px: usize,
    pub(super) n_classes: usize,
    pub(super) dropout: f64,
}

/// Makes a whole network for squares of `plan.side_px` in three colours.
pub(super) fn build(plan: &Plan, fill: Fill<'_>, device: &Device) -> Result<Graph, TooSmall> {
    assemble(plan, None, fill, device).map(|(net, _)| net)
}

/// Makes a whole network, on a given body if there is one; returns with it where its head begins.
pub(super) fn assemble(
    plan: &Plan,
    body: Option<&Graph>,
    fill: Fill<'_>,
    device: &Device,
) -> Result<(Graph, usize), TooSmall> {
    if let Some(body) = body {
        let nodes = body.nodes();
        let shape = nodes.last().map_or([0; 3], |last| last.shape);
        let (mut net, maps) = Builder::new(shape, fill, device);
        head(&mut net, maps, plan);
        return Ok((body.join(&net.finish()?), nodes.len()));
    }
    let shape: Shape = [3, plan.side_px, plan.side_px];
    let (mut net, pictures) = Builder::new(shape, fill, device);
    match plan.architecture {
        Architecture::SmallCnn => {
            small_cnn::answer(&mut net, pictures, plan.n_classes, plan.dropout);
        }
        Architecture::Linear => linear::answer(&mut net, pictures, plan.n_classes),
        Architecture::MobilenetV2 => {
            let style = Style { padding: Padding::Even, is_folded: false };
            let maps = mobilenet_v2::body(&mut net, pictures, style);
            head(&mut net, maps, plan);
        }
    }
    Ok((net.finish()?, 0))
}

fn head(net: &mut Builder<'_>, maps: Value, plan: &Plan) {
    let features = net.global_average(maps);
    let features = net.dropout(features, plan.dropout);
    net.output("classifier.1", features, plan.n_classes);
}
