//! The table `[export]` of the pipeline file: which exports are wanted, and what is said of all.

use serde::{Deserialize, Serialize};

use super::{
    datasheet::{Answers, Question},
    day::Day,
    kaggle::{KaggleFault, KaggleRecipe, check_license},
    license,
};

/// What is exported. A table that is not there is an export that is not wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExportTable {
    /// One of [`license::LICENSES`]; `other` if nothing is said.
    pub license: Option<String>,
    /// Whom people turn to who want a picture removed.
    pub contact: Option<String>,
    /// Whether an export is refused while questions of the datasheet are open.
    pub strict: bool,
    pub datasheet: Answers,
    pub kaggle: Option<KaggleRecipe>,
    pub kaggle_dirs: Option<KaggleRecipe>,
    pub folder: Option<PlainRecipe>,
    pub huggingface: Option<HuggingFaceRecipe>,
    pub webdataset: Option<WebDatasetRecipe>,
    pub croissant: Option<CroissantRecipe>,
    pub hydrate: Option<PlainRecipe>,
    pub csv: Option<PlainRecipe>,
    pub lists: Option<PlainRecipe>,
}

/// An export there is nothing to say about: `[export.folder]`, `[export.hydrate]`,
/// `[export.csv]`, `[export.lists]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainRecipe {}

/// The table `[export.huggingface]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HuggingFaceRecipe {
    /// `owner/name` on the Hub, for the instructions on loading it.
    pub id: Option<String>,
    /// The title of the card; without it that of the dataset.
    pub pretty_name: Option<String>,
    /// Markdown put before what the program writes itself.
    pub description: Option<String>,
    pub tags: Vec<String>,
    /// The pictures one Parquet file holds at most, in megabytes.
    pub shard_megabytes: u64,
}

impl Default for HuggingFaceRecipe {
    fn default() -> Self {
        Self {
            id: None,
            pretty_name: None,
            description: None,
            tags: Vec::new(),
            shard_megabytes: 500,
        }
    }
}

/// The table `[export.webdataset]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebDatasetRecipe {
    /// The pictures one archive holds at most, in megabytes.
    pub shard_megabytes: u64,
}

impl Default for WebDatasetRecipe {
    fn default() -> Self {
        Self { shard_megabytes: 1000 }
    }
}

/// The table `[export.croissant]`: `croissant.json` beside the exports for Kaggle and Hugging
/// Face.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CroissantRecipe {
    /// Where the dataset is or will be.
    pub url: Option<String>,
    /// How the dataset wants to be cited.
    pub cite_as: Option<String>,
    pub date_published: Option<Day>,
}

