//! Place → posts. Subreddits are read from many angles, page by page, and each page is kept as
//! it comes; what was cut off goes on where it was, and what was not seen is written down.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::sync::OnceCell;

use crate::{
    domain::{
        id::Place,
        listing::{Angle, Listings},
        outcome::Outcome,
        planner::Floor,
        planted::Planted,
        progress::Round,
    },
    engine::{
        Inputs, ItemStage, Lane, StageName, Staleness, Transient, events::Events, stop::Stop,
    },
    source::{
        SourceSpec,
        access::{Access, AccessError},
        arctic::{self, ArcticError},
        local::{Local, LocalError},
        reddit::{RedditError, Session, Site, Subreddit},
    },
    store::{Digest, Store, StoreError, answers::Answers, files::FileError, schema::Listing},
};

mod archive;
mod descent;
mod files;
mod outlook;
mod replay;
mod span;
mod survey;

pub use files::Readings;
use survey::Survey;

/// The work of this room.
pub struct Collect<'a> {
    pub recipe: Recipe,
    pub places: Vec<(Place, SourceSpec)>,
    /// How old a listing of the net may be, in seconds; `None` for ever.
    pub max_age_s: Option<i64>,
    pub store: &'a Store,
    pub access: &'a Access,
    pub answers: Answers,
    pub ask: Ask,
    pub events: &'a Events,
    pub stop: Stop,
    pub readings: Readings,
    pub live: OnceCell<Session<'a>>,
    pub demo: OnceCell<Session<'a>>,
    pub arctic: OnceCell<arctic::Session<'a>>,
}

/// Where listings come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    #[default]
    TheSite,
    /// Only the answers kept from earlier runs; nobody is asked anything.
    KeptAnswers,
}

/// What can change which posts are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipe {
    pub listings: Listings,
    /// The most posts taken from one listing; Reddit itself ends at 1,000.
    pub limit: u64,
    /// New posts a request must bring for its listing to go on; 0 reads everything to its end.
    pub least_new: u64,
}

/// What the place itself tells without being read.
#[derive(Debug, Serialize)]
pub struct Input {
    /// For folders: the names, sizes and times of the files.
    glances: Option<Digest>,
    /// For places of the demo site: how many posts it has.
    posts: Option<usize>,
}

#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("could not list {place}")]
    Reddit { place: Place, source: RedditError },
    #[error("{n_open} of the listings of {place} could not be read to their ends")]
    Unfinished { place: Place, n_open: usize, source: RedditError },
    #[error("the listing of {place} was broken off and goes on there next time")]
    Stopped { place: Place },
    #[error("could not read a kept answer of {place}")]
    Kept { place: Place, source: serde_json::Error },
    #[error("could not list {place}")]
    Arctic { place: Place, source: ArcticError },
    #[error("could not list {place}")]
    Local { place: Place, source: Arc<LocalError> },
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Transient for CollectError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Reddit { source, .. } | Self::Unfinished { source, .. } => source.is_transient(),
            Self::Arctic { source, .. } => source.is_transient(),
            Self::Stopped { .. }
            | Self::Kept { .. }
            | Self::Local { .. }
            | Self::Access(_)
            | Self::Store(_)
            | Self::File(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Reddit { source, .. } | Self::Unfinished { source, .. } => source.retry_after(),
            Self::Arctic { source, .. } => source.retry_after(),
            Self::Stopped { .. }
            | Self::Kept { .. }
            | Self::Local { .. }
            | Self::Access(_)
            | Self::Store(_)
            | Self::File(_) => None,
        }
    }

    fn is_fatal(&self) -> bool {
        match self {
            Self::Access(_) | Self::Store(_) | Self::File(_) => true,
            Self::Reddit { source, .. } => matches!(source, RedditError::Credentials { .. }),
            Self::Unfinished { .. }
            | Self::Stopped { .. }
            | Self::Kept { .. }
            | Self::Arctic { .. }
            | Self::Local { .. } => false,
        }
    }

    fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }
}

