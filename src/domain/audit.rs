//! What lies in a split image folder → what is wrong with it: leaks between splits, contested
//! labels, missing classes, files that are not what they seem.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{fingerprint::Similarity, id::BlobId, verdict::TwinPair};

/// The version of [`Audit`] as it is written down; raised when a reader must change.
pub const FORMAT: u32 = 1;

/// A class with this many times fewer pictures than the largest is worth a word.
const UNEVEN: u64 = 10;

/// Of a hundred pictures of one size, so many make the others odd.
const USUAL_PERCENT: usize = 90;

/// A folder of class folders, once for every split.
pub type Layout = BTreeMap<String, BTreeSet<String>>;

/// One file of a class folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Below the audited folder, with `/` between names.
    pub path: String,
    /// The name of the split's folder; empty where there are no splits.
    pub split: String,
    pub class: String,
    pub blob: BlobId,
    pub seen: Seen,
}

/// What the file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Picture {
        width_px: u32,
        height_px: u32,
        format: String,
    },
    Broken {
        why: String,
    },
    /// Neither by its name nor by its bytes a picture.
    Other,
}

/// Something to know about the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// The same bytes in several splits.
    ExactLeak {
        paths: Vec<String>,
    },
    /// Two files that show the same, in two splits.
    NearLeak {
        a: String,
        b: String,
        similarity: Similarity,
    },
    /// Files that are the same, or show the same, in several classes.
    LabelConflict {
        paths: Vec<String>,
        classes: BTreeSet<String>,
    },
    /// A class folder without a picture.
    EmptyClass {
        split: String,
        class: String,
    },
    /// A class that other splits have.
    MissingClass {
        split: String,
        class: String,
    },
    /// There is no picture at all.
    NoPicture,
    Broken {
        path: String,
        why: String,
    },
    /// The file is a picture of another format than its name says.
    Mislabelled {
        path: String,
        format: String,
    },
    /// The same bytes more than once in one class of one split.
    Repeated {
        paths: Vec<String>,
    },
    /// A file of another size than nearly all.
    OddSize {
        path: String,
        width_px: u32,
        height_px: u32,
    },
    /// A class of a split that is many times smaller than its largest.
    Uneven {
        split: String,
        class: String,
        pictures: u64,
        largest: u64,
    },
    /// A file that is no picture.
    Stray {
        path: String,
    },
}

impl Finding {
    /// Tells whether the folder should not be used as it is; the rest is worth a look.
    pub fn is_wrong(&self) -> bool {
        match self {
            Self::ExactLeak { .. }
            | Self::NearLeak { .. }
            | Self::LabelConflict { .. }
            | Self::EmptyClass { .. }
            | Self::MissingClass { .. }
            | Self::NoPicture
            | Self::Broken { .. }
            | Self::Mislabelled { .. } => true,
            Self::Repeated { .. }
            | Self::OddSize { .. }
            | Self::Uneven { .. }
            | Self::Stray { .. } => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of =
            |split: &str| if split.is_empty() { String::new() } else { format!(" in {split}") };
        match self {
            Self::ExactLeak { paths } => {
                write!(f, "leak: the same bytes in several splits: {}", paths.join(", "))
            }
            Self::NearLeak { a, b, similarity } => {
                write!(f, "leak: {a} and {b} show the same, {similarity} alike")
            }
            Self::LabelConflict { paths, classes } => {
                let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
                write!(f, "label conflict, {}: {}", classes.join(" or "), paths.join(", "))
            }
            Self::EmptyClass { split, class } => {
                write!(f, "class {class} has no picture{}", of(split))
            }
            Self::MissingClass { split, class } => {
                write!(
                    f,
                    "class {class} has no folder in {split}, which shifts the numbers of others"
                )
            }
            Self::NoPicture => f.write_str("there is no picture in any class folder"),
            Self::Broken { path, why } => write!(f, "{path} cannot be read: {why}"),
            Self::Mislabelled { path, format } => write!(f, "{path} is {format} by its bytes"),
            Self::Repeated { paths } => write!(f, "the same bytes: {}", paths.join(", ")),
            Self::OddSize { path, width_px, height_px } => {
                write!(f, "{path} is {width_px}\u{d7}{height_px}, unlike nearly all")
            }
            Self::Uneven { split, class, pictures, largest } => {
                write!(
                    f,
                    "class {class} has {pictures} pictures{}, the largest {largest}",
                    of(split)
                )
            }
            Self::Stray { path } => write!(f, "{path} is no picture"),
        }
    }
}

/// All there is to say about a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    pub format: u32,
    /// Pictures by split and class.
    pub pictures: BTreeMap<String, BTreeMap<String, u64>>,
    /// What is wrong first, each kind by path.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Tells whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(Finding::is_wrong)
    }
}

/// Judges a folder by its layout, its files, and the pairs of different files that show the same.
pub fn judge(layout: &Layout, samples: &[Sample], twins: &[TwinPair]) -> Audit {
    let pictures = count(layout, samples);
    let mut by_blob: BTreeMap<BlobId, Vec<&Sample>> = BTreeMap::new();
    for sample in samples.iter().filter(|it| matches!(it.seen, Seen::Picture { .. })) {
        by_blob.entry(sample.blob).or_default().push(sample);
    }
    let mut findings = BTreeSet::new();
    findings.extend(samples.iter().filter_map(of_file));
    findings.extend(by_blob.values().filter(|same| 1 < same.len()).flat_map(|it| of_same(it)));
    for pair in twins {
        if let (Some(a), Some(b)) = (by_blob.get(&pair.a), by_blob.get(&pair.b)) {
            findings.extend(of_twins(a, b, pair.similarity));
        }
    }
    findings.extend(of_classes(&pictures));
    findings.extend(of_sizes(samples));
    let (wrong, rest): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(Finding::is_wrong);
    Audit { format: FORMAT, pictures, findings: [wrong, rest].concat() }
}

