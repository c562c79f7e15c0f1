//! What Kaggle demands of a dataset and its description.
//!
//! Kaggle's own tool checks some of these rules at once, some after hours of uploading and some
//! never; here all of them are checked before a byte is written. (Rules of kaggle 2.2.4.)

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::license;

/// The file that describes the dataset.
pub const METADATA_FILE: &str = "dataset-metadata.json";

/// The picture shown with the dataset, 560×280; the middle square becomes the thumbnail.
pub const COVER_FILE: &str = "dataset-cover-image.jpg";

/// What can be promised about later versions.
pub const UPDATE_FREQUENCIES: [&str; 8] =
    ["not specified", "never", "annually", "quarterly", "monthly", "weekly", "daily", "hourly"];

/// Files of the folder that Kaggle's tool reads itself or skips, so they never become data.
const NOT_UPLOADED: [&str; 9] = [
    METADATA_FILE,
    COVER_FILE,
    "datapackage.json",
    "dataset-cover-image.jpeg",
    "dataset-cover-image.png",
    "dataset-cover-image.webp",
    "kernel-metadata.json",
    "model-instance-metadata.json",
    "model-metadata.json",
];

const SLUG_LENGTH: std::ops::RangeInclusive<usize> = 6..=50;
const TITLE_LENGTH: std::ops::RangeInclusive<usize> = 6..=50;
const SUBTITLE_LENGTH: std::ops::RangeInclusive<usize> = 20..=80;
const KEYWORD_LENGTH_MAX: usize = 50;

/// The table `[export.kaggle]` of the pipeline file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KaggleRecipe {
    /// `owner/slug`: a Kaggle user name and the dataset's name in addresses.
    pub id: String,
    pub title: String,
    pub subtitle: Option<String>,
    /// Markdown put before what the program writes itself.
    pub description: Option<String>,
    /// One of [`license::LICENSES`]; without it that of the table `[export]`.
    pub license: Option<String>,
    /// Tags of Kaggle; it drops those it does not know.
    pub keywords: Vec<String>,
    /// One of [`UPDATE_FREQUENCIES`].
    pub expected_update_frequency: Option<String>,
    /// Markdown; without it the places the pictures were posted at are listed.
    pub user_specified_sources: Option<String>,
}

impl Default for KaggleRecipe {
    /// Returns a recipe that lacks what only a person can say: `id` and `title`.
    fn default() -> Self {
        Self {
            id: String::new(),
            title: String::new(),
            subtitle: None,
            description: None,
            license: None,
            keywords: Vec::new(),
            expected_update_frequency: None,
            user_specified_sources: None,
        }
    }
}

/// One file of the dataset as Kaggle is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub path: String,
    /// A short name in lower case; Kaggle ignores it, Frictionless Data wants it.
    pub name: String,
    pub description: String,
    /// What the columns hold, if the file is a table.
    pub columns: &'static [Column],
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
    pub description: &'static str,
}

/// What a column holds: the types that Kaggle and Frictionless Data both know and we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    Integer,
}

impl ColumnType {
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
        }
    }
}

/// A rule of Kaggle that is broken: the key, its value and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KaggleFault {
    #[error("id = `{value}`: write `owner/slug`, your Kaggle user name and a name for the dataset")]
    IdShape { value: String },
    #[error(
        "id = `{value}`: what is before the `/` must be your Kaggle user name as in addresses: \
         lower-case letters and digits, with single `-` between them"
    )]
    Owner { value: String },
    #[error(
        "id = `{value}`: what is after the `/` may only have lower-case letters and digits, \
         with single `-` between them"
    )]
    SlugCharacters { value: String },
    #[error("id = `{value}`: what is after the `/` has {length} characters; make it 6 to 50")]
    SlugLength { value: String, length: usize },
    #[error("title = `{value}`: it has {length} characters; make it 6 to 50")]
    TitleLength { value: String, length: usize },
    #[error("title = `{value}`: this is the placeholder of Kaggle's template; write a title")]
    TitlePlaceholder { value: String },
    #[error("subtitle = `{value}`: it has {length} characters; make it 20 to 80, or leave it out")]
    SubtitleLength { value: String, length: usize },
    #[error("{key} = `{value}`: it must be one line without tabs or blanks around it")]
    NotOneLine { key: &'static str, value: String },
    #[error("license = `{value}`: Kaggle has no licence of that name; {}", advice(.nearest.as_deref()))]
    License { value: String, nearest: Option<&'static str> },
    #[error(
        "keywords = `{value}`: a tag has 1 to 50 lower-case letters, digits, blanks, `-` and `&`, \
         and begins with a letter or digit"
    )]
    Keyword { value: String },
    #[error("keywords = `{value}`: it is there twice; remove one")]
    KeywordTwice { value: String },
    #[error(
        "expected_update_frequency = `{value}`: write one of {}",
        UPDATE_FREQUENCIES.join(", ")
    )]
    UpdateFrequency { value: String },
    #[error("resource `{path}`: Kaggle only matches files at the top of the folder; move it there")]
    ResourceNested { path: String },
    #[error("resource `{path}`: there is no such file; write it or leave the resource out")]
    ResourceMissing { path: String },
    #[error("resource `{path}`: it is described twice; remove one")]
    ResourceTwice { path: String },
    #[error("resource `{path}`: Kaggle never uploads a file of this name; rename it")]
    ResourceNotUploaded { path: String },
    #[error(
        "resource `{path}`, name = `{name}`: use lower-case letters, digits, `.`, `_` and `-`, \
         and each name once"
    )]
    ResourceName { path: String, name: String },
    #[error("resource `{path}`, column `{column}`: every column needs a name of its own")]
    ColumnName { path: String, column: &'static str },
}

