//! Pictures of a person → altered files in a folder of their own: one picture many times, or
//! class folders filled up until all hold the same number.
//!
//! What is read is never touched. The folder written to is empty or carries our mark, `.snapset`,
//! which names every file we put there and is written before they are; other files in it stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Component, Path, PathBuf},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        id::BlobId,
        outcome::Reject,
        random::{Purpose, Random},
    },
    pixels::{
        Picture,
        augment::{
            self, Augment,
            balance::{self, BalanceError, Share},
        },
        contact::Grid,
        crop::{self, Filter},
        decode::{self, Limits},
        encode,
        sniff::{self, Kind},
    },
    store::files::{self, FileError},
};

const MARK_FILE: &str = ".snapset";

/// The quality of altered files, which are JPEG unless their source is without loss.
const QUALITY: u8 = 95;

/// How pictures are altered.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub limits: Augment,
    pub seed: u64,
    /// The side of the middle square that is taken of every picture first; `None` takes all of it.
    pub side_px: Option<u32>,
}

/// What was made of one class, or of one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Pictures there were.
    pub n_found: usize,
    pub n_copied: usize,
    pub n_altered: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum AugmentError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("`{}` is no picture that can be altered: {reject}", path.display())]
    Broken { path: PathBuf, reject: Reject },
    #[error("`{}` holds no folder of a class; give a folder that holds one folder per class", dir.display())]
    NoClass { dir: PathBuf },
    #[error("class `{class}` has no picture in `{}`; add one or move the folder away", dir.display())]
    EmptyClass { class: String, dir: PathBuf },
    #[error("the target is 0 pictures for each class; choose 1 or more")]
    NoTarget,
    #[error("`{}` has a name that is not UTF-8; rename it", path.display())]
    Name { path: PathBuf },
    #[error("`{}` and `{}` lie in one another; write to a folder elsewhere", from.display(), dir.display())]
    Overlap { from: PathBuf, dir: PathBuf },
    #[error("could not find out where `{}` lies", path.display())]
    Whereabouts { path: PathBuf, source: io::Error },
    #[error("`{}` is not empty and was not made by `snapset augment`; choose another folder", dir.display())]
    NotOurs { dir: PathBuf },
    #[error("`{}` was not put there by us and would be overwritten; move it away", path.display())]
    Foreign { path: PathBuf },
    #[error("`{}` names `{file}`, which lies elsewhere; remove the mark to write to another folder", path.display())]
    MarkEscapes { path: PathBuf, file: String },
}

/// What the mark file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// Every file we put there, as a path inside the folder.
    augmented: BTreeSet<String>,
}

/// The names that are given, without what comes after the last dot.
struct Names {
    /// Whether originals are copied byte for byte, under their own names.
    keeps_bytes: bool,
    taken: BTreeSet<String>,
}

/// One file to write.
struct Job<'a> {
    /// Its path inside the folder.
    name: String,
    source: &'a Path,
    /// The number of the alteration; `None` is the picture itself.
    copy: Option<u64>,
}

/// Writes `count` alterations of one picture to `dir`.
pub fn multiply(
    picture: &Path,
    dir: &Path,
    count: u64,
    recipe: &Recipe,
) -> Result<Made, AugmentError> {
    open(picture)?;
    let mut names = Names::new(recipe);
    let jobs: Vec<Job<'_>> =
        (0..count).map(|copy| names.job("", picture, Some(copy))).collect::<Result<_, _>>()?;
    write(picture, dir, &jobs, recipe)?;
    Ok(Made { n_found: 1, n_copied: 0, n_altered: jobs.len() })
}

/// Writes a sheet of one picture and its alterations to the PNG file `path`.
pub fn sheet(
    picture: &Path,
    path: &Path,
    (columns, rows): (u32, u32),
    recipe: &Recipe,
) -> Result<(), AugmentError> {
    if path.exists() && whereabouts(path)? == whereabouts(picture)? {
        return Err(AugmentError::Overlap { from: picture.to_owned(), dir: path.to_owned() });
    }
    let (shown, random) =
        open(picture).map(|(bytes, shown)| (shown, random(&bytes, recipe.seed)))?;
    let cell_px = recipe.side_px.unwrap_or(224);
    let grid = Grid { columns, cell_px, gap_px: 3 };
    let sheet = augment::sheet::sheet(&shown, &recipe.limits, grid, rows, &random);
    Ok(files::write_atomic(path, &encode::png(&sheet))?)
}

