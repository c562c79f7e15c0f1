//! A network in, a table and a picture of its blocks out, with what each costs.

use std::fmt::Write as _;

use super::{
    classifier::Classifier,
    graph::{Graph, Node, Op, Shape, Window},
};

mod svg;
#[cfg(test)]
mod tests;

/// The blocks of a network in the order they are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    pub blocks: Vec<Block>,
}

/// Layers that belong together, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub name: String,
    /// Its layers in words; a number behind a stroke is how far a window moves.
    pub kind: String,
    /// Channels, height and width of what it gives; what is flat has a height and width of 1.
    pub shape: [usize; 3],
    /// How many numbers it learns or learned.
    pub n_parameters: usize,
    /// Multiplications, each with an addition, for one picture.
    pub n_multiply_adds: usize,
    /// The blocks it takes from.
    pub inputs: Vec<usize>,
}

/// So many convolutions are named one by one; of more, the number is told.
const NAMED_CONVOLUTIONS: usize = 3;

impl Drawing {
    pub(super) fn of(net: &Graph) -> Self {
        // The nodes of each block, and the block of each node.
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut homes: Vec<usize> = Vec::new();
        let mut open = String::new();
        for (place, node) in net.nodes().iter().enumerate() {
            let name = name_of(net.nodes(), node);
            match name {
                Some(name) if members.is_empty() || name != open => {
                    members.push(vec![place]);
                    open = name;
                }
                Some(_) | None => members.last_mut().expect("the input has a name").push(place),
            }
            homes.push(members.len() - 1);
        }
        let blocks = members.iter().enumerate().map(|(at, places)| {
            let sources = places.iter().flat_map(|place| &net.nodes()[*place].inputs);
            let mut inputs: Vec<usize> =
                sources.map(|source| homes[*source]).filter(|home| *home != at).collect();
            inputs.sort_unstable();
            inputs.dedup();
            let nodes: Vec<&Node> = places.iter().map(|place| &net.nodes()[*place]).collect();
            let (first, last) = (nodes[0], nodes[nodes.len() - 1]);
            Block {
                name: name_of(net.nodes(), first).unwrap_or_default(),
                kind: kind(net, &nodes),
                shape: last.shape,
                n_parameters: places.iter().map(|place| net.n_parameters_of(*place)).sum(),
                n_multiply_adds: nodes.iter().map(|node| multiply_adds(net, node)).sum(),
                inputs,
            }
        });
        Self { blocks: blocks.collect() }
    }

    pub fn n_parameters(&self) -> usize {
        self.blocks.iter().map(|block| block.n_parameters).sum()
    }

    /// Multiplications, each with an addition, for one picture.
    pub fn n_multiply_adds(&self) -> usize {
        self.blocks.iter().map(|block| block.n_multiply_adds).sum()
    }

    /// Draws the blocks from top to bottom as an SVG picture, which takes the colours of the page
    /// it is put into.
    pub fn svg(&self) -> String {
        svg::draw(self)
    }

    /// Writes one line for each block, and the sums.
    pub fn table(&self) -> String {
        let head = ["block", "layers", "gives", "parameters", "multiply-adds"].map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(self.blocks.iter().map(|block| {
            let n = [block.n_parameters, block.n_multiply_adds].map(grouped);
            let [n_parameters, n_multiply_adds] = n;
            let (name, kind) = (block.name.clone(), block.kind.clone());
            [name, kind, size(block.shape), n_parameters, n_multiply_adds]
        }));
        let sums = [self.n_parameters(), self.n_multiply_adds()].map(grouped);
        let [n_parameters, n_multiply_adds] = sums;
        let nothing = String::new();
        rows.push(["all".to_owned(), nothing.clone(), nothing, n_parameters, n_multiply_adds]);
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: [usize; 5] = std::array::from_fn(|column| width(column).unwrap_or(0));
        let mut text = String::new();
        for [name, kind, gives, n_parameters, n_multiply_adds] in &rows {
            let [first, second, third, fourth, fifth] = widths;
            write!(text, "{name:first$}  {kind:second$}  {gives:>third$}  ").expect("as below");
            writeln!(text, "{n_parameters:>fourth$}  {n_multiply_adds:>fifth$}")
                .expect("a string takes all");
        }
        text
    }
}

