//! `DATASHEET.md`: the questions of "Datasheets for Datasets" (T. Gebru et al., 2021), those the
//! records answer with their answers, the others as people answered them or plainly open.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    Dataset, papers,
    papers::{ATTRIBUTION_FILE, LICENSE_FILE, REMOVALS_FILE},
    readme, tables,
};
use crate::domain::{
    datasheet::{Question, Section},
    day::Day,
    review::purity::Purity,
    split::Split,
};

/// Writes the whole sheet.
pub(super) fn text(dataset: &Dataset<'_>, version: &str) -> String {
    let mut text = format!(
        "# Datasheet: {}\n\n\
         Version `{version}`. After T. Gebru et al., \"Datasheets for Datasets\", Communications \
         of the ACM 64 (12), 2021. What the records of the dataset tell was filled in from them.\n",
        dataset.title
    );
    let n_open = dataset.open_questions().len();
    if 0 < n_open {
        write!(
            text,
            "\n**{n_open} questions are open.** Only a person can answer them: write the answers \
             below `[export.datasheet]` of the pipeline file.\n"
        )
        .expect("writing to a string cannot fail");
    }
    for section in Section::ALL {
        write!(text, "\n## {}\n", section.title()).expect("writing to a string cannot fail");
        let facts = facts(dataset, section, version).into_iter();
        let asked = Question::ALL.into_iter().filter(|it| it.section() == section);
        let asked = asked.map(|question| (question.text(), answer(dataset, question)));
        for (question, answer) in facts.chain(asked) {
            write!(text, "\n**{question}**\n\n{answer}\n")
                .expect("writing to a string cannot fail");
        }
    }
    text
}

fn answer(dataset: &Dataset<'_>, question: Question) -> String {
    let told = dataset.answers.of(question).map(str::to_owned);
    let audited = audit(dataset).filter(|_| question == Question::LabelErrors);
    match (told, audited) {
        (Some(told), Some(audited)) => format!("{told}\n\n{audited}"),
        (Some(answer), None) | (None, Some(answer)) => answer,
        (None, None) => {
            format!("> **TODO, a person must answer this:** `{} = \"…\"`", question.key())
        }
    }
}

/// Tells how right an audit found the labels; `None` where there was none.
fn audit(dataset: &Dataset<'_>) -> Option<String> {
    if dataset.purity.is_empty() {
        return None;
    }
    let mut text = "A person looked at pictures drawn by chance from all that were kept, and said of \
                    each whether it shows its class. What was found wrong was left out or given its \
                    class. The interval is Wilson's, at 95 % confidence.\n\n\
                    | class | looked at | right | share | interval |\n\
                    | --- | ---: | ---: | ---: | --- |\n"
        .to_owned();
    for (label, found) in dataset.purity {
        let Purity { seen, right, share, .. } = found;
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let interval = share
            .interval
            .map_or_else(String::new, |it| format!("{} to {}", percent(it.low), percent(it.high)));
        let share = percent(share.value);
        writeln!(text, "| {label} | {seen} | {right} | {share} | {interval} |")
            .expect("writing to a string cannot fail");
    }
    Some(text.trim_end().to_owned())
}

/// Answers what can be answered from the records.
fn facts(dataset: &Dataset<'_>, section: Section, version: &str) -> Vec<(&'static str, String)> {
    match section {
        Section::Motivation | Section::Uses => Vec::new(),
        Section::Composition => composition(dataset),
        Section::Collection => collection(dataset),
        Section::Preparation => preparation(dataset),
        Section::Distribution => distribution(dataset),
        Section::Maintenance => maintenance(dataset, version),
    }
}

fn composition(dataset: &Dataset<'_>) -> Vec<(&'static str, String)> {
    let n = dataset.pictures.len();
    let kinds: BTreeSet<String> =
        dataset.pictures.iter().map(|it| it.crop.format.extension().to_uppercase()).collect();
    let kinds = kinds.into_iter().collect::<Vec<_>>().join(" and ");
    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
    for picture in dataset.pictures {
        *groups.entry(picture.leak_group).or_default() += 1;
    }
    let several: Vec<usize> = groups.into_values().filter(|n| 1 < *n).collect();
    let parts: Vec<String> = Split::ALL
        .into_iter()
        .map(|split| {
            let of = dataset.pictures.iter().filter(|it| it.split == split).count();
            format!("{of} in {split}")
        })
        .collect();
    vec![
        (
            "What does an instance consist of?",
            format!(
                "One prepared picture ({kinds}) of one class, with the post it comes from; see \
                 the columns of the manifest."
            ),
        ),
        (
            "How many instances are there, of each class and part?",
            format!("{n} pictures.\n\n{}", readme::class_table(dataset)),
        ),
        (
            "Is there a label?",
            format!("Every picture has exactly one of {} classes.", dataset.classes.len()),
        ),
        (
            "Are relations between instances told?",
            format!(
                "Pictures that show the same, or come from one post, share a `group_id`; {} \
                 groups have more than one picture, {} pictures together.",
                several.len(),
                several.iter().sum::<usize>()
            ),
        ),
        (
            "Are there recommended parts for training, choosing and testing?",
            format!(
                "{}. They were drawn by group with seed {}, so that nothing is in two parts.",
                parts.join(", "),
                dataset.seed
            ),
        ),
        ("Does it depend on something outside?", dependence(dataset)),
    ]
}