fn count(layout: &Layout, samples: &[Sample]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let none = |classes: &BTreeSet<String>| classes.iter().map(|it| (it.clone(), 0)).collect();
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> =
        layout.iter().map(|(split, classes)| (split.clone(), none(classes))).collect();
    for sample in samples.iter().filter(|it| matches!(it.seen, Seen::Picture { .. })) {
        let of_split = counts.entry(sample.split.clone()).or_default();
        *of_split.entry(sample.class.clone()).or_default() += 1;
    }
    counts
}

/// What is to be said of one file alone.
fn of_file(sample: &Sample) -> Option<Finding> {
    let path = sample.path.clone();
    match &sample.seen {
        Seen::Broken { why } => Some(Finding::Broken { path, why: why.clone() }),
        Seen::Other => Some(Finding::Stray { path }),
        Seen::Picture { format, .. } => (expected(&sample.path) != Some(format.as_str()))
            .then(|| Finding::Mislabelled { path, format: format.clone() }),
    }
}

/// Returns the format a file name stands for, if it is one of pictures.
pub fn expected(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" => Some("JPEG"),
        "png" => Some("PNG"),
        "gif" => Some("GIF"),
        "webp" => Some("WebP"),
        "bmp" => Some("BMP"),
        "tif" | "tiff" => Some("TIFF"),
        _ => None,
    }
}

/// What is to be said of files of the same bytes.
fn of_same(same: &[&Sample]) -> Vec<Finding> {
    let paths: Vec<String> = same.iter().map(|it| it.path.clone()).collect();
    let splits: BTreeSet<&String> = same.iter().map(|it| &it.split).collect();
    let classes: BTreeSet<String> = same.iter().map(|it| it.class.clone()).collect();
    let mut findings = Vec::new();
    if 1 < splits.len() {
        findings.push(Finding::ExactLeak { paths: paths.clone() });
    }
    if 1 < classes.len() {
        findings.push(Finding::LabelConflict { paths: paths.clone(), classes });
    }
    if findings.is_empty() {
        findings.push(Finding::Repeated { paths });
    }
    findings
}

/// What is to be said of files of two kinds of bytes that show the same.
fn of_twins(a: &[&Sample], b: &[&Sample], similarity: Similarity) -> Vec<Finding> {
    let pairs = || a.iter().flat_map(|one| b.iter().map(move |other| (*one, *other)));
    let in_order = |one: &Sample, other: &Sample| {
        let mut paths = [one.path.clone(), other.path.clone()];
        paths.sort();
        paths
    };
    let mut findings = Vec::new();
    if let Some((one, other)) = pairs().find(|(one, other)| one.split != other.split) {
        let [a, b] = in_order(one, other);
        findings.push(Finding::NearLeak { a, b, similarity });
    }
    if let Some((one, other)) = pairs().find(|(one, other)| one.class != other.class) {
        let classes = BTreeSet::from([one.class.clone(), other.class.clone()]);
        findings.push(Finding::LabelConflict { paths: in_order(one, other).into(), classes });
    }
    findings
}

/// What is to be said of the classes of the splits.
fn of_classes(pictures: &BTreeMap<String, BTreeMap<String, u64>>) -> Vec<Finding> {
    let all: BTreeSet<&String> = pictures.values().flat_map(BTreeMap::keys).collect();
    let mut findings = Vec::new();
    for (split, classes) in pictures {
        let largest = classes.values().copied().max().unwrap_or_default();
        for class in &all {
            let (split, class) = (split.clone(), (*class).clone());
            match classes.get(&class) {
                None => findings.push(Finding::MissingClass { split, class }),
                Some(0) => findings.push(Finding::EmptyClass { split, class }),
                Some(&pictures) if pictures * UNEVEN < largest => {
                    findings.push(Finding::Uneven { split, class, pictures, largest });
                }
                Some(_) => (),
            }
        }
    }
    if pictures.values().flat_map(BTreeMap::values).all(|n| *n == 0) {
        findings.push(Finding::NoPicture);
    }
    findings
}

/// Names the pictures of another size, where nearly all have one.
fn of_sizes(samples: &[Sample]) -> Vec<Finding> {
    let sized = || {
        samples.iter().filter_map(|it| match it.seen {
            Seen::Picture { width_px, height_px, .. } => Some((it, (width_px, height_px))),
            Seen::Broken { .. } | Seen::Other => None,
        })
    };
    let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for (_, size) in sized() {
        *counts.entry(size).or_default() += 1;
    }
    let n_all: usize = counts.values().sum();
    let usual = counts.iter().max_by_key(|(_, n)| **n);
    let Some((usual, _)) = usual.filter(|(_, n)| n_all * USUAL_PERCENT <= **n * 100) else {
        return Vec::new();
    };
    sized()
        .filter(|(_, size)| size != usual)
        .map(|(it, (width_px, height_px))| Finding::OddSize {
            path: it.path.clone(),
            width_px,
            height_px,
        })
        .collect()
}

#[cfg(test)]
mod tests;
