//! Every way of learning the recipe offers, on trainings small enough to run in seconds.

use super::{Witness, files, recipe, run, sets, transfer};
use crate::model::{
    ModelError,
    recipe::{
        Architecture, ClassWeights, EarlyStopping, Everything, Exponential, Monitor, OneCycle,
        Optimizer, ReduceOnPlateau, Sampling, Schedule, StepDecay, TrainRecipe, Unfreeze,
    },
    train::{Progress, Sets, Trained, Warning, train},
};

/// 30 pictures of lying stripes, 10 of standing ones.
fn uneven() -> Sets {
    let mut sets = sets(60, 10);
    let mut n_standing = 0;
    sets.train.retain(|example| {
        n_standing += example.class;
        example.class == 0 || n_standing <= 10
    });
    sets
}

fn linear() -> TrainRecipe {
    TrainRecipe {
        architecture: Architecture::Linear,
        learning_rate: 0.002,
        schedule: Schedule::Constant,
        epochs: 5,
        ..recipe()
    }
}

fn ways() -> Vec<TrainRecipe> {
    let plateau = ReduceOnPlateau { patience: 1, min_delta: 10.0, ..ReduceOnPlateau::default() };
    let schedule = |schedule| TrainRecipe { schedule, ..linear() };
    let sgd = TrainRecipe { optimizer: Optimizer::Sgd, ..linear() };
    let early_stopping =
        EarlyStopping { monitor: Monitor::ValAuc, min_delta: 0.001, ..EarlyStopping::default() };
    vec![
        TrainRecipe { optimizer: Optimizer::Rmsprop, ..linear() },
        TrainRecipe { optimizer: Optimizer::Rmsprop, momentum: Some(0.9), ..linear() },
        TrainRecipe { momentum: Some(0.8), nesterov: true, ..sgd.clone() },
        TrainRecipe { momentum: Some(0.0), ..sgd },
        schedule(Schedule::Step(StepDecay { step_size: 2, gamma: 0.5 })),
        schedule(Schedule::Exponential(Exponential::default())),
        schedule(Schedule::OneCycle(OneCycle::default())),
        schedule(Schedule::ReduceOnPlateau(plateau)),
        TrainRecipe { mixup: 0.4, ..linear() },
        TrainRecipe { sampling: Sampling::Balanced, ..linear() },
        TrainRecipe { sampling: Sampling::Undersample, mixup: 1.0, ..linear() },
        TrainRecipe { early_stopping, architecture: Architecture::SmallCnn, ..linear() },
    ]
}

#[test]
fn every_way_of_learning_goes_on_as_if_never_broken_off() {
    let sets = uneven();
    let mut results: Vec<Vec<u8>> = Vec::new();
    for recipe in ways() {
        let whole = run(&recipe, 7, &sets).unwrap();

        let ends = |it| matches!(it, Progress::Batch { epoch: 4, done: 2, .. });
        let mut witness = Witness { ends, ..Witness::default() };
        let broken = train(&recipe, 7, &sets, None, &mut witness);
        assert!(matches!(broken, Err(ModelError::Interrupted { epoch: 4 })), "{recipe:?}");
        (witness.ends, witness.told) = (|_| false, vec![]);
        let resumed = train(&recipe, 7, &sets, None, &mut witness).unwrap();

        let first = witness.told.iter().find(|it| !matches!(it, Progress::Features { .. }));
        assert!(matches!(first, Some(Progress::Batch { epoch: 4, done: 1, .. })), "{first:?}");
        assert_eq!(resumed.epochs, whole.epochs, "{recipe:?}");
        assert_eq!(resumed.best_epoch, whole.best_epoch, "{recipe:?}");
        assert_eq!(files(&resumed.model), files(&whole.model), "{recipe:?}");
        let [weights, _] = files(&whole.model);
        assert!(!results.contains(&weights), "{recipe:?} makes no difference");
        results.push(weights);
    }
}

#[test]
fn every_way_of_learning_is_the_same_on_any_number_of_threads() {
    let sets = uneven();
    let recipe = TrainRecipe {
        epochs: 2,
        optimizer: Optimizer::Rmsprop,
        sampling: Sampling::Balanced,
        mixup: 0.3,
        schedule: Schedule::OneCycle(OneCycle::default()),
        architecture: Architecture::SmallCnn,
        ..linear()
    };
    let on = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let trained = pool.install(|| run(&recipe, 7, &sets)).unwrap();
        (trained.epochs, files(&trained.model))
    };

    assert_eq!(on(1), on(3));
}

