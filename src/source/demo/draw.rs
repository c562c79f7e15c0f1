//! Draws every picture of the demo site from its name alone: the same name, the same bytes.
//! Two classes that differ in shape and markings but not in colours, light or backdrop.

use std::f32::consts::TAU;

use super::dice::Dice;
use crate::pixels::encode;
use backdrop::Palette;
use beetle::Beetle;
use canvas::{Canvas, Frame, lit, over, real, smooth, whole};
use figure::{Coat, Figure, Light};
use fish::Fish;
use form::{File, Form};
use raster::Raster;
use shape::{Hills, Pose, length};

mod backdrop;
mod beetle;
mod canvas;
mod edit;
mod figure;
mod fish;
pub(super) mod form;
mod quilt;
mod raster;
mod shape;

/// What a subreddit of the demo site shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Beetles,
    Fish,
}

impl Class {
    pub(super) const ALL: [Self; 2] = [Self::Beetles, Self::Fish];

    /// Returns the name of its subreddit.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Beetles => "beetles",
            Self::Fish => "fish",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Beetles => Self::Fish,
            Self::Fish => Self::Beetles,
        }
    }
}

/// What a picture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motif {
    /// A figure of a class in a scene of its own.
    Figure(Class),
    /// Patches of colour that run into each other: quickly made, and no two alike.
    Quilt,
}

/// One picture: what it shows, in which scene, and what was done to it since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) motif: Motif,
    /// Names the scene; everything in the picture follows from it.
    pub(super) key: String,
    pub(super) edit: Edit,
}

/// What a copy's maker did to the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    None,
    Reencoded,
    Resized,
    Cropped,
    Watermarked,
}

/// The longest side scenes are painted at; pictures are stretched from there.
const SCENE_MAX_PX: u32 = 576;

impl Subject {
    /// Returns the bytes of the picture's file.
    pub(super) fn draw(&self) -> Vec<u8> {
        let form = self.form();
        let picture = self.developed(form);
        match form.file {
            File::Jpeg { quality, layout } => {
                encode::jpeg_as(&picture.flattened(), quality, layout)
            }
            File::Png => encode::png(&picture.flattened()),
            File::PngWithAlpha => {
                encode::png_with_alpha(&picture.straight(), picture.width_px, picture.height_px)
            }
            File::Webp => encode::webp(&picture.flattened()),
        }
    }

    /// Returns a JPEG of the picture, at most `width_px` wide, as sites show beside a post.
    pub(super) fn draw_preview(&self, width_px: u32) -> Vec<u8> {
        let form = self.form();
        let width_px = width_px.clamp(1, form.width_px);
        let height_px = (form.height_px * width_px / form.width_px).max(1);
        encode::jpeg(&self.developed(form).resized(width_px, height_px).flattened(), 60)
    }

    /// Returns chance that belongs to one side of this subject.
    fn dice(&self, side: &str) -> Dice {
        Dice::of(&format!("{side} of {} {:?}", self.key, self.edit))
    }

    /// Paints the scene at the size its author took it and does what was done to it since.
    fn developed(&self, form: Form) -> Raster {
        let original = Form::of_original(self.motif, &self.key);
        let mut dice = Dice::of(&format!("scene of {}", self.key));
        let picture = match self.motif {
            Motif::Figure(class) => photograph(class, original, &mut dice),
            Motif::Quilt => quilt::sew(original, &mut dice),
        };
        edit::apply(picture, self.edit, form, &mut self.dice("edit"))
    }
}

/// Paints the scene and takes its picture, with the grain of a camera.
fn photograph(class: Class, form: Form, dice: &mut Dice) -> Raster {
    let scene = scene(class, form, dice);
    let mut picture = Raster::of(&scene).resized(form.width_px, form.height_px);
    let grain = match form.file {
        File::Jpeg { .. } => Some(6 + u8::try_from(dice.below(26)).expect("it is below 26")),
        File::Png | File::Webp => Some(3),
        File::PngWithAlpha => None,
    };
    if let Some(strength) = grain {
        picture.add_grain(strength, dice);
    }
    if form.file.is_grey() {
        picture.turn_grey();
    }
    picture
}

