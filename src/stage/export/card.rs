//! `README.md` for Hugging Face: a dataset card, which is a README with a head of YAML that the
//! Hub and `datasets` read.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Dataset,
    papers::LICENSE_FILE,
    parquet,
    readme::{self, Page},
};
use crate::domain::{exports::HuggingFaceRecipe, license};

/// One part as the card tells of it.
pub(super) struct Part {
    /// What Hugging Face calls it: `train`, `validation`, `test`.
    pub(super) name: &'static str,
    /// Begins the names of its files.
    pub(super) prefix: &'static str,
    pub(super) n_pictures: usize,
    pub(super) n_bytes: u64,
}

/// Writes the whole card.
pub(super) fn text(
    dataset: &Dataset<'_>,
    recipe: &HuggingFaceRecipe,
    parts: &[Part],
    (version, download_bytes): (&str, u64),
) -> String {
    let title = recipe.pretty_name.as_deref().unwrap_or(dataset.title);
    let description = recipe.description.as_ref().map(|text| text.trim().to_owned());
    let page = Page {
        title,
        lead: description.into_iter().collect(),
        files: format!(
            "- `data/*.parquet`: the pictures with class and provenance.\n{}",
            readme::manifest_line()
        ),
        loading: loading(recipe),
    };
    head(dataset, recipe, (title, parts), download_bytes) + &page.text(dataset, version)
}

fn head(
    dataset: &Dataset<'_>,
    recipe: &HuggingFaceRecipe,
    (title, parts): (&str, &[Part]),
    download_bytes: u64,
) -> String {
    let mut yaml = format!("---\npretty_name: {}\n{}", quoted(title), license_lines(dataset));
    yaml += "task_categories:\n- image-classification\n";
    let n_pictures = parts.iter().map(|it| it.n_pictures).sum();
    line(&mut yaml, format_args!("size_categories:\n- {}", size_category(n_pictures)));
    if !recipe.tags.is_empty() {
        yaml += "tags:\n";
        recipe.tags.iter().for_each(|tag| line(&mut yaml, format_args!("- {}", quoted(tag))));
    }
    yaml += "configs:\n- config_name: default\n  data_files:\n";
    for Part { name, prefix, .. } in parts {
        line(&mut yaml, format_args!("  - split: {name}\n    path: data/{prefix}-*.parquet"));
    }
    yaml += "dataset_info:\n  features:\n  - name: image\n    dtype: image\n";
    yaml += "  - name: label\n    dtype:\n      class_label:\n        names:\n";
    for (at, label) in dataset.sorted_classes().into_iter().enumerate() {
        line(&mut yaml, format_args!("          '{at}': {}", quoted(label.as_str())));
    }
    for (name, kind) in parquet::columns() {
        line(&mut yaml, format_args!("  - name: {name}\n    dtype: {}", parquet::value_type(kind)));
    }
    yaml += "  splits:\n";
    for Part { name, n_pictures, n_bytes, .. } in parts {
        line(
            &mut yaml,
            format_args!(
                "  - name: {name}\n    num_bytes: {n_bytes}\n    num_examples: {n_pictures}"
            ),
        );
    }
    let size_bytes: u64 = parts.iter().map(|it| it.n_bytes).sum();
    line(
        &mut yaml,
        format_args!("  download_size: {download_bytes}\n  dataset_size: {size_bytes}"),
    );
    yaml + "---\n\n"
}

fn line(yaml: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(yaml, "{text}").expect("writing to a string cannot fail");
}

/// Names the licence as the Hub does; one it has no name for is `other`, with our name and file.
fn license_lines(dataset: &Dataset<'_>) -> String {
    let name = license::find(dataset.license).map_or(license::OTHER, |it| it.hugging_face);
    if name != license::OTHER {
        return format!("license: {name}\n");
    }
    let own = dataset.license.to_lowercase();
    format!("license: other\nlicense_name: {}\nlicense_link: {LICENSE_FILE}\n", quoted(&own))
}

/// Writes text so that YAML takes it as text: JSON is YAML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Returns the size as the Hub groups datasets by it.
fn size_category(n_pictures: usize) -> &'static str {
    match n_pictures {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000.. => "10M<n<100M",
    }
}

fn loading(recipe: &HuggingFaceRecipe) -> String {
    let id = recipe.id.as_deref().unwrap_or("path/to/this/folder");
    format!(
        "```python\n\
         from datasets import load_dataset\n\n\
         parts = load_dataset(\"{id}\")\n\
         first = parts[\"train\"][0]\n\
         name = parts[\"train\"].features[\"label\"].int2str(first[\"label\"])\n\
         ```"
    )
}
