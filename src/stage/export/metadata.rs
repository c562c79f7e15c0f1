//! `dataset-metadata.json`: the dataset as Kaggle's tool reads it, and a valid Data Package of
//! Frictionless Data besides.

use std::{collections::BTreeSet, fmt::Write as _};

use serde::Serialize;

use super::{
    Dataset, ExportError,
    croissant::CROISSANT_FILE,
    papers::{
        ATTRIBUTION_FILE, CHECKSUMS_FILE, DATASHEET_FILE, LICENSE_FILE, MANIFEST_FILE, README_FILE,
        REMOVALS_FILE,
    },
    tables,
};
use crate::domain::{
    kaggle::{COVER_FILE, Column, KaggleRecipe, Resource, check_resources},
    split::Split,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    /// The slug again: Frictionless Data wants a name without an owner.
    name: &'a str,
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<&'a str>,
    description: &'a str,
    version: &'a str,
    licenses: [License<'a>; 1],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    keywords: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_update_frequency: Option<&'a str>,
    user_specified_sources: String,
    image: &'a str,
    resources: Vec<PackageResource<'a>>,
}

#[derive(Serialize)]
struct License<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct PackageResource<'a> {
    path: &'a str,
    name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Schema>,
}

#[derive(Serialize)]
struct Schema {
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
}

/// Describes the dataset; `files` are the names of what lies in the folder.
pub(super) fn metadata(
    dataset: &Dataset<'_>,
    recipe: &KaggleRecipe,
    text: (&str, &str),
    files: &BTreeSet<String>,
) -> Result<String, ExportError> {
    let (description, version) = text;
    let resources = resources(dataset, files);
    check_resources(&resources, files).map_err(ExportError::Kaggle)?;
    let package = Package {
        name: recipe.id.split_once('/').map_or(recipe.id.as_str(), |(_, slug)| slug),
        id: &recipe.id,
        title: &recipe.title,
        subtitle: recipe.subtitle.as_deref(),
        description,
        version,
        licenses: [License { name: dataset.license }],
        keywords: &recipe.keywords,
        expected_update_frequency: recipe.expected_update_frequency.as_deref(),
        user_specified_sources: sources(dataset, recipe),
        image: COVER_FILE,
        resources: resources.iter().map(PackageResource::of).collect(),
    };
    let json = serde_json::to_string_pretty(&package).expect("a package is plain text");
    Ok(in_ascii(&json))
}

impl<'a> PackageResource<'a> {
    fn of(resource: &'a Resource) -> Self {
        let field = |&Column { name, kind, description }: &Column| Field {
            name,
            kind: kind.name(),
            description,
        };
        let fields: Vec<Field> = resource.columns.iter().map(field).collect();
        Self {
            path: &resource.path,
            name: &resource.name,
            description: &resource.description,
            schema: (!fields.is_empty()).then_some(Schema { fields }),
        }
    }
}

/// Describes every file that is data; an archive only if its split has pictures.
fn resources(dataset: &Dataset<'_>, files: &BTreeSet<String>) -> Vec<Resource> {
    let archives = Split::ALL.into_iter().filter_map(|split| {
        let path = archive_name(split);
        let n_pictures = dataset.pictures.iter().filter(|p| p.split == split).count();
        files.contains(&path).then(|| Resource {
            path,
            name: split.name().to_owned(),
            description: format!("The {n_pictures} pictures of {split}, one folder per class."),
            columns: &[],
        })
    });
    let table = |path: &str, name: &str, description: &str, columns| Resource {
        path: path.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        columns,
    };
    let tables = [
        table(
            MANIFEST_FILE,
            "manifest",
            "Every picture and where it comes from.",
            &tables::MANIFEST,
        ),
        table(
            ATTRIBUTION_FILE,
            "attribution",
            "Who posted each picture, and where.",
            &tables::ATTRIBUTION,
        ),
        table(README_FILE, "readme", "What the dataset is, how it was made, how to load it.", &[]),
        table(
            DATASHEET_FILE,
            "datasheet",
            "What it is for, how it was made, what it is not for.",
            &[],
        ),
        table(LICENSE_FILE, "license", "On what terms the dataset is given.", &[]),
        table(CHECKSUMS_FILE, "checksums", "SHA-256 of every file, for `sha256sum -c`.", &[]),
    ];
    let removals = files.contains(REMOVALS_FILE).then(|| {
        table(
            REMOVALS_FILE,
            "removals",
            "Pictures of earlier versions that were taken back: delete your copies.",
            &tables::REMOVALS,
        )
    });
    let croissant = files
        .contains(CROISSANT_FILE)
        .then(|| table(CROISSANT_FILE, "croissant", "The dataset described for machines.", &[]));
    archives.chain(tables).chain(removals).chain(croissant).collect()
}

pub(super) fn archive_name(split: Split) -> String {
    format!("{split}.zip")
}

fn sources(dataset: &Dataset<'_>, recipe: &KaggleRecipe) -> String {
    if let Some(sources) = &recipe.user_specified_sources {
        return sources.clone();
    }
    let places: Vec<String> =
        dataset.places().iter().map(|place| format!("- `{}`", place.replace('`', "'"))).collect();
    format!("The pictures were posted at:\n\n{}", places.join("\n"))
}

/// Escapes all that is not ASCII: Kaggle's tool reads the file in the encoding of the machine.
pub(super) fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(ascii, "\\u{unit:04x}").expect("writing to a string cannot fail");
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_is_ascii_and_means_the_same() {
        let json = serde_json::to_string("\u{e9}t\u{e9} \u{1f697} \"x\" \\").unwrap();

        let ascii = in_ascii(&json);

        assert_eq!(ascii, r#""\u00e9t\u00e9 \ud83d\ude97 \"x\" \\""#);
        let read: String = serde_json::from_str(&ascii).unwrap();
        assert_eq!(read, "\u{e9}t\u{e9} \u{1f697} \"x\" \\");
    }
}
