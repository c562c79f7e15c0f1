//! A network as a list of nodes, each taking what earlier nodes give.
//!
//! All networks have this one form, so that there is one way to run them, to cut them where the
//! frozen part ends, to fold normalisation into convolution, to save them under the names their
//! authors use, to draw them and to hand them to other programs.

use burn::{
    module::Module,
    tensor::{Tensor, module::avg_pool2d, ops::AvgPoolOptions},
};

use rayon::prelude::*;

use self::layers::{Conv, Dense, Norm};
use super::{dropout, pool::max_pool, rectify::rectify};
use crate::model::random::Random;

pub(super) mod build;
pub(super) mod cut;
pub(super) mod layers;
pub(super) mod names;
#[cfg(test)]
mod tests;

/// How many pictures one core is given at once in use: more of them would leave the caches.
pub(super) const PART: usize = 4;

/// Channels, height and width of what a node gives for one picture. What is flat has its length
/// as channels and a height and width of 1.
pub(super) type Shape = [usize; 3];

/// A window that glides over a map, as (down, across).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    /// For each axis, how much is added before and behind.
    pub(super) padding: [[usize; 2]; 2],
}

/// What a node does. `at` is a place in the list of that kind of layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    /// The pictures, or what the part before a cut made of them.
    Input,
    Conv {
        at: usize,
        window: Window,
        groups: usize,
    },
    /// Batch normalisation.
    Norm {
        at: usize,
    },
    /// A fully connected layer on flat values.
    Dense {
        at: usize,
    },
    Relu,
    /// Zero below 0, 6 above 6.
    Relu6,
    /// The padding never wins.
    MaxPool(Window),
    /// The padding counts as zeros.
    AveragePool(Window),
    GlobalAverage,
    GlobalMax,
    Flatten,
    Add,
    /// Joins along the channels.
    Concat,
    /// While learning, hides this share of the values and raises the others in turn.
    Dropout(f64),
}

/// One step of a network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// What its weights are called; published weights go by the same name.
    pub(super) name: String,
    pub(super) op: Op,
    /// The nodes it takes from; all lie before it.
    pub(super) inputs: Vec<usize>,
    pub(super) shape: Shape,
    /// Whether training leaves it as it is.
    pub(super) is_frozen: bool,
}

/// A network: the first node is the only [`Op::Input`], the last one's values are the answer.
#[derive(Module, Debug)]
pub(super) struct Graph {
    pub(super) convs: Vec<Conv>,
    pub(super) norms: Vec<Norm>,
    pub(super) denses: Vec<Dense>,
    #[module(skip)]
    nodes: Vec<Node>,
}

/// What the normalisation layers saw of a batch: place, mean and variance.
type Seen = Vec<(usize, Tensor<1>, Tensor<1>)>;

