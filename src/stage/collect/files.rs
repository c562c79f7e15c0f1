//! Files and folders of this machine, kept batch by batch. Places that choose from one file are
//! served by one reading of it; a dump that was cut off goes on where it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{Collect, CollectError, span::Span};
use crate::{
    domain::{
        id::Place,
        outcome::Outcome,
        post::Post,
        progress::{Asked, Start},
    },
    engine::StageName,
    source::{
        SourceSpec,
        batch::Unreadable,
        dump::Resume,
        local::{Local, LocalError, Reading},
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
pub struct Readings(Mutex<BTreeMap<Party, Arc<OnceCell<Ended>>>>);

/// How a reading ended; what cannot be read is not tried again for each of its places.
type Ended = Result<Brought, Arc<LocalError>>;

impl Readings {
    fn of(&self, party: &Party) -> Arc<OnceCell<Ended>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(party.clone()).or_default())
    }
}

/// Where a reading was cut off, and what it could not read until then.
#[derive(Serialize, Deserialize)]
struct Halt {
    resume: Resume,
    unreadable: Unreadable,
}

/// What one reading brought.
struct Brought {
    /// The place that tells what could not be read: it is of the file, not of each place.
    teller: Place,
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
        let ended = reading.get_or_try_init(|| self.read_for_all(place, &party)).await?;
        let failed =
            |source| CollectError::Local { place: place.clone(), source: Arc::clone(source) };
        let brought = ended.as_ref().map_err(failed)?;
        if let SourceSpec::Dump(dump) = spec
            // What a frame held that cannot be unpacked is anybody's guess.
            && brought.unreadable.stretches == 0
            && let Some(span) = brought.spans.get(place).cloned()
            && let Some(shown) = span.covers(Start::Within)
        {
            self.close_gaps(dump.subreddit(), &shown)?;
        }
        let is_teller = brought.teller == *place;
        let unreadable = if is_teller { brought.unreadable.clone() } else { Unreadable::default() };
        let Unreadable { count, samples, .. } = unreadable;
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
    async fn read_for_all(&self, place: &Place, party: &Party) -> Result<Ended, CollectError> {
        let stopped = || CollectError::Stopped { place: place.clone() };
        if self.stop.is_asked() {
            return Err(stopped());
        }
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
        let halt = reached.and_then(|it| serde_json::from_value::<Halt>(it.0).ok());
        let halt = halt.filter(|it| local.goes_on_from(&it.resume));
        let is_taken_up = halt.is_some();
        let (from, unreadable) = halt.map(|it| (it.resume, it.unreadable)).unzip();
        let mut listed: BTreeSet<Digest> = BTreeSet::new();
        let mut brought = Brought {
            teller: place.clone(),
            unreadable: unreadable.unwrap_or_default(),
            spans: BTreeMap::new(),
        };
        let mut reading = Reading::begin(local, from);
        loop {
            let next = tokio::select! {
                biased;
                () = self.stop.asked() => return Err(stopped()),
                next = reading.next() => next,
            };
            let Some((batch, resume)) = next else { break };
            self.store.merge_posts(&batch.posts)?;
            brought.unreadable.absorb(batch.unreadable);
            if let Some(resume) = resume {
                let halt = Halt { resume, unreadable: brought.unreadable.clone() };
                let reached = Reached(serde_json::to_value(halt).expect("it has string keys"));
                let notes: Vec<(Place, Reached)> =
                    places.iter().map(|place| (place.clone(), reached.clone())).collect();
                self.store.put_notes(&notes)?;
            }
            for (id, post) in &batch.posts {
                for place in &post.places {
                    let span = brought.spans.entry(place.clone()).or_default();
                    span.reach(id, post);
                }
                listed.insert(Digest::of(id));
            }
            let text = format!("{}: {} posts", party.0.display(), listed.len());
            self.events.word(StageName::Collect, text);
        }
        if let Err(error) = reading.finish().await {
            return Ok(Err(Arc::new(error)));
        }
        // Half a look is no reason to forget what the other half showed.
        if !is_taken_up {
            self.forget_all_but(&places, &listed)?;
        }
        Ok(Ok(brought))
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
