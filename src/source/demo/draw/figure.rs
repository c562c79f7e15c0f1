//! What beetles and fish have in common: colours, light and a shadow. The colours and the light
//! are drawn alike for every class, so that only the shape and the markings tell them apart.

use super::{
    super::dice::Dice,
    backdrop::Palette,
    canvas::{Colour, Ink, Point, brightness, hsv, ink, lit},
    shape::Pose,
};

/// The colours of one animal.
#[derive(Clone, Copy)]
pub(super) struct Coat {
    pub(super) body: Colour,
    pub(super) marking: Colour,
    /// Legs, feelers, outlines.
    pub(super) dark: Colour,
}

/// Where the light comes from, in the figure's own coordinates.
#[derive(Clone, Copy)]
pub(super) struct Light {
    pub(super) towards: [f32; 3],
    pub(super) shine: f32,
}

/// An animal as ink.
pub(super) trait Figure {
    /// Returns the ink at a place of the figure.
    fn ink(&self, at: Point, pose: &Pose) -> Ink;

    /// Returns the distance to its outline, thin parts left out.
    fn outline(&self, at: Point) -> f32;
}

impl Coat {
    /// Draws a body that stands out from the backdrop and markings that stand out from the body.
    pub(super) fn draw(behind: &Palette, dice: &mut Dice) -> Self {
        let body = standing_out(&behind[..2], 0.4, dice);
        let marking = loop {
            let marking = standing_out(&[body], 0.6, dice);
            if 0.32 < (brightness(marking) - brightness(body)).abs() {
                break marking;
            }
        };
        let dark = lit(if brightness(marking) < brightness(body) { marking } else { body }, 0.45);
        Self { body, marking, dark }
    }
}

/// Draws colours until one differs enough from all of `others`, a little less strictly each time.
fn standing_out(others: &[Colour], difference: f32, dice: &mut Dice) -> Colour {
    let mut wanted = difference;
    loop {
        let colour = hsv(dice.unit(), dice.between(0.1, 0.95), dice.between(0.1, 1.0));
        let far = |other: &Colour| {
            let apart: f32 = colour.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
            wanted < apart.sqrt()
        };
        if others.iter().all(far) {
            return colour;
        }
        wanted *= 0.97;
    }
}

impl Light {
    /// Lights a rounded surface whose normal is given; the result is opaque.
    pub(super) fn on(&self, colour: Colour, normal: [f32; 3], opacity: f32) -> Ink {
        let facing: f32 = normal.iter().zip(self.towards).map(|(n, l)| n * l).sum();
        let diffuse = 0.42 + 0.68 * facing.max(0.0);
        // The eye is straight above, so the half-way direction leans halfway.
        let [x, y, z] = self.towards;
        let half = [x * 0.5, y * 0.5, z * 0.5 + 0.5];
        let size = half.iter().map(|n| n * n).sum::<f32>().sqrt();
        let glance: f32 = normal.iter().zip(half).map(|(n, h)| n * h / size).sum();
        let shine = self.shine * glance.max(0.0).powi(28);
        ink(lit(colour, diffuse).map(|level| (level + shine).min(1.0)), opacity)
    }
}

/// Returns the normal of a dome over an ellipse, upright outside of it.
pub(super) fn dome(at: Point, centre: Point, radii: Point) -> [f32; 3] {
    let from = [(at[0] - centre[0]) / radii[0], (at[1] - centre[1]) / radii[1]];
    let up = (1.0 - from[0] * from[0] - from[1] * from[1]).max(0.02).sqrt();
    let size = (from[0] * from[0] + from[1] * from[1] + up * up).sqrt();
    [from[0] / size, from[1] / size, up / size]
}
