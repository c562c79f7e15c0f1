//! Trainings small enough to run in seconds.

use std::{collections::BTreeMap, fs, ops::ControlFlow};

use super::{
    ModelError,
    classifier::{CARD, Classifier, WEIGHTS},
    random::{Purpose, Random},
    recipe::{Architecture, Augment, EarlyStopping, Optimizer, Schedule, TrainRecipe},
    train::{Example, Host, Progress, Sets, Trained, Warning, train},
};
use crate::domain::id::BlobId;

mod options;
mod transfer;

const SIDE: usize = 16;

fn classes() -> Vec<String> {
    vec!["lying".to_owned(), "standing".to_owned()]
}

/// Draws stripes, lying for class 0 and standing for class 1, in colours that tell nothing.
fn stripes(class: usize, random: &mut Random) -> Example {
    let mut colour = || [0; 3].map(|_: u8| level(random.unit() * 255.0));
    let colours = [colour(), colour()];
    let phase = random.unit() * 6.0;
    let mut rgb = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let across = if class == 0 { y } else { x };
            let bright = (f32::from(u16::try_from(across).unwrap()) * 1.3 + phase).sin() > 0.0;
            for value in colours[usize::from(bright)] {
                rgb.push(level(f32::from(value) + random.around_zero(20.0)));
            }
        }
    }
    Example { rgb, class }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn level(value: f32) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

fn sets(n_train: usize, n_val: usize) -> Sets {
    let random = Random::new(1, Purpose::Order);
    let draw = |from: usize, n: usize| {
        (from..from + n).map(|at| stripes(at % 2, &mut random.at(at.try_into().unwrap()))).collect()
    };
    let (train, val) = (draw(0, n_train), draw(1000, n_val));
    Sets { train, val, classes: classes(), ..Sets::default() }
}

fn recipe() -> TrainRecipe {
    TrainRecipe {
        image_size: Some(16),
        epochs: 6,
        batch_size: 16,
        augment: Augment { rotate_deg: 5.0, ..Augment::default() },
        ..TrainRecipe::default()
    }
}

fn run(recipe: &TrainRecipe, seed: u64, sets: &Sets) -> Result<Trained, ModelError> {
    train(recipe, seed, sets, None, &mut Witness::default())
}

/// Watches trainings, ends them where it is told to, and remembers what it is given.
struct Witness {
    told: Vec<Progress>,
    warned: Vec<Warning>,
    ends: fn(Progress) -> bool,
    checkpoint: Option<Vec<u8>>,
    known: BTreeMap<(BlobId, BlobId), Vec<f32>>,
    n_recalled: usize,
}

impl Default for Witness {
    fn default() -> Self {
        let known = BTreeMap::new();
        let (told, warned) = (Vec::new(), Vec::new());
        Self { told, warned, ends: |_| false, checkpoint: None, known, n_recalled: 0 }
    }
}

impl Host for Witness {
    fn observe(&mut self, progress: Progress) -> ControlFlow<()> {
        self.told.push(progress);
        if (self.ends)(progress) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn warn(&mut self, warning: &Warning) {
        self.warned.push(warning.clone());
    }

    fn recall(&mut self, by: BlobId, picture: BlobId) -> Option<Vec<f32>> {
        let found = self.known.get(&(by, picture)).cloned();
        self.n_recalled += usize::from(found.is_some());
        found
    }

    fn remember(&mut self, by: BlobId, picture: BlobId, values: &[f32]) {
        self.known.insert((by, picture), values.to_vec());
    }

    fn save(&mut self, checkpoint: &[u8]) {
        self.checkpoint = Some(checkpoint.to_vec());
    }

    fn saved(&mut self) -> Option<Vec<u8>> {
        self.checkpoint.clone()
    }
}

fn pictures(examples: &[Example]) -> Vec<&[u8]> {
    examples.iter().map(|example| example.rgb.as_slice()).collect()
}

/// Returns what `save` writes.
fn files(model: &Classifier) -> [Vec<u8>; 2] {
    let dir = tempfile::tempdir().unwrap();
    model.save(dir.path()).unwrap();
    [WEIGHTS, CARD].map(|name| fs::read(dir.path().join(name)).unwrap())
}

#[test]
fn a_small_cnn_learns_what_a_linear_layer_cannot() {
    let sets = sets(120, 60);
    let linear = TrainRecipe { architecture: Architecture::Linear, ..recipe() };
    let recipe = TrainRecipe { epochs: 12, ..recipe() };

    let cnn = run(&recipe, 7, &sets).unwrap();
    let linear = run(&linear, 7, &sets).unwrap();

    let best = |trained: &Trained| trained.epochs[trained.best_epoch as usize];
    assert!(0.95 <= best(&cnn).val_accuracy, "{:?}", cnn.epochs);
    assert!(best(&linear).val_accuracy < 0.8, "{:?}", linear.epochs);
    assert!(best(&cnn).val_loss < cnn.epochs[0].val_loss);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let sets = sets(40, 10);
    let recipe = TrainRecipe { epochs: 2, ..recipe() };
    let on = |n_threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let trained = pool.install(|| run(&recipe, seed, &sets)).unwrap();
        (trained.epochs, files(&trained.model))
    };

