//! A beetle seen from above: round, six legs, two feelers, spots in pairs.

use super::{
    super::dice::Dice,
    canvas::{CLEAR, Ink, Point, ink, lit, mix, over, smooth},
    figure::{Coat, Figure, Light, dome},
    shape::{Pose, ellipse, length, stroke},
};

/// One beetle; its head points to the left, so that it lies along the same axis as a fish.
pub(super) struct Beetle {
    coat: Coat,
    light: Light,
    wings: Point,
    shield: Point,
    /// Feet and knees of the right side; the left mirrors them.
    limbs: Vec<[Point; 2]>,
    spots: Vec<Spot>,
    shield_colour: [f32; 3],
}

struct Spot {
    centre: Point,
    radii: Point,
}

/// Where the wing cases are centred on the long axis.
const MIDDLE: f32 = 0.2;

impl Beetle {
    pub(super) fn draw(coat: Coat, light: Light, dice: &mut Dice) -> Self {
        let wings = [dice.between(0.66, 0.8), dice.between(0.52, 0.76)];
        let shield = [dice.between(0.2, 0.3), wings[1] * dice.between(0.6, 0.85)];
        let toned = mix(coat.body, coat.dark, dice.between(0.0, 0.7));
        let shield_colour = if dice.happens(0.3) { coat.marking } else { toned };
        let limbs = limbs(wings[1], dice);
        Self { coat, light, wings, shield, limbs, spots: spots(wings, dice), shield_colour }
    }

    /// Returns the colour of the wing cases with their spots and their seam.
    fn wing_colour(&self, [x, y]: Point, pose: &Pose) -> [f32; 3] {
        let mirrored = [x, y.abs()];
        let inside = self.spots.iter().map(|spot| ellipse(mirrored, spot.centre, spot.radii));
        let nearest = inside.fold(f32::MAX, f32::min);
        let spotted = mix(self.coat.body, self.coat.marking, pose.cover(nearest));
        mix(spotted, self.coat.dark, 0.75 * smooth(0.03, 0.008, y.abs()))
    }
}

/// Draws three legs of two parts each, and a feeler.
fn limbs(half_width: f32, dice: &mut Dice) -> Vec<[Point; 2]> {
    let mut limbs = Vec::new();
    for (root, lean) in [(-0.42, -0.28), (0.0, 0.04), (0.4, 0.36)] {
        let hip = [root, half_width * 0.6];
        let knee = [root + lean * 0.7 + dice.between(-0.06, 0.06), half_width + 0.16];
        let foot = [knee[0] + lean * 0.9 + dice.between(-0.1, 0.1), knee[1] + 0.24];
        limbs.extend([[hip, knee], [knee, foot]]);
    }
    let bend = [dice.between(-1.12, -0.98), dice.between(0.14, 0.26)];
    limbs.push([[-0.85, 0.08], bend]);
    limbs.push([bend, [bend[0] + dice.between(-0.14, 0.06), bend[1] + dice.between(0.1, 0.22)]]);
    limbs
}

/// Draws spots that do not touch each other, the seam or the rim.
fn spots([long, wide]: Point, dice: &mut Dice) -> Vec<Spot> {
    let wanted = 2 + dice.below(4);
    let size = dice.between(0.1, 0.17);
    let mut spots: Vec<Spot> = Vec::new();
    for _ in 0..300 {
        if spots.len() == wanted {
            break;
        }
        let radius = size * dice.between(0.8, 1.15);
        let centre = [MIDDLE + dice.between(-0.8, 0.85) * long, dice.between(0.12, 0.8) * wide];
        let inside = ellipse(centre, [MIDDLE, 0.0], [long, wide]) < -radius * 0.8;
        let clear_of = |spot: &Spot| {
            let apart = [spot.centre[0] - centre[0], spot.centre[1] - centre[1]];
            spot.radii[0] + radius + 0.05 < length(apart)
        };
        if inside && radius + 0.03 < centre[1] && spots.iter().all(clear_of) {
            spots.push(Spot { centre, radii: [radius, radius * dice.between(0.85, 1.1)] });
        }
    }
    spots
}

impl Figure for Beetle {
    fn ink(&self, at: Point, pose: &Pose) -> Ink {
        let mirrored = [at[0], at[1].abs()];
        let wings = pose.cover(ellipse(at, [MIDDLE, 0.0], self.wings));
        let mut seen = CLEAR;
        if wings < 1.0 {
            let limb = |ends: &[Point; 2]| stroke(mirrored, *ends, 0.033);
            let nearest = self.limbs.iter().map(limb).fold(f32::MAX, f32::min);
            seen = ink(lit(self.coat.dark, 0.9), pose.cover(nearest));
            let (head, eye) = ([-0.8, 0.0], [-0.87, 0.14]);
            let skull = pose.cover(ellipse(at, head, [0.2, 0.22]));
            seen = over(seen, self.light.on(self.coat.dark, dome(at, head, [0.2, 0.22]), skull));
            let gloss = ink([0.06; 3], pose.cover(ellipse(mirrored, eye, [0.07, 0.06])));
            seen = over(seen, gloss);
            let neck = [-0.54, 0.0];
            let shield = pose.cover(ellipse(at, neck, self.shield));
            let normal = dome(at, neck, self.shield);
            seen = over(seen, self.light.on(self.shield_colour, normal, shield));
        }
        if 0.0 < wings {
            let normal = dome(at, [MIDDLE, 0.0], self.wings);
            seen = over(seen, self.light.on(self.wing_colour(at, pose), normal, wings));
        }
        seen
    }

    fn outline(&self, at: Point) -> f32 {
        ellipse(at, [MIDDLE, 0.0], self.wings).min(ellipse(at, [-0.6, 0.0], [0.35, 0.3]))
    }
}
