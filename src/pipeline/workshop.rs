//! One dataset opened for work: its store, its folders, its doors to the outside, and its
//! stages, made from the pipeline file.

use std::{path::Path, time::Duration};

use tokio::sync::OnceCell;

use super::{Pipeline, PipelineError, file::FetchTable};
pub use crate::stage::collect::Ask;
use crate::{
    domain::{classes::Classes, id::Label},
    engine::{Limits, events::Events, hands::Hands, memory::Memory, stop::Stop},
    source::{
        SourceSpec,
        access::{Access, AccessOptions, FIRST_REST, NetOptions},
    },
    stage::{
        collect::{Collect, Readings},
        dedupe::Dedupe,
        export::{
            run::{Exporting, Recipe as ExportRecipe},
            settling::Settling,
        },
        fetch::{Fetch, Finder, KEEPERS, Recipe as FetchRecipe, Written},
        fingerprint::{Crops, Fingerprinting, MadeCrops},
        prepare::{self, Prepare},
        resolve::{Recipe as ResolveRecipe, Resolve},
        split::{Recipe as SplitRecipe, Splitting},
        train::{Recipe as TrainingRecipe, Training},
    },
    store::{
        Store, StoreError,
        answers::{self, Answers},
        files::{self, FileError},
        layout::Layout,
    },
};

/// Places of the pipeline file that are listed at the same time.
const PLACES_AT_ONCE: usize = 16;

/// Memory for decoding, for each picture that may be decoded at the same time. Larger pictures
/// take more and let fewer run beside them.
const DECODING_BYTES: u64 = 48 << 20;

/// Everything the stages of one dataset need.
pub struct Workshop {
    pub pipeline: Pipeline,
    pub layout: Layout,
    pub store: Store,
    pub access: Access,
    /// The classes whose posts and pictures are worked on, all unless a person narrowed them.
    pub selected: Classes,
    pub limits: Limits,
    /// What the pictures being read and decoded share.
    memory: Memory,
    /// Whether subreddits are asked, or only what they said before is read again.
    pub ask: Ask,
    /// Sees exports to the disk while other work goes on.
    pub(super) settling: Settling,
    /// Tells the seconds since 1970-01-01 UTC.
    clock: fn() -> i64,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("there is no class `{label}` in `{pipeline}`; there are {}", known.join(", "))]
    NoSuchClass { label: String, pipeline: String, known: Vec<String> },
}

impl Workshop {
    /// Opens the dataset of the pipeline file at `path`, below the folder `data`.
    pub fn open(path: &Path, data: &Path, clock: fn() -> i64) -> Result<Self, WorkshopError> {
        let pipeline = Pipeline::read(path)?;
        let layout = Layout::new(data, &pipeline.name);
        files::make_folder(layout.root())?;
        let store = Store::open(&layout.store())?;
        let access = access(&pipeline, &layout, clock);
        let selected = pipeline.classes.clone();
        let cpu_width = std::thread::available_parallelism().map_or(2, usize::from);
        let limits = Limits {
            network_width: PLACES_AT_ONCE,
            hosts_width: pipeline.fetch.waiting_room(),
            cpu_width,
            attempts_max: pipeline.fetch.attempts,
        };
        let memory = Memory::of(DECODING_BYTES * u64::try_from(cpu_width).unwrap_or(1));
        let ask = Ask::TheSite;
        let settling = Settling::default();
        Ok(Self { pipeline, layout, store, access, selected, limits, memory, ask, settling, clock })
    }

    /// Narrows the work on posts and pictures to one class.
    pub fn select(&mut self, label: &str) -> Result<(), WorkshopError> {
        let classes = &self.pipeline.classes;
        let chosen = Label::new(label).ok().and_then(|label| classes.only(&label));
        self.selected = chosen.ok_or_else(|| WorkshopError::NoSuchClass {
            label: label.to_owned(),
            pipeline: self.pipeline.name.clone(),
            known: classes.labels().map(ToString::to_string).collect(),
        })?;
        Ok(())
    }

    /// Returns the answers of sites that are kept for reading again.
    pub(super) fn answers(&self) -> Answers {
        Answers::new(self.layout.answers(), answers::BYTES_USUAL)
    }

    pub(super) fn collect<'a>(&'a self, events: &'a Events, stop: &Stop) -> Collect<'a> {
        let is_selected = |place| self.selected.lists_place(place);
        let places = self.pipeline.places.iter().filter(|(place, _)| is_selected(place));
        Collect {
            recipe: self.pipeline.collect.recipe(),
            places: places.cloned().collect(),
            max_age_s: self.pipeline.collect.refresh.max_age_s(),
            store: &self.store,
            access: &self.access,
            answers: self.answers(),
            ask: self.ask,
            events,
            stop: stop.clone(),
            readings: Readings::default(),
            live: OnceCell::new(),
            demo: OnceCell::new(),
            arctic: OnceCell::new(),
        }
    }

