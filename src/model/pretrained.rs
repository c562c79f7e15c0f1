//! The part of a network that others have trained.

use super::{card::Preprocessing, graph::Graph};

/// A network without its answers: it makes maps of features from pictures.
#[derive(Clone, Debug)]
pub struct Pretrained {
    body: Graph,
    /// What it wants taken off and divided by, on levels from 0 to 1.
    mean: [f32; 3],
    std: [f32; 3],
}

impl Pretrained {
    pub(super) fn body(&self) -> &Graph {
        &self.body
    }

    /// Returns what happens to pictures before this network sees them.
    pub(super) fn preprocessing(&self, image_size: u32) -> Preprocessing {
        Preprocessing::with(self.mean, self.std, image_size)
    }
}
