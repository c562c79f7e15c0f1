//! A network → the steps that answer for it: what can be one step is.

use super::{
    Conv, Step, Work,
    block::Block,
    numbers,
    panels::{self, Panels},
    plain::{Dense, Pool},
    windows::Nine,
};
use crate::model::graph::{Graph, Node, Op, Window, layers};

const FREE: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

/// Returns the steps in their order, and how many values there are; `None` if a layer is not known.
pub(super) fn steps(net: &Graph) -> Option<(Vec<Step>, usize)> {
    let nodes = net.nodes();
    let mut plan =
        Plan { net, takers: vec![Vec::new(); nodes.len()], taken: vec![false; nodes.len()] };
    for (place, node) in nodes.iter().enumerate() {
        node.inputs.iter().for_each(|input| plan.takers[*input].push(place));
    }
    let mut steps = Vec::new();
    // Blocks first: the convolutions around them are theirs.
    for place in 1..nodes.len() {
        if plan.is_deep(place) {
            steps.push(plan.block(place)?);
        }
    }
    for (place, node) in nodes.iter().enumerate().skip(1) {
        if !plan.taken[place] {
            steps.push(plan.step(place, node)?);
        }
    }
    steps.sort_by_key(|step| step.gives);
    Some((steps, nodes.len()))
}

/// Which nodes have a step already.
struct Plan<'a> {
    net: &'a Graph,
    /// The nodes that take from each node.
    takers: Vec<Vec<usize>>,
    taken: Vec<bool>,
}

/// What follows a convolution and is done with it.
struct Tail {
    gives: usize,
    bounds: [f32; 2],
    added: Option<usize>,
}