/// Fills `dir` with a folder for each class folder of `source`: originals as they are, and altered
/// copies until all classes are as large as the largest, or as `target`.
pub fn level(
    source: &Path,
    dir: &Path,
    target: Option<usize>,
    recipe: &Recipe,
) -> Result<BTreeMap<String, Made>, AugmentError> {
    let classes = classes(source)?;
    let counts: Vec<usize> = classes.values().map(Vec::len).collect();
    let shares = balance::plan(&counts, target, recipe.seed).map_err(|error| match error {
        BalanceError::NoClass => AugmentError::NoClass { dir: source.to_owned() },
        BalanceError::NoTarget => AugmentError::NoTarget,
        BalanceError::EmptyClass { class } => AugmentError::EmptyClass {
            class: classes.keys().nth(class).cloned().unwrap_or_default(),
            dir: source.to_owned(),
        },
    })?;
    let mut names = Names::new(recipe);
    let mut jobs = Vec::new();
    let mut made = BTreeMap::new();
    for ((class, pictures), share) in classes.iter().zip(&shares) {
        jobs.extend(jobs_of(class, pictures, share, &mut names)?);
        let n_copied = share.copies.iter().flatten().count();
        let n_altered = share.n_pictures() - n_copied;
        made.insert(class.clone(), Made { n_found: pictures.len(), n_copied, n_altered });
    }
    write(source, dir, &jobs, recipe)?;
    Ok(made)
}

/// Lists the pictures directly in each folder of `source`, both in the order of their names.
/// Hidden files and what is no picture are passed over.
fn classes(source: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>, AugmentError> {
    let mut classes = BTreeMap::new();
    for folder in files::entries(source)?.into_iter().filter(|path| path.is_dir()) {
        let class = text(folder.file_name().map(Path::new), &folder)?;
        if class.starts_with('.') {
            continue;
        }
        let mut pictures = Vec::new();
        for path in files::entries(&folder)?.into_iter().filter(|path| path.is_file()) {
            let is_hidden = text(path.file_name().map(Path::new), &path)?.starts_with('.');
            if !is_hidden && sniff::kind(&files::read(&path)?).is_picture() {
                pictures.push(path);
            }
        }
        pictures.sort();
        classes.insert(class, pictures);
    }
    Ok(classes)
}

/// Lists the files of one class: originals first, so that they keep their names.
fn jobs_of<'a>(
    class: &str,
    pictures: &'a [PathBuf],
    share: &Share,
    named: &mut Names,
) -> Result<Vec<Job<'a>>, AugmentError> {
    let mut wanted: Vec<(usize, Option<usize>)> = share.pictures().collect();
    wanted.sort_by_key(|(_, copy)| copy.is_some());
    let folder = format!("{class}/");
    wanted
        .into_iter()
        .map(|(picture, copy)| {
            let copy = copy.map(|copy| u64::try_from(copy).expect("a count fits 64 bits"));
            named.job(&folder, &pictures[picture], copy)
        })
        .collect()
}

impl Names {
    fn new(recipe: &Recipe) -> Self {
        Self { keeps_bytes: recipe.side_px.is_none(), taken: BTreeSet::new() }
    }

    /// Names a file: as its source if it is a plain copy, else by the stem of its source, the
    /// number of the alteration and what it is encoded as.
    fn job<'a>(
        &mut self,
        folder: &str,
        source: &'a Path,
        copy: Option<u64>,
    ) -> Result<Job<'a>, AugmentError> {
        let stem = text(source.file_stem().map(Path::new), source)?;
        if copy.is_none() && self.keeps_bytes {
            let name = format!("{folder}{}", text(source.file_name().map(Path::new), source)?);
            self.taken.insert(format!("{folder}{stem}"));
            return Ok(Job { name, source, copy });
        }
        let number = copy.map(|copy| format!("-aug{:03}", copy + 1)).unwrap_or_default();
        let mut name = format!("{folder}{stem}{number}");
        let mut again = 1;
        while self.taken.contains(&name) {
            again += 1;
            name = format!("{folder}{stem}-{again}{number}");
        }
        let extension = if is_lossless(&files::read(source)?) { "png" } else { "jpg" };
        let job = Job { name: format!("{name}.{extension}"), source, copy };
        self.taken.insert(name);
        Ok(job)
    }
}

fn is_lossless(bytes: &[u8]) -> bool {
    matches!(sniff::kind(bytes), Kind::Png | Kind::Bmp | Kind::Gif | Kind::Tiff)
}

fn text(part: Option<&Path>, path: &Path) -> Result<String, AugmentError> {
    let Some(part) = part else { return Ok(String::new()) };
    let name = || AugmentError::Name { path: path.to_owned() };
    part.to_str().map(str::to_owned).ok_or_else(name)
}