    pub(super) fn resolve(&self) -> Resolve<'_> {
        let recipe = ResolveRecipe { filter: self.pipeline.collect.filter.clone() };
        Resolve { recipe, classes: &self.selected }
    }

    pub(super) fn fetch(&self, stop: &Stop) -> Fetch<'_> {
        Fetch {
            recipe: FetchRecipe {},
            bytes_max: self.pipeline.fetch.bytes_max(),
            classes: &self.selected,
            layout: &self.layout,
            access: &self.access,
            store: &self.store,
            finder: Finder::new(self.layout.root().join("unpacked")),
            memory: self.memory.clone(),
            stop: stop.clone(),
            written: Written::default(),
            keepers: Hands::of(KEEPERS),
        }
    }

    pub(super) fn fingerprint(&self, crops: Option<Crops>) -> Fingerprinting<'_> {
        Fingerprinting {
            recipe: self.pipeline.clean.fingerprint.clone(),
            classes: &self.selected,
            layout: &self.layout,
            memory: self.memory.clone(),
            crops,
        }
    }

    /// Returns the order for crops to be made along with the fingerprints.
    pub(super) fn crops(&self) -> Crops {
        Crops {
            recipe: self.pipeline.prepare.clone(),
            stamp: prepare::stamp,
            store: self.store.clone(),
            made: MadeCrops::default(),
        }
    }

    // Stages that look at the whole set always see all classes: twins and conflicts lie between
    // classes as well.

    pub(super) fn dedupe(&self) -> Dedupe<'_> {
        Dedupe {
            recipe: self.pipeline.clean.dedupe.clone(),
            classes: &self.pipeline.classes,
            reviews: self.pipeline.reviews(),
        }
    }

    pub(super) fn prepare(&self) -> Prepare<'_> {
        Prepare {
            recipe: self.pipeline.prepare.clone(),
            layout: &self.layout,
            memory: self.memory.clone(),
        }
    }

    pub(super) fn split(&self) -> Splitting<'_> {
        Splitting {
            recipe: SplitRecipe { table: self.pipeline.split, seed: self.pipeline.seed },
            classes: &self.pipeline.classes,
            lock: self.pipeline.lock(),
        }
    }

    pub(super) fn export(&self) -> Exporting<'_> {
        Exporting {
            name: &self.pipeline.name,
            recipe: ExportRecipe {
                title: self.pipeline.title.clone(),
                seed: self.pipeline.seed,
                transform: self.pipeline.prepare.in_words(),
                export: self.pipeline.export.clone(),
                rebuilding: match self.pipeline.export.hydrate {
                    Some(_) => self.pipeline.rebuilding(),
                    None => String::new(),
                },
            },
            classes: &self.pipeline.classes,
            layout: &self.layout,
            reviews: self.pipeline.reviews(),
            settling: &self.settling,
        }
    }

    /// Returns the training stage; `None` if the file has no `[train]` table.
    pub(super) fn train(&self) -> Option<Training<'_>> {
        let train = self.pipeline.train.clone()?;
        Some(Training {
            recipe: TrainingRecipe {
                train,
                seed: self.pipeline.seed,
                prepare: self.pipeline.prepare.clone(),
            },
            classes: &self.pipeline.classes,
            layout: &self.layout,
            access: &self.access,
            clock: self.clock,
        })
    }
}

fn access(pipeline: &Pipeline, layout: &Layout, clock: fn() -> i64) -> Access {
    let demo_places = pipeline.places.iter().filter_map(|(_, spec)| match spec {
        SourceSpec::Demo(place) => Some(place.clone()),
        SourceSpec::Reddit(_)
        | SourceSpec::Folder(_)
        | SourceSpec::Urls(_)
        | SourceSpec::Archive(_)
        | SourceSpec::Dump(_)
        | SourceSpec::Arctic(_) => None,
    });
    Access::new(AccessOptions {
        net: net_options(&pipeline.fetch, clock),
        contact: pipeline.collect.contact.clone(),
        demo_places: demo_places.collect(),
        demo_log: layout.site_log(),
        clock,
    })
}

/// Returns how the net is asked; who asks is added when the door is opened.
pub(super) fn net_options(fetch: &FetchTable, clock: fn() -> i64) -> NetOptions {
    NetOptions {
        user_agent: String::new(),
        deadline: Duration::from_secs_f64(fetch.timeout),
        stall: Duration::from_secs_f64(fetch.stall),
        bytes_max: fetch.bytes_max(),
        per_host: fetch.per_host,
        concurrency: fetch.concurrency,
        private_hosts: fetch.private_hosts.clone(),
        first_rest: FIRST_REST,
        clock,
    }
}
