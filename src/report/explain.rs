//! The whole journey of one picture: where it was posted, what became of it in every stage, and
//! why it is in the dataset or not.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    beside::{self, Measured, Side},
    reviewed,
};
use crate::{
    domain::{
        classes::Classes,
        fingerprint::Fingerprint,
        flaws::{Flaw, Limits},
        id::{BlobId, Label, PostId},
        link::{Download, MediaUrl, Resolution, Resolved},
        outcome::{Outcome, Reject},
        picture::Crop,
        post::Post,
        review::{Review, Reviews},
        split::Placement,
        verdict::{Ruling, Verdict},
    },
    engine::StageName,
    store::{Store, StoreError, files, layout::Layout, query},
};

/// What happened to one picture as one post showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Journey {
    /// The post, and the number of the picture in it.
    pub name: String,
    pub steps: Vec<Step>,
    /// Whether it is in the dataset, in one sentence.
    pub conclusion: String,
    /// The picture, after the one kept in its place if there is one.
    pub sides: Vec<Side>,
    pub measured: Vec<Measured>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub stage: StageName,
    pub text: String,
}

/// What journeys are told from.
#[derive(Clone, Copy)]
pub struct ExplainInput<'a> {
    pub store: &'a Store,
    pub layout: &'a Layout,
    pub classes: &'a Classes,
    /// What pictures are measured against.
    pub limits: &'a Limits,
    /// Everything people said of pictures.
    pub lines: &'a [Review],
}

/// How far a journey has come: on, or at its end.
type Way = Result<(), String>;

/// Tells the journeys of everything `what` names: a post by id or address, a picture by address,
/// by the first digits of its digest, or by its name in the dataset.
pub fn explain(input: ExplainInput<'_>, what: &str) -> Result<Vec<Journey>, StoreError> {
    let ExplainInput { store, layout, classes, .. } = input;
    let blobs = query::blobs_by_url(store)?;
    let mut journeys = Vec::new();
    for entry in query::posts(store, classes)? {
        let (id, post) = entry?;
        let is_post = names_post(what, &id, &post);
        let items = match store.get::<Resolution>(&id)?.map(|settled| settled.outcome) {
            Some(Outcome::Made(resolution)) => resolution.items,
            Some(Outcome::Rejected(reject)) if is_post => {
                journeys.push(ended_early(store, &id, &post, &reject.to_string())?);
                continue;
            }
            Some(Outcome::Failed(failure)) if is_post => {
                journeys.push(ended_early(store, &id, &post, &failure.message)?);
                continue;
            }
            None if is_post => {
                journeys.push(ended_early(store, &id, &post, "not looked at yet")?);
                continue;
            }
            Some(Outcome::Rejected(_) | Outcome::Failed(_)) | None => continue,
        };
        for (index, item) in items.iter().enumerate() {
            let url = match item {
                Resolved::Link(link) => Some(&link.url),
                Resolved::Rejected(_) => None,
            };
            let blob = url.and_then(|url| blobs.get(url));
            let is_meant = is_post
                || url.is_some_and(|url| names_url(what, url))
                || blob.is_some_and(|blob| names_blob(what, blob));
            if is_meant {
                let mut journey = Journey {
                    name: format!("{id} picture {}", index + 1),
                    steps: vec![posted(classes, &post)],
                    conclusion: String::new(),
                    sides: Vec::new(),
                    measured: Vec::new(),
                };
                if let Some(blob) = blob {
                    journey.sides = beside::sides(store, layout, blob)?;
                    journey.measured = beside::measured(store, blob)?;
                }
                let end = follow(input, item, &mut journey.steps)?;
                journey.conclusion = match end {
                    Ok(()) => "in the dataset".to_owned(),
                    Err(why) => format!("not in the dataset: {why}"),
                };
                journeys.push(journey);
            }
        }
    }
    Ok(journeys)
}

fn names_post(what: &str, id: &PostId, post: &Post) -> bool {
    let bare = id.0.split_once(':').map_or("", |(_, bare)| bare);
    let permalink = post.permalink.trim_end_matches('/');
    id.0 == what
        || bare == what
        || bare.strip_prefix("t3_") == Some(what)
        || permalink == what.trim_end_matches('/')
}

