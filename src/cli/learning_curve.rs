//! `snapset learning-curve`: what more training pictures would bring.

use std::collections::BTreeMap;

use clap::{Args, value_parser};
use serde_json::json;

use super::{
    OnePipeline, Shared, bars,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    table::table,
    talk::{Talk, count},
};
use crate::{
    domain::learning::{
        growth::{LearningCurve, Point},
        interval::Score,
    },
    engine::stop::Stop,
    pipeline::workshop::Workshop,
};

#[derive(Debug, Args)]
pub(crate) struct CurveArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Train so often with each number of pictures, every time with others
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    repeats: u32,
}

pub(crate) async fn learning_curve(
    arguments: &CurveArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let (brake, stop) = Stop::channel();
    let (bar, told) = bars::of_trainings(talk);
    let points = tokio::select! {
        points = workshop.learning_curve(arguments.repeats, &stop, told) => points?,
        () = run::interrupted_twice(&brake, talk) => return Ok(Exit::Interrupted),
    };
    bar.finish_and_clear();
    let law = Workshop::law_of(&points);
    if talk.is_json() {
        let forecast = |of: &LearningCurve| {
            let twice = of.at_twice();
            json!({ "law": of.law, "n_train": 2 * of.n_train_max(), "accuracy": twice })
        };
        talk.json(&json!({
            "schema": "snapset.learning-curve.v1",
            "dataset": workshop.pipeline.name,
            "points": points,
            "forecast": law.as_ref().map(forecast),
        }));
    } else {
        talk.result(&in_words(&points, law.as_ref()));
    }
    Ok(Exit::Done)
}

fn in_words(points: &[Point], law: Option<&LearningCurve>) -> String {
    let mut by_number: BTreeMap<u32, Vec<&Point>> = BTreeMap::new();
    for point in points {
        by_number.entry(point.n_train).or_default().push(point);
    }
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let between = |score: &Score| {
        let interval = score.interval;
        interval
            .map_or_else(String::new, |it| format!("{} to {}", percent(it.low), percent(it.high)))
    };
    let mut rows: Vec<Vec<String>> = by_number
        .iter()
        .filter_map(|(n_train, points)| {
            let sum = |of: fn(&Point) -> u32| points.iter().map(|it| of(it)).sum::<u32>();
            let n_test = sum(|it| it.n_test);
            // The interval is that of one training: repeats are asked about the same pictures.
            let repeats = u32::try_from(points.len()).ok()?;
            let mean = f64::from(sum(|it| it.n_right)) / f64::from(n_test.max(1));
            let one = Point {
                n_train: *n_train,
                n_right: sum(|it| it.n_right) / repeats,
                n_test: n_test / repeats,
            };
            let score = one.accuracy()?;
            Some(vec![count(u64::from(*n_train)), percent(mean), between(&score)])
        })
        .collect();
    let mut words = String::new();
    if let Some(law) = law {
        let twice = law.at_twice();
        let n_train = 2 * u64::from(law.n_train_max());
        rows.push(vec![count(n_train), percent(twice.value), between(&twice)]);
        words = format!(
            "\n\nThe last row is what the law {:.3} - {:.3} / n^{:.2} promises; the report draws it.",
            law.law.ceiling, law.law.gap, law.law.rate
        );
    }
    let header = ["training pictures", "test accuracy", "95 %"];
    format!("{}{words}", table(&header, &rows, &[0, 1, 2]))
}
