//! `pipelines/<name>.toml`: one dataset. Every table belongs to a room; here they come together
//! and are checked before anything is done.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use super::{fault::PipelineError, secrets};
use crate::{
    domain::{
        classes::{Classes, Entry},
        exports::ExportTable,
        id::{Label, Place},
        listing::{Listings, Period, Sort},
        rules::Rules,
    },
    model::recipe::TrainRecipe,
    source::{SourceSpec, access::PrivateHosts},
    stage::{collect, prepare, split},
    store::files,
};

mod clean;
mod rebuilding;

pub use clean::CleanTable;

/// A dataset as its file describes it, checked.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub name: String,
    pub path: PathBuf,
    /// The file as it was read, for the report.
    pub text: String,
    pub title: String,
    pub seed: u64,
    pub classes: Classes,
    pub places: Vec<(Place, SourceSpec)>,
    pub collect: CollectTable,
    pub fetch: FetchTable,
    pub clean: CleanTable,
    pub prepare: prepare::Recipe,
    pub split: split::Table,
    pub export: ExportTable,
    pub train: Option<TrainRecipe>,
}

/// The file before it is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: Option<String>,
    #[serde(default = "seed")]
    seed: u64,
    classes: BTreeMap<Label, Vec<Spanned<RawEntry>>>,
    #[serde(default)]
    collect: CollectTable,
    #[serde(default)]
    fetch: FetchTable,
    #[serde(default)]
    clean: CleanTable,
    #[serde(default)]
    prepare: prepare::Recipe,
    #[serde(default)]
    split: split::Table,
    #[serde(default)]
    export: ExportTable,
    train: Option<TrainRecipe>,
}

/// One place under a class: its name alone, or a table of the name and rules.
#[derive(Debug)]
struct RawEntry {
    place: Place,
    rules: Rules,
}

impl<'de> Deserialize<'de> for RawEntry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = RawEntry;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a place, such as \"r/tanks\", or { place = \"r/tanks\", flair = [\"OC\"] }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawEntry, E> {
        Ok(RawEntry { place: Place(text.trim().to_owned()), rules: Rules::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawEntry, A::Error> {
        let mut table = toml::Table::deserialize(MapAccessDeserializer::new(map))?;
        let place = table.remove("place").ok_or_else(|| de::Error::missing_field("place"))?;
        let place = place.as_str().ok_or_else(|| de::Error::custom("`place` is a text"))?.trim();
        let place = Place(place.to_owned());
        let rules = table.try_into().map_err(|error| de::Error::custom(error.message()))?;
        Ok(RawEntry { place, rules })
    }
}

fn seed() -> u64 {
    1337
}

/// `[collect]`: which posts are looked for, and which may take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectTable {
    pub listings: Listings,
    /// The most posts taken from one listing.
    pub limit: u64,
    /// New posts a request must bring for its listing to go on; 0 reads to the end of everything.
    pub least_new: u64,
    pub refresh: Refresh,
    /// Asked of the posts of all classes, unless a class says otherwise.
    pub filter: Rules,
    /// Whom Reddit may turn to; otherwise `REDDIT_USERNAME`.
    pub contact: Option<String>,
}

/// When places of the net are listed again by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refresh {
    Never,
    Hourly,
    Daily,
    Weekly,
}

impl Refresh {
    pub fn max_age_s(self) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::Hourly => Some(3600),
            Self::Daily => Some(24 * 3600),
            Self::Weekly => Some(7 * 24 * 3600),
        }
    }
}

impl Default for CollectTable {
    fn default() -> Self {
        Self {
            listings: Listings::These(vec![Sort::New, Sort::Hot, Sort::Top(Period::All)]),
            limit: 1000,
            least_new: 1,
            refresh: Refresh::Daily,
            filter: Rules::default(),
            contact: None,
        }
    }
}

impl CollectTable {
    pub fn recipe(&self) -> collect::Recipe {
        collect::Recipe {
            listings: self.listings.clone(),
            limit: self.limit,
            least_new: self.least_new,
        }
    }
}

/// The most pictures that wait for their hosts: some kilobytes each.
const WAITING_MAX: usize = 8192;

/// `[fetch]`: how hard, how long, how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchTable {
    /// Pictures fetched at the same time, at most.
    pub concurrency: usize,
    /// Of them from one host, at most; how many it gets depends on how many it bears.
    pub per_host: usize,
    /// Hosts of one's own network that may be asked: `nas.local`, `127.0.0.1:8443`.
    pub private_hosts: PrivateHosts,
    /// Seconds for one whole picture.
    pub timeout: f64,
    /// Seconds without a byte.
    pub stall: f64,
    pub max_megabytes: u64,
    pub attempts: u32,
}

