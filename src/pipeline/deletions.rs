//! Follows deletions: asks the site which posts are gone, and removes what came from them,
//! through to the exports.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    run::{PipelineRunError, Ran, Wish},
    workshop::Workshop,
};
use crate::{
    domain::{
        dataset::Picture,
        day::Day,
        deletion::{Ghost, Removal, RemovedFor, Tombstone},
        id::{BlobId, PostId},
        post::{Media, Post},
    },
    engine::{StageName, events::Events, stop::Stop},
    source::reddit::{self, Meter, RedditError, Session, Site, Standing},
    store::{
        StoreError,
        answers::Answers,
        query,
        schema::{Run, RunName, SetRun},
        takedown,
    },
};

/// As many posts as one question may name.
const CHUNK: usize = 100;

/// An answer that misses more than this share of what was asked for is taken for a fault of the
/// site, not for the end of so many posts.
const MISSING_MAX: f64 = 0.5;

/// What following the deletions came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Deletions {
    /// Posts the site was asked about.
    pub asked: u64,
    /// Those that are gone, by who took them back.
    pub gone: BTreeMap<String, u64>,
    /// Pictures of those posts.
    pub pictures: u64,
    pub files_removed: u64,
    /// Pictures that were in the dataset and are not any more, their copies included.
    pub left_dataset: u64,
    /// Models that learned from pictures that were taken back.
    pub models: Vec<RunName>,
    pub rebuilt: Ran,
}

/// Whether to act on what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earnest {
    Remove,
    OnlyTell,
}

impl Workshop {
    /// Asks about every known post and removes what came from those that are gone.
    pub async fn sync_deletions(
        &self,
        earnest: Earnest,
        events: &Events,
        stop: &Stop,
    ) -> Result<Deletions, PipelineRunError> {
        let mut found = Deletions::default();
        let mut gone = BTreeMap::new();
        for site in [Site::Reddit, Site::Demo] {
            let names = self.names_at(site)?;
            if names.is_empty() {
                continue;
            }
            let session = match site {
                Site::Reddit => self.access.reddit().await?,
                Site::Demo => self.access.demo_reddit().await?,
            };
            let (asked, taken_back) = self.ask_about(&session, &names, events, stop).await?;
            found.asked += asked;
            gone.extend(taken_back);
        }
        for tombstone in gone.values() {
            *found.gone.entry(tombstone.by.clone()).or_default() += 1;
        }
        if earnest == Earnest::Remove {
            self.remove(&gone, &mut found, events, stop).await?;
        }
        Ok(found)
    }

