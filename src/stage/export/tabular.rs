//! Dataset → its manifest alone, as a Data Package of Frictionless Data: for spreadsheets, for
//! review tools, and for whoever has the pictures in `dataset/` already.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    Dataset, ExportError, Written, files,
    metadata::in_ascii,
    papers::{
        self, ATTRIBUTION_FILE, LICENSE_FILE, Listed, MANIFEST_FILE, README_FILE, REMOVALS_FILE,
    },
    readme::{self, Page},
    swap::Staging,
    tables::{ATTRIBUTION, MANIFEST, REMOVALS},
};
use crate::domain::{kaggle::Column, license};

/// What tools of Frictionless Data look for.
pub(super) const PACKAGE_FILE: &str = "datapackage.json";

/// Writes the folder `dir`, or leaves what was there.
pub fn write_csv(dataset: &Dataset<'_>, dir: &Path) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let version = papers::write(dataset, &rows, Listed::InManifest, (None, new))?;
    write_package(dataset, &version, Table { file: MANIFEST_FILE, columns: &MANIFEST }, new)?;
    let page = Page {
        title: dataset.title,
        lead: vec![
            "The pictures themselves are not here; `file_name` is where each lies in the class \
             folders."
                .to_owned(),
        ],
        files: format!(
            "{}\n- `{PACKAGE_FILE}`: what the columns hold, for machines.",
            readme::manifest_line()
        ),
        loading: loading(MANIFEST_FILE),
    };
    files::create(&new.join(README_FILE), page.text(dataset, &version).as_bytes())?;
    papers::close(staging, &[].into(), version)
}

/// A table and what its columns hold.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) file: &'a str,
    pub(super) columns: &'a [Column],
}

/// Describes the tables of an export for machines.
pub(super) fn write_package(
    dataset: &Dataset<'_>,
    version: &str,
    main: Table<'_>,
    dir: &Path,
) -> Result<(), ExportError> {
    let mut tables = vec![main, Table { file: ATTRIBUTION_FILE, columns: &ATTRIBUTION }];
    if !dataset.removals.is_empty() {
        tables.push(Table { file: REMOVALS_FILE, columns: &REMOVALS });
    }
    let path = license::find(dataset.license).and_then(|it| it.url).unwrap_or(LICENSE_FILE);
    let package = json!({
        "name": dataset.name,
        "title": dataset.title,
        "version": version,
        "licenses": [{"name": dataset.license, "path": path}],
        "resources": tables.into_iter().map(resource).collect::<Vec<Value>>(),
    });
    let json = serde_json::to_string_pretty(&package).expect("a package is plain text");
    files::create(&dir.join(PACKAGE_FILE), in_ascii(&(json + "\n")).as_bytes())
}

fn resource(table: Table<'_>) -> Value {
    let fields: Vec<Value> = table
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.kind.name(),
                "description": column.description,
            })
        })
        .collect();
    let name = table.file.split_once('.').map_or(table.file, |(name, _)| name).to_lowercase();
    json!({
        "name": name,
        "path": table.file,
        "format": "csv",
        "encoding": "utf-8",
        "schema": {"fields": fields},
    })
}

pub(super) fn loading(file: &str) -> String {
    format!(
        "```python\n\
         import pandas as pd\n\n\
         pictures = pd.read_csv(\"{file}\")\n\
         ```"
    )
}
