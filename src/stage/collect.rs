//! Place → posts. Every listing is read page by page, and each page is kept as it comes.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::{
    domain::{
        id::{Place, PostId},
        outcome::Outcome,
        planted::Planted,
        post::Post,
    },
    engine::{Inputs, ItemStage, Lane, StageName, Staleness, Transient, events::Events},
    source::{
        Page, Sort, SourceSpec,
        access::{Access, AccessError},
        arctic::{self, ArcticError},
        batch::Unreadable,
        local::{Local, LocalError, Reading},
        reddit::{RedditError, Session, Subreddit},
    },
    store::{Digest, Store, StoreError, schema::Listing},
};

/// The work of this room.
pub struct Collect<'a> {
    pub recipe: Recipe,
    pub places: Vec<(Place, SourceSpec)>,
    /// How old a listing of the net may be, in seconds; `None` for ever.
    pub max_age_s: Option<i64>,
    pub store: &'a Store,
    pub access: &'a Access,
    pub events: &'a Events,
    pub live: OnceCell<Session<'a>>,
    pub demo: OnceCell<Session<'a>>,
}

/// What can change which posts are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub listings: Vec<Sort>,
    /// The most posts taken from one listing; Reddit itself ends at 1,000.
    pub limit: usize,
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
    #[error("could not list {place}")]
    Arctic { place: Place, source: ArcticError },
    #[error("could not list {place}")]
    Local { place: Place, source: LocalError },
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Transient for CollectError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Reddit { source, .. } => source.is_transient(),
            Self::Arctic { source, .. } => source.is_transient(),
            Self::Local { .. } | Self::Access(_) | Self::Store(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Reddit { source, .. } => source.retry_after(),
            Self::Arctic { source, .. } => source.retry_after(),
            Self::Local { .. } | Self::Access(_) | Self::Store(_) => None,
        }
    }

    fn is_fatal(&self) -> bool {
        match self {
            Self::Access(_) | Self::Store(_) => true,
            Self::Reddit { source, .. } => matches!(source, RedditError::Credentials { .. }),
            Self::Arctic { .. } | Self::Local { .. } => false,
        }
    }
}

impl ItemStage for Collect<'_> {
    const NAME: StageName = StageName::Collect;
    const REVISION: u32 = 1;
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
        let (
            Some(max_age_s),
            Some(SourceSpec::Reddit(_) | SourceSpec::Demo(_) | SourceSpec::Arctic(_)),
        ) = (self.max_age_s, spec)
        else {
            return Staleness::Fresh;
        };
        match store.get::<Listing>(place).map(|settled| settled.map(|it| it.outcome)) {
            Ok(Some(Outcome::Made(listing)))
                if max_age_s <= self.access.now() - listing.listed_at =>
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
        let (posts, unreadable) = match spec {
            SourceSpec::Reddit(subreddit) => {
                let session = self.live.get_or_try_init(|| self.access.reddit()).await?;
                self.descend(place, session, subreddit).await?
            }
            SourceSpec::Demo(demo) => {
                let session = self.demo.get_or_try_init(|| self.access.demo_reddit()).await?;
                let planted = spec.planted().unwrap_or_default();
                self.store.put_notes::<Planted>(&[(place.clone(), planted)])?;
                self.descend(place, session, &demo.as_subreddit()).await?
            }
            SourceSpec::Arctic(subreddit) => self.ascend(place, subreddit).await?,
            SourceSpec::Folder(_)
            | SourceSpec::Urls(_)
            | SourceSpec::Archive(_)
            | SourceSpec::Dump(_) => {
                let local = Local::of(place, spec).expect("these places are on this machine");
                self.read(place, local).await?
            }
        };
        Ok(Outcome::Made(Listing { posts, unreadable, listed_at: self.access.now() }))
    }
}

impl Collect<'_> {
    /// Reads all listings of a subreddit; returns how many different posts they held.
    async fn descend(
        &self,
        place: &Place,
        session: &Session<'_>,
        subreddit: &Subreddit,
    ) -> Result<(u64, Vec<String>), CollectError> {
        let mut seen: BTreeSet<PostId> = BTreeSet::new();
        let mut unreadable = Vec::new();
        for sort in &self.recipe.listings {
            let mut after: Option<String> = None;
            let mut n_listed = 0;
            while n_listed < self.recipe.limit {
                let page = session.page(place, subreddit, *sort, after.as_deref()).await;
                let Page { mut posts, unreadable: odd, next } =
                    page.map_err(|source| CollectError::Reddit { place: place.clone(), source })?;
                posts.truncate(self.recipe.limit - n_listed);
                n_listed += posts.len();
                self.store.merge_posts(&posts)?;
                seen.extend(posts.into_iter().map(|(id, _)| id));
                unreadable.extend(odd);
                let word = format!("{place} {sort}: {} posts", seen.len());
                self.events.word(StageName::Collect, word);
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        unreadable.sort();
        unreadable.dedup();
        Ok((u64::try_from(seen.len()).expect("a length fits 64 bits"), unreadable))
    }

    /// Lists a place on this machine as it is now; posts that are gone from it are forgotten.
    async fn read(&self, place: &Place, local: Local) -> Result<(u64, Vec<String>), CollectError> {
        let failed = |source| CollectError::Local { place: place.clone(), source };
        let mut listed: BTreeSet<PostId> = BTreeSet::new();
        let mut unreadable = Unreadable::default();
        let mut reading = Reading::begin(local, None);
        while let Some((batch, _)) = reading.next().await {
            self.store.merge_posts(&batch.posts)?;
            listed.extend(batch.posts.into_iter().map(|(id, _)| id));
            unreadable.absorb(batch.unreadable);
            self.events.word(StageName::Collect, format!("{place}: {} posts", listed.len()));
        }
        reading.finish().await.map_err(failed)?;
        let mut gone = Vec::new();
        for entry in self.store.walk_notes::<Post>()? {
            let (id, mut post) = entry?;
            if listed.contains(&id) || !post.places.remove(place) {
                continue;
            }
            // Other places may still show it.
            if post.places.is_empty() {
                gone.push(id);
            } else {
                self.store.put_notes(&[(id, post)])?;
            }
        }
        self.store.remove_notes::<Post>(&gone)?;
        Ok((u64::try_from(listed.len()).expect("a length fits 64 bits"), unreadable.samples))
    }

    /// Reads all that the Arctic Shift archive has of a subreddit.
    async fn ascend(
        &self,
        place: &Place,
        subreddit: &Subreddit,
    ) -> Result<(u64, Vec<String>), CollectError> {
        let session = arctic::Session::new(self.access.live().await?);
        let mut seen: BTreeSet<PostId> = BTreeSet::new();
        let mut unreadable = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = session.page(place, subreddit, after.as_deref()).await;
            let Page { posts, unreadable: odd, next } =
                page.map_err(|source| CollectError::Arctic { place: place.clone(), source })?;
            self.store.merge_posts(&posts)?;
            seen.extend(posts.into_iter().map(|(id, _)| id));
            unreadable.extend(odd);
            self.events.word(StageName::Collect, format!("{place}: {} posts", seen.len()));
            after = next;
            if after.is_none() {
                return Ok((u64::try_from(seen.len()).expect("a length fits 64 bits"), unreadable));
            }
        }
    }
}