#[test]
fn rmsprop_and_blended_pictures_teach_as_well() {
    let sets = sets(120, 60);
    let recipe = TrainRecipe { epochs: 12, ..recipe() };
    let blended = TrainRecipe { mixup: 0.2, ..recipe.clone() };
    let rmsprop = TrainRecipe { optimizer: Optimizer::Rmsprop, learning_rate: 0.001, ..recipe };
    for recipe in [blended, rmsprop] {
        let trained = run(&recipe, 7, &sets).unwrap();

        let best = trained.epochs[trained.best_epoch as usize];
        assert!(0.9 <= best.val_accuracy, "{:?}", trained.epochs);
    }
}

#[test]
fn a_sampling_decides_how_many_steps_an_epoch_has() {
    let n_steps = |sampling| {
        let recipe = TrainRecipe { sampling, epochs: 1, batch_size: 10, ..linear() };
        let mut witness = Witness::default();
        train(&recipe, 7, &uneven(), None, &mut witness).unwrap();
        let is_step = |it: &&Progress| matches!(it, Progress::Batch { .. });
        witness.told.iter().filter(is_step).count()
    };

    let all = [Sampling::Shuffled, Sampling::Balanced, Sampling::Undersample];
    assert_eq!(all.map(n_steps), [4, 4, 2]);
}

#[test]
fn classes_shown_equally_often_have_the_same_weight() {
    let weights = |class_weights| {
        let recipe =
            TrainRecipe { sampling: Sampling::Undersample, class_weights, epochs: 1, ..linear() };
        files(&run(&recipe, 7, &uneven()).unwrap().model)
    };
    let given = |standing| {
        ClassWeights::Of([("lying".to_owned(), 1.0), ("standing".to_owned(), standing)].into())
    };

    assert_eq!(weights(ClassWeights::Balanced), weights(ClassWeights::None));
    assert_eq!(weights(given(1.0)), weights(ClassWeights::None));
    assert_ne!(weights(given(3.0)), weights(ClassWeights::None));
}

fn rates(trained: &Trained) -> Vec<Option<f64>> {
    trained.epochs.iter().map(|epoch| epoch.learning_rate).collect()
}

#[test]
fn epochs_tell_the_rate_they_ended_with_and_the_first_is_the_untrained_network() {
    let step = Schedule::Step(StepDecay { step_size: 2, gamma: 0.5 });
    let plateau = ReduceOnPlateau {
        patience: 1,
        min_delta: 10.0,
        factor: 0.5,
        min_lr: 0.0003,
        ..ReduceOnPlateau::default()
    };
    let with = |schedule| run(&TrainRecipe { schedule, ..linear() }, 7, &uneven()).unwrap();

    let stepped = with(step);
    let fallen = with(Schedule::ReduceOnPlateau(plateau));

    let told = |rates: [f64; 5]| -> Vec<Option<f64>> {
        [None].into_iter().chain(rates.map(Some)).collect()
    };
    assert_eq!(rates(&stepped), told([0.002, 0.002, 0.001, 0.001, 0.0005]));
    assert_eq!(rates(&fallen), told([0.002, 0.002, 0.001, 0.0005, 0.0003]));
    let untrained = stepped.epochs[0];
    assert_eq!(untrained.number, 0);
    assert!((untrained.val_loss - 2_f64.ln()).abs() < 0.5, "{untrained:?}");
    assert!(stepped.epochs.iter().all(|it| it.val_f1.is_some() && it.val_auc.is_some()));
}

#[test]
fn the_best_epoch_is_the_best_by_the_figure_that_is_watched() {
    let mut sets = uneven();
    sets.val = super::sets(0, 40).val;
    sets.val.truncate(30);
    let figures = [Monitor::ValBalancedAccuracy, Monitor::ValF1, Monitor::ValAuc];
    for monitor in figures {
        let early_stopping = EarlyStopping { monitor, patience: 4, min_delta: 0.0 };
        let recipe = TrainRecipe { early_stopping, epochs: 30, ..linear() };

        let trained = run(&recipe, 7, &sets).unwrap();

        let best = trained.epochs[trained.best_epoch as usize];
        let last = trained.epochs.last().unwrap().number;
        assert!(last == 30 || last == trained.best_epoch + 4, "{last}");
        for epoch in &trained.epochs[1..] {
            let is_better = early_stopping.is_better(epoch, &best);
            assert!(!is_better, "{monitor:?}: {epoch:?} is better than {best:?}");
        }
    }
}

#[test]
fn a_min_delta_ends_a_training_that_hardly_gets_better() {
    let ending = |min_delta| {
        let early_stopping = EarlyStopping { patience: 2, min_delta, ..EarlyStopping::default() };
        let recipe = TrainRecipe { early_stopping, epochs: 20, ..recipe() };
        let trained = run(&recipe, 7, &sets(60, 30)).unwrap();
        (trained.best_epoch, trained.epochs.len())
    };

    assert_eq!(ending(10.0), (1, 1 + 1 + 2));
    assert!(4 < ending(0.0).1);
}