/// Makes `dir` hold the files of the jobs, and none that an earlier call put there.
fn write(source: &Path, dir: &Path, jobs: &[Job<'_>], recipe: &Recipe) -> Result<(), AugmentError> {
    let (from, to) = (whereabouts(source)?, whereabouts(dir)?);
    if from.starts_with(&to) || to.starts_with(&from) {
        return Err(AugmentError::Overlap { from: source.to_owned(), dir: dir.to_owned() });
    }
    let before = read_mark(dir)?;
    let after = Mark { augmented: jobs.iter().map(|job| job.name.clone()).collect() };
    for name in after.augmented.difference(&before.augmented) {
        let path = dir.join(name);
        if path.exists() {
            return Err(AugmentError::Foreign { path });
        }
    }
    let during = Mark { augmented: before.augmented.union(&after.augmented).cloned().collect() };
    write_mark(dir, &during)?;
    jobs.par_iter().try_for_each(|job| make(job, &dir.join(&job.name), recipe))?;
    for name in before.augmented.difference(&after.augmented) {
        files::remove_if_any(&dir.join(name))?;
    }
    write_mark(dir, &after)
}

fn make(job: &Job<'_>, path: &Path, recipe: &Recipe) -> Result<(), AugmentError> {
    if job.copy.is_none() && recipe.side_px.is_none() {
        return Ok(files::write_atomic(path, &files::read(job.source)?)?);
    }
    let (bytes, picture) = open(job.source)?;
    let mut picture = match recipe.side_px {
        Some(side_px) => crop::center_square(&picture, side_px, Filter::default()),
        None => picture,
    };
    if let Some(copy) = job.copy {
        let mut random = random(&bytes, recipe.seed).at(copy);
        picture = augment::alter(&picture, &recipe.limits, &mut random);
    }
    let is_png = path.extension().is_some_and(|extension| extension == "png");
    let file = if is_png { encode::png(&picture) } else { encode::jpeg(&picture, QUALITY) };
    Ok(files::write_atomic(path, &file)?)
}

fn open(path: &Path) -> Result<(Vec<u8>, Picture), AugmentError> {
    let bytes = files::read(path)?;
    match decode::decode(&bytes, Limits::default()) {
        Ok(decoded) => Ok((bytes, decoded.picture)),
        Err(reject) => Err(AugmentError::Broken { path: path.to_owned(), reject }),
    }
}

/// Returns what the alterations of a picture are drawn from: its content, not its name.
fn random(bytes: &[u8], seed: u64) -> Random {
    let digest = BlobId::of(bytes);
    let start = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    let key = u64::from_be_bytes(*start);
    Random::new(seed, Purpose::Augment).at(key)
}

/// Returns the real place of a path whose last parts need not be there yet.
fn whereabouts(path: &Path) -> Result<PathBuf, AugmentError> {
    let failed = |source| AugmentError::Whereabouts { path: path.to_owned(), source };
    let whole = std::path::absolute(path).map_err(failed)?;
    let mut missing = Vec::new();
    for there in whole.ancestors() {
        match there.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |path, part| path.join(part))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.extend(there.file_name());
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(whole)
}

/// Reads the mark; a folder without one must be empty or not there.
fn read_mark(dir: &Path) -> Result<Mark, AugmentError> {
    let path = dir.join(MARK_FILE);
    let not_ours = || AugmentError::NotOurs { dir: dir.to_owned() };
    let Some(text) = files::read_text_if_any(&path)? else {
        let is_free = files::entries(dir)?.is_empty();
        return if is_free { Ok(Mark::default()) } else { Err(not_ours()) };
    };
    // A mark of another kind is that of an export.
    let mark: Mark = serde_json::from_str(&text).map_err(|_| not_ours())?;
    match mark.augmented.iter().find(|file| !stays_inside(file)) {
        Some(file) => Err(AugmentError::MarkEscapes { path, file: file.clone() }),
        None => Ok(mark),
    }
}

/// Tells whether a path of the mark is `file` or `class/file`: files elsewhere are never removed.
fn stays_inside(path: &str) -> bool {
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    (1..=2).contains(&parts.len()) && parts.iter().all(|part| matches!(part, Component::Normal(_)))
}

fn write_mark(dir: &Path, mark: &Mark) -> Result<(), AugmentError> {
    let text = serde_json::to_string_pretty(mark).expect("a mark is plain text");
    Ok(files::write_atomic(&dir.join(MARK_FILE), text.as_bytes())?)
}

#[cfg(test)]
mod tests;