impl<'a> Plan<'a> {
    fn node(&self, place: usize) -> &'a Node {
        &self.net.nodes()[place]
    }

    /// Returns the only node that takes from this one, if it has no step yet.
    fn taker(&self, place: usize) -> Option<usize> {
        let [taker] = *self.takers[place] else { return None };
        (!self.taken[taker]).then_some(taker)
    }

    /// Tells whether a node is a convolution of each channel by itself.
    fn is_deep(&self, place: usize) -> bool {
        matches!(self.node(place).op, Op::Conv { groups, .. } if 1 < groups)
    }

    /// Returns the layer of a convolution of one place at a time.
    fn pointwise(&self, place: usize) -> Option<&'a layers::Conv> {
        let Op::Conv { at, window, groups: 1 } = self.node(place).op else { return None };
        (window == Window::of(1)).then(|| &self.net.convs[at])
    }

    /// Takes a convolution, and the sum and the bounds behind it that nobody else is waiting for.
    fn tail(&mut self, place: usize) -> Tail {
        let (mut gives, mut added) = (place, None);
        if let Some(taker) = self.taker(place)
            && let (Op::Add, [a, b]) = (self.node(taker).op, self.node(taker).inputs.as_slice())
        {
            added = Some(if *a == place { *b } else { *a });
            gives = taker;
        }
        self.taken[place] = true;
        Tail { added, ..self.bounded(gives) }
    }

    /// Takes a node, and the bounds behind it that nobody else is waiting for.
    fn bounded(&mut self, place: usize) -> Tail {
        self.taken[place] = true;
        let behind = self.taker(place);
        match behind.and_then(|taker| bounds(self.node(taker).op).map(|it| (taker, it))) {
            Some((taker, bounds)) => {
                self.taken[taker] = true;
                Tail { gives: taker, bounds, added: None }
            }
            None => Tail { gives: place, bounds: FREE, added: None },
        }
    }

    fn block(&mut self, place: usize) -> Option<Step> {
        let node = self.node(place);
        let Op::Conv { at, window, groups } = node.op else { return None };
        let [n_channels, ..] = node.shape;
        if window.kernel != [3, 3] || groups != n_channels {
            return None;
        }
        let (weights, bias) = weights(&self.net.convs[at]);
        let nine = Nine::of(&weights, &bias, panels::lanes());
        let (before, input) = self.before(node.inputs[0]);
        let own = self.bounded(place);
        let own_bounds = own.bounds;
        let next = self.taker(own.gives).filter(|next| self.pointwise(*next).is_some());
        let (behind, end) = match next {
            Some(next) => {
                let [n_out, ..] = self.node(next).shape;
                let panels = self.pointwise(next).map(|conv| panels_of(conv, n_channels))?;
                let tail = self.tail(next);
                (Some((panels, n_out, tail.bounds)), tail)
            }
            None => (None, own),
        };
        let block = Block { before, nine, window, bounds: own_bounds, n_channels, behind };
        let inputs = [input].into_iter().chain(end.added).collect();
        Some(Step { work: Work::Block(Box::new(block)), inputs, gives: end.gives })
    }

    /// Takes the pointwise convolution that gives a value nobody else wants; returns it, and what
    /// the block takes.
    fn before(&mut self, value: usize) -> (Option<(Panels, [f32; 2])>, usize) {
        let alone = |place: usize| self.takers[place].len() == 1 && !self.taken[place];
        let node = self.node(value);
        let (place, bounds) = match bounds(node.op) {
            Some(bounds) if alone(value) => (node.inputs[0], bounds),
            Some(_) | None => (value, FREE),
        };
        let n_in = |conv: usize| self.node(self.node(conv).inputs[0]).shape[0];
        match self.pointwise(place).filter(|_| alone(place)) {
            Some(conv) => {
                let panels = panels_of(conv, n_in(place));
                let input = self.node(place).inputs[0];
                self.taken[place] = true;
                self.taken[value] = true;
                (Some((panels, bounds)), input)
            }
            None => (None, value),
        }
    }

    fn step(&mut self, place: usize, node: &Node) -> Option<Step> {
        let simple = |work: Work| Some(Step { work, inputs: node.inputs.clone(), gives: place });
        match node.op {
            Op::Conv { at, window, .. } => {
                let input = node.inputs[0];
                let [n_in, ..] = self.node(input).shape;
                let panels = panels_of(&self.net.convs[at], n_in);
                let tail = self.tail(place);
                let conv = Conv { panels, window, n_out: node.shape[0], bounds: tail.bounds };
                let inputs = [input].into_iter().chain(tail.added).collect();
                Some(Step { work: Work::Conv(conv), inputs, gives: tail.gives })
            }
            Op::Norm { at } => {
                let (scale, shift) = self.net.norms[at].line();
                simple(Work::Scale([numbers(scale), numbers(shift)]))
            }
            Op::Dense { at } => {
                let layer = &self.net.denses[at];
                let [weight, bias] = [numbers(layer.weight.val()), numbers(layer.bias.val())];
                simple(Work::Dense(Dense { weight, bias }))
            }
            Op::Relu | Op::Relu6 => simple(Work::Bound(bounds(node.op)?)),
            Op::MaxPool(window) => simple(Work::Pool(window, Pool::Largest)),
            Op::AveragePool(window) => simple(Work::Pool(window, Pool::Average)),
            Op::GlobalAverage => simple(Work::PoolAll(Pool::Average)),
            Op::GlobalMax => simple(Work::PoolAll(Pool::Largest)),
            Op::Flatten => simple(Work::Flatten),
            Op::Add => simple(Work::Add),
            Op::Concat => simple(Work::Join),
            Op::Dropout(_) => simple(Work::Nothing),
            Op::Input => None,
        }
    }
}

/// What a node that only bounds leaves.
fn bounds(op: Op) -> Option<[f32; 2]> {
    [(Op::Relu, f32::INFINITY), (Op::Relu6, 6.0)]
        .into_iter()
        .find(|(known, _)| *known == op)
        .map(|(_, most)| [0.0, most])
}

fn panels_of(conv: &layers::Conv, n_in: usize) -> Panels {
    let (weights, bias) = weights(conv);
    Panels::of(&weights, &bias, n_in, panels::lanes())
}

/// Returns the weights of a convolution, and its bias or zeros.
fn weights(conv: &layers::Conv) -> (Vec<f32>, Vec<f32>) {
    let weight = conv.weight.val();
    let [n_out, ..] = weight.dims();
    let bias = conv.bias.as_ref().map_or_else(|| vec![0.0; n_out], |bias| numbers(bias.val()));
    (numbers(weight), bias)
}
