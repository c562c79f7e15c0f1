//! Cutting a network where the frozen part ends, and folding normalisation into convolution.

use burn::{module::Param, tensor::Tensor};

use super::{Graph, Node, Op, layers::Conv};

impl Graph {
    /// Freezes every node with weights but the last `n_free` of those before `end`; what comes
    /// at `end` or behind it stays free.
    pub(in crate::model) fn freeze_before(&mut self, end: usize, n_free: usize) {
        let weighted: Vec<usize> =
            (0..end).filter(|place| self.nodes[*place].op.has_weights()).collect();
        let n_frozen = weighted.len().saturating_sub(n_free);
        for place in &weighted[..n_frozen] {
            self.nodes[*place].is_frozen = true;
            self.still(*place);
        }
    }

    /// Takes the weights of a node out of learning.
    fn still(&mut self, place: usize) {
        let fixed = |param: &Param<Tensor<1>>| param.clone().set_require_grad(false);
        match self.nodes[place].op {
            Op::Conv { at, .. } => {
                let conv = &mut self.convs[at];
                conv.weight = conv.weight.clone().set_require_grad(false);
                conv.bias = conv.bias.as_ref().map(fixed);
            }
            Op::Norm { at } => {
                let norm = &mut self.norms[at];
                norm.weight = fixed(&norm.weight);
                norm.bias = fixed(&norm.bias);
            }
            Op::Dense { at } => {
                let dense = &mut self.denses[at];
                dense.weight = dense.weight.clone().set_require_grad(false);
                dense.bias = fixed(&dense.bias);
            }
            Op::Input
            | Op::Relu
            | Op::Relu6
            | Op::MaxPool(_)
            | Op::AveragePool(_)
            | Op::GlobalAverage
            | Op::GlobalMax
            | Op::Flatten
            | Op::Add
            | Op::Concat
            | Op::Dropout(_) => (),
        }
    }

    /// Returns the last node whose values are all that the nodes behind it take, with nothing
    /// before it that learns or draws: up to there a picture gives the same in every epoch.
    pub(in crate::model) fn fixed_end(&self) -> usize {
        let moves = |node: &Node| {
            let draws = matches!(node.op, Op::Dropout(share) if 0.0 < share);
            draws || node.op.has_weights() && !node.is_frozen
        };
        let first_moving = self.nodes.iter().position(moves).unwrap_or(self.nodes.len() - 1);
        (0..first_moving).rev().find(|place| self.is_joint(*place)).unwrap_or(0)
    }

    /// Tells whether the network only puts values elsewhere, so that a blend of what it gives is
    /// what it gives of a blend.
    pub(in crate::model) fn only_rearranges(&self) -> bool {
        self.nodes.iter().all(|node| matches!(node.op, Op::Input | Op::Flatten))
    }

    /// Tells whether nothing behind a node takes from before it.
    pub(in crate::model) fn is_joint(&self, place: usize) -> bool {
        let behind = &self.nodes[place + 1..];
        behind.iter().flat_map(|node| &node.inputs).all(|input| place <= *input)
    }

    /// Cuts behind node `end`, which must be a joint.
    pub(in crate::model) fn split(&self, end: usize) -> (Self, Self) {
        let before = self.part(self.nodes[..=end].to_vec());
        let mut input = self.nodes[end].clone();
        (input.op, input.inputs, input.name) = (Op::Input, vec![], "input".to_owned());
        let mut behind = vec![input];
        for node in &self.nodes[end + 1..] {
            let inputs = node.inputs.iter().map(|input| input - end).collect();
            behind.push(Node { inputs, ..node.clone() });
        }
        (before, self.part(behind))
    }

    /// Puts a network together that was cut by [`Self::split`].
    pub(in crate::model) fn join(&self, behind: &Self) -> Self {
        let end = self.nodes.len() - 1;
        let mut joined = self.clone();
        for node in &behind.nodes[1..] {
            let inputs = node.inputs.iter().map(|input| input + end).collect();
            let op = joined.adopt(behind, node.op);
            joined.nodes.push(Node { op, inputs, ..node.clone() });
        }
        joined
    }

    /// Returns a network of some nodes, with copies of their layers only.
    fn part(&self, nodes: Vec<Node>) -> Self {
        let mut part = Self { convs: vec![], norms: vec![], denses: vec![], nodes: vec![] };
        for node in nodes {
            let op = part.adopt(self, node.op);
            part.nodes.push(Node { op, ..node });
        }
        part
    }

    /// Copies the layer of a node from another network, and says where it lies here.
    fn adopt(&mut self, other: &Self, op: Op) -> Op {
        match op {
            Op::Conv { at, window, groups } => {
                self.convs.push(other.convs[at].clone());
                Op::Conv { at: self.convs.len() - 1, window, groups }
            }
            Op::Norm { at } => {
                self.norms.push(other.norms[at].clone());
                Op::Norm { at: self.norms.len() - 1 }
            }
            Op::Dense { at } => {
                self.denses.push(other.denses[at].clone());
                Op::Dense { at: self.denses.len() - 1 }
            }
            Op::Input
            | Op::Relu
            | Op::Relu6
            | Op::MaxPool(_)
            | Op::AveragePool(_)
            | Op::GlobalAverage
            | Op::GlobalMax
            | Op::Flatten
            | Op::Add
            | Op::Concat
            | Op::Dropout(_) => op,
        }
    }

    /// Returns the same network in use, with every normalisation that follows a convolution made
    /// part of its weights.
    pub(in crate::model) fn folded(&self) -> Self {
        let mut n_uses = vec![0; self.nodes.len()];
        self.nodes.iter().flat_map(|node| &node.inputs).for_each(|it| n_uses[*it] += 1);
        let mut folded = Self { convs: vec![], norms: vec![], denses: vec![], nodes: vec![] };
        let mut places: Vec<usize> = Vec::new();
        for node in &self.nodes {
            if let Op::Norm { at } = node.op {
                let before = node.inputs[0];
                if let (Op::Conv { .. }, 1) = (self.nodes[before].op, n_uses[before]) {
                    let place = places[before];
                    let Op::Conv { at: conv, .. } = folded.nodes[place].op else { continue };
                    folded.convs[conv] = self.norms[at].folded_into(&folded.convs[conv]);
                    places.push(place);
                    continue;
                }
            }
            let op = folded.adopt(self, node.op);
            let inputs = node.inputs.iter().map(|input| places[*input]).collect();
            folded.nodes.push(Node { op, inputs, ..node.clone() });
            places.push(folded.nodes.len() - 1);
        }
        folded
    }
}

impl Op {
    pub(in crate::model) fn has_weights(self) -> bool {
        matches!(self, Self::Conv { .. } | Self::Norm { .. } | Self::Dense { .. })
    }
}

impl super::layers::Norm {
    /// Returns the convolution that does what `conv` and this layer behind it do.
    fn folded_into(&self, conv: &Conv) -> Conv {
        let (scale, shift) = self.line();
        let n = scale.dims()[0];
        let weight = conv.weight.val() * scale.clone().reshape([n, 1, 1, 1]);
        let bias = match &conv.bias {
            Some(bias) => bias.val() * scale + shift,
            None => shift,
        };
        let bias = Some(Param::initialized(self.bias.id, bias));
        Conv { weight: Param::initialized(conv.weight.id, weight), bias }
    }
}
