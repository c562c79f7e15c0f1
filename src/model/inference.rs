//! A network made ready to answer on the processor, one picture after the other.
//!
//! While it learns, a network is run layer by layer over a batch, and every value that comes out
//! is kept. In use nobody wants what lies between: bounds and sums are part of the convolution
//! before them, the narrow blocks of small networks are run a few rows at a time ([`block`]), and
//! everything lies channels last, so that a place of a map is a row of registers ([`panels`]).
//! What comes out depends on the picture alone, not on its batch or on the number of threads.

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use self::{
    block::Block,
    map::Map,
    panels::{Panels, Places},
    plain::{Dense, Pool},
};
use super::graph::{Graph, Shape, Window};

mod block;
mod buffer;
mod map;
mod panels;
mod plain;
mod plan;
#[cfg(test)]
mod tests;
mod windows;

/// A network in the order of its steps.
#[derive(Clone, Debug)]
pub(super) struct Inference {
    shape: Shape,
    steps: Vec<Step>,
    /// How many steps take each value, and one more for the last.
    n_uses: Vec<usize>,
}

/// Makes one value of others; a value is named by the node of the network that gives it.
#[derive(Clone, Debug)]
struct Step {
    work: Work,
    inputs: Vec<usize>,
    gives: usize,
}

#[derive(Clone, Debug)]
enum Work {
    Conv(Conv),
    /// As a convolution, it may take a second value, which is added before the bounds.
    Block(Box<Block>),
    Dense(Dense),
    /// Multiplies each channel and adds to it.
    Scale([Vec<f32>; 2]),
    Bound([f32; 2]),
    Pool(Window, Pool),
    PoolAll(Pool),
    Flatten,
    Add,
    Join,
    Nothing,
}

#[derive(Clone, Debug)]
struct Conv {
    panels: Panels,
    window: Window,
    n_out: usize,
    bounds: [f32; 2],
}

impl Inference {
    /// Makes a network ready; `None` if it has a layer that is not known here.
    pub(super) fn of(net: &Graph) -> Option<Self> {
        let net = net.folded();
        let (steps, n_nodes) = plan::steps(&net)?;
        let mut n_uses = vec![0; n_nodes];
        n_uses[n_nodes - 1] = 1;
        steps.iter().flat_map(|step| &step.inputs).for_each(|place| n_uses[*place] += 1);
        Some(Self { shape: net.nodes()[0].shape, steps, n_uses })
    }

    /// Answers about pictures `[n, channels, height, width]`, each on one core: what the last node
    /// gives, channel by channel, a row per picture.
    pub(super) fn outcomes(&self, pictures: &[f32]) -> Vec<Vec<f32>> {
        let pictures = pictures.par_chunks_exact(self.shape.iter().product());
        pictures.map(|picture| self.outcome(picture)).collect()
    }

    fn outcome(&self, picture: &[f32]) -> Vec<f32> {
        let mut values: Vec<Option<Map>> = vec![None; self.n_uses.len()];
        let mut n_uses = self.n_uses.clone();
        values[0] = Some(Map::of(picture, self.shape));
        for step in &self.steps {
            let given = |place: &usize| values[*place].as_ref().expect("an earlier step gave it");
            let inputs: Vec<&Map> = step.inputs.iter().map(given).collect();
            let value = step.work.run(&inputs);
            for place in &step.inputs {
                n_uses[*place] -= 1;
                if n_uses[*place] == 0 {
                    values[*place] = None;
                }
            }
            values[step.gives] = Some(value);
        }
        values.pop().flatten().expect("the last step gives the last value").planes()
    }
}

impl Work {
    /// Each value was given by an earlier step, and there are as many as the work takes.
    fn run(&self, inputs: &[&Map]) -> Map {
        let first = inputs[0];
        match self {
            Self::Conv(conv) => conv.run(first, inputs.get(1).copied()),
            Self::Block(block) => block.run(first, inputs.get(1).copied()),
            Self::Dense(dense) => dense.run(first),
            Self::Scale([scale, shift]) => plain::scale(first, [scale, shift]),
            Self::Bound(bounds) => plain::bound(first.clone(), *bounds),
            Self::Pool(window, how) => plain::pool(first, *window, *how),
            Self::PoolAll(how) => plain::pool_all(first, *how),
            Self::Flatten => plain::flatten(first),
            Self::Add => plain::add(inputs),
            Self::Join => plain::join(inputs, panels::lanes()),
            Self::Nothing => first.clone(),
        }
    }
}

impl Conv {
    fn run(&self, map: &Map, added: Option<&Map>) -> Map {
        let Window { kernel: [down, across], stride, padding } = self.window;
        let padded;
        let map = if padding == [[0, 0]; 2] {
            map
        } else {
            padded = map.padded(self.window);
            &padded
        };
        let size = [0, 1].map(|axis| (map.size[axis] - [down, across][axis]) / stride[axis] + 1);
        let (row, step) = (map.size[1] * map.stride, map.stride);
        let place = move |y: usize, x: usize| y * row + x * step;
        // Taps beside each other are one where nothing fills up the places between them.
        let is_dense = map.stride == map.n_channels;
        let (n_across, n_in) =
            if is_dense { (1, across * map.n_channels) } else { (across, map.n_channels) };
        let taps: Vec<usize> =
            (0..down).flat_map(|y| (0..n_across).map(move |x| place(y, x))).collect();
        let mut out = Map::any(size, self.n_out, self.panels.stride());
        let at: Vec<[usize; 2]> = (0..size[0] * size[1])
            .map(|at| {
                let (y, x) = (at / size[1], at % size[1]);
                [place(y * stride[0], x * stride[1]), at * out.stride]
            })
            .collect();
        let added = added.map(|it| it.with_stride(out.stride));
        let places = Places {
            panels: &self.panels,
            input: &map.values,
            taps: &taps,
            n_in,
            at: &at,
            added: added.as_ref().map(|it| &*it.values),
            bounds: self.bounds,
        };
        places.sum(&mut out.values);
        out
    }
}

/// Tells whether a device is the processor, which is served here.
pub(super) fn serves(device: &Device) -> bool {
    device.clone().without_autodiff() == Device::flex()
}

/// Copies a tensor out of the network library.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("the network computes in f32")
}
