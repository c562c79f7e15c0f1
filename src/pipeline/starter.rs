//! A new pipeline file with a comment on everything people change.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    domain::{
        classes::{Classes, ClassesError},
        id::{Label, NotALabel, Place},
    },
    source::{PlaceError, SourceSpec},
    store::files::{self, FileError},
};

#[derive(Debug, thiserror::Error)]
pub enum StarterError {
    #[error("`{text}` is no class: write LABEL=PLACE,PLACE such as cats=r/cats,folder:photos/cats")]
    NoClass { text: String },
    #[error(transparent)]
    Label(#[from] NotALabel),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Classes(#[from] ClassesError),
    #[error("`{}` exists already; it is left as it is", path.display())]
    Exists { path: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes `pipelines/<name>.toml` below `root` for the given `LABEL=PLACE,…` and returns its path.
pub fn write(root: &Path, name: &str, classes: &[String]) -> Result<PathBuf, StarterError> {
    let name = Label::new(name)?;
    let mut listed: BTreeMap<Label, Vec<Place>> = BTreeMap::new();
    for text in classes {
        let (label, places) =
            text.split_once('=').ok_or_else(|| StarterError::NoClass { text: text.clone() })?;
        let places = places.split(',').map(str::trim).filter(|place| !place.is_empty());
        let own = listed.entry(Label::new(label.trim())?).or_default();
        for place in places {
            let place = Place(place.to_owned());
            SourceSpec::parse(&place)?;
            own.push(place);
        }
    }
    Classes::plain(&listed)?;
    let path = root.join("pipelines").join(format!("{name}.toml"));
    if path.exists() {
        return Err(StarterError::Exists { path });
    }
    files::write_atomic(&path, text(&name, &listed).as_bytes())?;
    Ok(path)
}

fn text(name: &Label, classes: &BTreeMap<Label, Vec<Place>>) -> String {
    let mut text = format!("title = \"{}\"\nseed = 1337\n\n", title(name));
    text.push_str("# A class is a list of places where its pictures are posted.\n[classes]\n");
    let width = classes.keys().map(|label| label.as_str().len()).max().unwrap_or_default();
    for (label, places) in classes {
        let places: Vec<String> =
            places.iter().map(|place| toml::Value::from(place.0.as_str()).to_string()).collect();
        let label = label.as_str();
        writeln!(text, "{label:width$} = [{}]", places.join(", "))
            .expect("writing to a string cannot fail");
    }
    text.push_str(REST);
    text
}

/// `cars-vs-tanks` → `Cars vs tanks`, lengthened to what Kaggle wants of a title.
fn title(name: &Label) -> String {
    let words = name.as_str().replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

const REST: &str = r##"
[collect]
# listings = ["new", "hot", "top"]   # also rising, controversial, top-week, ...; or "everything"
# least_new = 1                      # new posts a request must bring to go on; 0 reads to the end
# limit = 1000                       # posts per listing
# refresh = "daily"                  # ask again when the last look is older: never, hourly, weekly
# contact = "your-reddit-name"       # whom Reddit may turn to; otherwise REDDIT_USERNAME

# Rules for all posts; a class may have its own: cats = [{ place = "r/pets", flair = ["Cat"] }]
[collect.filter]
# nsfw = "skip"                      # keep, only
# min_score = 10                     # also max_score
# min_ratio = 0.8                    # share of votes that are for the post
# since = "2024-01-01"               # until = "2025-01-01"
# flair = ["OC", "Photo"]            # also not_flair
# title = "(?i)my cat"               # a regular expression; also not_title, and caption for galleries
# not_authors = ["some-bot"]         # also authors
# crossposts = "keep"                # skip, only
# galleries = "all"                  # first, none

[fetch]
# concurrency = 64                   # pictures at the same time, at most
# per_host = 16                      # of them from one host, as far as it bears them
# private_hosts = []                 # hosts of your own network: ["nas.local", "127.0.0.1:8443"]
# timeout = 60                       # seconds for one picture
# stall = 15                         # seconds without a byte
# max_megabytes = 50
# attempts = 4

[clean]
# hash = "views"                     # or the plain hash of others, by distance alone: phash, dhash, ahash
# distance = 90                      # of 256 hash bits: pictures farther apart are not compared
# similarity = 900                   # of 1000: from here on two pictures are twins
# min_side = 128                     # pixels of the shorter side
# max_aspect = 4.0                   # longer side over shorter side
# min_brightness = 8                 # mean level of 255
# max_darkest = 200                  # level of the darkest hundredth: above, over-exposed
# min_contrast = 5                   # standard deviation of the levels
# min_entropy = 40                   # hundredths of a bit
# max_uniform = 985                  # thousandths that have nearly one level
# max_border = 870                   # thousandths that are an even margin
# min_sharpness = 12                 # variance of the Laplacian where it is sharpest
# max_text = 700                     # thousandths of what is drawn that are lines of text
# max_page = 450                     # thousandths of the height that are a written page
# max_captions = 150                 # thousandths of the height that are captions
# max_seam = 500                     # thousandths of the best seam from edge to edge
# max_repeats = 400                  # thousandths of a pattern that returns everywhere

[prepare]
# size = 256                         # the side of the square
# fit = "center-crop"                # smart (cut to what stands out), letterbox, squash
# background = "#ffffff"             # behind transparent pixels, beside a letterboxed picture
# filter = "lanczos3"                # catmull-rom, bilinear, area
# light = "coded"                    # or "linear": averages light instead of levels; slower
# format = "jpeg"                    # or "png", "webp" (both without loss)
# quality = 90                       # of JPEG

[split]
# ratio = { train = 70, val = 15, test = 15 }  # or counts, folds, newest, cuts: README tells
# group = "post"                     # pictures of one post stay together; or "twin", "author"
# bucket = "none"                    # what a place showed within an "hour", "day" or "week" too
# tiny = "spread"                    # a class too small for all parts: train-only, drop, error

# Leave out the tables of exports you do not want.
[export]
# license = "other"                  # the name Kaggle has for a licence, such as "CC-BY-4.0"
# contact = "you@example.org"        # whom people ask who want a picture removed
# strict = true                      # no export while questions of the datasheet are open
# [export.datasheet]                 # what only a person knows; DATASHEET.md lists the questions
# purpose = "To tell cars from tanks."
# [export.kaggle]                    # for `kaggle datasets create`; [export.kaggle-dirs] without archives
# id = "your-kaggle-name/dataset-name"
# title = "At Least Six Letters"
# keywords = ["image classification"]
# [export.huggingface]               # Parquet with the pictures in it, and a dataset card
# id = "your-name/dataset-name"
# [export.croissant]                 # croissant.json beside these two
# date_published = "2024-12-31"
# [export.lists]                    # weights and lists that even classes out
# [export.folder]                    # class folders for ImageFolder and Keras
# [export.webdataset]                # tar archives for streaming
# shard_megabytes = 1000
# [export.hydrate]                   # addresses and digests, no pictures: others fetch them again
# [export.csv]                       # the manifest alone

# Leave this table out to train nothing.
[train]
# architecture = "small-cnn"         # or one of the others README lists
# weights = "imagenet"               # published ones for "mobilenet-v2" and its like, fetched once; or a file
# image_size = 64
# epochs = 50
# batch_size = 8
# learning_rate = 0.005
# optimizer = "adamw"                # or "adam", "sgd", "rmsprop"; the last two take `momentum`
# schedule = "cosine"                # constant, step, exponential, one-cycle, reduce-on-plateau
# sampling = "shuffled"              # balanced (all classes equally often), undersample
# class_weights = "balanced"         # none, or one for each class: { cats = 1.0, dogs = 2.5 }
# mixup = 0.0                        # 0.2 blends pictures in pairs, and their classes with them
# label_smoothing = 0.05             # of certainty, spread over all classes
# early_stopping = { monitor = "val-loss", patience = 20, min_delta = 0.0 }  # or "val-f1" and so on
"##;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Pipeline;

    #[test]
    fn a_new_file_is_a_pipeline_and_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let classes = ["cats=r/cats,folder:a b".to_owned(), "dogs=r/dogs".to_owned()];

        let path = write(dir.path(), "cats-or-dogs", &classes).unwrap();

        let pipeline = Pipeline::read(&path).unwrap();
        assert_eq!((pipeline.title.as_str(), pipeline.places.len()), ("Cats or dogs", 3));
        let again = write(dir.path(), "cats-or-dogs", &classes);
        assert!(matches!(again, Err(StarterError::Exists { .. })));
    }

    #[test]
    fn every_commented_setting_is_one_the_program_knows() {
        let uncommented: String = REST
            .lines()
            .filter(|line| !line.starts_with("# Leave") && !line.starts_with("# Rules"))
            .map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n")
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.toml");
        let file = format!("[classes]\ncats = [\"r/cats\"]\n{uncommented}");
        files::write_atomic(&path, file.as_bytes()).unwrap();

        let pipeline = Pipeline::read(&path).unwrap();

        assert_eq!(pipeline.clean, crate::pipeline::file::CleanTable::default());
        assert_eq!(pipeline.fetch, crate::pipeline::file::FetchTable::default());
        assert_eq!(pipeline.prepare, crate::stage::prepare::Recipe::default());
        assert_eq!(pipeline.split, crate::stage::split::Table::default());
        let expected = crate::model::recipe::TrainRecipe {
            weights: Some("imagenet".into()),
            image_size: Some(64),
            ..crate::model::recipe::TrainRecipe::default()
        };
        assert_eq!(pipeline.train, Some(expected));
    }
}