fn advice(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || format!("write one of {}", license::names()),
        |nearest| format!("did you mean `{nearest}`?"),
    )
}

impl KaggleRecipe {
    /// Checks every rule at once, so one run shows all there is to change.
    pub fn check(&self) -> Result<(), Vec<KaggleFault>> {
        let mut faults = self.id_faults();
        faults.extend(self.text_faults());
        faults.extend(self.license_fault());
        faults.extend(self.keyword_faults());
        if let Some(value) = &self.expected_update_frequency
            && !UPDATE_FREQUENCIES.contains(&value.as_str())
        {
            faults.push(KaggleFault::UpdateFrequency { value: value.clone() });
        }
        none(faults)
    }

    fn id_faults(&self) -> Vec<KaggleFault> {
        let value = || self.id.clone();
        let Some((owner, slug)) = self.id.split_once('/') else {
            return vec![KaggleFault::IdShape { value: value() }];
        };
        if owner.is_empty() || slug.is_empty() || slug.contains('/') {
            return vec![KaggleFault::IdShape { value: value() }];
        }
        let length = slug.chars().count();
        let mut faults = Vec::new();
        if !is_slug(owner) {
            faults.push(KaggleFault::Owner { value: value() });
        }
        if !is_slug(slug) {
            faults.push(KaggleFault::SlugCharacters { value: value() });
        }
        if !SLUG_LENGTH.contains(&length) {
            faults.push(KaggleFault::SlugLength { value: value(), length });
        }
        faults
    }

    /// Judges title and subtitle; lengths count characters, as Kaggle's tool does.
    fn text_faults(&self) -> Vec<KaggleFault> {
        let mut faults = Vec::new();
        let (value, length) = (self.title.clone(), self.title.chars().count());
        if !TITLE_LENGTH.contains(&length) {
            faults.push(KaggleFault::TitleLength { value, length });
        } else if value == "INSERT_TITLE_HERE" {
            faults.push(KaggleFault::TitlePlaceholder { value });
        } else if !is_one_line(&value) {
            faults.push(KaggleFault::NotOneLine { key: "title", value });
        }
        if let Some(value) = self.subtitle.clone() {
            let length = value.chars().count();
            if !SUBTITLE_LENGTH.contains(&length) {
                faults.push(KaggleFault::SubtitleLength { value, length });
            } else if !is_one_line(&value) {
                faults.push(KaggleFault::NotOneLine { key: "subtitle", value });
            }
        }
        faults
    }

    fn license_fault(&self) -> Option<KaggleFault> {
        self.license.as_deref().and_then(|name| check_license(name).err())
    }

    fn keyword_faults(&self) -> Vec<KaggleFault> {
        let mut seen = BTreeSet::new();
        let mut faults = Vec::new();
        for value in &self.keywords {
            if !is_keyword(value) {
                faults.push(KaggleFault::Keyword { value: value.clone() });
            } else if !seen.insert(value) {
                faults.push(KaggleFault::KeywordTwice { value: value.clone() });
            }
        }
        faults
    }
}

/// Checks that a licence has a name Kaggle knows; the other exports use the same names.
pub fn check_license(name: &str) -> Result<(), KaggleFault> {
    if license::find(name).is_some() {
        return Ok(());
    }
    let nearest = license::nearest(name).map(|it| it.name);
    Err(KaggleFault::License { value: name.to_owned(), nearest })
}

/// Checks that every resource is a file Kaggle will upload, described once; `files` are the
/// names of what lies in the folder.
pub fn check_resources(
    resources: &[Resource],
    files: &BTreeSet<String>,
) -> Result<(), Vec<KaggleFault>> {
    let mut faults = Vec::new();
    let (mut paths, mut names) = (BTreeSet::new(), BTreeSet::new());
    for resource in resources {
        let path = || resource.path.clone();
        if resource.path.contains(['/', '\\']) {
            faults.push(KaggleFault::ResourceNested { path: path() });
        } else if NOT_UPLOADED.contains(&resource.path.as_str()) {
            faults.push(KaggleFault::ResourceNotUploaded { path: path() });
        } else if !files.contains(&resource.path) {
            faults.push(KaggleFault::ResourceMissing { path: path() });
        }
        if !paths.insert(&resource.path) {
            faults.push(KaggleFault::ResourceTwice { path: path() });
        }
        if !is_resource_name(&resource.name) || !names.insert(&resource.name) {
            faults.push(KaggleFault::ResourceName { path: path(), name: resource.name.clone() });
        }
        let mut columns = BTreeSet::new();
        for Column { name: column, .. } in resource.columns {
            if column.trim().is_empty() || !columns.insert(column) {
                faults.push(KaggleFault::ColumnName { path: path(), column });
            }
        }
    }
    none(faults)
}

fn none(faults: Vec<KaggleFault>) -> Result<(), Vec<KaggleFault>> {
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Tells whether `text` is lower-case words and numbers joined by single hyphens.
fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    text.split('-').all(is_word)
}

fn is_one_line(text: &str) -> bool {
    text.trim() == text && !text.contains(char::is_control)
}

fn is_keyword(text: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " -&".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.trim_end() == text
        && text.len() <= KEYWORD_LENGTH_MAX
        && text.chars().all(ok)
}

fn is_resource_name(text: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    !text.is_empty() && text.chars().all(ok)
}

#[cfg(test)]
mod tests;