#[test]
fn what_cannot_be_followed_is_named_with_what_to_do() {
    let complaint = |recipe: TrainRecipe, sets: &Sets| {
        run(&TrainRecipe { epochs: 2, ..recipe }, 7, sets).unwrap_err().to_string()
    };
    let weights = |names: &[&str]| {
        let weights = names.iter().map(|name| ((*name).to_owned(), 1.0)).collect();
        TrainRecipe { class_weights: ClassWeights::Of(weights), ..linear() }
    };
    let mut one_sided = sets(20, 10);
    one_sided.val.retain(|example| example.class == 0);
    let early_stopping = EarlyStopping { monitor: Monitor::ValAuc, ..EarlyStopping::default() };
    let plateau = ReduceOnPlateau { monitor: Monitor::ValAuc, ..ReduceOnPlateau::default() };
    let schedule = Schedule::ReduceOnPlateau(plateau);

    let no_area = "class `standing` has no validation picture, so `monitor = \"val-auc\"` in \
                   [train] cannot be told; watch \"val-loss\", or give `val` a larger share in \
                   [split]";
    let complaints = [
        complaint(weights(&["lying"]), &sets(20, 10)),
        complaint(weights(&["lying", "standing", "leaning"]), &sets(20, 10)),
        complaint(TrainRecipe { early_stopping, ..linear() }, &one_sided),
        complaint(TrainRecipe { schedule, ..linear() }, &one_sided),
    ];
    let expected = [
        "`class_weights` in [train] has no weight for class `standing`; give it one, or choose \
         \"balanced\" or \"none\"",
        "`class_weights` in [train] names `leaning`, which is no class; the classes are lying, \
         standing",
        no_area,
        no_area,
    ];
    assert_eq!(complaints, expected);
}

#[test]
fn a_loss_beyond_all_bounds_is_told_with_its_step_and_its_rate() {
    let recipe = TrainRecipe { optimizer: Optimizer::Sgd, learning_rate: 10.0, ..recipe() };
    let recipe = TrainRecipe { weight_decay: 1.0, epochs: 200, ..recipe };
    let early_stopping = EarlyStopping { patience: 1000, ..EarlyStopping::default() };
    let schedule = Schedule::Constant;
    let architecture = Architecture::Linear;
    let recipe = TrainRecipe { architecture, schedule, early_stopping, ..recipe };

    let error = run(&recipe, 7, &sets(100, 10)).unwrap_err();

    let text = error.to_string();
    assert!(matches!(error, ModelError::Diverged { rate: 10.0, .. }), "{text}");
    let told = ["the loss grew beyond all bounds in step ", "at a learning rate of 10; lower"];
    assert!(told.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn doubts_are_told_before_anything_is_learned() {
    let mut sets = sets(20, 10);
    let first = sets.train.iter().position(|example| example.class == 1).unwrap();
    let only = sets.train[first].clone();
    sets.train.retain(|example| example.class == 0);
    sets.train.push(only);
    sets.val.retain(|example| example.class == 0);
    let mut witness = Witness::default();

    train(&TrainRecipe { epochs: 1, ..linear() }, 7, &sets, None, &mut witness).unwrap();

    let class = || "standing".to_owned();
    let single = Warning::SinglePicture { class: class() };
    assert_eq!(witness.warned, [single, Warning::NotValidated { class: class() }]);
    assert_eq!(Warning::not_tested(&sets.classes, &[1, 1]).len(), 1);
    assert_eq!(
        Warning::not_tested(&sets.classes, &[0])[0].to_string(),
        "class `standing` has no test picture, so nothing tells how well it is known; collect more \
         for it, or give `test` a larger share in [split]"
    );
}

#[test]
fn pictures_are_blended_only_where_the_whole_network_sees_them() {
    let body = transfer::body();
    let architecture = Architecture::MobilenetV2;
    let frozen = TrainRecipe { architecture, mixup: 0.2, epochs: 1, ..recipe() };
    let free = TrainRecipe { unfreeze: Unfreeze::Everything(Everything::All), ..frozen.clone() };
    let taught = |recipe: &TrainRecipe| {
        train(recipe, 7, &sets(20, 10), Some(&body), &mut Witness::default())
    };

    let refusal = taught(&frozen).unwrap_err().to_string();

    assert_eq!(
        refusal,
        "`mixup` in [train] blends pictures, but the frozen part of the mobilenet-v2 network is \
         asked about each of them only once; set `mixup = 0`, or `unfreeze = \"all\"`"
    );
    assert!(taught(&free).is_ok());
    let balanced = TrainRecipe { mixup: 0.0, sampling: Sampling::Balanced, ..frozen };
    let shuffled = TrainRecipe { sampling: Sampling::Shuffled, ..balanced.clone() };
    let weights = |recipe| files(&taught(recipe).unwrap().model);
    assert_ne!(weights(&balanced), weights(&shuffled));
}