    /// Lists the posts of a site that were there when they were last seen, by their own names.
    fn names_at(&self, site: Site) -> Result<Vec<String>, StoreError> {
        let prefix = site.post_id("").0;
        let mut names = Vec::new();
        for entry in self.store.walk_notes::<Post>()? {
            let (id, post) = entry?;
            if let Some(name) = id.0.strip_prefix(&prefix)
                && name.starts_with("t3_")
                && !matches!(post.media, Media::Removed { .. })
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Asks about posts of one site; returns how many were asked about and which are gone.
    async fn ask_about(
        &self,
        session: &Session<'_>,
        names: &[String],
        events: &Events,
        stop: &Stop,
    ) -> Result<(u64, BTreeMap<PostId, Tombstone>), PipelineRunError> {
        let meter = Meter::default();
        let (mut asked, mut gone) = (0, BTreeMap::new());
        for names in names.chunks(CHUNK) {
            if stop.is_asked() {
                break;
            }
            let standings = self.patiently(session, names, &meter).await?;
            let is_unknown = |standing: &&Standing| matches!(standing, Standing::Unknown);
            let missing = standings.values().filter(is_unknown).count();
            if 10 <= names.len() && MISSING_MAX < share(missing, names.len()) {
                return Err(PipelineRunError::Implausible { missing, asked: names.len() });
            }
            for (name, standing) in standings {
                let by = match standing {
                    Standing::There => continue,
                    Standing::Deleted => "deleted".to_owned(),
                    Standing::Removed { by } => by,
                    Standing::Unknown => "unknown to the site".to_owned(),
                };
                let tombstone = Tombstone { by, noticed_at: self.access.now() };
                gone.insert(session.site().post_id(&name), tombstone);
            }
            asked += u64::try_from(names.len()).expect("a length fits 64 bits");
            let text = format!("asked about {asked} posts, {} are gone", gone.len());
            events.word(StageName::Collect, text);
        }
        Ok((asked, gone))
    }

    async fn patiently(
        &self,
        session: &Session<'_>,
        names: &[String],
        meter: &Meter,
    ) -> Result<BTreeMap<String, Standing>, PipelineRunError> {
        let mut attempt = 1;
        loop {
            match session.standing(names, meter).await {
                Ok(standings) => return Ok(standings),
                Err(error) if error.is_transient() && attempt < self.limits.attempts_max => {
                    tokio::time::sleep(pause(&error, attempt)).await;
                    attempt += 1;
                }
                Err(error) => return Err(PipelineRunError::Asking(error)),
            }
        }
    }

    async fn remove(
        &self,
        gone: &BTreeMap<PostId, Tombstone>,
        found: &mut Deletions,
        events: &Events,
        stop: &Stop,
    ) -> Result<(), PipelineRunError> {
        let before = query::dataset(&self.store, &self.pipeline.classes)?;
        self.scrub_answers(gone)?;
        let pictures = takedown::take_back(&self.store, gone)?;
        found.pictures = u64::try_from(pictures.len()).expect("a length fits 64 bits");
        found.files_removed = takedown::bury(&self.store, &self.layout)?;
        // Whoever was killed before the end rebuilds now: these stages know what is due.
        let wish = Wish {
            from: Some(StageName::Resolve),
            to: Some(StageName::Split),
            without: BTreeSet::from([StageName::Fetch, StageName::Fingerprint]),
            ..Wish::default()
        };
        let has_exported = self.store.note::<SetRun>(&"export".to_owned())?.is_some();
        if has_exported {
            found.rebuilt = self.run(&wish, events, stop).await?;
            found.left_dataset = self.remember_removals(&before)?;
            let export = Some(StageName::Export);
            let wish = Wish { from: export, to: export, ..Wish::default() };
            let exported = self.run(&wish, events, stop).await?;
            found.rebuilt.tallies.extend(exported.tallies);
            found.rebuilt.is_interrupted |= exported.is_interrupted;
        }
        found.models = self.tainted_models()?;
        Ok(())
    }

    /// Takes the posts out of the answers that are kept for reading again.
    fn scrub_answers(&self, gone: &BTreeMap<PostId, Tombstone>) -> Result<(), PipelineRunError> {
        let mut places = BTreeSet::new();
        for id in gone.keys() {
            if let Some(post) = self.store.note::<Post>(id)? {
                places.extend(post.places);
            }
        }
        let names: BTreeSet<&str> =
            gone.keys().filter_map(|id| id.0.split_once(':')).map(|(_, name)| name).collect();
        let answers = self.answers();
        for place in places {
            for path in answers.of(&place)? {
                let (question, body) = Answers::read(&path)?;
                let without = reddit::page_without(&body, |name| names.contains(name));
                let unreadable = |source| PipelineRunError::Kept { path: path.clone(), source };
                if let Some(body) = without.map_err(unreadable)? {
                    Answers::rewrite(&path, &question, &body)?;
                }
            }
        }
        Ok(())
    }

    /// Remembers which pictures left the dataset, for those who have an earlier export.
    fn remember_removals(&self, before: &[Picture]) -> Result<u64, StoreError> {
        let after = query::dataset(&self.store, &self.pipeline.classes)?;
        let still: BTreeSet<BlobId> = after.iter().map(|it| it.blob).collect();
        let left = before.iter().filter(|it| !still.contains(&it.blob));
        let mut twins = Vec::new();
        let mut n_left = 0;
        for picture in left {
            n_left += 1;
            if self.store.note::<Removal>(&picture.blob)?.is_none() {
                let removal = Removal {
                    file_name: picture.file_name(),
                    label: picture.label.clone(),
                    split: picture.split,
                    why: RemovedFor::TwinTakenBack,
                    noticed_on: Day::of(self.access.now()),
                };
                twins.push((picture.blob, removal));
            }
        }
        self.store.put_notes::<Removal>(&twins)?;
        Ok(n_left)
    }

    /// Names the models on disk that learned from pictures that were taken back since.
    pub fn tainted_models(&self) -> Result<Vec<RunName>, StoreError> {
        let ghosts = self.store.notes::<Ghost>()?.into_iter().map(|(blob, _)| blob);
        let removed = self.store.notes::<Removal>()?.into_iter().map(|(blob, _)| blob);
        let taken: BTreeSet<BlobId> = ghosts.chain(removed).collect();
        let mut tainted = Vec::new();
        for entry in self.store.walk_notes::<Run>()? {
            let (name, run) = entry?;
            let is_there = self.layout.models().join(&name.0).exists();
            if is_there && run.learned_from.iter().any(|blob| taken.contains(blob)) {
                tainted.push(name);
            }
        }
        Ok(tainted)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of posts in one question are small")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn pause(error: &RedditError, attempt: u32) -> std::time::Duration {
    error.retry_after().unwrap_or(std::time::Duration::from_secs(u64::from(attempt)))
}