fn names_url(what: &str, url: &MediaUrl) -> bool {
    let plain = url.0.strip_prefix("demo+").or_else(|| url.0.strip_prefix("file:"));
    url.0 == what || plain == Some(what)
}

/// Knows a blob by at least eight of its first digits, also inside a file's name.
fn names_blob(what: &str, blob: &BlobId) -> bool {
    let name = what.rsplit('/').next().unwrap_or(what);
    let stem = name.split('.').next().unwrap_or(name);
    let digits = stem.rsplit('-').next().unwrap_or(stem);
    8 <= digits.len() && blob.to_string().starts_with(&digits.to_ascii_lowercase())
}

fn posted(classes: &Classes, post: &Post) -> Step {
    let label = classes.counted_under(post).map_or("no class", Label::as_str);
    let author = post.author.as_deref().map(|author| format!(" by {author}"));
    let text = format!(
        "posted in {} (class {label}){}: {:?}, score {}, {}",
        places(post),
        author.unwrap_or_default(),
        post.title,
        post.score.map_or("unknown".to_owned(), |score| score.to_string()),
        post.permalink
    );
    Step { stage: StageName::Collect, text }
}

fn places(post: &Post) -> String {
    let places: Vec<&str> = post.places.iter().map(|place| place.0.as_str()).collect();
    places.join(" and ")
}

fn ended_early(store: &Store, id: &PostId, post: &Post, why: &str) -> Result<Journey, StoreError> {
    let listed = store.note::<Post>(id)?.map(|_| format!("posted in {}", places(post)));
    let step = |stage, text| Step { stage, text };
    Ok(Journey {
        name: id.to_string(),
        steps: vec![
            step(StageName::Collect, listed.unwrap_or_default()),
            step(StageName::Resolve, why.to_owned()),
        ],
        conclusion: format!("not in the dataset: {why}"),
        sides: Vec::new(),
        measured: Vec::new(),
    })
}

/// Walks along with one picture until it drops out or arrives.
fn follow(
    input: ExplainInput<'_>,
    item: &Resolved,
    steps: &mut Vec<Step>,
) -> Result<Way, StoreError> {
    let store = input.store;
    let mut tell = |stage: StageName, text: String| steps.push(Step { stage, text });
    let link = match item {
        Resolved::Link(link) => link,
        Resolved::Rejected(reject) => {
            tell(StageName::Resolve, reject.to_string());
            return Ok(Err(reject.to_string()));
        }
    };
    tell(StageName::Resolve, format!("picture at {}", link.url));

    let fetched = store.get::<Download>(&link.url)?.map(|settled| settled.outcome);
    let download = match arrived(fetched) {
        Ok(download) => download,
        Err(why) => {
            tell(StageName::Fetch, why.clone());
            return Ok(Err(why));
        }
    };
    let troubles: Vec<String> =
        download.troubles.iter().map(|trouble| format!("{trouble:?}").to_lowercase()).collect();
    let after = if troubles.is_empty() {
        String::new()
    } else {
        format!(", after trouble: {}", troubles.join(", "))
    };
    let blob = download.blob;
    tell(StageName::Fetch, format!("{} bytes, digest {blob}{after}", download.size_bytes));

    let printed = store.get::<Fingerprint>(&blob)?.map(|settled| settled.outcome);
    let print = match arrived(printed) {
        Ok(print) => print,
        Err(why) => {
            tell(StageName::Fingerprint, why.clone());
            return Ok(Err(why));
        }
    };
    let size = format!("{}\u{d7}{} {}", print.width_px, print.height_px, print.format);
    let hash = print.views.first().map(|view| view.hash.to_string()).unwrap_or_default();
    tell(StageName::Fingerprint, format!("{size}, hash {hash}"));
    judged(input, (&blob, &print), steps)
}

