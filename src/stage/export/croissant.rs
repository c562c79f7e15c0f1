//! `croissant.json`: the dataset described for machines in the Croissant vocabulary 1.0 of
//! `MLCommons`, beside the exports for Kaggle and Hugging Face. `mlcroissant` reads every record of
//! it from the files that lie there.
//!
//! See M. Akhtar et al., "Croissant: A Metadata Format for ML-Ready Datasets", 2024;
//! arXiv:2403.19546.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use super::{
    Dataset, ExportError, files,
    huggingface::Shard,
    metadata::{archive_name, in_ascii},
    papers::{LICENSE_FILE, MANIFEST_FILE, Sums},
    parquet, tables,
};
use crate::domain::{exports::CroissantRecipe, kaggle::ColumnType, license, split::Split};

pub(super) const CROISSANT_FILE: &str = "croissant.json";

/// Describes a folder whose pictures are in an archive for each part, all of them in `sums`.
pub(super) fn write_of_archives(
    dataset: &Dataset<'_>,
    recipe: &CroissantRecipe,
    (version, sums): (&str, &Sums<'_>),
    dir: &Path,
) -> Result<(), ExportError> {
    let mut distribution = vec![manifest_object(dir)?];
    let mut record_sets = shared_sets(dataset);
    let endings: BTreeSet<&str> =
        dataset.pictures.iter().map(|it| it.crop.format.extension()).collect();
    for split in present(dataset) {
        let archive = archive_name(split);
        let sum = *sums.get(archive.as_str()).expect("it was summed");
        distribution.push(object(&archive, "application/zip", sum));
        let includes: Vec<String> = endings.iter().map(|ending| format!("*/*.{ending}")).collect();
        distribution.push(json!({
            "@type": "cr:FileSet",
            "@id": format!("{split}-pictures"),
            "name": format!("{split}-pictures"),
            "description": format!("The pictures of {split}, one folder per class."),
            "containedIn": {"@id": archive},
            "encodingFormat": dataset.media_types(),
            "includes": includes,
        }));
        record_sets.push(archive_records(split));
    }
    record_sets.push(manifest_records());
    write(dataset, recipe, (version, distribution, record_sets), dir)
}

/// Describes a folder whose pictures are in Parquet files.
pub(super) fn write_of_tables(
    dataset: &Dataset<'_>,
    recipe: &CroissantRecipe,
    (version, shards): (&str, &[Shard]),
    dir: &Path,
) -> Result<(), ExportError> {
    let mut distribution = vec![manifest_object(dir)?];
    let mut record_sets = shared_sets(dataset);
    for shard in shards {
        distribution.push(object(
            &shard.path,
            "application/x-parquet",
            (&shard.sha256, shard.size_bytes),
        ));
        record_sets.push(table_records(shard, shards));
    }
    record_sets.push(manifest_records());
    write(dataset, recipe, (version, distribution, record_sets), dir)
}

fn write(
    dataset: &Dataset<'_>,
    recipe: &CroissantRecipe,
    (version, distribution, record_sets): (&str, Vec<Value>, Vec<Value>),
    dir: &Path,
) -> Result<(), ExportError> {
    let license = license::find(dataset.license)
        .and_then(|it| it.url)
        .map_or_else(|| format!("{}: see {LICENSE_FILE}", dataset.license), str::to_owned);
    let mut about = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": dataset.title,
        "description": description(dataset),
        "license": license,
        "version": format!("1.0.0+{version}"),
        "isLiveDataset": false,
        "distribution": distribution,
        "recordSet": record_sets,
    });
    let said = [
        ("url", recipe.url.clone()),
        ("citeAs", recipe.cite_as.clone()),
        ("datePublished", recipe.date_published.map(|it| it.to_string())),
    ];
    for (key, value) in said {
        if let Some(value) = value {
            about[key] = Value::from(value);
        }
    }
    let json = serde_json::to_string_pretty(&about).expect("a description is plain text");
    files::create(&dir.join(CROISSANT_FILE), in_ascii(&(json + "\n")).as_bytes())
}

fn description(dataset: &Dataset<'_>) -> String {
    let classes: Vec<&str> = dataset.sorted_classes().iter().map(|it| it.as_str()).collect();
    format!(
        "{} pictures of {} classes ({}), {}; with their provenance.",
        dataset.pictures.len(),
        classes.len(),
        classes.join(", "),
        dataset.transform
    )
}

fn present<'a>(dataset: &'a Dataset<'_>) -> impl Iterator<Item = Split> + 'a {
    let has = |split: &Split| dataset.pictures.iter().any(|it| it.split == *split);
    Split::ALL.into_iter().filter(has)
}

impl Dataset<'_> {
    /// Returns the media type of the pictures; several if they were prepared in several formats.
    fn media_types(&self) -> Value {
        let types: BTreeSet<&str> =
            self.pictures.iter().map(|it| it.crop.format.media_type()).collect();
        let mut types: Vec<&str> = types.into_iter().collect();
        if types.len() == 1 { Value::from(types.remove(0)) } else { Value::from(types) }
    }
}

fn manifest_object(dir: &Path) -> Result<Value, ExportError> {
    let (sha256, size_bytes) = files::sha256(&dir.join(MANIFEST_FILE))?;
    Ok(object(MANIFEST_FILE, "text/csv", (&sha256, size_bytes)))
}

