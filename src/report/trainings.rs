//! The trainings of the dataset side by side: what was changed, and what that brought.

use maud::{Markup, html};

use super::{
    Section,
    chart::{LineChart, Unit},
    facts::Facts,
    reading::Numbers,
    runs::{self, Remembered},
    words,
};
use crate::domain::learning::interval::Score;

/// How many trainings are shown, and how many of them have lines.
const SHOWN: usize = 12;
const LINES_MAX: usize = 6;

/// A training and the letter it has on the page.
struct Lettered<'a> {
    letter: String,
    it: &'a Remembered,
    /// The training before it.
    before: Option<&'a Remembered>,
}

/// Compares the trainings; nothing where there are not two.
pub(super) fn section(facts: &Facts) -> Option<Section> {
    let all = &facts.runs;
    if all.len() < 2 {
        return None;
    }
    let mut places: Vec<usize> = (all.len().saturating_sub(SHOWN)..all.len()).collect();
    if let (Some(current), [oldest, ..]) =
        (all.iter().position(|it| it.is_current), places.as_mut_slice())
    {
        *oldest = current.min(*oldest);
    }
    let letters = ('A'..='Z').map(String::from);
    let shown: Vec<Lettered> = letters
        .zip(places)
        .filter_map(|(letter, at)| {
            let before = at.checked_sub(1).and_then(|at| all.get(at));
            Some(Lettered { letter, it: all.get(at)?, before })
        })
        .collect();
    let current = shown.iter().find(|run| run.it.is_current);
    Some(Section {
        id: "trainings",
        title: "Trainings compared",
        lead: lead(&shown, current, all.len()),
        body: html! {
            (chart(&shown))
            (table(&shown, current))
        },
    })
}

fn val(run: &Lettered) -> Option<f64> {
    run.it.best().map(|epoch| epoch.val_accuracy)
}

fn lead(shown: &[Lettered], current: Option<&Lettered>, n_all: usize) -> Markup {
    let by_val = |a: &&Lettered, b: &&Lettered| {
        let value = |run: &Lettered| val(run).unwrap_or(0.0);
        // Of equals the older one is simpler to go back to.
        value(a).total_cmp(&value(b)).then_with(|| b.letter.cmp(&a.letter))
    };
    let best = shown.iter().max_by(by_val);
    html! {
        strong { (words::of(words::count(n_all), "training")) }
        @if shown.len() < n_all { ", " (shown.len()) " of them shown" }
        ". "
        @if let Some((best, accuracy)) = best.and_then(|run| Some((run, val(run)?))) {
            "Of these " strong { (best.letter) } " did best on its validation pictures: "
            strong { (words::percent(accuracy)) } ". "
        }
        @if let Some(run) = current { strong { (run.letter) } " is the model that is asked today." }
    }
}

/// Draws the accuracy on validation pictures of the model asked today and of the latest others.
fn chart(shown: &[Lettered]) -> Markup {
    let mut drawn: Vec<&Lettered> = shown.iter().collect();
    while LINES_MAX < drawn.len() {
        let oldest = drawn.iter().position(|run| !run.it.is_current).unwrap_or(0);
        drawn.remove(oldest);
    }
    let points = |run: &Lettered| -> Vec<(f64, f64)> {
        run.it.run.epochs.iter().map(|it| (f64::from(it.number), it.val_accuracy)).collect()
    };
    let lines = drawn.iter().map(|run| (run.letter.as_str(), points(run))).collect();
    let title = "Accuracy on validation pictures";
    let chart = LineChart { title, lines, mark: None, unit: Unit::Percent };
    let mut header = vec!["Epoch".to_owned()];
    header.extend(drawn.iter().map(|run| run.letter.clone()));
    let last = drawn.iter().map(|run| run.it.n_epochs()).max().unwrap_or(0);
    let row = |number: u32| {
        let value = |run: &&Lettered| {
            let epoch = run.it.run.epochs.iter().find(|it| it.number == number);
            epoch.map_or_else(String::new, |it| words::percent(it.val_accuracy))
        };
        std::iter::once(number.to_string()).chain(drawn.iter().map(value)).collect()
    };
    let numbers = Numbers { of: title, header, rows: (0..=last).map(row).collect() };
    html! { div.charts.single { div { (chart.draw()) (numbers.draw()) } } }
}

fn table(shown: &[Lettered], current: Option<&Lettered>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Trainings" { table.trainings {
            thead { tr {
                th scope="col" { "Training" } th scope="col" { "Changed since the one before" }
                th scope="col" { "Network" } th scope="col" { "Best epoch" } th scope="col" { "Val accuracy" }
                th scope="col" { "Test accuracy (95\u{a0}%)" } th scope="col" { "Against today\u{2019}s model" }
                th scope="col" { "Took" }
            } }
            tbody { @for run in shown { (row(run, current)) } }
        } }
        p.soft {
            "A difference is counted over the test pictures both were asked about; where its range holds 0, "
            "neither is shown to be better. " code { "snapset runs" } " compares any two."
        }
    }
}

fn row(run: &Lettered, current: Option<&Lettered>) -> Markup {
    let Remembered { name, run: it, is_current } = run.it;
    html! {
        tr.best[*is_current] {
            th scope="row" {
                (run.letter) " " code { (words::shortened(name, 6)) }
                @if *is_current { " " span.badge { "asked today" } }
                @if it.at_s != 0 { span.below { (words::day(it.at_s)) } }
            }
            td.text { (changed(run)) }
            td.text { (it.architecture) span.below { (words::number(it.parameters)) " parameters" } }
            td { (it.best_epoch) " of " (run.it.n_epochs()) }
            td { (val(run).map_or_else(none, words::percent)) }
            td { @match run.it.test_accuracy() { Some(it) => (in_words(it)), None => (none()) } }
            td { (against(run, current)) }
            td { @if it.took_s == 0 { (none()) } @else { (words::duration(it.took_s)) } }
        }
    }
}

fn none() -> String {
    "\u{2013}".to_owned()
}

fn in_words(score: Score) -> Markup {
    html! {
        (words::percent(score.value))
        @if let Some(it) = score.interval {
            span.below { (format!("{:.1} to {:.1}", it.low * 100.0, it.high * 100.0)) }
        }
    }
}

/// Lists what is not as it was in the training before.
fn changed(run: &Lettered) -> Markup {
    let Some(before) = run.before else { return html! { "the first" } };
    let settings = runs::settings_changed(&before.run, &run.it.run);
    let pictures = runs::pictures_changed(&before.run, &run.it.run);
    html! {
        @match &settings {
            None => "settings were not noted",
            Some(settings) if settings.is_empty() && pictures.is_empty() => "nothing that was noted",
            Some(settings) => ul.plain {
                @for change in settings.iter().chain(&pictures) { li { (change) } }
            },
        }
    }
}

/// Writes how much more of the same test pictures the model knows than the one asked today.
fn against(run: &Lettered, current: Option<&Lettered>) -> Markup {
    let Some(current) = current.filter(|it| it.letter != run.letter) else {
        return html! { (none()) };
    };
    let compared = runs::compare(current.it, run.it).ok();
    let Some(Score { value, interval }) = compared.and_then(|it| it.paired).map(|it| it.accuracy)
    else {
        return html! { "cannot be compared" };
    };
    let points = |share: f64| format!("{:+.1}", share * 100.0).replace('-', "\u{2212}");
    html! {
        (points(value)) " points"
        @if let Some(it) = interval { span.below { (points(it.low)) " to " (points(it.high)) } }
    }
}

#[cfg(test)]
mod tests;
