//! The weights of a network as tensors with names, in the layout `PyTorch` uses.

use std::{collections::BTreeMap, fmt::Write as _};

use burn::{
    module::{Param, ParamId},
    tensor::{Tensor, TensorData},
};

use super::{
    Graph, Node, Op,
    layers::{Conv, Dense},
};

/// Numbers in row-major order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::model) struct Array {
    pub(in crate::model) shape: Vec<usize>,
    pub(in crate::model) values: Vec<f32>,
}

/// Tensors by name, as weight files hold them.
pub(in crate::model) type Tensors = BTreeMap<String, Array>;

/// Tensors that do not fit a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misfit {
    /// Names the network has and the file has not.
    pub missing: Vec<String>,
    /// Names the file has and the network has not.
    pub unused: Vec<String>,
    /// Name, shape in the file, shape in the network.
    pub other_shape: Vec<(String, Vec<usize>, Vec<usize>)>,
}

/// One tensor of a network.
enum Slot<'a> {
    Four(&'a mut Param<Tensor<4>>),
    /// A matrix that files hold the other way round.
    Turned(&'a mut Param<Tensor<2>>),
    One(&'a mut Param<Tensor<1>>),
}

impl Graph {
    /// Returns all weights, and what normalisation remembers.
    pub(in crate::model) fn tensors(&self) -> Tensors {
        // Only the walk over mutable slots knows all names; the copy shares its numbers.
        let mut copy = self.clone();
        let mut tensors = Tensors::new();
        copy.each_slot(|name, slot| {
            tensors.insert(name, slot.array());
        });
        tensors
    }

    /// Returns how many numbers training could move.
    pub(in crate::model) fn n_parameters(&self) -> usize {
        (0..self.nodes.len()).map(|place| self.n_parameters_of(place)).sum()
    }

    /// Returns how many of them a node has.
    pub(in crate::model) fn n_parameters_of(&self, place: usize) -> usize {
        let vector = |param: &Param<Tensor<1>>| param.shape().num_elements();
        match self.nodes[place].op {
            Op::Conv { at, .. } => {
                let Conv { weight, bias } = &self.convs[at];
                weight.shape().num_elements() + bias.as_ref().map_or(0, vector)
            }
            Op::Norm { at } => vector(&self.norms[at].weight) + vector(&self.norms[at].bias),
            Op::Dense { at } => {
                let Dense { weight, bias } = &self.denses[at];
                weight.shape().num_elements() + vector(bias)
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
            | Op::Dropout(_) => 0,
        }
    }

    #[cfg(test)]
    /// Returns the shapes of all tensors, as files have them.
    pub(in crate::model) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let mut copy = self.clone();
        let mut shapes = BTreeMap::new();
        copy.each_slot(|name, slot| {
            shapes.insert(name, slot.shape());
        });
        shapes
    }

    /// Takes all weights from `tensors`; each must be there with the right shape, and none may be
    /// left over.
    pub(in crate::model) fn load(&mut self, mut tensors: Tensors) -> Result<(), Misfit> {
        let mut misfit = Misfit::default();
        self.each_slot(|name, slot| match tensors.remove(&name) {
            None => misfit.missing.push(name),
            Some(array) => {
                let wanted = slot.shape();
                if array.shape == wanted {
                    slot.set(array.values);
                } else {
                    misfit.other_shape.push((name, array.shape, wanted));
                }
            }
        });
        // PyTorch counts batches; nothing is computed from the number.
        misfit.unused =
            tensors.into_keys().filter(|it| !it.ends_with(".num_batches_tracked")).collect();
        if misfit == Misfit::default() { Ok(()) } else { Err(misfit) }
    }

    /// Numbers all parameters in their order, so that what an optimiser remembers of them finds
    /// them again in another run.
    pub(in crate::model) fn number(&mut self) {
        let mut n = 0;
        self.each_slot(|_, slot| {
            n += 1;
            match slot {
                Slot::Four(param) => param.id = ParamId::from(n),
                Slot::Turned(param) => param.id = ParamId::from(n),
                Slot::One(param) => param.id = ParamId::from(n),
            }
        });
    }

    /// Returns the tensors of one node, in the order other programs take them.
    pub(in crate::model) fn tensors_of(&self, place: usize) -> Vec<(String, Array)> {
        let node = self.nodes[place].clone();
        let mut copy = self.clone();
        let mut tensors = Vec::new();
        copy.slots_of(&node, &mut |name, slot| tensors.push((name, slot.array())));
        tensors
    }

    fn each_slot(&mut self, mut visit: impl FnMut(String, Slot<'_>)) {
        for node in std::mem::take(&mut self.nodes) {
            self.slots_of(&node, &mut visit);
            self.nodes.push(node);
        }
    }

    fn slots_of(&mut self, node: &Node, visit: &mut impl FnMut(String, Slot<'_>)) {
        let name = |part: &str| format!("{}.{part}", node.name);
        match node.op {
            Op::Conv { at, .. } => {
                visit(name("weight"), Slot::Four(&mut self.convs[at].weight));
                if let Some(bias) = &mut self.convs[at].bias {
                    visit(name("bias"), Slot::One(bias));
                }
            }
            Op::Norm { at } => {
                let norm = &mut self.norms[at];
                visit(name("weight"), Slot::One(&mut norm.weight));
                visit(name("bias"), Slot::One(&mut norm.bias));
                visit(name("running_mean"), Slot::One(&mut norm.mean));
                visit(name("running_var"), Slot::One(&mut norm.variance));
            }
            Op::Dense { at } => {
                visit(name("weight"), Slot::Turned(&mut self.denses[at].weight));
                visit(name("bias"), Slot::One(&mut self.denses[at].bias));
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
}

impl Slot<'_> {
    fn shape(&self) -> Vec<usize> {
        match self {
            Self::Four(param) => param.val().dims().to_vec(),
            Self::Turned(param) => param.val().dims().into_iter().rev().collect(),
            Self::One(param) => param.val().dims().to_vec(),
        }
    }

    fn array(&self) -> Array {
        let data = match self {
            Self::Four(param) => param.val().into_data(),
            Self::Turned(param) => param.val().transpose().into_data(),
            Self::One(param) => param.val().into_data(),
        };
        let values = data.try_to_vec().expect("the network computes in f32");
        Array { shape: self.shape(), values }
    }

    fn set(self, values: Vec<f32>) {
        match self {
            Self::Four(param) => fill(param, values),
            Self::Turned(param) => {
                // Turned here and not by the library, whose view would be added up in another
                // order than the matrix that was saved.
                let [n_in, n_out] = param.val().dims();
                let turned = (0..n_in * n_out).map(|at| values[at % n_out * n_in + at / n_out]);
                fill(param, turned.collect());
            }
            Self::One(param) => fill(param, values),
        }
    }
}

/// Puts other numbers into a parameter that stays itself.
fn fill<const D: usize>(param: &mut Param<Tensor<D>>, values: Vec<f32>) {
    let old = param.val();
    let value = Tensor::from_data(TensorData::new(values, old.dims()), &old.device());
    // `map` keeps whether it shall learn, for `train`; where gradients are tracked already, the
    // new numbers have to be told.
    *param = param.clone().map(|old| value.set_require_grad(old.is_require_grad()));
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        let list = |names: &[String]| {
            let shown: Vec<String> = names.iter().take(3).map(|it| format!("`{it}`")).collect();
            let mut text = shown.join(", ");
            if let more @ 1.. = names.len().saturating_sub(3) {
                write!(text, " and {more} more").ok();
            }
            text
        };
        if !self.missing.is_empty() {
            parts.push(format!("missing: {}", list(&self.missing)));
        }
        if !self.unused.is_empty() {
            parts.push(format!("not part of the network: {}", list(&self.unused)));
        }
        if let Some((name, found, wanted)) = self.other_shape.first() {
            parts.push(format!("`{name}` is {found:?}, not {wanted:?}"));
        }
        f.write_str(&parts.join("; "))
    }
}
