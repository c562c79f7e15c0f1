//! Pictures in, maps of where a trained network found the evidence for a class out.
//!
//! The network is cut behind its last feature maps; a cell of a map is the sum of the features
//! there, each weighed by what it does for the class. Pictures enter as they do for a prediction,
//! so what is shown is what the model saw.

use burn::{
    module::Module as _,
    tensor::{Device, Tensor, TensorData},
};
use rayon::prelude::*;

use super::{
    ModelError,
    augment::{self, Alteration},
    classifier::{Classifier, check_size, rows, side},
    graph::{Graph, Node, Op, PART},
};
use crate::pixels::{
    Picture,
    crop::{self, Filter},
    heat::{self, HeatMap},
    process,
};

/// How many pictures are asked about at once: what a gradient needs of them is held together.
const BATCH: usize = 16;

/// Where the evidence for one class lies in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationMap {
    /// The number of the class asked about.
    pub class: usize,
    pub method: Method,
    /// Covers the square the network saw; its cells are those of the network's last maps. Evidence
    /// against the class counts as none.
    pub heat: HeatMap,
}

/// How a map is made; the network decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Class activation map (Zhou et al. 2016), for networks that end in global pooling and one
    /// layer to the classes: each cell's own share of the class's number before softmax. What a
    /// maximum passes on belongs to the cell it was found in.
    Cam,
    /// Grad-CAM (Selvaraju et al. 2017): features weighed by the mean, over the picture, of the
    /// gradient of the class's number before softmax.
    GradCam,
    /// Gradient × input, pixel by pixel, the colours added up: for networks without feature maps
    /// of more than one cell. Of a network of one layer it is each pixel's own share.
    Saliency,
}

/// The class a map is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The most probable one, the first of equals.
    Predicted,
    /// The class of this number, in the order of the model's classes.
    Class(usize),
}

impl Classifier {
    /// Returns where the evidence for a class lies in each picture, given as rows of RGB bytes of
    /// the squares [`Self::square`] makes.
    pub fn activation_maps(
        &self,
        pictures: &[&[u8]],
        asked: Asked,
    ) -> Result<Vec<ActivationMap>, ModelError> {
        check_size("given", pictures, self.card().image_size)?;
        let classes = &self.card().classes;
        if let Asked::Class(class) = asked
            && classes.len() <= class
        {
            return Err(ModelError::NoSuchClass { class, classes: classes.clone() });
        }
        let lens = Lens::of(&self.net);
        let maps_of = |batch| self.maps_of(&lens, batch, asked);
        Ok(pictures.chunks(BATCH).flat_map(maps_of).collect())
    }

    fn maps_of(&self, lens: &Lens, pictures: &[&[u8]], asked: Asked) -> Vec<ActivationMap> {
        let side_px = side(self.card().image_size);
        let preprocessing = &self.card().preprocessing;
        let values = augment::batch(pictures, side_px, preprocessing, |_| Alteration::NONE);
        let shape = [pictures.len(), 3, side_px, side_px];
        let pictures = Tensor::from_data(TensorData::new(values, shape), &Device::flex());
        let (classes, evidence) = lens.evidence(pictures, asked);
        let [_, height, width] = evidence.dims();
        let map = |(class, evidence): (usize, Vec<f32>)| {
            let heat = HeatMap::of(&evidence, [height, width]);
            ActivationMap { class, method: lens.method, heat }
        };
        classes.into_iter().zip(rows(evidence.flatten(1, 2))).map(map).collect()
    }

    /// Makes of a prepared picture the square the network takes: its middle, scaled, and treated
    /// by the steps the model learned with.
    pub fn square(&self, prepared: &Picture) -> Picture {
        let square = crop::center_square(prepared, self.card().image_size, Filter::default());
        process::apply(&square, &self.card().process)
    }

    /// Draws where the evidence for a class lies in a prepared picture: the picture, and beside it
    /// the same under the colours of the map, as squares of `side_px`.
    pub fn activation_panel(
        &self,
        prepared: &Picture,
        asked: Asked,
        side_px: u32,
    ) -> Result<Picture, ModelError> {
        Ok(heat::panel(prepared, &self.heat(prepared, asked)?, side_px))
    }

    /// Draws the second part of [`Self::activation_panel`] alone: the picture under the colours of
    /// the map, as a square of `side_px`.
    pub fn activation_overlay(
        &self,
        prepared: &Picture,
        asked: Asked,
        side_px: u32,
    ) -> Result<Picture, ModelError> {
        let square = crop::center_square(prepared, side_px, Filter::default());
        Ok(heat::overlay(&square, &self.heat(prepared, asked)?))
    }

    fn heat(&self, prepared: &Picture, asked: Asked) -> Result<HeatMap, ModelError> {
        let maps = self.activation_maps(&[self.square(prepared).as_raw()], asked)?;
        Ok(maps.into_iter().next().expect("there is a map for every picture").heat)
    }
}

