//! Any pictures → what a trained model says of them: files, folders, patterns, addresses, and
//! what comes in through standard input.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt, stream};
use rayon::prelude::*;
use serde::Serialize;
use url::Url;

use crate::{
    domain::{outcome::Reject, picture::FileFormat},
    model::{ModelError, cam::Asked, classifier::Classifier},
    net::NetError,
    pixels::{
        Picture,
        crop::{self, Recipe},
        decode::{self, Limits},
        encode,
    },
    source::{
        access::{Access, AccessError},
        folder::{Folder, FolderError},
    },
    store::files::{self, FileError},
};

/// How many pictures a core decodes before it asks the model about them together.
const PART: usize = 4;

/// How many pictures are taken in hand before the next are fetched.
const WINDOW: usize = 256;

/// Addresses asked for at the same time; the client narrows that for each host.
const FETCHES: usize = 16;

/// The side of each of the two pictures that show where the evidence lies.
const PANEL_PX: u32 = 256;

/// How much of a picture's name its map of the evidence bears; a character may take four bytes,
/// and a name 255.
const STEM_CHARS_MAX: usize = 50;

/// The name of what comes in through standard input.
pub const STDIN: &str = "-";

/// A picture somebody asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub name: String,
    whereabouts: Whereabouts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whereabouts {
    File(PathBuf),
    Web(Url),
    Here(Vec<u8>),
}

/// What a model says of one picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    pub picture: String,
    pub answer: Answer,
    /// The file that shows where the model found the evidence for its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cam: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Class and probability, the most probable first.
    Classes(Vec<(String, f32)>),
    /// The same, none probable enough to be given as an answer.
    NoneOfThese(Vec<(String, f32)>),
    /// Why the picture cannot be judged.
    Unreadable(String),
}

#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("`{pattern}` is no pattern of file names")]
    Pattern { pattern: String, source: glob::PatternError },
    #[error("no file is called like `{pattern}`")]
    NoMatch { pattern: String },
    #[error("could not read a folder that `{pattern}` leads to")]
    Walk { pattern: String, source: glob::GlobError },
    #[error("could not read what comes in through standard input")]
    Stdin(#[source] io::Error),
    #[error("standard input brought neither a picture nor the name of one")]
    NothingIn,
    #[error("there is no picture below `{}`", path.display())]
    NoPicture { path: PathBuf },
}

/// Why one picture cannot be judged; the others still are.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("{0}")]
    Rejected(Reject),
}

/// Lists every picture that `what` leads to: a file, a folder at any depth, a pattern such as
/// `photos/*.jpg`, a web address, or [`STDIN`] for one picture, or a list of any of these with a
/// line each, from `stdin`.
pub fn subjects(what: &str, stdin: &mut dyn Read) -> Result<Vec<Subject>, PredictError> {
    if what != STDIN {
        return named(what);
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes).map_err(PredictError::Stdin)?;
    // No picture is text.
    let list = match String::from_utf8(bytes) {
        Ok(list) => list,
        Err(picture) => {
            let whereabouts = Whereabouts::Here(picture.into_bytes());
            return Ok(vec![Subject { name: STDIN.to_owned(), whereabouts }]);
        }
    };
    let mut found = Vec::new();
    for line in list.lines().filter(|line| !line.trim().is_empty()) {
        found.extend(named(line)?);
    }
    if found.is_empty() { Err(PredictError::NothingIn) } else { Ok(found) }
}

fn named(what: &str) -> Result<Vec<Subject>, PredictError> {
    if let Some(url) = web_address(what) {
        let whereabouts = Whereabouts::Web(url);
        return Ok(vec![Subject { name: what.to_owned(), whereabouts }]);
    }
    let path = Path::new(what);
    let paths = if path.is_dir() {
        let pictures = Folder::at(path).pictures()?;
        if pictures.is_empty() {
            return Err(PredictError::NoPicture { path: path.to_owned() });
        }
        pictures
    } else if path.exists() || !what.contains(['*', '?', '[']) {
        vec![path.to_owned()]
    } else {
        matching(what)?
    };
    Ok(paths.into_iter().map(Subject::of_file).collect())
}

