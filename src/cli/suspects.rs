//! `snapset suspects`: labels the model does not believe.

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
    domain::learning::{interval::Score, suspects},
    engine::stop::Stop,
    pipeline::doubt::Doubts,
};

#[derive(Debug, Args)]
pub(crate) struct SuspectsArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Into how many parts the dataset is dealt; each is judged by a training with the others, of
    /// which half a part chooses the best epoch
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u8).range(3..=20))]
    folds: u8,
    /// Show so many of them
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
}

pub(crate) async fn suspects(
    arguments: &SuspectsArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let (brake, stop) = Stop::channel();
    let (bar, told) = bars::of_trainings(talk);
    let doubts = tokio::select! {
        doubts = workshop.suspects(usize::from(arguments.folds), &stop, told) => doubts?,
        () = run::interrupted_twice(&brake, talk) => return Ok(Exit::Interrupted),
    };
    bar.finish_and_clear();
    let classes: Vec<String> =
        workshop.pipeline.classes.labels().map(|it| it.as_str().to_owned()).collect();
    if talk.is_json() {
        let trust = suspects::trust(&doubts.said, classes.len());
        let said: Vec<_> = (doubts.said.iter().zip(trust))
            .map(|(it, trust)| {
                json!({
                    "picture": it.blob,
                    "given": classes.get(it.given),
                    "probabilities": it.probabilities,
                    "confidence": trust.confidence,
                })
            })
            .collect();
        let listed: Vec<_> = (doubts.suspects.iter())
            .map(|(blob, it)| json!({ "picture": blob, "doubt": it }))
            .collect();
        talk.json(&json!({
            "schema": "snapset.suspects.v1",
            "dataset": workshop.pipeline.name,
            "folds": arguments.folds,
            "classes": classes,
            "suspects": listed,
            "said": said,
        }));
    } else {
        for class in
            (0..classes.len()).filter(|class| doubts.said.iter().all(|it| it.given != *class))
        {
            let name = &classes[class];
            talk.aside(&format!("left out: class {name} has too few pictures that are no twins"));
        }
        talk.result(&in_words(&doubts, arguments.top));
    }
    Ok(Exit::Done)
}

fn in_words(doubts: &Doubts, top: usize) -> String {
    let Doubts { said, suspects } = doubts;
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let believed = said.iter().filter(|it| {
        let best = it.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.is_some_and(|(class, _)| class == it.given)
    });
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let (n_said, n_believed) = (said.len(), believed.count());
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let agreed = Score::of_share(small(n_believed), small(n_said))
        .map_or_else(String::new, |it| format!(" ({})", percent(it.value)));
    let words = format!(
        "Models that never saw a picture agree with the labels of {} of {}{agreed}.\n",
        count(number(n_believed)),
        count(number(n_said)),
    );
    if suspects.is_empty() {
        return words + "No label is doubted.";
    }
    let n = suspects.len();
    let rows: Vec<Vec<String>> = (suspects.iter().take(top))
        .map(|(blob, it)| {
            vec![
                (it.rank + 1).to_string(),
                blob.short(),
                it.given.to_string(),
                percent(it.p_given),
                it.likely.to_string(),
                percent(it.p_likely),
            ]
        })
        .collect();
    let header = ["", "picture", "is in", "", "probably", ""];
    let more = match n - rows.len() {
        0 => String::new(),
        left => format!("\n… and {} more: --top {n}", count(number(left))),
    };
    format!(
        "{words}{} {} probably in the wrong class; `snapset review` settles them, and `snapset \
         explain` tells more of one.\n\n{}{more}",
        count(number(n)),
        if n == 1 { "picture is" } else { "pictures are" },
        table(&header, &rows, &[0, 3, 5])
    )
}