/// A network, cut where it is looked into.
#[derive(Clone)]
struct Lens {
    method: Method,
    before: Graph,
    behind: Graph,
}

impl Lens {
    fn of(net: &Graph) -> Self {
        let place = net.last_maps();
        let (before, behind) = net.split(place.unwrap_or(0));
        let method = match place {
            Some(_) if behind.is_pooling_and_layer() => Method::Cam,
            Some(_) => Method::GradCam,
            None => Method::Saliency,
        };
        Self { method, before, behind }
    }

    /// Returns, for `[n, 3, side, side]` values as the network takes them, the class of each
    /// picture and how much each cell says for it (above 0) or against it: `[n, height, width]`.
    fn evidence(&self, pictures: Tensor<4>, asked: Asked) -> (Vec<usize>, Tensor<3>) {
        let parts: Vec<Tensor<4>> = pictures.split(PART, 0);
        let parts: Vec<_> = parts.into_par_iter().map(|it| self.before.outcome(it)).collect();
        let maps = Tensor::cat(parts, 0);
        let (classes, gradient) = self.gradient(&maps, asked);
        let weights = match self.method {
            Method::Cam | Method::Saliency => gradient,
            Method::GradCam => gradient.mean_dim(2).mean_dim(3),
        };
        (classes, (maps * weights).sum_dim(1).squeeze_dim(1))
    }

    /// Returns the gradient of the class's number, of the shape of `maps`.
    fn gradient(&self, maps: &Tensor<4>, asked: Asked) -> (Vec<usize>, Tensor<4>) {
        // Only the maps are followed: gradients of the weights would be made for nothing.
        let behind = self.behind.clone().no_grad().train();
        let maps = maps.clone().autodiff().require_grad();
        let logits = behind.forward(maps.clone());
        let classes = chosen(&logits.clone().inner(), asked);
        // No picture has a say in another's numbers, so one pass serves all of them.
        let gradients = (logits.clone() * one_hot(&classes, &logits)).sum().backward();
        (classes, maps.grad(&gradients).expect("the numbers come from the maps"))
    }
}

impl Graph {
    /// Returns the last node that gives maps of more than one cell all that follows is made from,
    /// with no convolution behind it; `None` where there is none.
    ///
    /// Pooling ends the search, as maps are finer before it.
    fn last_maps(&self) -> Option<usize> {
        let nodes = self.nodes();
        let conv = nodes.iter().rposition(|node| matches!(node.op, Op::Conv { .. }))?;
        let first = (conv..nodes.len()).find(|place| self.is_joint(*place))?;
        let is_by_place = |node: &Node| {
            matches!(node.op, Op::Norm { .. } | Op::Relu | Op::Relu6 | Op::Dropout(_))
        };
        let goes_on = |place: &usize| is_by_place(&nodes[*place]) && self.is_joint(*place);
        let last = (first + 1..nodes.len()).take_while(goes_on).last().unwrap_or(first);
        let [_, height, width] = nodes[last].shape;
        (1 < height * width).then_some(last)
    }

    /// Tells whether the network is global pooling and one layer to the classes, so that every
    /// answer is a sum of what cells add to it.
    fn is_pooling_and_layer(&self) -> bool {
        let nodes = self.nodes();
        let is_cell = |node: &Node| node.inputs.iter().all(|it| nodes[*it].shape[1..] == [1, 1]);
        let is_plain = |node: &Node| match node.op {
            // In use, dropout lets everything pass.
            Op::Dropout(_) | Op::GlobalAverage | Op::GlobalMax => true,
            Op::Flatten | Op::Concat => is_cell(node),
            Op::Input
            | Op::Conv { .. }
            | Op::Norm { .. }
            | Op::Dense { .. }
            | Op::Relu
            | Op::Relu6
            | Op::MaxPool(_)
            | Op::AveragePool(_)
            | Op::Add => false,
        };
        let [_, between @ .., layer] = nodes else { return false };
        matches!(layer.op, Op::Dense { .. }) && is_cell(layer) && between.iter().all(is_plain)
    }
}

fn chosen(logits: &Tensor<2>, asked: Asked) -> Vec<usize> {
    let best = |row: Vec<f32>| {
        (0..row.len()).fold(0, |best, class| if row[best] < row[class] { class } else { best })
    };
    let class = |row| match asked {
        Asked::Predicted => best(row),
        Asked::Class(class) => class,
    };
    rows(logits.clone()).into_iter().map(class).collect()
}

/// Returns rows of the shape of `like` that are 1 at each picture's class and 0 elsewhere.
fn one_hot(classes: &[usize], like: &Tensor<2>) -> Tensor<2> {
    let shape = like.dims();
    let mut values = vec![0.0_f32; shape.iter().product()];
    for (row, class) in values.chunks_mut(shape[1]).zip(classes) {
        row[*class] = 1.0;
    }
    Tensor::from_data(TensorData::new(values, shape), &like.device())
}

#[cfg(test)]
mod planted_tests;
#[cfg(test)]
mod tests;