impl ItemStage for Collect<'_> {
    const NAME: StageName = StageName::Collect;
    const REVISION: u32 = 2;
    const LANE: Lane = Lane::Network;
    type Recipe = Recipe;
    type Input = Input;
    type Output = Listing;
    type Error = CollectError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn inputs<'a>(&'a self, _store: &'a Store) -> Result<Inputs<'a, Self>, StoreError> {
        let input = |place: &Place, spec: &SourceSpec| match spec {
            SourceSpec::Folder(_)
            | SourceSpec::Urls(_)
            | SourceSpec::Archive(_)
            | SourceSpec::Dump(_) => {
                // What cannot be read is told when it is listed.
                let glances = Local::of(place, spec).and_then(|local| local.glances().ok());
                Input { glances: glances.map(|it| Digest::of(&it)), posts: None }
            }
            SourceSpec::Demo(place) => Input { glances: None, posts: Some(place.posts()) },
            SourceSpec::Reddit(_) | SourceSpec::Arctic(_) => Input { glances: None, posts: None },
        };
        let item =
            move |(place, spec): &(Place, SourceSpec)| Ok((place.clone(), input(place, spec)));
        Ok(Box::new(self.places.iter().map(item)))
    }

    fn is_stale(&self, store: &Store, place: &Place) -> Staleness {
        let spec = self.places.iter().find(|(it, _)| it == place).map(|(_, spec)| spec);
        match spec {
            Some(SourceSpec::Reddit(_) | SourceSpec::Demo(_)) => {
                if self.ask == Ask::KeptAnswers {
                    return Staleness::Aged;
                }
            }
            Some(SourceSpec::Arctic(_)) => (),
            Some(
                SourceSpec::Folder(_)
                | SourceSpec::Urls(_)
                | SourceSpec::Archive(_)
                | SourceSpec::Dump(_),
            )
            | None => return Staleness::Fresh,
        }
        let Some(max_age_s) = self.max_age_s else { return Staleness::Fresh };
        match store.get::<Listing>(place).map(|settled| settled.map(|it| it.outcome)) {
            // A listing from the future was made by a clock that has been set back since.
            Ok(Some(Outcome::Made(listing)))
                if !(0..max_age_s).contains(&(self.access.now() - listing.listed_at)) =>
            {
                Staleness::Aged
            }
            // A closed subreddit may open again; asking costs one request a run.
            Ok(Some(Outcome::Failed(_))) => Staleness::Aged,
            Ok(_) | Err(_) => Staleness::Fresh,
        }
    }

    async fn apply(
        &self,
        place: &Place,
        _input: &Input,
        _before: &[CollectError],
    ) -> Result<Outcome<Listing>, CollectError> {
        let spec = self.places.iter().find(|(it, _)| it == place).map(|(_, spec)| spec);
        let spec = spec.expect("the engine hands back only places this stage listed");
        let listing = match spec {
            SourceSpec::Reddit(subreddit) => {
                self.survey(place, subreddit, (Site::Reddit, &self.live)).await?
            }
            SourceSpec::Demo(demo) => {
                let planted = spec.planted().unwrap_or_default();
                self.store.put_notes::<Planted>(&[(place.clone(), planted)])?;
                self.survey(place, &demo.as_subreddit(), (Site::Demo, &self.demo)).await?
            }
            SourceSpec::Arctic(subreddit) => self.ascend(place, subreddit).await?,
            SourceSpec::Folder(_)
            | SourceSpec::Urls(_)
            | SourceSpec::Archive(_)
            | SourceSpec::Dump(_) => self.read(place, spec).await?,
        };
        Ok(Outcome::Made(listing))
    }
}

impl<'a> Collect<'a> {
    /// Lists a subreddit: first again from the answers that were kept, where they were read by
    /// an older reader, then by asking.
    async fn survey(
        &self,
        place: &Place,
        subreddit: &Subreddit,
        (site, session): (Site, &OnceCell<Session<'a>>),
    ) -> Result<Listing, CollectError> {
        let head = self.store.head::<Listing>(place)?;
        let is_of_an_older_reader = head.is_some_and(|it| it.stamp.revision != Self::REVISION);
        if self.ask == Ask::KeptAnswers || is_of_an_older_reader {
            let replayed = self.replay(place, site)?;
            if self.ask == Ask::KeptAnswers {
                return Ok(replayed);
            }
        }
        let open = || async {
            let session = match site {
                Site::Reddit => self.access.reddit().await?,
                Site::Demo => self.access.demo_reddit().await?,
            };
            if let Some(pace) = self.store.note(&site.name().to_owned())? {
                session.resume(&pace, self.access.now());
            }
            Ok::<_, CollectError>(session)
        };
        let session = session.get_or_try_init(open).await?;
        let listing = Survey::begin(self, session, place, subreddit)?.run().await?;
        self.answers.prune()?;
        Ok(listing)
    }

    fn floor(&self) -> Floor {
        Floor(self.recipe.least_new)
    }

    /// Returns the round of all angles that would end now.
    fn round(&self) -> Round {
        let Recipe { limit, least_new, .. } = self.recipe;
        Round { ended_at: self.access.now(), limit, least_new }
    }

    /// Tells what is going on beside the bar.
    fn tell(&self, place: &Place, angle: &Angle, n_posts: u64) {
        self.events.word(StageName::Collect, format!("{place} {angle}: {n_posts} posts"));
    }
}

#[cfg(test)]
mod tests;
