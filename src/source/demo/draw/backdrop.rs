//! What lies behind a figure: ground, haze, leaves, pebbles, grass, water. All classes share it.

use std::f32::consts::TAU;

use super::{
    super::dice::Dice,
    canvas::{CLEAR, Canvas, Colour, Frame, Ink, hsv, ink, lit, mix, over, real, smooth},
    shape::{Hills, Pose, ellipse, length, stroke},
};

/// The colours of one backdrop, from its ground to its accents.
pub(super) type Palette = [Colour; 3];

/// Draws related colours: a ground, a neighbour of it, and sometimes a stranger.
pub(super) fn palette(dice: &mut Dice) -> Palette {
    // Earth, leaves and water more often than the rest.
    let ranges = [(0.04, 0.14), (0.17, 0.4), (0.17, 0.4), (0.48, 0.62), (0.0, 1.0)];
    let (from, to) = dice.pick(&ranges);
    let hue = dice.between(from, to);
    let saturation = dice.between(0.08, 0.6);
    let value = dice.between(0.25, 0.85);
    let stray = if dice.happens(0.3) { 0.5 } else { 0.12 };
    let mut relative = |reach: f32| {
        let hue = hue + dice.between(-reach, reach);
        let saturation = (saturation * dice.between(0.6, 1.4)).min(0.75);
        hsv(hue, saturation, (value * dice.between(0.6, 1.4)).clamp(0.12, 0.95))
    };
    [hsv(hue, saturation, value), relative(0.08), relative(stray)]
}

/// Paints a whole canvas.
pub(super) fn paint(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let kinds = [haze, ground, leaves, pebbles, grass, water, leaves, pebbles];
    dice.pick(&kinds)(canvas, palette, dice);
}

/// Two colours running into each other, with discs of light out of focus.
fn haze(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (sin, cos) = (dice.unit() * TAU).sin_cos();
    let size = canvas.shorter_side();
    let hills = Hills::new(dice);
    let phase = dice.unit();
    canvas.fill(|[x, y]| {
        let along = 0.5 + 0.6 * ((x / size - 0.6) * cos + (y / size - 0.5) * sin) + phase * 0.2;
        let cloud = hills.rough([x * 2.0 / size, y * 2.0 / size], 2);
        mix(palette[0], palette[1], (along + 0.5 * (cloud - 0.5)).clamp(0.0, 1.0))
    });
    for _ in 0..dice.below(36) {
        let frame = anywhere(canvas, dice, (0.03, 0.16));
        let colour = mix(lit(palette[2], 1.3), [1.0; 3], dice.unit() * 0.5);
        let strength = dice.between(0.05, 0.28);
        canvas.paint(frame, |at| {
            let from = length([at[0] - frame.centre[0], at[1] - frame.centre[1]]);
            let inside = smooth(frame.reach, frame.reach * 0.9, from);
            let rim = 0.6 + 0.4 * smooth(frame.reach * 0.6, frame.reach * 0.95, from);
            ink(colour, inside * rim * strength)
        });
    }
}

/// Rough earth, bark, moss or felt.
fn ground(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let size = canvas.shorter_side();
    let hills = Hills::new(dice);
    let scale = dice.between(2.0, 7.0) / size;
    let stretch = if dice.happens(0.3) { dice.between(2.0, 4.0) } else { 1.0 };
    canvas.fill(|[x, y]| {
        let at = [x * scale * stretch + 3.0, y * scale + 5.0];
        let rough = hills.rough(at, 5);
        let patches = hills.rough([at[1] * 0.7 + 20.0, at[0] * 0.7 + 9.0], 2);
        let colour = mix(palette[0], palette[1], smooth(0.3, 0.7, rough));
        let colour = mix(colour, palette[2], 0.7 * smooth(0.52, 0.75, patches));
        lit(colour, 0.7 + 0.6 * rough)
    });
}

/// Leaves on the ground, each with its rib and its shadow.
fn leaves(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    ground(canvas, palette, dice);
    for _ in 0..20 + dice.below(45) {
        let frame = anywhere(canvas, dice, (0.08, 0.26));
        let pose = lying(frame, dice);
        let slim = dice.between(0.25, 0.5);
        let colour = lit(mix(palette[1], palette[2], dice.unit()), dice.between(0.6, 1.35));
        // A leaf is where two large discs meet.
        let radius = (1.0 + slim * slim) / (2.0 * slim);
        let distance = move |[x, y]: [f32; 2]| {
            let offset = radius - slim;
            length([x, y.abs() + offset]) - radius
        };
        canvas.paint(frame, |at| {
            let shade = pose.local([at[0] - 0.06 * frame.reach, at[1] - 0.08 * frame.reach]);
            let shadow = ink([0.0; 3], 0.35 * smooth(0.08, -0.1, distance(shade)));
            let local = pose.local(at);
            let rib = smooth(0.0, 0.05, local[1].abs());
            let veins = 0.06 * (local[0].mul_add(22.0, -local[1].abs() * 14.0)).sin();
            let light = 0.82 + 0.15 * local[1].signum() * rib + 0.18 * rib + veins;
            over(shadow, ink(lit(colour, light), pose.cover(distance(local))))
        });
    }
}