/// Paints backdrop, shadow and figure, and lets the light fall on them.
fn scene(class: Class, form: Form, dice: &mut Dice) -> Canvas {
    let longest = form.width_px.max(form.height_px);
    let scaled = |px: u32| {
        let px = if longest <= SCENE_MAX_PX { px } else { px * SCENE_MAX_PX / longest };
        usize::try_from(px).expect("a side fits an address")
    };
    let (width, height) = (scaled(form.width_px), scaled(form.height_px));
    let palette = backdrop::palette(dice);
    let has_backdrop = form.file != File::PngWithAlpha;
    let mut canvas = Canvas::clear(width, height);
    if has_backdrop {
        canvas = behind(&canvas, &palette, dice);
    }
    let pose = pose(&canvas, dice);
    let coat = Coat::draw(&palette, dice);
    let fall = dice.unit() * TAU;
    let [x, y] = pose.local_direction([fall.cos(), fall.sin()]);
    let lean = dice.between(0.25, 0.6);
    let towards = [x * lean, y * lean, (1.0 - lean * lean).sqrt()];
    let light = Light { towards, shine: dice.between(0.05, 0.7) };
    let shadow = has_backdrop.then(|| {
        let far = dice.between(0.03, 0.16) * pose.unit_px;
        [fall.cos() * far, fall.sin() * far]
    });
    match class {
        Class::Beetles => stand(&mut canvas, &Beetle::draw(coat, light, dice), pose, shadow),
        Class::Fish => stand(&mut canvas, &Fish::draw(coat, light, dice), pose, shadow),
    }
    if has_backdrop {
        expose(&mut canvas, fall, dice);
    }
    canvas
}

/// Paints the backdrop, more or less out of focus.
fn behind(canvas: &Canvas, palette: &Palette, dice: &mut Dice) -> Canvas {
    let share = dice.pick(&[0.4, 0.5, 0.65]);
    let part = |size: usize| whole(real(size) * share).max(8);
    let mut far = Canvas::clear(part(canvas.width), part(canvas.height));
    backdrop::paint(&mut far, palette, dice);
    let radius = dice.pick(&[0, 0, 1, 1, 2, 4]);
    if 0 < radius {
        far.blur(radius);
    }
    far.stretched(canvas.width, canvas.height)
}

/// Draws where the figure stands: always inside the middle square, at any angle.
fn pose(canvas: &Canvas, dice: &mut Dice) -> Pose {
    let side = canvas.shorter_side();
    let share = dice.between(0.42, 0.8);
    let slack = side * (1.0 - share) * 0.45;
    let centre = [
        real(canvas.width) * 0.5 + dice.between(-slack, slack),
        real(canvas.height) * 0.5 + dice.between(-slack, slack),
    ];
    let angle = dice.unit() * TAU;
    let squeeze = dice.between(0.85, 1.0);
    Pose { centre, unit_px: side * share * 0.48, turn: [angle.cos(), angle.sin()], squeeze }
}

/// Puts a figure into the scene; `shadow` says how far its shadow falls.
fn stand(canvas: &mut Canvas, figure: &impl Figure, pose: Pose, shadow: Option<[f32; 2]>) {
    let frame = Frame { centre: pose.centre, reach: pose.unit_px * 1.45 };
    canvas.paint(frame, |at| {
        let local = pose.local(at);
        if 1.45 < length(local) {
            return canvas::CLEAR;
        }
        let dark = shadow.map_or(0.0, |[x, y]| {
            let outline = figure.outline(pose.local([at[0] + x, at[1] + y]));
            0.5 * smooth(0.16, -0.12, outline)
        });
        over([0.0, 0.0, 0.0, dark], figure.ink(local, &pose))
    });
}

/// Lets light fall across the scene and sets contrast and focus, as cameras do.
fn expose(canvas: &mut Canvas, fall: f32, dice: &mut Dice) {
    let size = canvas.shorter_side();
    let middle = [real(canvas.width) * 0.5, real(canvas.height) * 0.5];
    let (slope, vignette) = (dice.between(0.0, 0.3) / size, dice.between(0.0, 0.35));
    let (contrast, lift) = (dice.between(0.82, 1.15), dice.between(-0.05, 0.06));
    let tint = [dice.between(0.92, 1.06), 1.0, dice.between(0.92, 1.06)];
    let hills = Hills::new(dice);
    let texture = dice.between(0.0, 0.09);
    let (cos, sin) = (fall.cos(), fall.sin());
    let width = canvas.width;
    for (n, pixel) in canvas.pixels.iter_mut().enumerate() {
        let (x, y) = (real(n % width), real(n / width));
        let from = [x - middle[0], y - middle[1]];
        let rim = (from[0] * from[0] + from[1] * from[1]) / (size * size);
        let fine = texture * (hills.height([x * 0.4, y * 0.4]) - 0.5);
        let light = 1.0 + slope * (from[0] * cos + from[1] * sin) - vignette * rim + fine;
        let [red, green, blue, _] = *pixel;
        let exposed = lit([red * tint[0], green * tint[1], blue * tint[2]], light);
        let [red, green, blue] = exposed.map(|level| (level - 0.5) * contrast + 0.5 + lift);
        *pixel = [red, green, blue, 1.0].map(|level| level.clamp(0.0, 1.0));
    }
    if dice.happens(0.6) {
        canvas.soften(dice.between(0.1, 0.7));
    }
}

#[cfg(test)]
mod tests;
