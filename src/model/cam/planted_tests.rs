//! Networks are taught to find a spot that was drawn, and must then look at it.

use std::ops::ControlFlow;

use burn::tensor::Device;

use super::{ActivationMap, Asked, Method};
use crate::model::{
    classifier::Classifier,
    graph::{
        Window,
        build::{Builder, Fill},
    },
    head::{Head, HeadLayer},
    pretrained::Pretrained,
    random::{Purpose, Random},
    recipe::{Architecture, Augment, Everything, TrainRecipe, Unfreeze},
    train::{Example, Host, Progress, Sets, train},
};

/// What is drawn.
#[derive(Clone, Copy)]
struct Scene {
    side_px: u16,
    /// A spot ends here: two standard deviations from its middle, where it is hardly seen.
    radius_px: f32,
    /// How many levels the middle of a spot is brighter than the ground.
    brightness: f32,
}

struct Silent;

impl Host for Silent {
    fn observe(&mut self, _: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A picture with a spot whose middle is known, in pixels from the left and the top.
struct Planted {
    example: Example,
    middle: [f32; 2],
}

impl Scene {
    /// Draws a ground of waves and noise whose colour and brightness tell nothing, and for class 1
    /// a bright spot.
    fn drawn(self, class: usize, random: &mut Random) -> Planted {
        let side = f32::from(self.side_px);
        let margin = self.radius_px + 1.0;
        let mut place = || margin + random.unit() * (side - 2.0 * margin);
        let middle = [place(), place()];
        let ground = [0; 3].map(|_: u8| 90.0 + 75.0 * random.unit());
        let waves = [0; 3].map(|_: u8| [0; 3].map(|_: u8| random.around_zero(0.4)));
        let brightness = if class == 1 { self.brightness } else { 0.0 };
        let mut rgb = Vec::new();
        for y in 0..self.side_px {
            for x in 0..self.side_px {
                let [x, y] = [x, y].map(|at| f32::from(at) + 0.5);
                let ripple: f32 =
                    waves.iter().map(|[a, b, c]| (a * x + b * y + 8.0 * c).sin()).sum();
                let far = (x - middle[0]).hypot(y - middle[1]) / self.radius_px;
                let more = 10.0 * ripple + brightness * (-2.0 * far * far).exp();
                rgb.extend(ground.map(|level| byte(level + more + random.around_zero(12.0))));
            }
        }
        Planted { example: Example { rgb, class }, middle }
    }

    fn draw(self, from: u64, n: u64) -> Vec<Planted> {
        let random = Random::new(11, Purpose::Order);
        let one = |at: u64| self.drawn(usize::from(at % 2 == 1), &mut random.at(at));
        (from..from + n).map(one).collect()
    }

    /// Tells whether the hottest point, the middle of the hottest cell, lies in the spot, or that
    /// cell holds the middle of the spot.
    fn is_found(self, map: &ActivationMap, middle: [f32; 2]) -> bool {
        let Some(hottest) = map.heat.hottest() else { return false };
        let small = |n: usize| f32::from(u16::try_from(n).unwrap());
        let [down, across] = [0, 1].map(|axis| {
            let cell_px = f32::from(self.side_px) / small(map.heat.sides()[axis]);
            let far = (small(hottest[axis]) + 0.5) * cell_px - middle[1 - axis];
            (far, far.abs() <= cell_px / 2.0)
        });
        down.0.hypot(across.0) <= self.radius_px || (down.1 && across.1)
    }

    /// Trains, and returns the model with a hundred pictures it never saw.
    fn taught(self, recipe: TrainRecipe, body: Option<&Pretrained>) -> (Classifier, Vec<Planted>) {
        let examples = |from, n| self.draw(from, n).into_iter().map(|it| it.example).collect();
        let classes = ["clean", "spot"].map(str::to_owned).to_vec();
        let sets =
            Sets { train: examples(0, 240), val: examples(1000, 60), classes, ..Sets::default() };
        let recipe = TrainRecipe {
            image_size: Some(self.side_px.into()),
            epochs: 12,
            batch_size: 16,
            augment: Augment::NOTHING,
            ..recipe
        };
        let trained = train(&recipe, 5, &sets, body, &mut Silent).unwrap();
        (trained.model, self.draw(2000, 100))
    }

    /// Asserts that nine of ten pictures are named right, and that in nine of ten with a spot the
    /// hottest point is there.
    fn assert_spots_are_hot(self, recipe: TrainRecipe, body: Option<&Pretrained>, method: Method) {
        let (model, held_out) = self.taught(recipe, body);
        let rgb: Vec<&[u8]> = held_out.iter().map(|it| it.example.rgb.as_slice()).collect();

        let predicted = model.activation_maps(&rgb, Asked::Predicted).unwrap();
        let maps = model.activation_maps(&rgb, Asked::Class(1)).unwrap();

        let is_right =
            |(map, picture): &(&ActivationMap, &Planted)| map.class == picture.example.class;
        let n_right = predicted.iter().zip(&held_out).filter(is_right).count();
        let with_spot = maps.iter().zip(&held_out).filter(|(_, it)| it.example.class == 1);
        let n_found = with_spot.filter(|(map, it)| self.is_found(map, it.middle)).count();
        assert_eq!(maps[0].method, method);
        assert!(90 <= n_right && 45 <= n_found, "{n_right} of 100 right, {n_found} of 50 found");
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(value: f32) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

const SMALL_SPOTS: Scene = Scene { side_px: 48, radius_px: 5.0, brightness: 100.0 };

/// Spots as large as two cells of the small network, which looks at 64 pixels in 8×8 cells.
const LARGE_SPOTS: Scene = Scene { side_px: 64, radius_px: 8.0, brightness: 80.0 };

/// What lies between the last maps, of 12×12 cells, and the head.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Maps,
    /// As `VGG` has it.
    MaxPool,
}

/// Three blocks as the small network has them.
fn body(end: End) -> Pretrained {
    let (device, mut random) = (Device::flex(), Random::new(3, Purpose::Weights));
    let shape = [3, 48, 48];
    let (mut net, mut maps) = Builder::new(shape, Fill::Drawn(&mut random), &device);
    for (n, channels) in [8, 16, 32].into_iter().enumerate() {
        if 0 < n {
            maps = net.max_pool(maps, Window::of(2).stride(2));
        }
        maps = net.conv(&format!("{n}.conv"), maps, channels, Window::of(3).pad(1));
        maps = net.norm(&format!("{n}.norm"), maps, 1e-5, 0.1);
        maps = net.relu(maps);
    }
    if end == End::MaxPool {
        net.max_pool(maps, Window::of(2).stride(2));
    }
    Pretrained::of(net.finish().unwrap())
}

fn with_head(layers: Vec<HeadLayer>) -> TrainRecipe {
    TrainRecipe {
        // Names the kind; what is trained is the body that is given.
        architecture: Architecture::MobilenetV2,
        head: Head(layers),
        unfreeze: Unfreeze::Everything(Everything::All),
        ..TrainRecipe::default()
    }
}

#[test]
fn a_network_ending_in_a_global_mean_is_hot_where_the_spot_is() {
    let recipe = with_head(vec![HeadLayer::GlobalAverage]);
    SMALL_SPOTS.assert_spots_are_hot(recipe, Some(&body(End::Maps)), Method::Cam);
}

#[test]
fn a_network_that_pools_before_the_mean_is_hot_where_the_spot_is() {
    let recipe = with_head(vec![HeadLayer::GlobalAverage]);
    SMALL_SPOTS.assert_spots_are_hot(recipe, Some(&body(End::MaxPool)), Method::GradCam);
}

#[test]
fn a_network_with_a_hidden_layer_on_all_places_is_hot_where_the_spot_is() {
    let recipe = with_head(vec![HeadLayer::Flatten, HeadLayer::Dense(32)]);
    SMALL_SPOTS.assert_spots_are_hot(recipe, Some(&body(End::Maps)), Method::GradCam);
}

#[test]
fn the_small_network_is_hot_where_the_spot_is() {
    LARGE_SPOTS.assert_spots_are_hot(TrainRecipe::default(), None, Method::Cam);
}