fn web_address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, PredictError> {
    let named = || pattern.to_owned();
    let paths = glob::glob(pattern)
        .map_err(|source| PredictError::Pattern { pattern: named(), source })?
        .collect::<Result<Vec<PathBuf>, _>>()
        .map_err(|source| PredictError::Walk { pattern: named(), source })?;
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(Folder::at(&path).pictures()?);
        } else {
            found.push(path);
        }
    }
    if found.is_empty() { Err(PredictError::NoMatch { pattern: named() }) } else { Ok(found) }
}

impl Subject {
    fn of_file(path: PathBuf) -> Self {
        Self { name: path.display().to_string(), whereabouts: Whereabouts::File(path) }
    }
}

/// Judges pictures, in their order, with all cores; `told` hears how many are done. With a folder
/// `cams`, a file for each is written there that shows where the evidence for the answer lies.
pub async fn predict(
    model: &Classifier,
    subjects: Vec<Subject>,
    access: &Access,
    cams: Option<&Path>,
    told: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Prediction>, PredictError> {
    if let Some(dir) = cams {
        files::make_folder(dir)?;
    }
    let done = AtomicUsize::new(0);
    let mut predictions = Vec::with_capacity(subjects.len());
    let mut left = subjects.into_iter();
    loop {
        let window: Vec<Subject> = left.by_ref().take(WINDOW).collect();
        if window.is_empty() {
            return Ok(predictions);
        }
        let here: Vec<Fetched> =
            stream::iter(window).map(|it| fetched(it, access)).buffered(FETCHES).collect().await;
        let here = here.into_iter().collect::<Result<Vec<_>, _>>()?;
        let judged = tokio::task::block_in_place(|| {
            let parts = here.par_chunks(PART).enumerate().map(|(at, part)| {
                let from = predictions.len() + at * PART;
                let judged = judge(model, part, cams.map(|dir| Cams { dir, from }));
                told(done.fetch_add(part.len(), Ordering::Relaxed) + part.len());
                judged
            });
            parts.collect::<Result<Vec<_>, _>>()
        })?;
        predictions.extend(judged.into_iter().flatten());
    }
}

/// A subject whose bytes, if they are not on this machine, have been fetched.
type Fetched = Result<(Subject, Option<Trouble>), PredictError>;

async fn fetched(subject: Subject, access: &Access) -> Fetched {
    let Whereabouts::Web(url) = &subject.whereabouts else { return Ok((subject, None)) };
    let trouble = match access.live().await?.picture(url).await {
        Ok(Ok(body)) => {
            let whereabouts = Whereabouts::Here(body.bytes.into_vec());
            return Ok((Subject { whereabouts, ..subject }, None));
        }
        Ok(Err(reject)) => Trouble::Rejected(reject),
        Err(error) => Trouble::Net(error),
    };
    Ok((subject, Some(trouble)))
}

/// Where maps of the evidence are written, and the number of the first picture of a part.
#[derive(Clone, Copy, Debug)]
struct Cams<'a> {
    dir: &'a Path,
    from: usize,
}

impl Cams<'_> {
    /// Shows where the model finds the evidence for its answer to a picture.
    fn draw(
        self,
        model: &Classifier,
        (at, name): (usize, &str),
        seen: &Picture,
    ) -> Result<PathBuf, PredictError> {
        let panel = model.activation_panel(seen, Asked::Predicted, PANEL_PX)?;
        // Pictures of several folders may have one name.
        let path = self.dir.join(format!("{:04}-{}.png", self.from + at, plain_stem(name)));
        files::write_atomic(&path, &encode::encode(&panel, FileFormat::Png, 0))?;
        Ok(path)
    }
}