fn object(path: &str, media_type: &str, (sha256, size_bytes): (&str, u64)) -> Value {
    json!({
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": format!("{size_bytes} B"),
        "encodingFormat": media_type,
        "sha256": sha256,
    })
}

/// The parts and the classes, which the records refer to.
fn shared_sets(dataset: &Dataset<'_>) -> Vec<Value> {
    let splits: Vec<Value> = present(dataset)
        .map(|split| json!({"splits/name": split.name(), "splits/url": format!("cr:{}", role(split))}))
        .collect();
    let labels: Vec<Value> = dataset
        .sorted_classes()
        .into_iter()
        .enumerate()
        .map(|(at, label)| json!({"labels/name": label.as_str(), "labels/index": at}))
        .collect();
    vec![
        json!({
            "@type": "cr:RecordSet",
            "@id": "splits",
            "name": "splits",
            "dataType": "cr:Split",
            "key": {"@id": "splits/name"},
            "field": [field("splits/name", "sc:Text", None), field("splits/url", "sc:URL", None)],
            "data": splits,
        }),
        json!({
            "@type": "cr:RecordSet",
            "@id": "labels",
            "name": "labels",
            "dataType": "sc:Enumeration",
            "key": {"@id": "labels/name"},
            "field": [
                field("labels/name", "sc:Text", None),
                field("labels/index", "sc:Integer", None),
            ],
            "data": labels,
        }),
    ]
}

/// Returns what Croissant calls the use of a part.
fn role(split: Split) -> &'static str {
    match split {
        Split::Train => "TrainingSplit",
        Split::Val => "ValidationSplit",
        Split::Test => "TestSplit",
    }
}

fn field(id: &str, data_type: &str, source: Option<Value>) -> Value {
    let name = id.rsplit('/').next().unwrap_or(id);
    let mut field = json!({"@type": "cr:Field", "@id": id, "name": name, "dataType": data_type});
    if let Some(source) = source {
        field["source"] = source;
    }
    field
}

/// The pictures of one archive: each with its name, and its class by its folder.
fn archive_records(split: Split) -> Value {
    let from = |property: &str| {
        json!({
            "fileSet": {"@id": format!("{split}-pictures")},
            "extract": {"fileProperty": property},
        })
    };
    let mut label = from("fullpath");
    label["transform"] = json!({"regex": "([^/]+)/[^/]+$"});
    let mut label = field(&format!("{split}/label"), "sc:Text", Some(label));
    label["references"] = json!({"field": {"@id": "labels/name"}});
    json!({
        "@type": "cr:RecordSet",
        "@id": split.name(),
        "name": split.name(),
        "key": {"@id": format!("{split}/name")},
        "field": [
            field(&format!("{split}/image"), "sc:ImageObject", Some(from("content"))),
            field(&format!("{split}/name"), "sc:Text", Some(from("filename"))),
            label,
        ],
    })
}

/// The rows of one Parquet file; a part that has several files has a set for each.
fn table_records(shard: &Shard, shards: &[Shard]) -> Value {
    let n_of_split = shards.iter().filter(|it| it.split == shard.split).count();
    let id = if n_of_split == 1 {
        shard.split.name().to_owned()
    } else {
        let name = shard.path.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".parquet").to_owned()
    };
    let from = |column: &str| {
        json!({
            "fileObject": {"@id": shard.path},
            "extract": {"column": column},
        })
    };
    let mut image = from("image");
    image["transform"] = json!({"jsonPath": "bytes"});
    let mut fields = vec![
        field(&format!("{id}/image"), "sc:ImageObject", Some(image)),
        field(&format!("{id}/label"), "sc:Integer", Some(from("label"))),
    ];
    fields.extend(
        parquet::columns()
            .map(|(name, kind)| field(&format!("{id}/{name}"), data_type(kind), Some(from(name)))),
    );
    json!({
        "@type": "cr:RecordSet",
        "@id": id,
        "name": id,
        "key": {"@id": format!("{id}/file_name")},
        "field": fields,
    })
}

/// The rows of the manifest.
fn manifest_records() -> Value {
    let fields: Vec<Value> = tables::MANIFEST
        .iter()
        .map(|column| {
            let source = json!({
                "fileObject": {"@id": MANIFEST_FILE},
                "extract": {"column": column.name},
            });
            let mut field =
                field(&format!("manifest/{}", column.name), data_type(column.kind), Some(source));
            field["description"] = Value::from(column.description);
            match column.name {
                "label" => field["references"] = json!({"field": {"@id": "labels/name"}}),
                "split" => field["references"] = json!({"field": {"@id": "splits/name"}}),
                _ => (),
            }
            field
        })
        .collect();
    json!({
        "@type": "cr:RecordSet",
        "@id": "manifest",
        "name": "manifest",
        "key": {"@id": "manifest/file_name"},
        "field": fields,
    })
}

fn data_type(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "sc:Text",
        ColumnType::Integer => "sc:Integer",
    }
}

/// The words of the vocabulary, as its specification lists them.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "equivalentProperty": "cr:equivalentProperty",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "samplingRate": "cr:samplingRate",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}
