//! `snapset predict`: what the trained classifier says of any picture.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, value_parser};
use serde_json::json;

use super::{
    OnePipeline, Shared, bars,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    table::table,
    talk::Talk,
};
use crate::pipeline::{
    ask::{Answer, Prediction},
    workshop::Workshop,
};

#[derive(Debug, Args)]
pub(crate) struct PredictArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Files, folders, patterns such as 'photos/*.jpg', web addresses; `-` reads one picture, or
    /// a list of any of these with a line each, from standard input
    #[arg(required = true, value_name = "PICTURE")]
    pictures: Vec<String>,
    /// Show this many classes of each picture; --json and --csv give all unless told
    #[arg(long, value_name = "K", value_parser = value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Write a picture for each to this folder that shows where the model found the evidence
    #[arg(long, value_name = "DIR")]
    cam: Option<PathBuf>,
    /// Print CSV: picture, answer, probability, why a picture could not be judged, and a column
    /// per class or, with --top, per rank
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What stands for a class where none is probable enough.
const NONE_OF_THESE: &str = "none of these";

pub(crate) async fn predict(
    arguments: &PredictArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let subjects = Workshop::subjects(&arguments.pictures)?;
    let bar = bars::of_many("predict", subjects.len(), talk);
    let advance = |done| bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    let mut predictions = workshop.predict(subjects, arguments.cam.as_deref(), &advance).await?;
    bar.finish_and_clear();
    let top = arguments.top.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    if talk.is_json() || arguments.csv {
        if let Some(top) = top {
            let shortened = |it: Prediction| Prediction { answer: it.answer.top(top), ..it };
            predictions = predictions.into_iter().map(shortened).collect();
        }
        if arguments.csv {
            talk.result(&csv(&predictions, top));
        } else {
            talk.json(&json!({ "schema": "snapset.predict.v1", "predictions": predictions }));
        }
    } else {
        let rows: Vec<Vec<String>> =
            predictions.iter().flat_map(|it| rows(it, top.unwrap_or(1))).collect();
        talk.result(&table(&["class", "probability", "picture"], &rows, &[1]));
    }
    if let Some(dir) = &arguments.cam {
        talk.aside(&format!("where the evidence lies is shown in {}", dir.display()));
    }
    let is_unreadable = |it: &Prediction| matches!(it.answer, Answer::Unreadable(_));
    Ok(if predictions.iter().any(is_unreadable) { Exit::Partial } else { Exit::Done })
}

/// Lays out what was said of one picture: a row per class shown, the picture beside the first.
fn rows(prediction: &Prediction, top: usize) -> Vec<Vec<String>> {
    let picture = prediction.picture.clone();
    let percent = |probability: &f32| format!("{:.1} %", probability * 100.0);
    let mut rows: Vec<Vec<String>> = match &prediction.answer {
        Answer::Classes(classes) => {
            let shown = classes.iter().take(top);
            shown.map(|(class, it)| vec![class.clone(), percent(it), String::new()]).collect()
        }
        Answer::NoneOfThese(classes) => {
            let shown = classes.iter().take(top);
            let nearest =
                |(class, it): &(String, f32)| format!("nearest: {class}, {}", percent(it));
            let named = |it| vec![NONE_OF_THESE.to_owned(), nearest(it), String::new()];
            shown.map(named).collect()
        }
        Answer::Unreadable(why) => {
            return vec![vec!["-".to_owned(), "-".to_owned(), format!("{picture}: {why}")]];
        }
    };
    if let Some(cell) = rows.first_mut().and_then(|row| row.last_mut()) {
        *cell = picture;
    }
    rows
}

/// Writes a row per picture: the classes in columns of their own, or as ranked.
fn csv(predictions: &[Prediction], top: Option<usize>) -> String {
    let given = predictions.iter().flat_map(Prediction::classes);
    let names: BTreeSet<&str> = given.map(|(class, _)| class.as_str()).collect();
    let ranks = predictions.iter().map(|it| it.classes().len()).max().unwrap_or(0);
    let mut header: Vec<String> =
        ["picture", "answer", "probability", "error"].map(str::to_owned).to_vec();
    if top.is_some() {
        header.extend(
            (1..=ranks).flat_map(|it| [format!("class_{it}"), format!("probability_{it}")]),
        );
    } else {
        header.extend(names.iter().map(|name| format!("p({name})")));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: Vec<String>| writer.write_record(row).expect("memory takes every row");
    write(header);
    for prediction in predictions {
        let classes = prediction.classes();
        let first = classes.first();
        let probability = first.map_or(String::new(), |(_, it)| it.to_string());
        let (answer, error) = match &prediction.answer {
            Answer::Classes(_) => (first.map_or("", |(class, _)| class), ""),
            Answer::NoneOfThese(_) => (NONE_OF_THESE, ""),
            Answer::Unreadable(why) => ("", why.as_str()),
        };
        let mut row =
            vec![prediction.picture.clone(), answer.to_owned(), probability, error.to_owned()];
        if top.is_some() {
            row.extend(classes.iter().flat_map(|(class, it)| [class.clone(), it.to_string()]));
            row.resize(4 + 2 * ranks, String::new());
        } else {
            let of = |name: &&str| classes.iter().find(|(class, _)| class == name);
            row.extend(names.iter().map(|it| of(it).map_or(String::new(), |(_, p)| p.to_string())));
        }
        write(row);
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("rows were made of text")
}