/// Makes of the name of a picture, which may be an address, one that any file system takes.
fn plain_stem(name: &str) -> String {
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy();
    let plain = |it: char| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '_' };
    stem.chars().take(STEM_CHARS_MAX).map(plain).collect()
}

fn judge(
    model: &Classifier,
    part: &[(Subject, Option<Trouble>)],
    cams: Option<Cams<'_>>,
) -> Result<Vec<Prediction>, PredictError> {
    let prepare = &model.card().prepare;
    let pictures: Vec<Result<Picture, String>> = part
        .iter()
        .map(|(subject, trouble)| match (trouble, &subject.whereabouts) {
            (Some(trouble), _) => Err(crate::engine::chain(trouble)),
            (None, Whereabouts::Here(bytes)) => seen(bytes, prepare),
            (None, Whereabouts::File(path)) => files::read(path)
                .map_err(|error| crate::engine::chain(&error))
                .and_then(|bytes| seen(&bytes, prepare)),
            (None, Whereabouts::Web(_)) => unreachable!("addresses have been fetched"),
        })
        .collect();
    let squares: Vec<Picture> = pictures.iter().flatten().map(|it| model.square(it)).collect();
    let squares: Vec<&[u8]> = squares.iter().map(|square| square.as_raw().as_slice()).collect();
    let rows = if squares.is_empty() { Vec::new() } else { model.probabilities(&squares)? };
    let mut rows = rows.into_iter();
    let mut judged = Vec::with_capacity(part.len());
    for (at, ((subject, _), picture)) in part.iter().zip(pictures).enumerate() {
        let name = subject.name.clone();
        judged.push(match picture {
            Ok(seen) => {
                let row = rows.next().expect("a row for each whole picture");
                let cam = cams.map(|cams| cams.draw(model, (at, &name), &seen)).transpose()?;
                Prediction { picture: name, answer: Answer::of(model, row), cam }
            }
            Err(why) => Prediction { picture: name, answer: Answer::Unreadable(why), cam: None },
        });
    }
    Ok(judged)
}

/// Judges one picture given as the bytes of its file.
pub fn judge_bytes(model: &Classifier, bytes: Vec<u8>) -> Result<Answer, PredictError> {
    let subject = Subject { name: STDIN.to_owned(), whereabouts: Whereabouts::Here(bytes) };
    let mut judged = judge(model, &[(subject, None)], None)?;
    Ok(judged.remove(0).answer)
}

/// Makes of a picture what is in a prepared file. A picture of just that size is taken for one.
fn seen(bytes: &[u8], recipe: &Recipe) -> Result<Picture, String> {
    let prepared = || {
        let decoded = decode::take(bytes, recipe.taking(Limits::default()))?;
        if decoded.picture.dimensions() == (recipe.size, recipe.size) {
            return Ok(decoded.picture);
        }
        let (_, file) = crop::file(&decoded, recipe);
        Ok(decode::decode(&file, Limits::default())?.picture)
    };
    prepared().map_err(|reject| crate::engine::chain(&Trouble::Rejected(reject)))
}

impl Prediction {
    /// Returns the classes that were given, the most probable first; none of an unreadable picture.
    pub fn classes(&self) -> &[(String, f32)] {
        match &self.answer {
            Answer::Classes(classes) | Answer::NoneOfThese(classes) => classes,
            Answer::Unreadable(_) => &[],
        }
    }
}

impl Answer {
    fn of(model: &Classifier, row: Vec<f32>) -> Self {
        let card = model.card();
        let is_known = card.knows(&row);
        let mut classes: Vec<(String, f32)> = card.classes.iter().cloned().zip(row).collect();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if is_known { Self::Classes(classes) } else { Self::NoneOfThese(classes) }
    }

    /// Keeps the `n` most probable classes.
    #[must_use]
    pub fn top(mut self, n: usize) -> Self {
        match &mut self {
            Self::Classes(classes) | Self::NoneOfThese(classes) => classes.truncate(n),
            Self::Unreadable(_) => (),
        }
        self
    }
}
