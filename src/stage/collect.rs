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
        folder::{Folder, FolderError},
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
    Folder { place: Place, source: FolderError },
    #[error("the walk through {place} was broken off")]
    Walk { place: Place, source: tokio::task::JoinError },
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Transient for CollectError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Reddit { source, .. } => source.is_transient(),
            Self::Folder { .. } | Self::Walk { .. } | Self::Access(_) | Self::Store(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Reddit { source, .. } => source.retry_after(),
            Self::Folder { .. } | Self::Walk { .. } | Self::Access(_) | Self::Store(_) => None,
        }
    }

    fn is_fatal(&self) -> bool {
        match self {
            Self::Access(_) | Self::Store(_) => true,
            Self::Reddit { source, .. } => matches!(source, RedditError::Credentials { .. }),
            Self::Folder { .. } | Self::Walk { .. } => false,
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
        let input = |spec: &SourceSpec| match spec {
            // A folder that cannot be read is told when it is listed.
            SourceSpec::Folder(folder) => {
                let glances = folder.glances().ok().map(|it| Digest::of(&it));
                Input { glances, posts: None }
            }
            SourceSpec::Demo(place) => Input { glances: None, posts: Some(place.posts()) },
            SourceSpec::Reddit(_) => Input { glances: None, posts: None },
        };
        let item = move |(place, spec): &(Place, SourceSpec)| Ok((place.clone(), input(spec)));
        Ok(Box::new(self.places.iter().map(item)))
    }

    fn is_stale(&self, store: &Store, place: &Place) -> Staleness {
        let spec = self.places.iter().find(|(it, _)| it == place).map(|(_, spec)| spec);
        let (Some(max_age_s), Some(SourceSpec::Reddit(_) | SourceSpec::Demo(_))) =
            (self.max_age_s, spec)
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
            SourceSpec::Folder(folder) => self.walk(place, folder).await?,
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

    /// Lists a folder as it is now; posts of files that are gone are forgotten.
    async fn walk(
        &self,
        place: &Place,
        folder: &Folder,
    ) -> Result<(u64, Vec<String>), CollectError> {
        let (owned_place, folder) = (place.clone(), folder.clone());
        let listing = tokio::task::spawn_blocking(move || folder.list(&owned_place)).await;
        let page = listing
            .map_err(|source| CollectError::Walk { place: place.clone(), source })?
            .map_err(|source| CollectError::Folder { place: place.clone(), source })?;
        let listed: BTreeSet<&PostId> = page.posts.iter().map(|(id, _)| id).collect();
        let mut gone = Vec::new();
        for entry in self.store.walk_notes::<Post>()? {
            let (id, post) = entry?;
            if post.places.contains(place) && !listed.contains(&id) {
                gone.push(id);
            }
        }
        self.store.remove_notes::<Post>(&gone)?;
        self.store.merge_posts(&page.posts)?;
        Ok((u64::try_from(page.posts.len()).expect("a length fits 64 bits"), page.unreadable))
    }
}