impl Default for FetchTable {
    fn default() -> Self {
        Self {
            concurrency: 64,
            per_host: 16,
            private_hosts: PrivateHosts::default(),
            timeout: 60.0,
            stall: 15.0,
            max_megabytes: 50,
            attempts: 4,
        }
    }
}

impl FetchTable {
    fn check(&self) -> Result<(), String> {
        if !(1..=1024).contains(&self.concurrency) {
            return Err(format!("fetch.concurrency = {}: use 1 to 1024", self.concurrency));
        }
        if !(1..=1024).contains(&self.per_host) {
            return Err(format!("fetch.per_host = {}: use 1 to 1024", self.per_host));
        }
        for (name, seconds) in [("timeout", self.timeout), ("stall", self.stall)] {
            if !(0.1..=3600.0).contains(&seconds) {
                return Err(format!("fetch.{name} = {seconds}: use 0.1 to 3600 seconds"));
            }
        }
        if !(1..=2048).contains(&self.max_megabytes) {
            return Err(format!("fetch.max_megabytes = {}: use 1 to 2048", self.max_megabytes));
        }
        if !(1..=20).contains(&self.attempts) {
            return Err(format!("fetch.attempts = {}: use 1 to 20", self.attempts));
        }
        Ok(())
    }

    /// Returns how many pictures may wait for their hosts: what a slow host keeps waiting takes
    /// no place from what a fast one could give.
    pub fn waiting_room(&self) -> usize {
        (self.concurrency * 32).min(WAITING_MAX)
    }

    pub fn bytes_max(&self) -> u64 {
        self.max_megabytes * 1_000_000
    }
}

impl Pipeline {
    /// Reads and checks a pipeline file.
    pub fn read(path: &Path) -> Result<Self, PipelineError> {
        let text = files::read_text_if_any(path).map_err(PipelineError::File)?;
        let text = text.ok_or_else(|| PipelineError::Missing { path: path.to_owned() })?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = Label::new(stem).map_err(|_| PipelineError::Name { path: path.to_owned() })?;
        secrets::check(path, &text)?;
        let raw: Raw =
            toml::from_str(&text).map_err(|error| PipelineError::syntax(path, &text, &error))?;
        Self::checked(path, text, name.as_str(), raw)
    }

    fn checked(path: &Path, text: String, name: &str, raw: Raw) -> Result<Self, PipelineError> {
        let at = |offset: usize, message: String| PipelineError::At {
            path: path.to_owned(),
            line: super::fault::line_of(&text, offset),
            message,
        };
        let unsound = |message: String| PipelineError::Unsound { path: path.to_owned(), message };
        let mut entries = Vec::new();
        let mut specs: BTreeMap<Place, SourceSpec> = BTreeMap::new();
        let labels = raw.classes.keys().cloned().collect();
        for (label, listed) in raw.classes {
            for spanned in listed {
                let offset = spanned.span().start;
                let RawEntry { place, rules } = spanned.into_inner();
                let spec =
                    SourceSpec::parse(&place).map_err(|error| at(offset, error.to_string()))?;
                entries.push(Entry { label: label.clone(), place: spec.identity(), rules });
                specs.insert(spec.identity(), spec);
            }
        }
        let classes = Classes::new(labels, entries, &raw.collect.filter)
            .map_err(|error| unsound(error.to_string()))?;
        if raw.collect.limit == 0 {
            return Err(unsound("collect.limit = 0: use at least 1".to_owned()));
        }
        raw.fetch.check().map_err(unsound)?;
        raw.clean.dedupe.check().map_err(unsound)?;
        raw.prepare.check().map_err(unsound)?;
        raw.export.check().map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            unsound(faults.join("; "))
        })?;
        if let Some(train) = &raw.train {
            train.check().map_err(|error| unsound(format!("train: {error}")))?;
            train.check_steps().map_err(|error| unsound(format!("train: {error}")))?;
        }
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            title: raw.title.unwrap_or_else(|| name.to_owned()),
            seed: raw.seed,
            classes,
            places: specs.into_iter().collect(),
            collect: raw.collect,
            fetch: raw.fetch,
            clean: raw.clean,
            prepare: raw.prepare,
            split: raw.split,
            export: raw.export,
            train: raw.train,
            text,
        })
    }

    /// Returns the path of the lock that keeps every picture on its side of the split.
    pub fn lock(&self) -> PathBuf {
        self.path.with_extension("lock")
    }

    /// Returns the path of what people decided about pictures.
    pub fn reviews(&self) -> PathBuf {
        self.path.with_extension("reviews.jsonl")
    }
}

#[cfg(test)]
mod tests;
