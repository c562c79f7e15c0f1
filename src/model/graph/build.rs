//! Putting a network together, node by node.

use burn::{
    module::Param,
    tensor::{Device, Tensor, TensorData},
};

use super::{
    Graph, Node, Op, Shape, Window,
    layers::{Conv, Dense, Norm},
};
use crate::model::random::Random;

/// What a node gives, while the network is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) struct Value(pub(super) usize);

/// A window too large for what it should glide over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "pictures of this size are too small for the network: `{name}` is left with {height}×{width}"
)]
pub struct TooSmall {
    pub name: String,
    pub height: usize,
    pub width: usize,
}

/// Where the first weights come from.
#[derive(Debug)]
pub(in crate::model) enum Fill<'a> {
    Drawn(&'a mut Random),
    /// They are about to be loaded.
    Zeros,
}

/// A network in the making.
#[derive(Debug)]
pub(in crate::model) struct Builder<'a> {
    graph: Graph,
    fill: Fill<'a>,
    device: &'a Device,
    trouble: Option<TooSmall>,
}

/// Whether a convolution adds a number of its own to every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Bias {
    With,
    Without,
}

/// The kernels of a convolution.
#[derive(Clone, Copy, Debug)]
struct Kernels {
    n_out: usize,
    groups: usize,
    bias: Bias,
}

/// How even draws of first weights reach, given the number of inputs of one output.
#[derive(Clone, Copy, Debug)]
enum Reach {
    /// He et al. 2015, for layers with `ReLU` behind them.
    He,
    /// For the last layer, whose first answers should be close to each other.
    Output,
}

impl<'a> Builder<'a> {
    pub(in crate::model) fn new(shape: Shape, fill: Fill<'a>, device: &'a Device) -> (Self, Value) {
        let graph = Graph { convs: vec![], norms: vec![], denses: vec![], nodes: vec![] };
        let mut builder = Self { graph, fill, device, trouble: None };
        let input = builder.put("input", Op::Input, &[], shape);
        (builder, input)
    }

    /// Goes on where `graph` ends; returns the value of its last node.
    pub(in crate::model) fn onto(
        graph: Graph,
        fill: Fill<'a>,
        device: &'a Device,
    ) -> (Self, Value) {
        let last = Value(graph.nodes.len() - 1);
        (Self { graph, fill, device, trouble: None }, last)
    }

    /// Ends the work: what was built last is the answer.
    pub(in crate::model) fn finish(self) -> Result<Graph, TooSmall> {
        self.trouble.map_or(Ok(self.graph), Err)
    }

    pub(in crate::model) fn shape(&self, value: Value) -> Shape {
        self.graph.nodes[value.0].shape
    }

    /// A convolution without bias, as it stands before a normalisation.
    pub(in crate::model) fn conv(
        &mut self,
        name: &str,
        from: Value,
        n_out: usize,
        window: Window,
    ) -> Value {
        self.kernels(name, from, window, Kernels { n_out, groups: 1, bias: Bias::Without })
    }

    /// A convolution with bias.
    pub(in crate::model) fn conv_bias(
        &mut self,
        name: &str,
        from: Value,
        n_out: usize,
        window: Window,
    ) -> Value {
        self.kernels(name, from, window, Kernels { n_out, groups: 1, bias: Bias::With })
    }

    /// A convolution of each channel by itself.
    pub(in crate::model) fn depthwise(
        &mut self,
        name: &str,
        from: Value,
        window: Window,
        bias: Bias,
    ) -> Value {
        let [n_out, ..] = self.shape(from);
        self.kernels(name, from, window, Kernels { n_out, groups: n_out, bias })
    }

    fn kernels(&mut self, name: &str, from: Value, window: Window, kernels: Kernels) -> Value {
        let Kernels { n_out, groups, bias } = kernels;
        let n_in = self.shape(from)[0] / groups;
        let [down, across] = window.kernel;
        let weight = self.weights([n_out, n_in, down, across], n_in * down * across, Reach::He);
        let bias = (bias == Bias::With).then(|| self.constant(n_out, 0.0));
        self.graph.convs.push(Conv { weight, bias });
        let at = self.graph.convs.len() - 1;
        let [height, width] = self.glide(name, from, window);
        self.put(name, Op::Conv { at, window, groups }, &[from], [n_out, height, width])
    }

    /// Batch normalisation; `momentum` is the share of the new batch, as `PyTorch` has it.
    pub(in crate::model) fn norm(
        &mut self,
        name: &str,
        from: Value,
        epsilon: f64,
        momentum: f64,
    ) -> Value {
        let shape = self.shape(from);
        let [n, ..] = shape;
        let (weight, bias) = (self.constant(n, 1.0), self.constant(n, 0.0));
        let mean = self.constant(n, 0.0).set_require_grad(false);
        let variance = self.constant(n, 1.0).set_require_grad(false);
        self.graph.norms.push(Norm { weight, bias, mean, variance, epsilon, momentum });
        let at = self.graph.norms.len() - 1;
        self.put(name, Op::Norm { at }, &[from], shape)
    }

