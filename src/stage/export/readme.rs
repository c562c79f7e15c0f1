//! `README.md`: what the dataset is, how it came to be, how to load it, and whose it is.

use super::{
    Dataset, papers,
    papers::{
        ATTRIBUTION_FILE, CHECKSUMS_FILE, DATASHEET_FILE, LICENSE_FILE, MANIFEST_FILE,
        REMOVALS_FILE,
    },
};
use crate::domain::{
    dataset::{Funnel, FunnelStep},
    split::Split,
};

/// What differs from export to export.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// Paragraphs before what the program writes itself.
    pub(super) lead: Vec<String>,
    /// A line of a list for each file that is not a paper.
    pub(super) files: String,
    /// How to load it, with code.
    pub(super) loading: String,
}

impl Page<'_> {
    /// Writes the title of the file.
    pub(super) fn heading(&self) -> String {
        format!("# {}\n\n", self.title)
    }

    /// Writes the file below its title; on Kaggle it is the description as well.
    pub(super) fn body(&self, dataset: &Dataset<'_>, version: &str) -> String {
        let mut parts = self.lead.clone();
        parts.push(format!("## Pictures\n\n{}", class_table(dataset)));
        parts.push(files_section(&self.files, dataset, version));
        parts.push(making_section(dataset));
        parts.push(format!("## Loading it in Python\n\n{}", self.loading));
        parts.extend(removals_section(dataset));
        parts.push(rights_section(dataset));
        parts.join("\n\n") + "\n"
    }

    /// Writes the whole file.
    pub(super) fn text(&self, dataset: &Dataset<'_>, version: &str) -> String {
        self.heading() + &self.body(dataset, version)
    }
}

/// Counts classes against splits, with the sums.
pub(super) fn class_table(dataset: &Dataset<'_>) -> String {
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

fn files_section(files: &str, dataset: &Dataset<'_>, version: &str) -> String {
    let removals = if dataset.removals.is_empty() {
        String::new()
    } else {
        format!("- `{REMOVALS_FILE}`: pictures of earlier versions that were taken back.\n")
    };
    format!(
        "## Files\n\n\
         {files}\n\
         - `{ATTRIBUTION_FILE}`: whom each picture is owed to.\n\
         {removals}\
         - `{DATASHEET_FILE}`: what the dataset is for, how it was made, what it must not be used \
         for.\n\
         - `{LICENSE_FILE}`: on what terms.\n\
         - `{CHECKSUMS_FILE}`: the files as they were written; \
         `sha256sum -c --ignore-missing {CHECKSUMS_FILE}`.\n\n\
         Version `{version}` (from the digest of `{MANIFEST_FILE}`). In the tables a leading `'` \
         marks text that a spreadsheet would have run as a formula."
    )
}

/// Says what class folders there are, for the list of files.
pub(super) fn folders_line() -> &'static str {
    "- `train/`, `val/`, `test/`: one folder per class, also for classes without a picture there."
}

/// Says how class folders below `root` are loaded.
pub(super) fn loading_folders() -> String {
    format!(
        "With torchvision, or with pandas:\n\n\
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

/// Says what the manifest is, for the list of files.
pub(super) fn manifest_line() -> String {
    format!(
        "- `{MANIFEST_FILE}`: one row per picture with its class, part, SHA-256, perceptual hash, \
         sizes, post, author and address."
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
pub(super) fn funnel_table(funnel: &Funnel) -> String {
    let lines = funnel.steps.iter().map(|FunnelStep { name, count, lost }| {
        let reasons: Vec<String> =
            lost.iter().map(|(reason, n_lost)| format!("{}: {n_lost}", one_line(reason))).collect();
        format!("| {} | {count} | {} |", one_line(name), reasons.join("; "))
    });
    let head = ["| step | count | lost on the way to the next |", "| --- | ---: | --- |"];
    head.into_iter().map(str::to_owned).chain(lines).collect::<Vec<_>>().join("\n")
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

fn rights_section(dataset: &Dataset<'_>) -> String {
    format!(
        "## Rights\n\n\
         Licence stated for this dataset: `{}`. The pictures remain the property of those who \
         made them; nobody granted rights by posting them, and this dataset cannot grant any. \
         `{ATTRIBUTION_FILE}` names the poster and the post of every picture. {}",
        dataset.license,
        papers::removal_request(dataset)
    )
}

/// Makes `text` fit for a cell of a table.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