fn dependence(dataset: &Dataset<'_>) -> String {
    let n_web = dataset
        .pictures
        .iter()
        .filter(|it| tables::shareable(&it.provenance.url.0).starts_with("http"))
        .count();
    format!(
        "{n_web} of {} pictures were fetched from web addresses, which may be gone any day; the \
         addresses are given for attribution.",
        dataset.pictures.len()
    )
}

fn collection(dataset: &Dataset<'_>) -> Vec<(&'static str, String)> {
    let mut places: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    let mut authors: BTreeMap<&str, usize> = BTreeMap::new();
    for picture in dataset.pictures {
        *places.entry(tables::shareable(&picture.provenance.place)).or_default() += 1;
        if let Some(author) = picture.provenance.author.as_deref() {
            *authors.entry(author).or_default() += 1;
        }
    }
    let places: Vec<String> =
        places.iter().map(|(place, n)| format!("- `{}`: {n}", place.replace('`', "'"))).collect();
    let days = || dataset.pictures.iter().filter_map(|it| it.provenance.created_utc).map(Day::of);
    let timeframe = match (days().min(), days().max()) {
        (Some(first), Some(last)) => format!("They were posted from {first} to {last} (UTC)."),
        _ => "The sources do not tell when the pictures were made.".to_owned(),
    };
    let n_most = authors.values().max().copied().unwrap_or_default();
    let by = match authors.len() {
        0 => "The sources name no authors.".to_owned(),
        n => format!("{n} accounts; the one with most posted {n_most} pictures."),
    };
    vec![
        (
            "How was each instance acquired?",
            format!(
                "It was posted by its author at one of these places, and fetched from there; the \
                 class follows from the place and the rules of the pipeline.\n\n{}",
                places.join("\n")
            ),
        ),
        ("Over what time was it collected?", timeframe),
        ("Who was involved in making the instances?", by),
        (
            "Of what was it chosen, and how?",
            if dataset.funnel.steps.is_empty() {
                "The records do not tell.".to_owned()
            } else {
                readme::funnel_table(dataset.funnel)
            },
        ),
    ]
}

fn preparation(dataset: &Dataset<'_>) -> Vec<(&'static str, String)> {
    vec![
        (
            "What was done to the pictures?",
            format!(
                "{}. Pictures that show the same as another were left out, and those without \
                 use for learning: broken, blank, blurred, too small; the table above counts them.",
                readme::one_line(dataset.transform)
            ),
        ),
        (
            "Are the raw data kept?",
            "The files as they were fetched are not part of the dataset; their addresses are."
                .to_owned(),
        ),
        (
            "Is the software that did it available?",
            "snapset; the pipeline file and the seed repeat every step.".to_owned(),
        ),
    ]
}

fn distribution(dataset: &Dataset<'_>) -> Vec<(&'static str, String)> {
    vec![(
        "Under what licence is it given?",
        format!(
            "`{}`, see `{LICENSE_FILE}`. The pictures remain their makers'; `{ATTRIBUTION_FILE}` \
             names them.",
            dataset.license
        ),
    )]
}

fn maintenance(dataset: &Dataset<'_>, version: &str) -> Vec<(&'static str, String)> {
    let removals = match dataset.removals.len() {
        0 => "No picture of an earlier version was taken back.".to_owned(),
        n => format!("{n} pictures of earlier versions were taken back: `{REMOVALS_FILE}`."),
    };
    vec![
        (
            "How are versions told apart?",
            format!("By digits of the digest of the manifest; this one is `{version}`."),
        ),
        (
            "What if somebody takes a picture back?",
            format!(
                "Deleted posts are looked for and leave the dataset with all that came from them. \
                 {removals} {}",
                papers::removal_request(dataset)
            ),
        ),
    ]
}
