//! The stages in order: what each would do, and doing it. Both ask the same questions of the
//! same stamps.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use serde::Serialize;

use super::workshop::Workshop;
use crate::{
    domain::{
        id::Place,
        planner::Forecast,
        split::{Placement, Split},
    },
    engine::{
        Insistence, ItemStage, RunError, SetError, SetStage, StageName, Tally, Work,
        events::Events,
        plan::{self, StagePlan},
        plan_set, run, run_set,
        stop::Stop,
    },
    source::{
        SourceSpec,
        access::{self, AccessError},
        folder::FolderError,
        glance::PathError,
        reddit::RedditError,
    },
    stage::{
        collect::Ask, dedupe::DedupeError, export::run::ExportingError, fingerprint::Crops,
        split::SplitError, train::TrainError,
    },
    store::{
        StoreError,
        files::{self, FileError},
        query,
        takedown::TakedownError,
    },
};

/// Which stages are wanted, and how insistently.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub from: Option<StageName>,
    pub to: Option<StageName>,
    /// Stages between the two that are left alone all the same.
    pub without: BTreeSet<StageName>,
    pub insistence: Insistence,
}

impl Wish {
    fn includes(&self, stage: StageName) -> bool {
        self.from.is_none_or(|from| from <= stage)
            && self.to.is_none_or(|to| stage <= to)
            && !self.without.contains(&stage)
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ran {
    pub tallies: BTreeMap<StageName, Tally>,
    /// How long each stage took.
    pub seconds: BTreeMap<StageName, f64>,
    /// Stages that could not be done with the data there is, and why.
    pub skipped: BTreeMap<StageName, String>,
    pub is_interrupted: bool,
}

impl Ran {
    pub fn n_failed(&self) -> u64 {
        self.tallies.values().map(|tally| tally.failed).sum()
    }

    pub fn n_done(&self) -> u64 {
        self.tallies.values().map(Tally::done).sum()
    }
}

/// The wish of nobody to stop: planning is over in no time.
fn nobody() -> Stop {
    Stop::channel().1
}

#[derive(Debug, thiserror::Error)]
pub enum PipelineRunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("no Reddit credentials: {} not set", missing.join(" and "))]
    NoCredentials { missing: Vec<&'static str> },
    #[error("Reddit wants to know whom to turn to: no contact is set")]
    NoContact,
    #[error(transparent)]
    Access(AccessError),
    #[error("could not ask about known posts")]
    Asking(#[source] RedditError),
    #[error("{stage} had to stop: {message}")]
    Fatal { stage: StageName, message: String },
    #[error(transparent)]
    Dedupe(DedupeError),
    #[error(transparent)]
    Split(SplitError),
    #[error(transparent)]
    Export(ExportingError),
    #[error(transparent)]
    Train(TrainError),
}

impl From<TakedownError> for PipelineRunError {
    fn from(error: TakedownError) -> Self {
        match error {
            TakedownError::Store(error) => Self::Store(error),
            TakedownError::File(error) => Self::File(error),
        }
    }
}

impl From<AccessError> for PipelineRunError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NoCredentials { missing } => Self::NoCredentials { missing },
            AccessError::NoContact => Self::NoContact,
            AccessError::Net(_) | AccessError::Demo(_) => Self::Access(error),
        }
    }
}

impl Workshop {
    /// Tells what a run would do, stage by stage.
    pub fn plan(&self, wish: &Wish) -> Result<Vec<StagePlan>, PipelineRunError> {
        let (events, _) = Events::channel();
        let mut plans: Vec<StagePlan> = Vec::new();
        for stage in StageName::ALL.into_iter().filter(|stage| wish.includes(*stage)) {
            let Some(mut plan) = self.plan_stage(stage, wish, &events)? else { continue };
            // What has no work of its own may still get some from a stage it reads.
            plan.follows = stage
                .reads()
                .iter()
                .copied()
                .filter(|read| plans.iter().any(|it| it.stage == *read && it.has_work()))
                .collect();
            if plan.follows.is_empty() && self.lacks(stage)?.is_some() {
                continue;
            }
            plans.push(plan);
        }
        Ok(plans)
    }