impl Classifier {
    /// Returns the blocks of the network, to be drawn or told.
    pub fn drawing(&self) -> Drawing {
        Drawing::of(&self.net)
    }
}

/// Names the block a node begins or goes on with; none for what belongs to the node before it.
fn name_of(nodes: &[Node], node: &Node) -> Option<String> {
    let follows_conv =
        || node.inputs.iter().any(|source| matches!(nodes[*source].op, Op::Conv { .. }));
    match node.op {
        Op::Norm { .. } if follows_conv() => None,
        Op::Conv { .. } | Op::Norm { .. } | Op::Dense { .. } => Some(block_name(&node.name)),
        Op::Input => Some("pictures".to_owned()),
        Op::GlobalAverage => Some("global average".to_owned()),
        Op::GlobalMax => Some("global maximum".to_owned()),
        Op::Flatten => Some("flatten".to_owned()),
        Op::Relu | Op::Relu6 | Op::MaxPool(_) | Op::AveragePool(_) | Op::Dropout(_) | Op::Add => {
            None
        }
        // Between the branches of a block, or behind nodes that are blocks of their own.
        Op::Concat => {
            let pooled =
                |source: &usize| matches!(nodes[*source].op, Op::GlobalMax | Op::Dropout(_));
            node.inputs.iter().any(pooled).then(|| "joined".to_owned())
        }
    }
}

/// Returns the first part of a name, and the second where it is a number.
fn block_name(name: &str) -> String {
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        Some(number) if number.bytes().all(|it| it.is_ascii_digit()) => format!("{first}.{number}"),
        Some(_) | None => first.to_owned(),
    }
}

/// Tells the layers of a block in words.
fn kind(net: &Graph, nodes: &[&Node]) -> String {
    let is_conv = |node: &&&Node| matches!(node.op, Op::Conv { .. });
    let n_convs = nodes.iter().filter(is_conv).count();
    let mut words: Vec<String> = Vec::new();
    if NAMED_CONVOLUTIONS < n_convs {
        words.push(format!("{n_convs} convolutions"));
    }
    for node in nodes {
        let word = match node.op {
            Op::Conv { .. } if NAMED_CONVOLUTIONS < n_convs => continue,
            Op::Conv { window, groups: 1, .. } => format!("conv {}", wide(window)),
            Op::Conv { window, .. } => format!("depthwise {}", wide(window)),
            Op::Norm { .. } if n_convs == 0 => "normalisation".to_owned(),
            Op::Dense { at } => {
                let [n_in, n_out] = net.denses[at].weight.shape().dims();
                format!("dense {n_in} to {n_out}")
            }
            Op::MaxPool(window) => format!("max pool {}", wide(window)),
            Op::AveragePool(window) => format!("average pool {}", wide(window)),
            Op::Add => "sum".to_owned(),
            Op::Concat => "join".to_owned(),
            Op::Dropout(share) if 0.0 < share => format!("dropout {share}"),
            Op::Relu | Op::Relu6 if n_convs == 0 => "ReLU".to_owned(),
            Op::Relu
            | Op::Relu6
            | Op::Norm { .. }
            | Op::Dropout(_)
            | Op::Input
            | Op::GlobalAverage
            | Op::GlobalMax
            | Op::Flatten => continue,
        };
        words.push(word);
    }
    words.join(", ")
}

fn wide(window: Window) -> String {
    let [down, across] = window.kernel;
    let [stride, _] = window.stride;
    let moves = if 1 < stride { format!("/{stride}") } else { String::new() };
    format!("{down}×{across}{moves}")
}

fn multiply_adds(net: &Graph, node: &Node) -> usize {
    match node.op {
        Op::Conv { at, .. } => {
            let [_, height, width] = node.shape;
            net.convs[at].weight.shape().num_elements() * height * width
        }
        Op::Dense { at } => net.denses[at].weight.shape().num_elements(),
        Op::Input
        | Op::Norm { .. }
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

fn size([channels, height, width]: Shape) -> String {
    if height == 1 && width == 1 {
        grouped(channels)
    } else {
        format!("{channels} × {height} × {width}")
    }
}

/// Writes a number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (head, rest) = digits.split_at(first);
    let rest = rest.as_bytes().chunks(3).map(|it| String::from_utf8_lossy(it).into_owned());
    [head.to_owned()].into_iter().chain(rest).collect::<Vec<String>>().join(",")
}
