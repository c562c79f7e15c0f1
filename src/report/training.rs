//! How the training went and how good the model is on pictures it has never seen.

use maud::{Markup, html};

use super::{
    Section,
    answers::Answers,
    chart::{LineChart, Unit},
    facts::Facts,
    plots, words,
};
use crate::{
    domain::learning::{
        ClassScore, Epoch, Evaluation,
        interval::{RESAMPLING_SEED, Score},
        scores::Scores,
    },
    store::schema::{Run, RunName},
};

pub(super) fn section(facts: &Facts) -> Section {
    let run = facts.run.as_ref();
    Section {
        id: "training",
        title: "Training",
        lead: html! {
            @match run {
                Some((_, run)) => {
                    (run.architecture) " with " (words::number(run.parameters)) " parameters, "
                    (words::of(words::count(run.epochs.iter().filter(|it| it.number != 0).count()), "epoch"))
                    "; the best was epoch " (run.best_epoch) ". "
                    @if let Some(test) = &run.test {
                        strong { (words::percent(test.accuracy)) } " of " (words::of(words::count(run.answers.len()), "test picture"))
                        " were recognised" (hardest(run, test)) "."
                    }
                },
                None => "A first classifier, made of the training pictures and judged by the test pictures.",
            }
        },
        body: html! {
            @match run {
                Some((name, run)) => (trained(facts, name, run)),
                None => p.empty {
                    "No model has been trained yet: " code { "snapset train" } " makes one once the "
                    "dataset is split."
                },
            }
        },
    }
}

/// Names the class that is recognised least, where one stands out.
fn hardest(run: &Run, test: &Evaluation) -> String {
    let recalls = run.classes.iter().zip(&test.classes);
    let recalls = recalls.filter_map(|(name, score)| Some((name, score.recall?)));
    match recalls.min_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((name, recall)) if recall < test.accuracy => {
            format!("; of {name}, the hardest class, {}", words::percent(recall))
        }
        Some(_) | None => String::new(),
    }
}

fn trained(facts: &Facts, name: &RunName, run: &Run) -> Markup {
    let line = |of: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        run.epochs.iter().map(|epoch| (f64::from(epoch.number), of(epoch))).collect()
    };
    let best = Some((f64::from(run.best_epoch), format!("best: {}", run.best_epoch)));
    let chart = |title, unit, train, val| {
        let lines = vec![("train", line(train)), ("val", line(val))];
        LineChart { title, lines, mark: best.clone(), unit }.draw()
    };
    let answers = Answers::of(facts, (name, run));
    html! {
        div.charts {
            (chart("Loss", Unit::Plain, |it| it.train_loss, |it| it.val_loss))
            (chart("Accuracy", Unit::Percent, |it| it.train_accuracy, |it| it.val_accuracy))
        }
        (epochs(run))
        @match &run.test {
            Some(test) => {
                h3 { "On the test pictures" }
                @let figures = Scores::of(&run.answers, run.classes.len(), RESAMPLING_SEED);
                p {
                    strong { (words::percent(test.accuracy)) } " of the answers were right"
                    (interval(figures.accuracy.as_ref())) "; macro F1 "
                    strong { (format!("{:.3}", test.macro_f1())) } ", loss " (format!("{:.3}", test.loss)) "."
                }
                (scores(run, test))
                (plots::of_answers(&run.answers, &run.classes, &figures))
                (answers.confusions())
            },
            None => p.empty { "The dataset has no test pictures, so nobody knows how good this model is." },
        }
        @if let Some(curve) = &facts.growth { (plots::learning_curve(curve)) }
        (answers.pictures())
        p.soft { "The model lies in " code { "models/" (name.0) } "." }
    }
}

/// Says between what the number lies with 95 % certainty, where that is known.
fn interval(score: Option<&Score>) -> Markup {
    html! {
        @if let Some(interval) = score.and_then(|it| it.interval) {
            " (95 %: " (words::percent(interval.low)) " to " (words::percent(interval.high)) ")"
        }
    }
}

fn epochs(run: &Run) -> Markup {
    html! {
        details {
            summary { "The same in numbers" }
            div.scroll tabindex="0" role="region" aria-label="Epochs" { table.epochs {
                thead { tr {
                    th scope="col" { "Epoch" }
                    @for name in ["Train loss", "Val loss", "Train accuracy", "Val accuracy"] {
                        th scope="col" { (name) }
                    }
                } }
                tbody { @for epoch in &run.epochs {
                    tr.best[epoch.number == run.best_epoch] {
                        th scope="row" { (epoch.number) @if epoch.number == run.best_epoch { " (best)" } }
                        td { (format!("{:.4}", epoch.train_loss)) } td { (format!("{:.4}", epoch.val_loss)) }
                        td { (words::percent(epoch.train_accuracy)) } td { (words::percent(epoch.val_accuracy)) }
                    }
                } }
            } }
        }
    }
}

fn scores(run: &Run, test: &Evaluation) -> Markup {
    let share = |value: Option<f64>| value.map_or("\u{2013}".to_owned(), words::percent);
    let row = |name: &String, score: &ClassScore| {
        html! {
            tr {
                th scope="row" { (name) }
                td { (share(score.precision)) } td { (share(score.recall)) } td { (share(score.f1)) }
                td { (words::number(score.support.into())) }
            }
        }
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Scores, class by class" { table.scores {
            caption { "Scores of each class" }
            thead { tr {
                th scope="col" { "Class" }
                @for name in ["Precision", "Recall", "F1", "Pictures"] { th scope="col" { (name) } }
            } }
            tbody { @for (name, score) in run.classes.iter().zip(&test.classes) { (row(name, score)) } }
        } }
    }
}
