//! `MODEL_CARD.md`: what a person should know of a model before relying on it, after M. Mitchell et
//! al., "Model Cards for Model Reporting", FAT* 2019. What the training tells is filled in, what
//! only a person knows is plainly open.

use std::fmt::Write as _;

use super::{Input, Recipe, weights::PUBLISHED_BEST};
use crate::{
    domain::{
        learning::{
            Answer, Evaluation,
            interval::{RESAMPLING_SEED, Score},
            scores::Scores,
        },
        split::Split,
    },
    model::{card::ModelCard, pretrained::PUBLISHED, recipe::TrainRecipe},
};

/// The name of the file beside the model.
pub(super) const FILE: &str = "MODEL_CARD.md";

const OPEN: &str = "> **TODO, a person must answer this** before others use the model.\n";

/// What the card tells of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub run: &'a str,
    pub recipe: &'a Recipe,
    pub input: &'a Input,
    pub card: &'a ModelCard,
    pub answers: &'a [Answer],
}

/// Writes the whole card.
pub(super) fn text(facts: &Facts<'_>) -> String {
    let sections = [
        ("Model details", details(facts)),
        (
            "Intended use",
            format!("What it is for, by whom, and what it must not be used for:\n\n{OPEN}"),
        ),
        (
            "Factors",
            format!(
                "Kinds of pictures it may do worse on (cameras, light, places, groups of people):\n\n{OPEN}"
            ),
        ),
        ("Metrics", metrics(facts)),
        ("Training and evaluation data", data(facts)),
        ("Results", results(facts)),
        ("Ethical considerations", OPEN.to_owned()),
        ("Caveats", caveats(facts)),
    ];
    let mut text = format!("# Model card: {}\n", facts.run);
    for (title, body) in sections {
        put(&mut text, format_args!("\n## {title}\n\n{body}"));
    }
    text
}

fn put(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.write_fmt(words).expect("writing to a string cannot fail");
}

fn details(facts: &Facts<'_>) -> String {
    let (card, train) = (facts.card, &facts.recipe.train);
    let origin = match &train.weights {
        None => "nothing: its weights were drawn at random".to_owned(),
        Some(path) if path.to_str() == Some(PUBLISHED_BEST) => {
            let row = PUBLISHED.iter().find(|row| row.architecture == card.architecture);
            row.map_or_else(String::new, |it| format!("`{}` ({}), {}", it.file, it.url, it.licence))
        }
        Some(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("weights in a file `{name}`; see there for their licence")
        }
    };
    let settings = serde_json::to_string_pretty(&portable(facts)).expect("a recipe is plain data");
    format!(
        "- Network: {}, {} parameters that learned, pictures of {side}\u{d7}{side} pixels.\n\
         - It started from {origin}.\n\
         - Classes: {}.\n\
         - Trained by snapset {} with seed {}, and these settings:\n\n```json\n{settings}\n```\n",
        card.architecture,
        card.parameters,
        card.classes.join(", "),
        card.snapset,
        card.seed,
        side = card.image_size,
    )
}

/// The settings without the folders of this machine.
fn portable(facts: &Facts<'_>) -> TrainRecipe {
    let mut train = facts.recipe.train.clone();
    train.weights = train.weights.map(|it| it.file_name().map_or_else(|| it.clone(), Into::into));
    train
}

fn metrics(facts: &Facts<'_>) -> String {
    let mut text = "Accuracy is the share of right answers; balanced accuracy the mean recall of the classes; \
         macro F1 the mean of their F1. Intervals are of 95 %: Wilson's for shares, a bootstrap of 1,000 \
         resamples for the rest.\n"
        .to_owned();
    if let Some(calibration) = facts.card.calibration {
        put(
            &mut text,
            format_args!(
                "\nProbabilities were calibrated on the validation pictures (temperature {:.2}).",
                calibration.temperature.value
            ),
        );
        if calibration.threshold.is_some() {
            text.push_str(" Where no class is probable enough the answer is \"none of these\".");
        }
        text.push('\n');
    }
    text
}

fn data(facts: &Facts<'_>) -> String {
    let mut text =
        "Twins, near and exact, and pictures of one post are in one part only.\n\n".to_owned();
    text.push_str("| class | train | val | test |\n| --- | ---: | ---: | ---: |\n");
    for class in &facts.input.classes {
        let n = |split: Split| {
            let of = facts.input.pictures.values();
            of.filter(|(_, label, side)| label == class && *side == split).count()
        };
        let [n_train, n_val, n_test] = [Split::Train, Split::Val, Split::Test].map(n);
        put(&mut text, format_args!("| {class} | {n_train} | {n_val} | {n_test} |\n"));
    }
    text
}

fn results(facts: &Facts<'_>) -> String {
    let names = &facts.card.classes;
    if facts.answers.is_empty() {
        return "There were no test pictures, so nobody knows how good it is.\n".to_owned();
    }
    let scores = Scores::of(facts.answers, names.len(), RESAMPLING_SEED);
    let rows = [
        ("accuracy", scores.accuracy),
        ("balanced accuracy", scores.balanced_accuracy),
        ("macro F1", scores.macro_average.f1),
        ("macro AUC", scores.macro_auc),
        ("calibration error", scores.calibration_error),
    ];
    let mut text = format!("On {} test pictures:\n\n", scores.n_pictures);
    text.push_str("| figure | value | 95 % |\n| --- | ---: | --- |\n");
    for (name, score) in rows {
        put(&mut text, format_args!("| {name} | {} | {} |\n", value(score), interval(score)));
    }
    text.push_str("\n| class | precision | recall | F1 | test pictures |\n");
    text.push_str("| --- | ---: | ---: | ---: | ---: |\n");
    for (name, of) in names.iter().zip(&scores.classes) {
        let [precision, recall, f1] = [of.precision, of.recall, of.f1].map(value);
        put(
            &mut text,
            format_args!("| {name} | {precision} | {recall} | {f1} | {} |\n", of.support),
        );
    }
    text.push_str("\nRows are what the pictures are, columns what they were taken for:\n\n|  |");
    for name in names {
        put(&mut text, format_args!(" {name} |"));
    }
    text.push_str("\n| --- |");
    text.push_str(&" ---: |".repeat(names.len()));
    for (name, row) in names.iter().zip(Evaluation::of(facts.answers, names.len()).confusion) {
        put(&mut text, format_args!("\n| {name} |"));
        for n in row {
            put(&mut text, format_args!(" {n} |"));
        }
    }
    text.push('\n');
    text
}

fn caveats(facts: &Facts<'_>) -> String {
    format!(
        "- It knows {} classes and no other; a picture of something else gets one of them, or \"none of \
         these\".\n\
         - The test pictures come from where the training pictures come from. How it does on others is \
         not known.\n\
         - Pictures must be prepared as these were: {}, then {}.\n",
        facts.card.classes.len(),
        facts.card.preprocessing.fit,
        facts.card.preprocessing.scale,
    )
}

fn value(score: Option<Score>) -> String {
    score.map_or_else(|| "\u{2013}".to_owned(), |it| format!("{:.3}", it.value))
}

fn interval(score: Option<Score>) -> String {
    let between = score.and_then(|it| it.interval);
    between.map_or_else(String::new, |it| format!("{:.3} to {:.3}", it.low, it.high))
}