    let first = on(2, 7);

    assert_eq!(first, on(2, 7));
    assert_eq!(first, on(1, 7));
    assert_ne!(first.1[0], on(2, 8).1[0]);
}

#[test]
fn two_trainings_at_once_do_not_disturb_each_other() {
    let sets = sets(20, 10);
    let recipe = TrainRecipe { epochs: 1, ..recipe() };
    let alone = files(&run(&recipe, 7, &sets).unwrap().model);

    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| files(&run(&recipe, 8, &sets).unwrap().model));
        (files(&run(&recipe, 7, &sets).unwrap().model), other.join().unwrap())
    });

    assert_eq!(one, alone);
    assert_ne!(other, alone);
}

#[test]
fn training_stops_when_nothing_gets_better_and_keeps_the_best_weights() {
    // At this rate the linear network soon gets worse on pictures it has not seen.
    let recipe = TrainRecipe {
        architecture: Architecture::Linear,
        epochs: 40,
        learning_rate: 0.02,
        schedule: Schedule::Constant,
        early_stopping: EarlyStopping { patience: 3, ..EarlyStopping::default() },
        ..recipe()
    };
    let sets = sets(40, 20);

    let trained = run(&recipe, 7, &sets).unwrap();

    let losses: Vec<f64> = trained.epochs.iter().map(|epoch| epoch.val_loss).collect();
    let best = trained.best_epoch as usize;
    assert_eq!(losses.len(), best + 3 + 1, "{losses:?}");
    assert!(losses[1..].iter().all(|loss| losses[best] <= *loss), "{losses:?}");
    let answers = trained.model.probabilities(&pictures(&sets.val)).unwrap();
    let loss_of = |(answer, example): (&Vec<f32>, &Example)| -f64::from(answer[example.class]).ln();
    let loss = answers.iter().zip(&sets.val).map(loss_of).sum::<f64>() / 20.0;
    assert!((loss - losses[best]).abs() < 1e-5, "{loss} {losses:?}");
    assert!(1e-3 < (loss - losses[losses.len() - 1]).abs(), "the last weights would do as well");
}

#[test]
fn a_saved_model_answers_as_before() {
    let sets = sets(20, 10);
    for architecture in [Architecture::SmallCnn, Architecture::Linear] {
        let recipe = TrainRecipe { architecture, epochs: 1, ..recipe() };
        let model = run(&recipe, 7, &sets).unwrap().model;
        let dir = tempfile::tempdir().unwrap();

        model.save(dir.path()).unwrap();
        let loaded = Classifier::load(dir.path()).unwrap();

        let answers = model.probabilities(&pictures(&sets.val)).unwrap();
        assert_eq!(loaded.probabilities(&pictures(&sets.val)).unwrap(), answers);
        assert_eq!(loaded.card(), model.card());
        assert_eq!(files(&loaded), files(&model));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        let sums = answers.iter().map(|row| row.iter().sum::<f32>());
        assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-6));
    }
}

