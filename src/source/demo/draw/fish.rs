//! A fish seen from its side: long, a forked tail, fins, stripes across.

use std::f32::consts::TAU;

use super::{
    super::dice::Dice,
    canvas::{Ink, Point, ink, lit, mix, over, smooth},
    figure::{Coat, Figure, Light},
    shape::{Hills, Pose, ellipse},
};

/// One fish; it swims to the right.
pub(super) struct Fish {
    coat: Coat,
    light: Light,
    half_height: f32,
    tail: Tail,
    fin: f32,
    stripes: Stripes,
    hills: Hills,
}

struct Tail {
    half_height: f32,
    fork: f32,
}

struct Stripes {
    count: f32,
    phase: f32,
    bend: f32,
    width: f32,
    wobble: f32,
}

/// Where the body begins (at the tail) and ends (at the nose).
const BODY: [f32; 2] = [-0.66, 0.98];
const TAIL_END: f32 = -1.12;

impl Fish {
    pub(super) fn draw(coat: Coat, light: Light, dice: &mut Dice) -> Self {
        let half_height = dice.between(0.32, 0.46);
        let tail = Tail { half_height: dice.between(0.3, 0.48), fork: dice.between(0.1, 0.6) };
        let stripes = Stripes {
            count: [3.0, 4.0, 5.0, 6.0][dice.below(4)],
            phase: dice.unit(),
            bend: dice.between(-0.5, 0.5),
            width: dice.between(-0.25, 0.25),
            wobble: dice.between(0.0, 0.1),
        };
        let fin = dice.between(0.14, 0.28);
        Self { coat, light, half_height, tail, fin, stripes, hills: Hills::new(dice) }
    }

    /// Returns half the body's height at a place along it.
    fn body(&self, x: f32) -> f32 {
        let t = ((x - BODY[0]) / (BODY[1] - BODY[0])).clamp(0.0, 1.0);
        0.075 * (1.0 - t) + self.half_height * 1.22 * t.powf(0.75) * (1.0 - t * t * t).sqrt()
    }

    /// Returns how far a place lies outside the tail fin.
    fn tail(&self, [x, y]: Point) -> f32 {
        let back = ((BODY[0] + 0.06 - x) / (BODY[0] + 0.06 - TAIL_END)).max(0.0);
        let half = 0.06 + self.tail.half_height * back.powf(0.8);
        let end = TAIL_END + self.tail.fork * 0.4 * (1.0 - (y.abs() / half).min(1.0));
        ((y.abs() - half) * 0.8).max(end - x).max(x - BODY[0] - 0.1)
    }

    /// Returns how far a place lies outside the fins on the back and the belly.
    fn fins(&self, [x, y]: Point) -> f32 {
        let (from, to, high) =
            if y < 0.0 { (-0.42, 0.5, self.fin) } else { (-0.36, 0.06, self.fin * 0.8) };
        let s = ((x - from) / (to - from)).clamp(0.0, 1.0);
        let rise = high * (4.0 * s * (1.0 - s)).sqrt() * (1.0 - 0.45 * s);
        ((y.abs() - self.body(x) - rise) * 0.8).max(from - x).max(x - to)
    }

    /// Returns the colour of the side: stripes, a lighter belly, the gill.
    fn side(&self, [x, y]: Point, pose: &Pose) -> [f32; 3] {
        let stripes = &self.stripes;
        let wave = stripes.wobble * (self.hills.height([x * 4.0 + 9.0, y * 4.0 + 9.0]) - 0.5);
        let along = (x + stripes.bend * y * y + wave) * stripes.count / 1.7 + stripes.phase;
        let level = (along * TAU).cos() - stripes.width;
        let slope = TAU * stripes.count / 1.7 / pose.unit_px;
        let marked = smooth(-slope, slope, level) * smooth(0.82, 0.74, x);
        let belly = mix(self.coat.body, [1.0; 3], 0.22 * smooth(0.0, 0.35, y));
        let gill = smooth(0.025, 0.0, (ellipse([x, y], [0.78, 0.0], [0.26, 0.3])).abs());
        let colour = mix(belly, self.coat.marking, marked);
        mix(colour, self.coat.dark, 0.5 * gill * smooth(0.6, 0.5, x))
    }
}

/// Returns the eye, if the place is in it.
fn eye(at: Point, pose: &Pose) -> Ink {
    let centre = [0.74, -0.07];
    let white = ink([0.93, 0.92, 0.86], pose.cover(ellipse(at, centre, [0.085; 2])));
    let pupil = ink([0.04; 3], pose.cover(ellipse(at, centre, [0.052; 2])));
    let glint = ink([1.0; 3], pose.cover(ellipse(at, [0.76, -0.09], [0.018; 2])));
    over(over(white, pupil), glint)
}

impl Figure for Fish {
    fn ink(&self, at: Point, pose: &Pose) -> Ink {
        let [x, y] = at;
        let soft = mix(mix(self.coat.body, self.coat.marking, 0.4), self.coat.dark, 0.45);
        let rays = 0.85 + 0.16 * (60.0 * y / (0.35 + (x - BODY[0]).abs())).sin();
        let tail = ink(lit(soft, rays), 0.94 * pose.cover(self.tail(at)));
        let combs = 0.85 + 0.16 * ((x + 0.4 * y) * 70.0).sin();
        let fins = ink(lit(soft, combs), 0.9 * pose.cover(self.fins(at)));
        let seen = over(tail, fins);

        let half = self.body(x);
        let inside = (y.abs() - half).max(x - BODY[1]).max(BODY[0] - 0.04 - x);
        let cover = pose.cover(inside * 0.85);
        if cover <= 0.0 {
            return seen;
        }
        let across = (y / half.max(0.02)).clamp(-1.0, 1.0) * 0.9;
        let ahead = 0.7 * smooth(0.55, 1.0, x);
        let up = (1.0 - across * across - ahead * ahead).max(0.03).sqrt();
        let size = (across * across + ahead * ahead + up * up).sqrt();
        let normal = [ahead / size, across / size, up / size];
        let seen = over(seen, self.light.on(self.side(at, pose), normal, cover));
        let hand = ellipse([x - 0.3, y - 0.1 - 0.3 * (0.3 - x)], [0.0; 2], [0.17, 0.08]);
        let seen = over(seen, ink(lit(soft, combs), 0.75 * pose.cover(hand)));
        over(seen, eye(at, pose))
    }

    fn outline(&self, at: Point) -> f32 {
        let body = (at[1].abs() - self.body(at[0])).max(at[0] - BODY[1]).max(BODY[0] - at[0]);
        body.min(self.tail(at))
    }
}