    fn plan_stage(
        &self,
        stage: StageName,
        wish: &Wish,
        events: &Events,
    ) -> Result<Option<StagePlan>, PipelineRunError> {
        let (store, insistence) = (&self.store, &wish.insistence);
        let force = insistence.force;
        Ok(Some(match stage {
            StageName::Collect => plan::plan(&self.collect(events, &nobody()), store, insistence)?,
            StageName::Resolve => plan::plan(&self.resolve(), store, insistence)?,
            StageName::Fetch => plan::plan(&self.fetch(&Stop::never()), store, insistence)?,
            StageName::Fingerprint => plan::plan(&self.fingerprint(None), store, insistence)?,
            StageName::Dedupe => {
                set(plan_set(&self.dedupe(), store, force), PipelineRunError::Dedupe)?
            }
            StageName::Prepare => plan::plan(&self.prepare(), store, insistence)?,
            StageName::Split => {
                set(plan_set(&self.split(), store, force), PipelineRunError::Split)?
            }
            StageName::Export => {
                set(plan_set(&self.export(), store, force), PipelineRunError::Export)?
            }
            StageName::Train => match self.train() {
                Some(train) => set(plan_set(&train, store, force), PipelineRunError::Train)?,
                None => return Ok(None),
            },
        }))
    }

    /// Does what is due, stage by stage, until the end or a stop.
    pub async fn run(
        &self,
        wish: &Wish,
        events: &Events,
        stop: &Stop,
    ) -> Result<Ran, PipelineRunError> {
        self.check_before(wish, events)?;
        let work = Work {
            store: &self.store,
            limits: self.limits,
            insistence: &wish.insistence,
            events,
            stop,
        };
        let crops = wish.includes(StageName::Prepare).then(|| self.crops());
        let mut ran = Ran::default();
        for stage in StageName::ALL.into_iter().filter(|stage| wish.includes(*stage)) {
            if let Some(why) = self.lacks(stage)? {
                ran.skipped.insert(stage, why);
                continue;
            }
            let since = Instant::now();
            if stage == StageName::Fingerprint && crops.is_some() {
                plan::remember_recipe(&self.store, &self.pipeline.prepare)?;
            }
            let mut tally = match self.run_stage(stage, work, crops.as_ref()).await {
                Ok(Some(tally)) => tally,
                Ok(None) => continue,
                Err(PipelineRunError::Dedupe(error)) if error.is_interruption() => {
                    ran.is_interrupted = true;
                    break;
                }
                Err(PipelineRunError::Train(error)) if error.is_interruption() => {
                    ran.is_interrupted = true;
                    break;
                }
                Err(error) => return Err(error),
            };
            if stage == StageName::Prepare && !stop.is_asked() {
                self.put_crops_in_order(&mut tally, crops.as_ref())?;
            }
            ran.seconds.insert(stage, since.elapsed().as_secs_f64());
            if stage == StageName::Collect {
                self.follow_what_was_noticed()?;
            }
            if 0 < tally.done() {
                // The report of before is no longer true; whoever runs to the end writes a new one.
                files::remove_if_any(&self.layout.report())?;
            }
            ran.tallies.insert(stage, tally);
            if stop.is_asked() {
                ran.is_interrupted = true;
                break;
            }
        }
        Ok(ran)
    }

    /// Waits until the disk has what was exported.
    pub fn settle(&self) -> Result<(), PipelineRunError> {
        self.settling.end().map_err(|error| PipelineRunError::Export(error.into()))
    }

    async fn run_stage(
        &self,
        stage: StageName,
        work: Work<'_>,
        crops: Option<&Crops>,
    ) -> Result<Option<Tally>, PipelineRunError> {
        Ok(Some(match stage {
            StageName::Collect => items(&self.collect(work.events, work.stop), work).await?,
            StageName::Resolve => items(&self.resolve(), work).await?,
            StageName::Fetch => items(&self.fetch(work.stop), work).await?,
            StageName::Fingerprint => items(&self.fingerprint(crops.cloned()), work).await?,
            StageName::Dedupe => whole(&self.dedupe(), work, PipelineRunError::Dedupe).await?,
            StageName::Prepare => items(&self.prepare(), work).await?,
            StageName::Split => whole(&self.split(), work, PipelineRunError::Split).await?,
            StageName::Export => whole(&self.export(), work, PipelineRunError::Export).await?,
            StageName::Train => match self.train() {
                Some(train) => whole(&train, work, PipelineRunError::Train).await?,
                None => return Ok(None),
            },
        }))
    }

    /// Finds what would make a run fail, before it has done anything.
    fn check_before(&self, wish: &Wish, events: &Events) -> Result<(), PipelineRunError> {
        if !wish.includes(StageName::Collect) {
            return Ok(());
        }
        for (_, spec) in &self.pipeline.places {
            match spec {
                SourceSpec::Folder(folder) => folder.check()?,
                SourceSpec::Urls(list) => drop(list.glance()?),
                SourceSpec::Archive(archive) => drop(archive.glance()?),
                SourceSpec::Dump(dump) => drop(dump.glance()?),
                SourceSpec::Reddit(_) | SourceSpec::Demo(_) | SourceSpec::Arctic(_) => (),
            }
        }
        let collect = self.collect(events, &nobody());
        let asks_reddit =
            collect.places.iter().any(|(_, spec)| matches!(spec, SourceSpec::Reddit(_)));
        let asks_reddit = asks_reddit && self.ask == Ask::TheSite;
        if asks_reddit && plan::plan(&collect, &self.store, &wish.insistence)?.has_work() {
            access::credentials()?;
            self.access.contact_or_complain()?;
        }
        Ok(())
    }

