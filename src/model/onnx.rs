//! A network in, a file in the Open Neural Network Exchange format out, for programs that are not
//! ours: <https://onnx.ai>, operators of version 17.
//!
//! Takes any number of pictures at once under the name `pictures`, `[n, 3, side, side]`; gives
//! `logits` and `probabilities`, `[n, classes]`. The class names lie in the metadata.

use self::message::Message;
use super::{
    card::Preprocessing,
    classifier::Classifier,
    graph::{Graph, Node, Op, Window},
};

mod message;
#[cfg(test)]
mod tests;

/// What the file takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry {
    /// Pictures normalised as in training.
    Normalised,
    /// Levels of 0 to 255; the file takes off mean and spread itself, given on 0 to 1.
    Levels { mean: [f32; 3], std: [f32; 3] },
}

/// The version of the format, and of its operators.
const IR_VERSION: u64 = 8;
const OPSET: u64 = 17;

/// The numbers of kinds in the format.
const FLOAT: u64 = 1;
const ATTRIBUTE_FLOAT: u64 = 1;
const ATTRIBUTE_INT: u64 = 2;
const ATTRIBUTE_INTS: u64 = 7;

impl Classifier {
    /// Writes the network for pictures given as levels of 0 to 255; what training took off them
    /// is part of the file.
    pub fn to_onnx(&self) -> Vec<u8> {
        let Preprocessing { mean, std, .. } = self.card.preprocessing;
        encode(&self.net, &self.card.classes, Entry::Levels { mean, std })
    }
}

/// Writes a network whose last node has a number for each of `classes`.
pub(super) fn encode(net: &Graph, classes: &[String], entry: Entry) -> Vec<u8> {
    let mut writer = Writer { net, graph: Message::default(), values: Vec::new() };
    for (place, node) in net.nodes().iter().enumerate() {
        let value = if place == 0 { writer.entry(entry) } else { writer.node(place, node) };
        writer.values.push(value);
    }
    let last = writer.values.last().map(|value| value.name.clone()).unwrap_or_default();
    writer.put("Flatten", &[&last], "logits", &[int("axis", 1)]);
    writer.put("Softmax", &["logits"], "probabilities", &[int("axis", 1)]);
    let mut graph = writer.graph;
    graph.text(2, "snapset");
    let [channels, height, width] = net.nodes()[0].shape;
    graph.message(11, &tensor_info("pictures", &[channels, height, width]));
    graph.message(12, &tensor_info("logits", &[classes.len()]));
    graph.message(12, &tensor_info("probabilities", &[classes.len()]));

    let mut operators = Message::default();
    operators.text(1, "");
    operators.int(2, OPSET);
    let mut names = Message::default();
    names.text(1, "classes");
    names.text(2, &serde_json::to_string(classes).expect("names are plain data"));
    let mut model = Message::default();
    model.int(1, IR_VERSION);
    model.text(2, "snapset");
    model.text(3, env!("CARGO_PKG_VERSION"));
    model.message(7, &graph);
    model.message(8, &operators);
    model.message(14, &names);
    model.into_bytes()
}

/// A value in the file.
#[derive(Clone)]
struct Value {
    name: String,
    /// Whether height and width are gone.
    is_flat: bool,
}

struct Writer<'a> {
    net: &'a Graph,
    graph: Message,
    /// What each node gives.
    values: Vec<Value>,
}

