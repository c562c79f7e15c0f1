//! Any pictures → what a trained model says of them: files, folders and addresses.

use std::path::{Path, PathBuf};

use serde::Serialize;
use url::Url;

use crate::{
    domain::{id::Place, outcome::Reject, post::Media},
    model::{ModelError, classifier::Classifier},
    net::NetError,
    pixels::{
        Picture,
        crop::{self, Filter, Recipe},
        decode::{self, Limits},
        process,
    },
    source::{
        access::{Access, AccessError},
        folder::{Folder, FolderError},
    },
    store::files::{self, FileError},
};

/// What a model says of one picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    pub picture: String,
    pub answer: Answer,
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
    Access(#[from] AccessError),
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

/// Judges every picture `what` leads to: a file, a folder at any depth, or a web address.
pub async fn predict(
    model: &Classifier,
    what: &str,
    access: &Access,
) -> Result<Vec<Prediction>, PredictError> {
    if let Some(url) = web_address(what) {
        let client = access.live().await?;
        let body = match client.picture(&url).await {
            Ok(Ok(body)) => Ok(body.bytes),
            Ok(Err(reject)) => Err(Trouble::Rejected(reject)),
            Err(error) => Err(Trouble::Net(error)),
        };
        return Ok(vec![judge(model, what.to_owned(), body)?]);
    }
    pictures_below(Path::new(what))?
        .into_iter()
        .map(|path| {
            let bytes = files::read(&path).map_err(Trouble::File);
            Ok(judge(model, path.display().to_string(), bytes)?)
        })
        .collect()
}

fn web_address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn pictures_below(path: &Path) -> Result<Vec<PathBuf>, FolderError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let place = Place(format!("folder:{}", path.display()));
    let page = Folder::at(path).list(&place)?;
    let path_of = |media: Media| match media {
        Media::File { path, .. } => Some(PathBuf::from(path)),
        Media::Link { .. }
        | Media::Gallery { .. }
        | Media::Crosspost { .. }
        | Media::Video
        | Media::Text
        | Media::Removed { .. }
        | Media::Packed { .. } => None,
    };
    Ok(page.posts.into_iter().filter_map(|(_, post)| path_of(post.media)).collect())
}

/// Makes of a picture what training would have seen of it: what is in a prepared file. A picture
/// of just that size is taken for one.
fn seen(bytes: &[u8], recipe: &Recipe) -> Result<Picture, Reject> {
    let decoded = decode::take(bytes, recipe.taking(Limits::default()))?;
    if decoded.picture.dimensions() == (recipe.size, recipe.size) {
        return Ok(decoded.picture);
    }
    let (_, file) = crop::file(&decoded, recipe);
    Ok(decode::decode(&file, Limits::default())?.picture)
}

fn judge(
    model: &Classifier,
    picture: String,
    bytes: Result<Vec<u8>, Trouble>,
) -> Result<Prediction, ModelError> {
    let card = model.card();
    let seen = bytes.and_then(|bytes| seen(&bytes, &card.prepare).map_err(Trouble::Rejected));
    let answer = match seen {
        Ok(picture) => {
            let square = crop::center_square(&picture, card.image_size, Filter::default());
            let square = process::apply(&square, &card.process);
            let probabilities = model.probabilities(&[square.as_raw()])?;
            let row: Vec<f32> = probabilities.into_iter().flatten().collect();
            let is_known = card.knows(&row);
            let mut classes: Vec<(String, f32)> = card.classes.iter().cloned().zip(row).collect();
            classes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            if is_known { Answer::Classes(classes) } else { Answer::NoneOfThese(classes) }
        }
        Err(trouble) => Answer::Unreadable(crate::engine::chain(&trouble)),
    };
    Ok(Prediction { picture, answer })
}