impl Graph {
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Answers as in use: `[n, channels, height, width]` → `[n, answers]`.
    pub(super) fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        self.outcome(pictures).flatten(1, 3)
    }

    /// Answers as [`Self::forward`] does, a few pictures on each core.
    pub(super) fn forward_in_parts(&self, pictures: Tensor<4>) -> Tensor<2> {
        let parts: Vec<Tensor<4>> = pictures.split(PART, 0);
        let answers: Vec<Tensor<2>> = parts.into_par_iter().map(|it| self.forward(it)).collect();
        Tensor::cat(answers, 0)
    }

    /// Returns what the last node gives, its shape kept.
    pub(super) fn outcome(&self, pictures: Tensor<4>) -> Tensor<4> {
        let last = self.nodes.len() - 1;
        self.values(pictures, &[last]).remove(0)
    }

    /// Returns what some nodes give, in the order asked for; nodes behind them are not run.
    pub(super) fn values(&self, pictures: Tensor<4>, wanted: &[usize]) -> Vec<Tensor<4>> {
        self.run(pictures, wanted, None, &mut Seen::new())
    }

    /// Answers while learning: hides values drawn from `random`, normalises by the batch, and
    /// lets the layers that do so remember a little of it.
    pub(super) fn learn(&mut self, pictures: Tensor<4>, random: &mut Random) -> Tensor<2> {
        let mut seen = Seen::new();
        let last = self.nodes.len() - 1;
        let logits = self.run(pictures, &[last], Some(random), &mut seen).remove(0).flatten(1, 3);
        for (at, mean, variance) in seen {
            self.norms[at].remember(mean, variance);
        }
        logits
    }

    fn run(
        &self,
        pictures: Tensor<4>,
        wanted: &[usize],
        mut random: Option<&mut Random>,
        seen: &mut Seen,
    ) -> Vec<Tensor<4>> {
        let end = wanted.iter().max().map_or(0, |last| last + 1);
        let mut n_uses = vec![0; end];
        let inputs = self.nodes[..end].iter().flat_map(|node| &node.inputs);
        for place in inputs.chain(wanted) {
            n_uses[*place] += 1;
        }
        let mut values = Values { held: vec![None; end], n_uses };
        values.held[0] = Some(pictures);
        for (place, node) in self.nodes[..end].iter().enumerate().skip(1) {
            if values.n_uses[place] == 0 || values.held[place].is_some() {
                continue;
            }
            let taken: Vec<Tensor<4>> = node.inputs.iter().map(|it| values.take(*it)).collect();
            let is_learning = random.is_some() && !node.is_frozen;
            if let (Op::Norm { at }, true, [x]) = (node.op, is_learning, taken.as_slice()) {
                // Nobody else wants what a ReLU is about to change.
                let is_alone = values.n_uses[place] == 1 && place + 1 < end;
                let most = self.bound_behind(place).filter(|_| is_alone);
                let (y, mean, variance) = self.norms[at].learn(x.clone(), most);
                seen.push((at, mean, variance));
                values.held[place + usize::from(most.is_some())] = Some(y);
            } else {
                values.held[place] = Some(self.give(node, taken, random.as_deref_mut()));
            }
        }
        wanted.iter().map(|place| values.take(*place)).collect()
    }

    /// Returns the bound of the node right behind this one, if it rectifies what this one gives.
    fn bound_behind(&self, place: usize) -> Option<f32> {
        let behind = self.nodes.get(place + 1).filter(|behind| behind.inputs == [place])?;
        let bounds = [(Op::Relu, f32::INFINITY), (Op::Relu6, 6.0)];
        bounds.into_iter().find(|(op, _)| behind.op == *op).map(|(_, most)| most)
    }

    fn give(
        &self,
        node: &Node,
        mut taken: Vec<Tensor<4>>,
        random: Option<&mut Random>,
    ) -> Tensor<4> {
        if node.op == Op::Concat {
            return Tensor::cat(taken, 1);
        }
        let x = taken.remove(0);
        match node.op {
            Op::Conv { at, window, groups } => self.convs[at].forward(x, window, groups),
            Op::Norm { at } => self.norms[at].forward(x),
            Op::Dense { at } => {
                let [n, channels, height, width] = x.dims();
                let y = self.denses[at].forward(x.reshape([n, channels * height * width]));
                let [_, n_out] = y.dims();
                y.reshape([n, n_out, 1, 1])
            }
            Op::Relu => rectify(x, f32::INFINITY),
            Op::Relu6 => rectify(x, 6.0),
            Op::MaxPool(window) => max_pool(x, window),
            Op::AveragePool(window) => avg_pool2d(x, window.average_pool()),
            Op::GlobalAverage => x.flatten::<3>(2, 3).mean_dim(2).unsqueeze_dim(3),
            Op::GlobalMax => x.flatten::<3>(2, 3).max_dim(2).unsqueeze_dim(3),
            Op::Flatten => {
                let [n, channels, height, width] = x.dims();
                x.reshape([n, channels * height * width, 1, 1])
            }
            Op::Add => taken.into_iter().fold(x, |sum, it| sum + it),
            Op::Dropout(share) => match random {
                Some(random) if 0.0 < share => dropout::hide(x, share, random),
                Some(_) | None => x,
            },
            Op::Input | Op::Concat => x,
        }
    }
}

/// What nodes gave, for as long as somebody needs it.
struct Values {
    held: Vec<Option<Tensor<4>>>,
    n_uses: Vec<usize>,
}

impl Values {
    /// Returns a value, and lets go of it with its last use.
    fn take(&mut self, place: usize) -> Tensor<4> {
        self.n_uses[place] -= 1;
        let held = &mut self.held[place];
        let value = if self.n_uses[place] == 0 { held.take() } else { held.clone() };
        value.expect("a node takes from nodes before it")
    }
}

impl Window {
    /// A square kernel that moves by one and stays inside.
    pub(super) const fn of(side: usize) -> Self {
        Self::wide(side, side)
    }

    pub(super) const fn wide(down: usize, across: usize) -> Self {
        Self { kernel: [down, across], stride: [1, 1], padding: [[0, 0], [0, 0]] }
    }

    pub(super) const fn stride(self, stride: usize) -> Self {
        Self { stride: [stride, stride], ..self }
    }

    /// Adds as much on all sides.
    pub(super) const fn pad(self, padding: usize) -> Self {
        Self { padding: [[padding, padding]; 2], ..self }
    }

    /// Adds so much that a stride of 1 keeps the size of the map; the kernel's sides are odd.
    pub(super) fn centred(self) -> Self {
        let padding = self.kernel.map(|side| [side / 2, side / 2]);
        Self { padding, ..self }
    }

    /// Pads as `TensorFlow`'s `SAME` does: so that the size is divided by the stride and rounded
    /// up, with the odd row or column behind.
    pub(super) fn same(self, shape: Shape) -> Self {
        let padding = [0, 1].map(|axis| {
            let (size, stride) = (shape[axis + 1], self.stride[axis]);
            let covered = (size.div_ceil(stride) - 1) * stride + self.kernel[axis];
            let added = covered.saturating_sub(size);
            [added / 2, added - added / 2]
        });
        Self { padding, ..self }
    }

    /// Returns height and width of the map of `shape` the window makes, if it fits at all.
    pub(super) fn over(&self, shape: Shape) -> Option<[usize; 2]> {
        let side = |axis: usize| {
            let [before, behind] = self.padding[axis];
            let room = (shape[axis + 1] + before + behind).checked_sub(self.kernel[axis])?;
            Some(room / self.stride[axis] + 1)
        };
        Some([side(0)?, side(1)?])
    }

    fn average_pool(&self) -> AvgPoolOptions<2> {
        let padding = self.padding.map(|[before, behind]| (before, behind));
        let Self { kernel: kernel_size, stride, .. } = *self;
        AvgPoolOptions { kernel_size, stride, padding, count_include_pad: true, ceil_mode: false }
    }
}