/// Goes on from the verdict to the place in the dataset.
fn judged(
    input: ExplainInput<'_>,
    (blob, print): (&BlobId, &Fingerprint),
    steps: &mut Vec<Step>,
) -> Result<Way, StoreError> {
    let store = input.store;
    let said = reviewed::about(store, input.lines, blob)?;
    let mut tell = |stage: StageName, text: String| steps.push(Step { stage, text });
    let ruling = store.note::<Verdict>(blob)?.map(|verdict| verdict.ruling);
    if let Some(ruling) = &ruling {
        let is_decided = Reviews::of(input.lines).pictures.contains_key(blob);
        let flaw = input.limits.flaw(print).filter(|_| is_decided);
        tell(StageName::Dedupe, ruled(ruling, flaw));
        for said in said {
            tell(StageName::Dedupe, said);
        }
    }
    let label = match ruling {
        Some(Ruling::Keep { label }) => label,
        Some(Ruling::Drop(reason)) => return Ok(Err(reason.to_string())),
        None => return Ok(Err("not judged yet".to_owned())),
    };
    let cropped = store.get::<Crop>(blob)?.map(|settled| settled.outcome);
    let crop = match arrived(cropped) {
        Ok(crop) => crop,
        Err(why) => {
            tell(StageName::Prepare, why.clone());
            return Ok(Err(why));
        }
    };
    let size = format!("{}\u{d7}{}, {} bytes", crop.width_px, crop.height_px, crop.size_bytes);
    tell(StageName::Prepare, size);
    match store.note::<Placement>(blob)? {
        Some(Placement::In(split)) => {
            let file = format!("{split}/{label}/{}", crop.file_name(&label, blob));
            tell(StageName::Split, file.clone());
            tell(StageName::Export, written(input.layout, &file));
            Ok(Ok(()))
        }
        Some(placement @ Placement::Leak { locked, group_is_in, .. }) => {
            let reason = placement.reason().unwrap_or_default();
            let why = format!("{reason}: locked in {locked}, but its like are in {group_is_in}");
            tell(StageName::Split, why.clone());
            Ok(Err(why))
        }
        Some(Placement::TooFew { groups }) => {
            let why = format!("left out: its class has {groups} groups of pictures");
            tell(StageName::Split, why.clone());
            Ok(Err(why))
        }
        None => Ok(Err("not placed yet".to_owned())),
    }
}

/// Tells which files of today hold the picture: the dataset's own, and the exports that list it.
fn written(layout: &Layout, file: &str) -> String {
    let lists = |folder: &PathBuf| {
        let text = |name| files::read_text_if_any(&folder.join(name)).ok().flatten();
        let mut texts = ["manifest.csv", "hydrate.csv"].into_iter().filter_map(text);
        texts.any(|text| text.lines().any(|line| line.starts_with(file)))
    };
    let mut folders = files::entries(&layout.exports()).unwrap_or_default();
    folders.sort();
    let names = folders.iter().filter(|it| lists(it)).filter_map(|it| it.file_name());
    let exports: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
    let path = layout.dataset().join(file);
    match (path.is_file(), exports.as_slice()) {
        (false, []) => "in no file yet".to_owned(),
        (false, exports) => format!("in the exports {}", exports.join(", ")),
        (true, []) => path.display().to_string(),
        (true, exports) => format!("{}, and in the exports {}", path.display(), exports.join(", ")),
    }
}

/// Writes a ruling; a flawed picture is only kept where a person wants it.
fn ruled(ruling: &Ruling, flaw: Option<Flaw>) -> String {
    match (ruling, flaw) {
        (Ruling::Keep { label }, None) => format!("kept as {label}"),
        (Ruling::Keep { label }, Some(flaw)) => {
            format!("kept as {label} because a person wants it, though {flaw}")
        }
        (Ruling::Drop(reason), _) => reason.to_string(),
    }
}

fn arrived<T>(outcome: Option<Outcome<T>>) -> Result<T, String> {
    match outcome {
        Some(Outcome::Made(record)) => Ok(record),
        Some(Outcome::Rejected(reject)) => Err(Reject::to_string(&reject)),
        Some(Outcome::Failed(failure)) => {
            Err(format!("failed {} times: {}", failure.attempts, failure.message))
        }
        None => Err("not done yet".to_owned()),
    }
}