/// Stones, each round on top and dark below.
fn pebbles(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    ground(canvas, palette, dice);
    let largest = dice.between(0.07, 0.16);
    for _ in 0..50 + dice.below(90) {
        let frame = anywhere(canvas, dice, (0.02, largest));
        let pose = lying(frame, dice);
        let flat = dice.between(0.6, 0.9);
        let colour = lit(mix(palette[0], palette[2], dice.unit()), dice.between(0.6, 1.35));
        canvas.paint(frame, |at| {
            let local = pose.local(at);
            let distance = ellipse(local, [0.0; 2], [0.85, 0.85 * flat]);
            let below = ellipse(local, [0.08, 0.12], [0.9, 0.9 * flat]);
            let up = (frame.centre[1] - at[1]) / frame.reach;
            let round = 0.75 + 0.25 * up + 0.25 * smooth(0.0, -0.5, distance);
            let shadow = ink([0.0; 3], 0.4 * smooth(0.08, -0.06, below));
            over(shadow, ink(lit(colour, round), pose.cover(distance)))
        });
    }
}

/// Blades and stems, the near ones broad.
fn grass(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    haze(canvas, palette, dice);
    let lean = dice.unit() * TAU;
    for n in 0..40 + dice.below(60) {
        let mut frame = anywhere(canvas, dice, (0.15, 0.5));
        frame.reach *= 1.1;
        let (sin, cos) = (lean + dice.between(-0.6, 0.6)).sin_cos();
        let pose = Pose { turn: [cos, sin], ..lying(frame, dice) };
        let thick = dice.between(0.01, 0.035) * (0.6 + real(n) / 90.0);
        let bend = dice.between(-0.3, 0.3);
        let colour = lit(mix(palette[1], palette[2], dice.unit()), dice.between(0.55, 1.3));
        canvas.paint(frame, |at| {
            let [x, y] = pose.local(at);
            if 0.25 < (y - bend * x * x).abs() {
                return CLEAR;
            }
            let straight = [x, y - bend * x * x];
            let distance = stroke(straight, [[-0.8, 0.0], [0.8, 0.0]], thick * (1.1 - 0.9 * x));
            let edge = 0.85 + 0.3 * smooth(-thick, thick, straight[1]);
            ink(lit(colour, edge), pose.cover(distance))
        });
    }
}

/// Light playing on a floor under water.
fn water(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let size = canvas.shorter_side();
    let hills = Hills::new(dice);
    let scale = dice.between(3.0, 7.0) / size;
    let strength = dice.between(0.15, 0.55);
    canvas.fill(|[x, y]| {
        let at = [x * scale + 2.0, y * scale + 2.0];
        let warp = hills.rough(at, 2);
        let ridge = hills.height([at[0] + warp * 1.6 + 11.0, at[1] + warp * 1.6 + 29.0]);
        let line = smooth(0.12, 0.0, (ridge - 0.5).abs());
        let floor = mix(palette[0], palette[1], hills.rough([at[1] * 0.5, at[0] * 0.5], 3));
        let deep = 0.8 + 0.3 * y / size;
        let lightest: Ink = ink([1.0; 3], line * strength);
        let seen = over(ink(lit(floor, deep), 1.0), lightest);
        [seen[0], seen[1], seen[2]]
    });
}

/// Draws a round frame somewhere; its reach is a share of the shorter side.
fn anywhere(canvas: &Canvas, dice: &mut Dice, (least, most): (f32, f32)) -> Frame {
    let centre = [dice.unit() * real(canvas.width), dice.unit() * real(canvas.height)];
    Frame { centre, reach: dice.between(least, most) * canvas.shorter_side() }
}

/// Lays something into a frame at any angle.
fn lying(frame: Frame, dice: &mut Dice) -> Pose {
    let (sin, cos) = (dice.unit() * TAU).sin_cos();
    Pose { centre: frame.centre, unit_px: frame.reach, turn: [cos, sin], squeeze: 1.0 }
}
