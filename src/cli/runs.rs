//! `snapset runs`: the trainings so far, side by side.

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    table::table,
    talk::Talk,
};
use crate::{
    domain::{day::Day, learning::interval::Score},
    report::runs::{self, Comparison, Remembered, RunsError},
};

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Two trainings to compare, by the beginning of their names
    #[arg(num_args = 2, value_names = ["RUN", "RUN"])]
    two: Vec<String>,
}

pub(crate) fn runs(
    arguments: &RunsArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let all = runs::remembered(&workshop.store)?;
    if let [first, second] = arguments.two.as_slice() {
        let (first, second) = (runs::find(&all, first)?, runs::find(&all, second)?);
        let compared = runs::compare(first, second)?;
        if talk.is_json() {
            talk.json(&json!({
                "schema": "snapset.runs.compared.v1",
                "runs": [first.name, second.name],
                "changes": compared.changes,
                "paired": compared.paired,
            }));
        } else {
            talk.result(&in_words(first, second, &compared));
        }
        return Ok(Exit::Done);
    }
    if talk.is_json() {
        let runs: Vec<_> = all.iter().map(as_json).collect();
        talk.json(&json!({ "schema": "snapset.runs.v1", "runs": runs }));
    } else if all.is_empty() {
        talk.result("nothing was trained yet; snapset train PIPELINE does so");
    } else {
        talk.result(&overview(&all));
    }
    Ok(Exit::Done)
}

fn as_json(it: &Remembered) -> serde_json::Value {
    json!({
        "run": it.name,
        "is_current": it.is_current,
        "trained_at": (it.run.at_s != 0).then_some(it.run.at_s),
        "took_s": (it.run.took_s != 0).then_some(it.run.took_s),
        "architecture": it.run.architecture,
        "parameters": it.run.parameters,
        "classes": it.run.classes,
        "best_epoch": it.run.best_epoch,
        "epochs": it.run.epochs,
        "test": it.run.test,
        "test_pictures": it.run.answers.len(),
        "recipe": it.run.recipe,
    })
}

/// Lists every training, and what was changed from one to the next.
fn overview(all: &[Remembered]) -> String {
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let header =
        ["run", "day", "network", "epochs", "val accuracy", "test accuracy", "95 %", "pictures"];
    let mut parts = vec![table(&header, &rows, &[3, 4, 5, 6, 7])];
    for pair in all.windows(2) {
        let [before, after] = pair else { continue };
        let mut changes = runs::settings_changed(&before.run, &after.run).unwrap_or_default();
        changes.extend(runs::pictures_changed(&before.run, &after.run));
        if !changes.is_empty() {
            let (from, to) = (&before.name, &after.name);
            parts.push(format!("{from} \u{2192} {to}: {}", changes.join("; ")));
        }
    }
    parts.push("* is the model that is asked today".to_owned());
    parts.join("\n\n")
}

fn row(it: &Remembered) -> Vec<String> {
    let run = &it.run;
    let share = |value: f64| format!("{:.1} %", value * 100.0);
    let mark = if it.is_current { "*" } else { " " };
    let day = if run.at_s == 0 { String::new() } else { Day::of(run.at_s).to_string() };
    let tested = it.test_accuracy();
    let between = tested
        .and_then(|it| it.interval)
        .map(|it| format!("{} to {}", share(it.low), share(it.high)));
    vec![
        format!("{mark} {}", it.name),
        day,
        run.architecture.clone(),
        format!("{} of {}", run.best_epoch, it.n_epochs()),
        it.best().map_or_else(String::new, |epoch| share(epoch.val_accuracy)),
        tested.map_or_else(String::new, |it| share(it.value)),
        between.unwrap_or_default(),
        run.answers.len().to_string(),
    ]
}

fn in_words(first: &Remembered, second: &Remembered, compared: &Comparison) -> String {
    let mut lines = vec![format!("{} \u{2192} {}", first.name, second.name)];
    match compared.changes.as_deref() {
        None => lines.push("  what was set for one of them was not kept".to_owned()),
        Some([]) => lines.push("  no setting of [train] differs".to_owned()),
        Some(changes) => lines.extend(changes.iter().map(|change| format!("  {change}"))),
    }
    let Some(paired) = &compared.paired else {
        lines.push("no test picture was shown to both, so they cannot be compared".to_owned());
        return lines.join("\n");
    };
    let score = |name: &str, score: Score| {
        let value = format!("{:+.1} points", score.value * 100.0);
        let between = score.interval.map_or_else(String::new, |it| {
            format!("{:+.1} to {:+.1}", it.low * 100.0, it.high * 100.0)
        });
        vec![name.to_owned(), value, between]
    };
    let rows = [score("accuracy", paired.accuracy), score("macro F1", paired.macro_f1)];
    lines.push(table(&["figure", "change", "95 %"], &rows, &[1, 2]));
    lines.push(format!(
        "of {} test pictures, {} were right before only and {} are right now only; two equally \
         good models differ as much or more with probability {:.3} (McNemar)",
        paired.n_pictures, paired.n_only_first, paired.n_only_second, paired.p_value
    ));
    lines.join("\n")
}

impl From<RunsError> for Complaint {
    fn from(error: RunsError) -> Self {
        match error {
            RunsError::Store(error) => error.into(),
            RunsError::NoSuchRun { .. }
            | RunsError::Ambiguous { .. }
            | RunsError::OtherClasses { .. } => Self::new(Exit::Usage, error),
        }
    }
}