    /// Tells for every subreddit what listing it now would probably cost and bring.
    pub fn forecast(&self) -> Result<Vec<(Place, Forecast)>, PipelineRunError> {
        let (events, _) = Events::channel();
        Ok(self.collect(&events, &nobody()).forecast()?)
    }

    /// Tells what a stage would need that the dataset does not have.
    fn lacks(&self, stage: StageName) -> Result<Option<String>, PipelineRunError> {
        if !matches!(stage, StageName::Export | StageName::Train) {
            return Ok(None);
        }
        // What an earlier run exported is taken back by an export of nothing.
        if stage == StageName::Export && self.layout.dataset().exists() {
            return Ok(None);
        }
        let pictures = query::dataset(&self.store, &self.pipeline.classes)?;
        if pictures.is_empty() {
            return Ok(Some("the dataset has no picture".to_owned()));
        }
        if stage == StageName::Export || self.pipeline.train.is_none() {
            return Ok(None);
        }
        let labels: Vec<_> = self.pipeline.classes.labels().collect();
        if labels.len() < 2 {
            return Ok(Some("a classifier needs at least two classes".to_owned()));
        }
        let is_taught =
            |label| pictures.iter().any(|it| it.label == label && it.split == Split::Train);
        let bare = labels.iter().find(|label| !is_taught((**label).clone()));
        if let Some(label) = bare {
            return Ok(Some(format!("class `{label}` has no picture to train on")));
        }
        let has_val = pictures.iter().any(|it| it.split == Split::Val);
        Ok((!has_val).then(|| "there is no picture in val to choose the best epoch by".to_owned()))
    }

    /// Names the classes too small to be in every split, and what was left out as a leak.
    pub fn warnings(&self) -> Result<Vec<String>, PipelineRunError> {
        let pictures = query::dataset(&self.store, &self.pipeline.classes)?;
        let mut warnings = Vec::new();
        for label in self.pipeline.classes.labels() {
            let own = pictures.iter().filter(|it| it.label == *label);
            let missing: Vec<&str> = self
                .pipeline
                .split
                .rule
                .mode()
                .wanted()
                .filter(|split| !own.clone().any(|it| it.split == *split))
                .map(Split::name)
                .collect();
            if !missing.is_empty() {
                let n = own.count();
                let missing = missing.join(" and ");
                warnings.push(format!("class `{label}` has {n} pictures: none for {missing}"));
            }
        }
        let placements = self.store.notes::<Placement>()?;
        let count = |is: fn(&Placement) -> bool| placements.iter().filter(|it| is(&it.1)).count();
        let n_leaks = count(|it| matches!(it, Placement::Leak { .. }));
        if 0 < n_leaks {
            warnings.push(format!(
                "{n_leaks} pictures are left out: their like are locked on another side"
            ));
        }
        let n_tiny = count(|it| matches!(it, Placement::TooFew { .. }));
        if 0 < n_tiny {
            warnings.push(format!("{n_tiny} pictures are left out: their classes are too small"));
        }
        for model in self.tainted_models()? {
            let folder = self.layout.models().join(model.0);
            warnings.push(format!("{} learned from pictures taken back since", folder.display()));
        }
        Ok(warnings)
    }
}

async fn items<S: ItemStage>(stage: &S, work: Work<'_>) -> Result<Tally, PipelineRunError> {
    run(stage, work).await.map_err(|error| match error {
        RunError::Store(error) => PipelineRunError::Store(error),
        RunError::Fatal { message } => PipelineRunError::Fatal { stage: S::NAME, message },
    })
}

async fn whole<S: SetStage>(
    stage: &S,
    work: Work<'_>,
    wrap: fn(S::Error) -> PipelineRunError,
) -> Result<Tally, PipelineRunError> {
    set(run_set(stage, work).await, wrap)
}

fn set<T, E: std::error::Error + 'static>(
    result: Result<T, SetError<E>>,
    wrap: fn(E) -> PipelineRunError,
) -> Result<T, PipelineRunError> {
    result.map_err(|error| match error {
        SetError::Store(error) => PipelineRunError::Store(error),
        SetError::Stage(error) => wrap(error),
    })
}
