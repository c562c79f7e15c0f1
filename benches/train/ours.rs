//! Our side of what is done again and again in one process.

use std::{env, fs, ops::ControlFlow, path::PathBuf, time::Instant};

use snapset::{
    domain::random::{Purpose, Random},
    model::{
        pretrained::Pretrained,
        recipe::{Architecture, Augment, EarlyStopping, TrainRecipe, Variants},
        train::{Example, Host, Progress, Sets, train},
    },
};

use super::median;

/// The word that makes this program do our part of the work.
pub(super) const WORK: &str = "work";

/// Does a task in this process, and prints what one pass took, and the most memory held.
pub(super) fn work(arguments: &[String]) {
    let (task, numbers) = arguments.split_first().unwrap();
    let numbers: Vec<u32> = numbers.iter().map(|it| it.parse().unwrap()).collect();
    let seconds = match (task.as_str(), numbers.as_slice()) {
        ("forward", [batch, n_batches]) => forward(*batch, *n_batches),
        ("steps", [side, batch, n_steps]) => steps(*side, *batch, *n_steps),
        _ => return,
    };
    println!("{seconds} {}", peak_mb());
}

/// Asks a network with a head that was hardly trained.
fn forward(batch: u32, n_batches: u32) -> f64 {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from).join("data");
    let architecture = Architecture::MobilenetV2;
    let body = Pretrained::load(architecture, 224, &super::weights(&shared)).unwrap();
    let sets = sets(224, 4);
    let feature_variants = Variants::Exactly(1);
    let recipe = TrainRecipe { architecture, epochs: 1, feature_variants, ..plain(224) };
    let model = train(&recipe, 7, &sets, Some(&body), &mut Watch::new()).unwrap().model;
    let batch = usize::try_from(batch).unwrap();
    let pictures: Vec<&[u8]> =
        sets.train.iter().map(|it| it.rgb.as_ref()).cycle().take(batch).collect();
    let once = |_| {
        let since = Instant::now();
        assert_eq!(model.logits(&pictures).unwrap().len(), pictures.len());
        since.elapsed().as_secs_f64()
    };
    let seconds: Vec<f64> = (0..n_batches + 2).map(once).collect();
    median(seconds.into_iter().skip(2))
}

fn steps(side: u32, batch: u32, n_steps: u32) -> f64 {
    let recipe = TrainRecipe { batch_size: batch, epochs: n_steps.div_ceil(8), ..plain(side) };
    let mut watch = Watch::new();
    train(&recipe, 7, &sets(side, 8 * batch), None, &mut watch).unwrap();
    median(watch.seconds.into_iter())
}

/// The usual recipe, without altering pictures.
fn plain(side: u32) -> TrainRecipe {
    let augment = Augment {
        flip_horizontal: false,
        rotate_deg: 0.0,
        shift: 0.0,
        zoom: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        saturation: 0.0,
        ..Augment::default()
    };
    let patience = EarlyStopping { patience: 1000, ..EarlyStopping::default() };
    let image_size = Some(side);
    TrainRecipe { augment, image_size, early_stopping: patience, ..TrainRecipe::default() }
}

fn sets(side: u32, n: u32) -> Sets {
    let random = Random::new(1, Purpose::Order);
    let picture = |at: u32| {
        let mut own = random.at(at.into());
        let n_bytes = usize::try_from(3 * side * side).unwrap();
        let rgb = (0..n_bytes).map(|_| u8::try_from(own.below(256)).unwrap()).collect();
        Example { rgb, class: usize::from(at % 2 == 1) }
    };
    let classes = vec!["one".to_owned(), "other".to_owned()];
    Sets {
        train: (0..n).map(picture).collect(),
        val: (n..n + 2).map(picture).collect(),
        classes,
        ..Sets::default()
    }
}

/// Takes the time of every step but the first of an epoch.
struct Watch {
    since: Instant,
    seconds: Vec<f64>,
}

impl Watch {
    fn new() -> Self {
        Self { since: Instant::now(), seconds: Vec::new() }
    }
}

impl Host for Watch {
    fn observe(&mut self, progress: Progress) -> ControlFlow<()> {
        if let Progress::Batch { done, .. } = progress {
            if 1 < done {
                self.seconds.push(self.since.elapsed().as_secs_f64());
            }
            self.since = Instant::now();
        }
        ControlFlow::Continue(())
    }
}

/// Returns the most memory this process ever held.
fn peak_mb() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes / 1024.0
}
