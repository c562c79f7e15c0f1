//! Files and folders of this machine, kept batch by batch. Places that choose from one file are
//! served by one reading of it; a dump that was cut off goes on where it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{Collect, CollectError, span::Span};
use crate::{
    domain::{id::Place, outcome::Outcome, post::Post, progress::Asked},
    engine::StageName,
    source::{
        SourceSpec,
        batch::Unreadable,
        dump::Resume,
        local::{Local, Reading},
    },
    store::{
        Digest, StoreError,
        schema::{Listing, Reached},
    },
};

/// Which reading of a file a place takes part in: the places listed before, or the new ones.
type Party = (PathBuf, Standing);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    New,
    ListedBefore,
}

/// The readings of one run. Held by every place of a file: the first reads for all of them.
#[derive(Default)]
pub struct Readings(Mutex<BTreeMap<Party, Arc<OnceCell<Brought>>>>);

impl Readings {
    fn of(&self, party: &Party) -> Arc<OnceCell<Brought>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(party.clone()).or_default())
    }
}

/// What one reading brought.
struct Brought {
    unreadable: Unreadable,
    spans: BTreeMap<Place, Span>,
}

impl Collect<'_> {
    /// Lists a place on this machine as it is now; posts that are gone from it are forgotten.
    pub(super) async fn read(
        &self,
        place: &Place,
        spec: &SourceSpec,
    ) -> Result<Listing, CollectError> {
        let local = Local::of(place, spec).expect("only places on this machine are read");
        let party = (local.path().to_owned(), self.standing(place)?);
        let reading = self.readings.of(&party);
        let brought = reading.get_or_try_init(|| self.read_for_all(place, &party)).await?;
        if let SourceSpec::Dump(dump) = spec {
            let span = brought.spans.get(place).copied().unwrap_or_default();
            self.close_gaps(dump.subreddit(), span)?;
        }
        let Unreadable { count, samples } = brought.unreadable.clone();
        self.listing(place, Asked { unreadable: count, ..Asked::default() }, samples)
    }

    fn standing(&self, place: &Place) -> Result<Standing, StoreError> {
        let listed = self.store.get::<Listing>(place)?.map(|settled| settled.outcome);
        Ok(match listed {
            Some(Outcome::Made(_)) => Standing::ListedBefore,
            Some(Outcome::Rejected(_) | Outcome::Failed(_)) | None => Standing::New,
        })
    }

    /// Reads a file once for every place of the same party.
    async fn read_for_all(&self, place: &Place, party: &Party) -> Result<Brought, CollectError> {
        let mut together = Vec::new();
        for (other, spec) in &self.places {
            let is_same = Local::of(other, spec).is_some_and(|it| it.path() == party.0);
            if is_same && self.standing(other)? == party.1 {
                together.push((other.clone(), spec.clone()));
            }
        }
        let local = Local::all(&together).into_iter().next();
        let local = local.expect("the place itself is of its party");
        let places: Vec<Place> = local.places().into_iter().cloned().collect();
        let reached: Option<Reached> = self.store.note(place)?;
        // What another version wrote, or a whole reading, is begun anew.
        let from = reached.and_then(|it| serde_json::from_value::<Resume>(it.0).ok());
        let from = from.filter(|it| !it.is_whole());
        let is_taken_up = from.is_some();
        let mut listed: BTreeSet<Digest> = BTreeSet::new();
        let mut brought = Brought { unreadable: Unreadable::default(), spans: BTreeMap::new() };
        let mut reading = Reading::begin(local, from);
        while let Some((batch, resume)) = reading.next().await {
            self.store.merge_posts(&batch.posts)?;
            if let Some(resume) = resume {
                let reached = Reached(serde_json::to_value(resume).expect("it has string keys"));
                let notes: Vec<(Place, Reached)> =
                    places.iter().map(|place| (place.clone(), reached.clone())).collect();
                self.store.put_notes(&notes)?;
            }
            for (id, post) in &batch.posts {
                for place in &post.places {
                    let span = brought.spans.entry(place.clone()).or_default();
                    span.reach(post);
                }
                listed.insert(Digest::of(id));
            }
            brought.unreadable.absorb(batch.unreadable);
            let text = format!("{}: {} posts", party.0.display(), listed.len());
            self.events.word(StageName::Collect, text);
            if self.stop.is_asked() {
                return Err(CollectError::Stopped { place: place.clone() });
            }
        }
        let failed = |source| CollectError::Local { place: place.clone(), source };
        reading.finish().await.map_err(failed)?;
        // Half a look is no reason to forget what the other half showed.
        if !is_taken_up {
            self.forget_all_but(&places, &listed)?;
        }
        Ok(brought)
    }

    fn forget_all_but(
        &self,
        places: &[Place],
        listed: &BTreeSet<Digest>,
    ) -> Result<(), StoreError> {
        let mut gone = Vec::new();
        for entry in self.store.walk_notes::<Post>()? {
            let (id, mut post) = entry?;
            let is_here = places.iter().any(|place| post.places.contains(place));
            if !is_here || listed.contains(&Digest::of(&id)) {
                continue;
            }
            post.places.retain(|place| !places.contains(place));
            // Other places may still show it.
            if post.places.is_empty() {
                gone.push(id);
            } else {
                self.store.put_notes(&[(id, post)])?;
            }
        }
        self.store.remove_notes::<Post>(&gone)
    }
}
