//! `snapset predict`: what the trained classifier says of any picture.

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::{Talk, table},
};
use crate::pipeline::ask::Answer;

#[derive(Debug, Args)]
pub(crate) struct PredictArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Files, folders and web addresses
    #[arg(required = true, value_name = "PICTURE")]
    pictures: Vec<String>,
}

pub(crate) async fn predict(
    arguments: &PredictArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let predictions = workshop.predict(&arguments.pictures).await?;
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.predict.v1", "predictions": predictions }));
    } else {
        let rows: Vec<Vec<String>> = predictions
            .iter()
            .map(|prediction| match &prediction.answer {
                Answer::Classes(classes) => {
                    let shown = classes.first().map(|(class, probability)| {
                        vec![class.clone(), format!("{:.1} %", probability * 100.0)]
                    });
                    let mut row = shown.unwrap_or_default();
                    row.push(prediction.picture.clone());
                    row
                }
                Answer::NoneOfThese(classes) => {
                    let nearest = classes.first().map_or(String::new(), |(class, probability)| {
                        format!("nearest: {class}, {:.1} %", probability * 100.0)
                    });
                    vec!["none of these".to_owned(), nearest, prediction.picture.clone()]
                }
                Answer::Unreadable(why) => {
                    vec!["-".to_owned(), "-".to_owned(), format!("{}: {why}", prediction.picture)]
                }
            })
            .collect();
        talk.result(&table(&["class", "probability", "picture"], &rows, &[1]));
    }
    let is_unreadable = |answer: &Answer| match answer {
        Answer::Unreadable(_) => true,
        Answer::Classes(_) | Answer::NoneOfThese(_) => false,
    };
    let any_unreadable = predictions.iter().any(|it| is_unreadable(&it.answer));
    Ok(if any_unreadable { Exit::Partial } else { Exit::Done })
}
