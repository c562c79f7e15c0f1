//! The pixels of one component, at the density its blocks came in.

use super::{
    header::{Coding, Component, Frame, Quantiser},
    inverse::{self, Block, Render, Shape},
};

/// One component of the picture to be.
pub(super) struct Plane {
    pub(super) levels: Vec<u8>,
    pub(super) stride: usize,
    pub(super) shape: Shape,
    pub(super) render: Render,
    /// Blocks of whole units, across and down.
    pub(super) blocks: (usize, usize),
    /// How often each pixel counts in the picture, across and down: 1, 2 or 4 times.
    pub(super) spread: (usize, usize),
    /// As it stood when the first scan of this component began.
    pub(super) quantiser: Option<Quantiser>,
    /// Whether a scan gave the means.
    pub(super) has_means: bool,
}

/// Returns the most bytes that are held at one time to draw a picture.
pub(super) fn bytes(frame: &Frame, eighths: usize) -> u64 {
    let units = frame.units();
    let (mut levels, mut coefficients) = (0, 0);
    for component in &frame.components {
        let n = units.0 * component.across * units.1 * component.down;
        let shape = Shape::of(frame, component, eighths);
        levels += n * shape.across * shape.down;
        // Two bytes for each coefficient, eight for a block.
        coefficients += n * (2 * shape.across * shape.down + 8);
    }
    let picture = 3 * (frame.width * eighths).div_ceil(8) * (frame.height * eighths).div_ceil(8);
    let beside = match frame.coding {
        Coding::Sequential => picture,
        Coding::Progressive => picture.max(coefficients),
    };
    u64::try_from(levels + beside).expect("a size fits 64 bits")
}

impl Shape {
    /// Returns how many pixels to make of a component's blocks. Those of sparse components come
    /// larger, as far as they hold more.
    fn of(frame: &Frame, component: &Component, eighths: usize) -> Self {
        let (across, down) = (frame.across / component.across, frame.down / component.down);
        Self { across: (eighths * across).min(8), down: (eighths * down).min(8) }
    }
}

impl Plane {
    /// Lays out a component of a picture that comes with `eighths` of 8 pixels each way.
    pub(super) fn new(frame: &Frame, component: &Component, eighths: usize) -> Self {
        let (across, down) = (frame.across / component.across, frame.down / component.down);
        let shape = Shape::of(frame, component, eighths);
        let units = frame.units();
        let blocks = (units.0 * component.across, units.1 * component.down);
        let stride = blocks.0 * shape.across;
        Self {
            levels: vec![128; stride * blocks.1 * shape.down],
            stride,
            shape,
            render: shape.render(),
            blocks,
            spread: (eighths * across / shape.across, eighths * down / shape.down),
            quantiser: None,
            has_means: false,
        }
    }

    /// Returns the pixels from the upper left corner of a block on.
    #[inline(always)]
    pub(super) fn starting_at(&mut self, (x, y): (usize, usize)) -> &mut [u8] {
        let start = (y * self.shape.down) * self.stride + x * self.shape.across;
        &mut self.levels[start..]
    }

    /// Draws a block.
    #[inline(always)]
    pub(super) fn draw(&mut self, block: &Block, at: (usize, usize)) {
        let (render, stride) = (self.render, self.stride);
        render(block, self.starting_at(at), stride);
    }

    /// Draws a block without details.
    #[inline(always)]
    pub(super) fn draw_flat(&mut self, mean: i32, at: (usize, usize)) {
        let (shape, stride) = (self.shape, self.stride);
        inverse::flat(mean, shape, self.starting_at(at), stride);
    }
}