/// Something the table says that no platform would take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportFault {
    #[error("export.{0}")]
    License(KaggleFault),
    #[error("export.{table}: {fault}")]
    Kaggle { table: &'static str, fault: KaggleFault },
    #[error(
        "export.huggingface.id = `{value}`: write `owner/name`, of letters, digits, `-`, `_` and \
         `.`, the name of at most 96"
    )]
    HuggingFaceId { value: String },
    #[error("export.{table}.shard_megabytes = {value}: use 1 to {max}")]
    Shard { table: &'static str, value: u64, max: u64 },
    #[error("export.croissant.url = `{value}`: write an address that begins with https://")]
    Address { value: String },
    #[error("export.{key} = `{value}`: it must be one line without tabs or blanks around it")]
    NotOneLine { key: &'static str, value: String },
}

/// The Hub wants files below 5 GB and a shard is held by one reader at a time.
const SHARD_MEGABYTES_MAX: u64 = 4000;

impl ExportTable {
    /// Checks every rule at once, so one run shows all there is to change.
    pub fn check(&self) -> Result<(), Vec<ExportFault>> {
        let license = self.license.as_deref().map_or(Ok(()), check_license);
        let mut faults: Vec<ExportFault> =
            license.err().map(ExportFault::License).into_iter().collect();
        if let Some(value) = self.contact.clone().filter(|it| !is_one_line(it)) {
            faults.push(ExportFault::NotOneLine { key: "contact", value });
        }
        for (table, recipe) in [("kaggle", &self.kaggle), ("kaggle-dirs", &self.kaggle_dirs)] {
            let own = recipe.as_ref().and_then(|recipe| recipe.check().err());
            let own = own.into_iter().flatten();
            faults.extend(own.map(|fault| ExportFault::Kaggle { table, fault }));
        }
        faults.extend(self.huggingface.iter().flat_map(HuggingFaceRecipe::faults));
        if let Some(recipe) = &self.webdataset {
            faults.extend(shard_fault("webdataset", recipe.shard_megabytes));
        }
        if let Some(value) = self.croissant.as_ref().and_then(|it| it.url.clone())
            && !(value.starts_with("https://") && is_one_line(&value))
        {
            faults.push(ExportFault::Address { value });
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Returns the licence stated for the dataset.
    pub fn license(&self) -> &str {
        self.license.as_deref().unwrap_or(license::OTHER)
    }

    /// Returns what a person has yet to answer before a strict export is made.
    pub fn open_questions(&self) -> Vec<Question> {
        self.datasheet.open()
    }
}

impl HuggingFaceRecipe {
    fn faults(&self) -> Vec<ExportFault> {
        let mut faults: Vec<ExportFault> =
            shard_fault("huggingface", self.shard_megabytes).into_iter().collect();
        if let Some(value) = self.id.clone().filter(|id| !is_repository(id)) {
            faults.push(ExportFault::HuggingFaceId { value });
        }
        if let Some(value) = self.pretty_name.clone().filter(|it| !is_one_line(it)) {
            faults.push(ExportFault::NotOneLine { key: "huggingface.pretty_name", value });
        }
        for value in self.tags.iter().filter(|tag| !is_one_line(tag)).cloned() {
            faults.push(ExportFault::NotOneLine { key: "huggingface.tags", value });
        }
        faults
    }
}

fn shard_fault(table: &'static str, value: u64) -> Option<ExportFault> {
    let max = SHARD_MEGABYTES_MAX;
    (!(1..=max).contains(&value)).then_some(ExportFault::Shard { table, value, max })
}

fn is_repository(id: &str) -> bool {
    let is_name = |name: &str| {
        let ok = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=96).contains(&name.len())
            && name.chars().all(ok)
            && !name.starts_with(['-', '.'])
            && !name.ends_with(['-', '.'])
    };
    id.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name))
}

fn is_one_line(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: &str) -> ExportTable {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_fault_is_told_with_its_table() {
        let table = table(
            r#"{"license": "CC0", "contact": "a\nb",
                "kaggle-dirs": {"id": "me/pets", "title": "Cats and dogs"},
                "huggingface": {"id": "me/x/y", "shard_megabytes": 0},
                "webdataset": {"shard_megabytes": 9000},
                "croissant": {"url": "ftp://x"}}"#,
        );

        let told: Vec<String> =
            table.check().unwrap_err().iter().map(ToString::to_string).collect();

        assert_eq!(
            told,
            [
                "export.license = `CC0`: Kaggle has no licence of that name; did you mean `CC0-1.0`?",
                "export.contact = `a\nb`: it must be one line without tabs or blanks around it",
                "export.kaggle-dirs: id = `me/pets`: what is after the `/` has 4 characters; make it 6 to 50",
                "export.huggingface.shard_megabytes = 0: use 1 to 4000",
                "export.huggingface.id = `me/x/y`: write `owner/name`, of letters, digits, `-`, `_` and \
                 `.`, the name of at most 96",
                "export.webdataset.shard_megabytes = 9000: use 1 to 4000",
                "export.croissant.url = `ftp://x`: write an address that begins with https://",
            ]
        );
    }

    #[test]
    fn an_empty_table_wants_nothing_and_is_good() {
        assert_eq!(table("{}"), ExportTable::default());
        assert_eq!(ExportTable::default().check(), Ok(()));
        assert_eq!(ExportTable::default().license(), "other");
        assert_eq!(ExportTable::default().open_questions(), Question::ALL);
    }

    #[test]
    fn an_export_nobody_knows_is_refused() {
        assert!(serde_json::from_str::<ExportTable>(r#"{"coco": {}}"#).is_err());
        assert!(serde_json::from_str::<ExportTable>(r#"{"folder": {"id": 1}}"#).is_err());
    }
}