#[test]
fn an_answer_does_not_depend_on_the_pictures_beside_it() {
    let sets = sets(20, 70);
    let model = run(&TrainRecipe { epochs: 1, ..recipe() }, 7, &sets).unwrap().model;

    let together = model.probabilities(&pictures(&sets.val)).unwrap();

    for (example, answer) in sets.val.iter().zip(&together) {
        let alone = model.probabilities(&[&example.rgb]).unwrap();
        assert!((alone[0][0] - answer[0]).abs() < 1e-5);
    }
    assert_eq!(model.probabilities(&[]).unwrap(), Vec::<Vec<f32>>::new());
}

#[test]
fn training_can_be_interrupted_after_any_step() {
    let sets = sets(40, 10);
    let stop_at = |ends: fn(Progress) -> bool| {
        let mut witness = Witness { ends, ..Witness::default() };
        let ended = train(&recipe(), 7, &sets, None, &mut witness);
        (ended.unwrap_err().to_string(), witness.told.len())
    };

    let in_batch = stop_at(|it| matches!(it, Progress::Batch { epoch: 2, done: 1, of: 3, .. }));
    let after_epoch = stop_at(|it| matches!(it, Progress::Epoch(epoch) if epoch.number == 1));

    assert_eq!(in_batch, ("training was interrupted in epoch 2".to_owned(), 1 + 4 + 1));
    assert_eq!(after_epoch, ("training was interrupted in epoch 1".to_owned(), 1 + 4));
}

#[test]
fn a_training_that_was_broken_off_goes_on_as_if_nothing_had_happened() {
    let sets = sets(40, 10);
    let optimizers = [Optimizer::Adamw, Optimizer::Adam, Optimizer::Sgd];
    for optimizer in optimizers {
        let recipe = TrainRecipe { optimizer, epochs: 5, learning_rate: 0.002, ..recipe() };
        let whole = run(&recipe, 7, &sets).unwrap();

        let ends = |it| matches!(it, Progress::Batch { epoch: 4, done: 2, .. });
        let mut witness = Witness { ends, ..Witness::default() };
        let broken = train(&recipe, 7, &sets, None, &mut witness);
        assert!(matches!(broken, Err(ModelError::Interrupted { epoch: 4 })));
        (witness.ends, witness.told) = (|_| false, vec![]);
        let resumed = train(&recipe, 7, &sets, None, &mut witness).unwrap();

        let first = witness.told.first();
        assert!(matches!(first, Some(Progress::Batch { epoch: 4, done: 1, .. })), "{first:?}");
        assert_eq!(resumed.epochs, whole.epochs);
        assert_eq!(resumed.best_epoch, whole.best_epoch);
        assert_eq!(files(&resumed.model), files(&whole.model));
    }
}

#[test]
fn sets_nothing_can_be_learned_from_are_refused_by_name() {
    let complaint = |sets: &Sets| run(&recipe(), 7, sets).unwrap_err().to_string();
    let mut one_sided = sets(20, 10);
    one_sided.train.retain(|example| example.class == 0);
    let mut foreign = sets(20, 10);
    foreign.val[3].class = 2;
    let mut cut = sets(20, 10);
    cut.train[4].rgb.pop();

    let complaints = [&one_sided, &foreign, &cut, &sets(20, 0)].map(complaint);

    assert_eq!(
        complaints,
        [
            "class `standing` has no training picture; collect some for it or take it out of [classes]",
            "a picture is said to be of class number 2, but there are 2 classes",
            "training picture 4 has 767 bytes, not the 16\u{d7}16\u{d7}3 bytes of RGB this model \
             takes; scale it to 16 pixels first",
            "there is no validation picture; give `val` a share in [split] or collect more",
        ]
    );
    let recipe = TrainRecipe { epochs: 0, ..recipe() };
    assert!(matches!(run(&recipe, 7, &sets(20, 10)), Err(ModelError::Recipe(_))));
    let mut witness = Witness::default();
    let mut lonely = sets(20, 10);
    lonely.classes.pop();
    let one = train(&self::recipe(), 7, &lonely, None, &mut witness);
    assert!(matches!(one, Err(ModelError::TooFewClasses { .. })));
}