    /// A fully connected layer with `ReLU` behind it.
    pub(in crate::model) fn dense(&mut self, name: &str, from: Value, n_out: usize) -> Value {
        self.dense_of(name, from, n_out, Reach::He)
    }

    /// The last layer: one number per class.
    pub(in crate::model) fn output(&mut self, name: &str, from: Value, n_out: usize) -> Value {
        self.dense_of(name, from, n_out, Reach::Output)
    }

    fn dense_of(&mut self, name: &str, from: Value, n_out: usize, reach: Reach) -> Value {
        let n_in = self.shape(from).iter().product();
        let weight = self.weights([n_in, n_out], n_in, reach);
        let bias = self.constant(n_out, 0.0);
        self.graph.denses.push(Dense { weight, bias });
        let at = self.graph.denses.len() - 1;
        self.put(name, Op::Dense { at }, &[from], [n_out, 1, 1])
    }

    pub(in crate::model) fn relu(&mut self, from: Value) -> Value {
        self.keep_shape(Op::Relu, from)
    }

    pub(in crate::model) fn relu6(&mut self, from: Value) -> Value {
        self.keep_shape(Op::Relu6, from)
    }

    pub(in crate::model) fn dropout(&mut self, from: Value, share: f64) -> Value {
        self.keep_shape(Op::Dropout(share), from)
    }

    pub(in crate::model) fn max_pool(&mut self, from: Value, window: Window) -> Value {
        self.pool(Op::MaxPool(window), from, window)
    }

    pub(in crate::model) fn average_pool(&mut self, from: Value, window: Window) -> Value {
        self.pool(Op::AveragePool(window), from, window)
    }

    pub(in crate::model) fn global_average(&mut self, from: Value) -> Value {
        let [n, ..] = self.shape(from);
        self.put("", Op::GlobalAverage, &[from], [n, 1, 1])
    }

    pub(in crate::model) fn global_max(&mut self, from: Value) -> Value {
        let [n, ..] = self.shape(from);
        self.put("", Op::GlobalMax, &[from], [n, 1, 1])
    }

    pub(in crate::model) fn flatten(&mut self, from: Value) -> Value {
        let n = self.shape(from).iter().product();
        self.put("", Op::Flatten, &[from], [n, 1, 1])
    }

    pub(in crate::model) fn add(&mut self, a: Value, b: Value) -> Value {
        let shape = self.shape(a);
        self.put("", Op::Add, &[a, b], shape)
    }

    pub(in crate::model) fn concat(&mut self, parts: &[Value]) -> Value {
        let channels = parts.iter().map(|part| self.shape(*part)[0]).sum();
        let [_, height, width] = parts.first().map_or([0; 3], |part| self.shape(*part));
        self.put("", Op::Concat, parts, [channels, height, width])
    }

    fn keep_shape(&mut self, op: Op, from: Value) -> Value {
        let shape = self.shape(from);
        self.put("", op, &[from], shape)
    }

    fn pool(&mut self, op: Op, from: Value, window: Window) -> Value {
        let [n, ..] = self.shape(from);
        let [height, width] = self.glide("a pooling layer", from, window);
        self.put("", op, &[from], [n, height, width])
    }

    fn put(&mut self, name: &str, op: Op, from: &[Value], shape: Shape) -> Value {
        let inputs = from.iter().map(|value| value.0).collect();
        let node = Node { name: name.to_owned(), op, inputs, shape, is_frozen: false };
        self.graph.nodes.push(node);
        Value(self.graph.nodes.len() - 1)
    }

    /// Returns the size of the map a window makes; the first that does not fit is remembered.
    fn glide(&mut self, name: &str, from: Value, window: Window) -> [usize; 2] {
        let shape = self.shape(from);
        window.over(shape).unwrap_or_else(|| {
            let [_, height, width] = shape;
            self.trouble.get_or_insert(TooSmall { name: name.to_owned(), height, width });
            [1, 1]
        })
    }

    fn weights<const D: usize>(
        &mut self,
        shape: [usize; D],
        n_in: usize,
        reach: Reach,
    ) -> Param<Tensor<D>> {
        let n: usize = shape.iter().product();
        let reach = match reach {
            Reach::He => 6_f32.sqrt() / root(n_in),
            Reach::Output => 1.0 / root(n_in),
        };
        let values = match &mut self.fill {
            Fill::Drawn(random) => (0..n).map(|_| random.around_zero(reach)).collect(),
            Fill::Zeros => vec![0.0; n],
        };
        self.param(TensorData::new(values, shape))
    }

    fn constant(&mut self, n: usize, value: f32) -> Param<Tensor<1>> {
        self.param(TensorData::new(vec![value; n], [n]))
    }

    fn param<const D: usize>(&self, data: TensorData) -> Param<Tensor<D>> {
        Param::from_data(data, self.device)
    }
}

/// Returns the square root of a layer's number of inputs.
#[expect(clippy::cast_possible_truncation, reason = "the network computes in this precision")]
fn root(n_inputs: usize) -> f32 {
    let n_inputs = u32::try_from(n_inputs).expect("a layer has fewer than 2^32 inputs");
    f64::from(n_inputs).sqrt() as f32
}
