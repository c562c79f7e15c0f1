//! Trainings on a body that is given.

use std::fs;

use burn::tensor::Device;

use super::{SIDE, Witness, files, recipe, run, sets, write};
use crate::model::{
    ModelError,
    classifier::WEIGHTS,
    graph::build::Fill,
    nets,
    pretrained::Pretrained,
    random::{Purpose, Random},
    recipe::{Architecture, EarlyStopping, Everything, TrainRecipe, Unfreeze, Variants},
    train::{Progress, Sets, Trained, train},
    weights,
};

/// Writes weights of a body that nobody trained, and reads them as published ones.
pub(super) fn body() -> Pretrained {
    let plan = nets::Plan::new(Architecture::MobilenetV2, SIDE, 0);
    let mut random = Random::new(9, Purpose::Weights);
    let body = nets::body(&plan, Fill::Drawn(&mut random), &Device::flex()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("body.safetensors");
    write(&path, &weights::to_safetensors(&body.tensors()));
    Pretrained::load(Architecture::MobilenetV2, 16, &path).unwrap()
}

#[test]
fn a_frozen_body_is_asked_once_about_every_picture_and_its_variants() {
    let body = body();
    let recipe = TrainRecipe {
        architecture: Architecture::MobilenetV2,
        epochs: 2,
        feature_variants: Variants::Exactly(3),
        ..recipe()
    };
    let mut witness = Witness::default();
    let mut taught = |recipe: &TrainRecipe, sets: &Sets| {
        witness.n_recalled = 0;
        witness.checkpoint = None;
        let trained = train(recipe, 7, sets, Some(&body), &mut witness).unwrap();
        (trained, witness.known.len(), witness.n_recalled)
    };

    let (first, n_known, n_recalled) = taught(&recipe, &sets(40, 10));
    assert_eq!((n_known, n_recalled), (40 * 4 + 10, 0));

    let faster = TrainRecipe { learning_rate: 0.02, ..recipe.clone() };
    let (second, n_known, n_recalled) = taught(&faster, &sets(40, 10));
    assert_eq!((n_known, n_recalled), (170, 170));
    assert_ne!(second.epochs, first.epochs);

    let (_, n_known, n_recalled) = taught(&recipe, &sets(42, 10));
    assert_eq!((n_known, n_recalled), (170 + 2 * 4, 170), "two pictures are new");

    let still = TrainRecipe { feature_variants: Variants::Exactly(0), ..recipe };
    let (_, n_known, n_recalled) = taught(&still, &sets(40, 10));
    assert_eq!((n_known, n_recalled), (178, 50), "unchanged pictures are known already");
}

#[test]
fn what_is_known_of_validation_pictures_is_what_the_best_network_says_of_them() {
    let body = body();
    let recipe = TrainRecipe {
        architecture: Architecture::MobilenetV2,
        learning_rate: 0.05,
        feature_variants: Variants::Exactly(0),
        ..recipe()
    };
    let unaided = super::recipe();
    let (sets, mut witness) = (sets(40, 30), Witness::default());
    let mut taught = |seed: u64| {
        witness.checkpoint = None;
        let first = train(&recipe, seed, &sets, Some(&body), &mut witness).unwrap();
        // Its last epoch is known: it only ends once more.
        let again = train(&recipe, seed, &sets, Some(&body), &mut witness).unwrap();
        assert_eq!(again.val_logits, first.val_logits);
        first
    };
    let is_last = |it: &Trained| it.epochs.last().is_some_and(|last| last.number == it.best_epoch);
    let trained = (0..20).map(&mut taught).find(|it| !is_last(it)).expect("one gets worse at last");

    let val: Vec<&[u8]> = sets.val.iter().map(|it| it.rgb.as_ref()).collect();
    let expected = trained.model.logits(&val).unwrap().concat();
    let known = trained.val_logits.unwrap().concat();
    assert_eq!(known.len(), expected.len());
    for (known, expected) in known.iter().zip(expected) {
        assert!((known - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{known}, {expected}");
    }
    assert_eq!(run(&unaided, 7, &sets).unwrap().val_logits, None);
}

/// Nothing is learned at such a rate: one altered version is tried, and gives nothing.
#[test]
fn pictures_are_altered_when_nothing_gets_better_and_a_resumed_training_goes_on_with_them() {
    let body = body();
    let recipe = TrainRecipe {
        architecture: Architecture::MobilenetV2,
        epochs: 40,
        learning_rate: 1e-7,
        early_stopping: EarlyStopping { min_delta: 0.01, ..EarlyStopping::default() },
        ..recipe()
    };
    let sets = sets(20, 10);
    let mut witness = Witness::default();
    let whole = train(&recipe, 7, &sets, Some(&body), &mut witness).unwrap();
    assert_eq!(witness.known.len(), 20 * 2 + 10);
    assert_eq!((whole.best_epoch, whole.epochs.len()), (1, 1 + 6 + 20), "patience begins anew");
    let place = |told: fn(&Progress) -> bool| witness.told.iter().rposition(told).unwrap();
    let last_asked = place(|it| matches!(it, Progress::Features { .. }));
    let sixth = place(|it| matches!(it, Progress::Epoch(epoch) if epoch.number == 6));
    let seventh = place(|it| matches!(it, Progress::Batch { epoch: 7, .. }));
    assert!((sixth..seventh).contains(&last_asked));

    // Before it is time, while pictures are altered, and after it.
    let ends: [fn(Progress) -> bool; 3] = [
        |it| matches!(it, Progress::Batch { epoch: 4, .. }),
        |it| matches!(it, Progress::Features { epoch: 7, .. }),
        |it| matches!(it, Progress::Batch { epoch: 9, .. }),
    ];
    let mut resumed = Witness::default();
    for (ends, stopped) in ends.into_iter().zip([4, 7, 9]) {
        let mut witness = Witness { ends, ..Witness::default() };
        let broken = train(&recipe, 7, &sets, Some(&body), &mut witness);
        assert!(matches!(broken, Err(ModelError::Interrupted { epoch }) if epoch == stopped));
        resumed = Witness { checkpoint: witness.checkpoint.take(), ..Witness::default() };
        let trained = train(&recipe, 7, &sets, Some(&body), &mut resumed).unwrap();
        assert_eq!(trained.epochs, whole.epochs, "{stopped}");
        assert_eq!(files(&trained.model), files(&whole.model), "{stopped}");
    }

    let mut witness = resumed;
    witness.n_recalled = 0;
    witness.checkpoint = None;
    let short = TrainRecipe { epochs: 2, ..recipe };
    train(&short, 7, &sets, Some(&body), &mut witness).unwrap();
    assert_eq!(witness.n_recalled, 50, "an altered version that was not needed is kept");
}

#[test]
fn a_free_layer_learns_and_a_frozen_one_stays() {
    let body = body();
    let recipe = TrainRecipe { architecture: Architecture::MobilenetV2, epochs: 1, ..recipe() };
    let moved = |unfreeze: Unfreeze| -> Vec<String> {
        let recipe = TrainRecipe { unfreeze, ..recipe.clone() };
        let trained = train(&recipe, 7, &sets(20, 10), Some(&body), &mut Witness::default());
        let dir = tempfile::tempdir().unwrap();
        trained.unwrap().model.save(dir.path()).unwrap();
        let file = fs::read(dir.path().join(WEIGHTS)).unwrap();
        let after = weights::from_safetensors(&file).unwrap();
        let before = body.body().tensors();
        let moved = before.iter().filter(|(name, array)| after[*name] != **array);
        moved.map(|(name, _)| name.clone()).collect()
    };

    assert_eq!(moved(Unfreeze::Layers(0)), [""; 0]);
    let last = ["features.18.0.weight", "features.18.1.bias", "features.18.1.running_mean"];
    assert_eq!(moved(Unfreeze::Layers(2))[..3], last);
    assert!(100 < moved(Unfreeze::Everything(Everything::All)).len());
}