impl Writer<'_> {
    fn entry(&mut self, entry: Entry) -> Value {
        let name = match entry {
            Entry::Normalised => "pictures",
            Entry::Levels { mean, std } => {
                self.tensor("levels.mean", &[1, 3, 1, 1], &mean.map(|it| it * 255.0));
                self.tensor("levels.std", &[1, 3, 1, 1], &std.map(|it| it * 255.0));
                self.put("Sub", &["pictures", "levels.mean"], "centred", &[]);
                self.put("Div", &["centred", "levels.std"], "normalised", &[]);
                "normalised"
            }
        };
        Value { name: name.to_owned(), is_flat: false }
    }

    /// Writes a node and its weights; returns what it gives.
    fn node(&mut self, place: usize, node: &Node) -> Value {
        let mut from: Vec<Value> = node.inputs.iter().map(|it| self.values[*it].clone()).collect();
        if matches!(node.op, Op::Dense { .. }) || from.iter().any(|value| value.is_flat) {
            from = from.into_iter().map(|value| self.flat(value)).collect();
        }
        let is_flat = from.iter().all(|value| value.is_flat);
        let mut inputs: Vec<String> = from.into_iter().map(|value| value.name).collect();
        let (kind, attributes) = match node.op {
            Op::Input | Op::Dropout(_) => {
                return Value { name: inputs.swap_remove(0), is_flat };
            }
            Op::Conv { window, groups, .. } => {
                let mut attributes = glide(window);
                attributes.push(int("group", groups));
                ("Conv", attributes)
            }
            Op::Norm { at } => {
                let epsilon = self.net.norms[at].epsilon;
                ("BatchNormalization", vec![float("epsilon", epsilon)])
            }
            Op::Dense { .. } => ("Gemm", vec![int("transB", 1)]),
            Op::Relu => ("Relu", vec![]),
            Op::Relu6 => {
                self.tensor(&format!("bounds{place}.low"), &[], &[0.0]);
                self.tensor(&format!("bounds{place}.high"), &[], &[6.0]);
                inputs.extend(["low", "high"].map(|it| format!("bounds{place}.{it}")));
                ("Clip", vec![])
            }
            Op::MaxPool(window) => ("MaxPool", glide(window)),
            Op::AveragePool(window) => {
                let mut attributes = glide(window);
                attributes.push(int("count_include_pad", 1));
                ("AveragePool", attributes)
            }
            // Of what has no height and width, every value is its own mean.
            Op::GlobalAverage | Op::GlobalMax if is_flat => ("Identity", vec![]),
            Op::GlobalAverage => ("GlobalAveragePool", vec![]),
            Op::GlobalMax => ("GlobalMaxPool", vec![]),
            Op::Flatten => ("Flatten", vec![int("axis", 1)]),
            Op::Add => ("Sum", vec![]),
            Op::Concat => ("Concat", vec![int("axis", 1)]),
        };
        for (name, array) in self.net.tensors_of(place) {
            self.tensor(&name, &array.shape, &array.values);
            inputs.push(name);
        }
        let name = format!("{place}:{}", if node.name.is_empty() { kind } else { &node.name });
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.put(kind, &inputs, &name, &attributes);
        Value { name, is_flat: is_flat || node.op == Op::Flatten }
    }

    /// Takes height and width away.
    fn flat(&mut self, value: Value) -> Value {
        if value.is_flat {
            return value;
        }
        let name = format!("{}:flat", value.name);
        self.put("Flatten", &[&value.name], &name, &[int("axis", 1)]);
        Value { name, is_flat: true }
    }

    fn put(&mut self, kind: &str, inputs: &[&str], output: &str, attributes: &[Message]) {
        let mut node = Message::default();
        for name in inputs {
            node.text(1, name);
        }
        node.text(2, output);
        node.text(3, output);
        node.text(4, kind);
        for attribute in attributes {
            node.message(5, attribute);
        }
        self.graph.message(1, &node);
    }

    fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let mut tensor = Message::default();
        for size in shape {
            tensor.size(1, *size);
        }
        tensor.int(2, FLOAT);
        tensor.text(8, name);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensor.bytes(9, &bytes);
        self.graph.message(5, &tensor);
    }
}

fn glide(window: Window) -> Vec<Message> {
    let [[top, bottom], [left, right]] = window.padding;
    vec![
        ints("kernel_shape", &window.kernel),
        ints("strides", &window.stride),
        ints("pads", &[top, left, bottom, right]),
    ]
}

fn int(name: &str, value: usize) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name);
    attribute.size(3, value);
    attribute.int(20, ATTRIBUTE_INT);
    attribute
}

fn ints(name: &str, values: &[usize]) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name);
    for value in values {
        attribute.size(8, *value);
    }
    attribute.int(20, ATTRIBUTE_INTS);
    attribute
}

fn float(name: &str, value: f64) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name);
    #[expect(clippy::cast_possible_truncation, reason = "the format knows this precision only")]
    attribute.float(2, value as f32);
    attribute.int(20, ATTRIBUTE_FLOAT);
    attribute
}

/// Describes an input or output of numbers, of as many pictures as come.
fn tensor_info(name: &str, sizes: &[usize]) -> Message {
    let mut shape = Message::default();
    let mut any = Message::default();
    any.text(2, "n");
    shape.message(1, &any);
    for size in sizes {
        let mut fixed = Message::default();
        fixed.size(1, *size);
        shape.message(1, &fixed);
    }
    let mut tensor = Message::default();
    tensor.int(1, FLOAT);
    tensor.message(2, &shape);
    let mut kind = Message::default();
    kind.message(1, &tensor);
    let mut info = Message::default();
    info.text(1, name);
    info.message(2, &kind);
    info
}