#[test]
fn a_learning_rate_beyond_reason_is_noticed() {
    let recipe = TrainRecipe {
        learning_rate: 10.0,
        weight_decay: 1.0,
        schedule: Schedule::Constant,
        epochs: 100,
        architecture: Architecture::Linear,
        early_stopping: EarlyStopping { patience: 100, ..EarlyStopping::default() },
        ..recipe()
    };
    let error = run(&recipe, 7, &sets(20, 10)).unwrap_err();
    assert!(matches!(error, ModelError::Diverged { .. } | ModelError::Unanswered { .. }));
}

#[test]
fn a_model_that_cannot_be_trusted_is_not_loaded() {
    let sets = sets(20, 10);
    let model = run(&TrainRecipe { epochs: 1, ..recipe() }, 7, &sets).unwrap().model;
    let load = |spoil: &dyn Fn(&std::path::Path)| {
        let dir = tempfile::tempdir().unwrap();
        model.save(dir.path()).unwrap();
        spoil(dir.path());
        let complaint = Classifier::load(dir.path()).unwrap_err().to_string();
        let folder = format!("{}{}", dir.path().display(), std::path::MAIN_SEPARATOR);
        complaint.replace(&folder, "")
    };
    let edit = |dir: &std::path::Path, from: &str, to: &str| {
        let card = fs::read_to_string(dir.join(CARD)).unwrap();
        assert!(card.contains(from), "{card}");
        write(&dir.join(CARD), card.replace(from, to).as_bytes());
    };

    let complaints = [
        load(&|dir| fs::remove_file(dir.join(WEIGHTS)).unwrap()),
        load(&|dir| fs::remove_file(dir.join(CARD)).unwrap()),
        load(&|dir| {
            let mut bytes = fs::read(dir.join(WEIGHTS)).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            write(&dir.join(WEIGHTS), &bytes);
        }),
        load(&|dir| edit(dir, "\"format\": 3", "\"format\": 4")),
        load(&|dir| edit(dir, "small-cnn", "resnet")),
        load(&|dir| edit(dir, "\"image_size\": 16", "\"image_size\": 0")),
        load(&|dir| edit(dir, "small-cnn", "linear")),
        load(&|dir| edit(dir, "\"lying\"", "\"lying\", \"leaning\"")),
        load(&|dir| write(&dir.join(CARD), b"{}")),
        load(&|dir| {
            let nonsense = b"not a tensor in sight";
            let digest = |bytes: &[u8]| BlobId::of(bytes).to_string();
            edit(dir, &digest(&fs::read(dir.join(WEIGHTS)).unwrap()), &digest(nonsense));
            write(&dir.join(WEIGHTS), nonsense);
        }),
    ];

    let expected = [
        "model.safetensors is missing, so there is no trained model; train first",
        "model.json is missing, so there is no trained model; train first",
        "model.safetensors was changed or damaged after training (its digest is not the one in \
         model.json); restore it or train again",
        "model.json is written in format 4, this snapset reads format 3; train again, or use the \
         snapset that wrote it",
        "model.json is not the description of a model; train again",
        "model.json describes no network that could be trained; restore it or train again",
        "model.safetensors does not fit the linear network (not part of the network: \
         `blocks.0.conv.weight`, `blocks.0.norm.bias`, `blocks.0.norm.running_mean` and 17 more; \
         `output.weight` is [2, 192], not [2, 768]); train again",
        "model.safetensors does not fit the small-cnn network (`output.weight` is [2, 192], not \
         [3, 192]); train again",
        "model.json is not the description of a model; train again",
        "model.safetensors does not hold weights; train again",
    ];
    assert_eq!(complaints, expected);
}

fn write(path: &std::path::Path, bytes: &[u8]) {
    use std::io::Write as _;
    fs::File::create(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_trained_model_can_be_drawn_and_handed_to_other_programs() {
    let model = run(&TrainRecipe { epochs: 1, ..recipe() }, 7, &sets(20, 10)).unwrap().model;

    let drawing = model.drawing();
    let file = model.to_onnx();

    let n_parameters: u64 = drawing.n_parameters().try_into().unwrap();
    assert_eq!(n_parameters, model.card().parameters);
    let names = br#"["lying","standing"]"#;
    assert!(file.windows(names.len()).any(|part| part == names));
}
