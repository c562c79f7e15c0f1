//! Dataset → a list from which others fetch the pictures themselves: addresses, classes, parts and
//! digests, and no pixels. Whoever deletes a post takes the picture out of every copy that is
//! made afterwards.
//!
//! The digests are of the files as they were fetched. `img2dataset` checks the SHA-256, and so does
//! this program, which reads the list as a source, `urls:hydrate.csv#LABEL`; the lock beside it,
//! which names pictures by their BLAKE3, puts every picture in its part again.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, path::Path};

use rayon::prelude::*;

use super::{
    Dataset, ExportError, Row, Written, files,
    papers::{self, Listed, README_FILE},
    readme::Page,
    swap::Staging,
    tables::{self, HYDRATE, HydrateRow},
    tabular::{self, Table},
};
use crate::domain::{id::BlobId, split::Split};

/// The list itself.
pub(super) const HYDRATE_FILE: &str = "hydrate.csv";

/// Writes the folder `dir`, or leaves what was there. Pictures without a web address, from
/// folders and archives of one's own, are left out.
pub fn write_hydrate(dataset: &Dataset<'_>, dir: &Path) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let with_address: Vec<(&Row<'_>, Cow<'_, str>)> = rows
        .iter()
        .map(|row| (row, tables::shareable(&row.picture.provenance.url.0)))
        .filter(|(_, url)| url.starts_with("http"))
        .collect();
    if with_address.is_empty() {
        return Err(ExportError::NoAddress);
    }
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let listed: Vec<HydrateRow<'_>> = with_address
        .into_par_iter()
        .map(|(row, url)| {
            let (sha256, _) = files::sha256(&(dataset.blobs)(&row.picture.blob))?;
            Ok(HydrateRow { row, url, sha256 })
        })
        .collect::<Result<_, ExportError>>()?;
    tables::write_hydrate(&new.join(HYDRATE_FILE), &listed)?;
    let pipeline = new.join(format!("{}.toml", dataset.name));
    files::create(&pipeline, pipeline_text(dataset, &listed).as_bytes())?;
    files::create(&pipeline.with_extension("lock"), lock_text(&listed).as_bytes())?;
    let version = papers::write(dataset, &rows, Listed::Elsewhere, (None, new))?;
    let main = Table { file: HYDRATE_FILE, columns: &HYDRATE };
    tabular::write_package(dataset, &version, main, new)?;
    let page = page(dataset, rows.len() - listed.len());
    files::create(&new.join(README_FILE), page.text(dataset, &version).as_bytes())?;
    papers::close(staging, &[].into(), version)
}

/// A pipeline file that fetches the listed pictures again, each class from its rows of the list.
fn pipeline_text(dataset: &Dataset<'_>, listed: &[HydrateRow<'_>]) -> String {
    let name = dataset.name;
    let mut text = format!(
        "# Fetches the pictures of the list again and makes the dataset of them. Copy the list,\n\
         # this file and the lock into a folder of your own and run there:\n\
         #     snapset run {name}.toml\n\
         # A picture that is not what its SHA-256 says is refused; the lock puts every other in its\n\
         # part. They were prepared so: {}\n\
         title = {}\nseed = {}\n\n[classes]\n",
        dataset.transform.split_whitespace().collect::<Vec<_>>().join(" "),
        // A text of JSON is one of TOML.
        serde_json::Value::from(dataset.title),
        dataset.seed,
    );
    for label in dataset.sorted_classes() {
        if listed.iter().any(|it| it.row.picture.label == *label) {
            writeln!(text, "{label} = [\"urls:{HYDRATE_FILE}#{label}\"]")
                .expect("writing to a string cannot fail");
        }
    }
    if !dataset.rebuilding.is_empty() {
        text = text + "\n" + dataset.rebuilding;
    }
    text
}

/// The lock of the split: a line for each picture, as the split itself writes it.
fn lock_text(listed: &[HydrateRow<'_>]) -> String {
    let sides: BTreeMap<BlobId, Split> =
        listed.iter().map(|it| (it.row.picture.blob, it.row.picture.split)).collect();
    let mut text = "# Which side of the split each picture is on, by the BLAKE3 digest of its \
                    bytes.\n"
        .to_owned();
    for (blob, split) in sides {
        writeln!(text, "{blob} {split}").expect("writing to a string cannot fail");
    }
    text
}

fn page<'a>(dataset: &'a Dataset<'_>, n_without: usize) -> Page<'a> {
    let name = dataset.name;
    let mut lead = vec![
        "No picture is here: the list says where each can be fetched and how to know that it is \
         still the same. A post that was deleted stays deleted."
            .to_owned(),
    ];
    if 0 < n_without {
        lead.push(format!(
            "{n_without} pictures of the dataset have no web address and are not in the list."
        ));
    }
    Page {
        title: dataset.title,
        lead,
        files: format!(
            "- `{HYDRATE_FILE}`: one row per picture with its address, class, part and digests.\n\
             - `{name}.toml`, `{name}.lock`: the pipeline that fetches them and keeps the parts.\n\
             - `{}`: what the columns hold, for machines.",
            tabular::PACKAGE_FILE
        ),
        loading: format!(
            "{}\n\n\
             Fetching the pictures and making the dataset of them, with snapset, which refuses \
             what is not the same any more; in a folder of your own, as what is made lies beside \
             the list:\n\n\
             ```sh\n\
             mkdir ~/{name} && cp {HYDRATE_FILE} {name}.toml {name}.lock ~/{name} && cd ~/{name}\n\
             snapset run {name}.toml\n\
             ```\n\n\
             Fetching them alone, with img2dataset, which checks every digest as well:\n\n\
             ```sh\n\
             img2dataset --url_list {HYDRATE_FILE} --input_format csv --output_folder pictures \\\n\
             \x20   --resize_mode no --output_format files --verify_hash '[\"sha256\", \"sha256\"]' \\\n\
             \x20   --save_additional_columns '[\"label\", \"split\", \"file_name\"]'\n\
             ```",
            tabular::loading(HYDRATE_FILE)
        ),
    }
}
