//! `README.md`: what the dataset is, how it came to be, how to load it, and whose it is.

use super::{
    Dataset,
    metadata::{MANIFEST_FILE, REMOVALS_FILE},
};
use crate::domain::{
    dataset::{Funnel, FunnelStep},
    kaggle::KaggleRecipe,
    split::Split,
};

/// Writes the text that is both the file, below its title, and the description on Kaggle.
pub(super) fn body(dataset: &Dataset<'_>, recipe: &KaggleRecipe, version: &str) -> String {
    let mut parts = Vec::new();
    parts.extend(recipe.subtitle.clone());
    parts.extend(recipe.description.as_ref().map(|text| text.trim().to_owned()));
    parts.push(format!("## Pictures\n\n{}", class_table(dataset)));
    parts.push(files_section(version));
    parts.push(making_section(dataset));
    parts.push(loading_section(recipe));
    parts.extend(removals_section(dataset));
    parts.push(rights_section(recipe));
    parts.join("\n\n") + "\n"
}

/// Writes the title of the file.
pub(super) fn heading(recipe: &KaggleRecipe) -> String {
    format!("# {}\n\n", recipe.title)
}

/// Counts classes against splits, with the sums.
fn class_table(dataset: &Dataset<'_>) -> String {
    let mut lines = vec![
        "| class | train | val | test | all |".to_owned(),
        "| --- | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    let mut sums = [0; 3];
    for label in dataset.classes {
        let counts = Split::ALL.map(|split| dataset.count(label, split));
        lines.push(count_line(label.as_str(), counts));
        sums = std::array::from_fn(|at| sums[at] + counts[at]);
    }
    lines.push(count_line("**all**", sums));
    lines.join("\n")
}

fn count_line(name: &str, counts: [usize; 3]) -> String {
    let [train, val, test] = counts;
    format!("| {name} | {train} | {val} | {test} | {} |", train + val + test)
}

fn files_section(version: &str) -> String {
    format!(
        "## Files\n\n\
         - `train.zip`, `val.zip`, `test.zip`: one folder per class; a part without pictures has \
         no archive.\n\
         - `{MANIFEST_FILE}`: one row per picture with its class, part, SHA-256, perceptual hash, \
         sizes, post, author and address.\n\
         - `ATTRIBUTION.csv`: whom each picture is owed to.\n\
         - `CHECKSUMS.sha256`: the files as they were uploaded; \
         `sha256sum -c --ignore-missing CHECKSUMS.sha256`.\n\n\
         Version `{version}` (from the digest of `{MANIFEST_FILE}`). In the tables a leading `'` \
         marks text that a spreadsheet would have run as a formula."
    )
}

fn making_section(dataset: &Dataset<'_>) -> String {
    let seed = dataset.seed;
    let transform = one_line(dataset.transform);
    let mut text = format!(
        "## How it was made\n\n\
         Made with snapset. Each picture was prepared so: {transform}. Pictures that show the \
         same have one `group_id`; the parts were drawn by group with seed {seed}, class by class."
    );
    if !dataset.funnel.steps.is_empty() {
        text += "\n\n";
        text += &funnel_table(dataset.funnel);
    }
    text
}

/// Shows how many arrived at each step and why the others left.
fn funnel_table(funnel: &Funnel) -> String {
    let lines = funnel.steps.iter().map(|FunnelStep { name, count, lost }| {
        let reasons: Vec<String> =
            lost.iter().map(|(reason, n_lost)| format!("{}: {n_lost}", one_line(reason))).collect();
        format!("| {} | {count} | {} |", one_line(name), reasons.join("; "))
    });
    let head = ["| step | count | lost on the way to the next |", "| --- | ---: | --- |"];
    head.into_iter().map(str::to_owned).chain(lines).collect::<Vec<_>>().join("\n")
}

fn loading_section(recipe: &KaggleRecipe) -> String {
    let slug = recipe.id.split_once('/').map_or("", |(_, slug)| slug);
    format!(
        "## Loading it in Python\n\n\
         On Kaggle the archives are unpacked already. Elsewhere:\n\n\
         ```python\n\
         import zipfile\n\
         from pathlib import Path\n\n\
         root = Path(\".\")  # where the files are; on Kaggle: Path(\"/kaggle/input/{slug}\")\n\
         for archive in root.glob(\"*.zip\"):\n\
         \x20   zipfile.ZipFile(archive).extractall(root / archive.stem)\n\
         ```\n\n\
         With torchvision, or with pandas:\n\n\
         ```python\n\
         from torchvision.datasets import ImageFolder\n\n\
         train = ImageFolder(root / \"train\")\n\
         ```\n\n\
         ```python\n\
         import pandas as pd\n\n\
         pictures = pd.read_csv(root / \"{MANIFEST_FILE}\")\n\
         train = pictures[pictures[\"split\"] == \"train\"]\n\
         first = root / train[\"file_name\"].iloc[0]\n\
         ```"
    )
}

fn removals_section(dataset: &Dataset<'_>) -> Option<String> {
    let n_removed = dataset.removals.len();
    (0 < n_removed).then(|| {
        format!(
            "## Taken back\n\n\
             {n_removed} pictures of earlier versions are gone because their posts were deleted. \
             `{REMOVALS_FILE}` names them; whoever has an earlier version is asked to delete them."
        )
    })
}

fn rights_section(recipe: &KaggleRecipe) -> String {
    format!(
        "## Rights\n\n\
         Licence stated for this dataset: `{}`. The pictures remain the property of those who \
         made them; nobody granted rights by posting them, and this dataset cannot grant any. \
         `ATTRIBUTION.csv` names the poster and the post of every picture. Whoever finds a \
         picture of theirs here and wants it removed is asked to say so to the maintainer, with \
         its `file_name`.",
        recipe.license
    )
}

/// Makes `text` fit for a cell of a table.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
