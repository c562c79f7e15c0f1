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
        deletion::{Ghost, Removal, Tombstone},
        id::{BlobId, PostId},
        link::MediaUrl,
        post::{Media, Post},
    },
    engine::{StageName, events::Events, stop::Stop},
    source::reddit::{self, Meter, RedditError, Session, Site, Standing},
    stage::resolve,
    store::{
        StoreError,
        answers::Answers,
        files,
        schema::{Run, RunName, SetRun, Withdrawn},
        takedown::{self, Withdrawal},
    },
};

/// As many posts as one question may name.
const CHUNK: usize = 100;

/// What following the deletions came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Deletions {
    /// Posts the site was asked about.
    pub asked: u64,
    /// Those that are gone, by who took them back.
    pub gone: BTreeMap<String, u64>,
    /// Posts the site says nothing of, neither that they are there nor that they are gone; a
    /// closed subreddit does that. They are left alone.
    pub untold: u64,
    /// Pictures of the posts that are gone, with the copies known of them.
    pub pictures: u64,
    pub files_removed: u64,
    /// Pictures that were in the dataset and are not any more.
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

/// Every post a site can be asked about: those that are known, and the parents of crossposts with
/// the crossposts that show their pictures.
type Names = BTreeMap<String, Vec<PostId>>;

/// What a site said of the posts it was asked about.
#[derive(Default)]
struct Told {
    asked: u64,
    untold: u64,
    /// By the site's own names.
    gone: BTreeMap<String, Tombstone>,
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
        let mut trouble = None;
        for site in [Site::Reddit, Site::Demo] {
            let names = self.names_at(site)?;
            if names.is_empty() {
                continue;
            }
            let session = match site {
                Site::Reddit => self.access.reddit().await?,
                Site::Demo => self.access.demo_reddit().await?,
            };
            let (told, ended) = self.ask_about(&session, &names, events, stop).await;
            found.asked += told.asked;
            found.untold += told.untold;
            for (name, tombstone) in told.gone {
                gone.extend(self.withdrawals(site, &name, &names, &tombstone)?);
            }
            trouble = ended.err().or(trouble);
        }
        for withdrawal in gone.values() {
            *found.gone.entry(withdrawal.tombstone.by.clone()).or_default() += 1;
        }
        if earnest == Earnest::Remove {
            gone.extend(self.noticed_before()?);
            self.remove(&gone, &mut found, events, stop).await?;
        }
        // What was found before the trouble began has been acted on.
        trouble.map_or(Ok(found), Err)
    }

    /// Lists what a site can be asked about: posts that were there when they were last seen.
    fn names_at(&self, site: Site) -> Result<Names, StoreError> {
        let prefix = site.post_id("").0;
        let mut names = Names::new();
        for entry in self.store.walk_notes::<Post>()? {
            let (id, post) = entry?;
            let Some(name) = id.0.strip_prefix(&prefix).filter(|it| it.starts_with("t3_")) else {
                continue;
            };
            if post.is_removed() {
                continue;
            }
            names.entry(name.to_owned()).or_default();
            if let Media::Crosspost { of, .. } = &post.media
                && of.starts_with("t3_")
            {
                names.entry(of.clone()).or_default().push(id);
            }
        }
        Ok(names)
    }

    /// Asks about posts of one site. What was told before a trouble is told all the same.
    async fn ask_about(
        &self,
        session: &Session<'_>,
        names: &Names,
        events: &Events,
        stop: &Stop,
    ) -> (Told, Result<(), PipelineRunError>) {
        let meter = Meter::default();
        let mut told = Told::default();
        let names: Vec<String> = names.keys().cloned().collect();
        for names in names.chunks(CHUNK) {
            if stop.is_asked() {
                break;
            }
            let standings = match self.patiently(session, names, &meter).await {
                Ok(standings) => standings,
                Err(error) => return (told, Err(error)),
            };
            for (name, standing) in standings {
                let by = match standing {
                    Standing::There => continue,
                    Standing::Deleted => "deleted".to_owned(),
                    Standing::Removed { by } => by,
                    Standing::Unknown => {
                        told.untold += 1;
                        continue;
                    }
                };
                let noticed_at = self.access.now();
                told.gone.insert(name, Tombstone { by, noticed_at });
            }
            told.asked += u64::try_from(names.len()).expect("a length fits 64 bits");
            let n_gone = told.gone.len();
            let text = format!("asked about {} posts, {n_gone} are gone", told.asked);
            events.word(StageName::Collect, text);
        }
        (told, Ok(()))
    }

    /// Names what goes with a post: itself with its own pictures, and of its crossposts the
    /// pictures that were its own. A crosspost that goes leaves its parent's pictures.
    fn withdrawals(
        &self,
        site: Site,
        name: &str,
        names: &Names,
        tombstone: &Tombstone,
    ) -> Result<Vec<(PostId, Withdrawal)>, StoreError> {
        let own = site.post_id(name);
        let crossposts = names.get(name).into_iter().flatten();
        let mut withdrawals = Vec::new();
        for id in std::iter::once(&own).chain(crossposts) {
            let Some(post) = self.store.note::<Post>(id)? else { continue };
            let keeps = *id == own && matches!(post.media, Media::Crosspost { .. });
            let addresses = if keeps { Vec::new() } else { shown(id, &post) };
            let mut tombstone = tombstone.clone();
            if *id != own {
                tombstone.by = format!("original {}", tombstone.by);
            }
            withdrawals.push((id.clone(), Withdrawal { tombstone, addresses }));
        }
        Ok(withdrawals)
    }

    /// Names what the sources told to be gone while they were listed.
    fn noticed_before(&self) -> Result<BTreeMap<PostId, Withdrawal>, StoreError> {
        let mut gone = BTreeMap::new();
        for (id, Withdrawn(before)) in self.store.notes::<Withdrawn>()? {
            let now = self.store.note::<Post>(&id)?.map(|post| post.media);
            let Some(Media::Removed { by }) = now else { continue };
            let is_crosspost = matches!(before.media, Media::Crosspost { .. });
            let addresses = if is_crosspost { Vec::new() } else { shown(&id, &before) };
            let tombstone = Tombstone { by, noticed_at: self.access.now() };
            gone.insert(id, Withdrawal { tombstone, addresses });
        }
        Ok(gone)
    }

    /// Removes what came from posts of which a source has told, while it was listed, that they
    /// are gone.
    pub(super) fn follow_what_was_noticed(&self) -> Result<(), PipelineRunError> {
        let gone = self.noticed_before()?;
        if !gone.is_empty() {
            self.take_back(&gone)?;
        }
        Ok(())
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
        gone: &BTreeMap<PostId, Withdrawal>,
        found: &mut Deletions,
        events: &Events,
        stop: &Stop,
    ) -> Result<(), PipelineRunError> {
        let before = self.store.notes::<Removal>()?.len();
        (found.pictures, found.files_removed) = self.take_back(gone)?;
        // Whoever was killed before the end rebuilds now: these stages know what is due.
        let wish = Wish {
            from: Some(StageName::Resolve),
            to: Some(StageName::Export),
            without: BTreeSet::from([StageName::Fetch, StageName::Fingerprint]),
            ..Wish::default()
        };
        if self.store.note::<SetRun>(&"export".to_owned())?.is_some() {
            found.rebuilt = self.run(&wish, events, stop).await?;
        }
        let left = self.store.notes::<Removal>()?.len() - before;
        found.left_dataset = number(left);
        found.models = self.tainted_models()?;
        Ok(())
    }

    /// Forgets posts, their answers and their pictures; returns how many pictures and files.
    fn take_back(
        &self,
        gone: &BTreeMap<PostId, Withdrawal>,
    ) -> Result<(u64, u64), PipelineRunError> {
        self.scrub_answers(gone)?;
        let pictures = takedown::take_back(&self.store, gone)?;
        let n_files = takedown::bury(&self.store, &self.layout)?;
        let followed: Vec<PostId> = gone.keys().cloned().collect();
        self.store.remove_notes::<Withdrawn>(&followed)?;
        Ok((number(pictures.len()), n_files))
    }

    /// Takes the posts out of the answers that are kept for reading again. An answer that cannot
    /// be understood is not kept any longer.
    fn scrub_answers(&self, gone: &BTreeMap<PostId, Withdrawal>) -> Result<(), PipelineRunError> {
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
                let scrubbed = Answers::read(&path).ok().and_then(|(question, body)| {
                    let without = reddit::page_without(&body, |name| names.contains(name));
                    without.ok().map(|body| (question, body))
                });
                match scrubbed {
                    Some((question, Some(body))) => Answers::rewrite(&path, &question, &body)?,
                    Some((_, None)) => (),
                    None => files::remove_if_any(&path)?,
                }
            }
        }
        Ok(())
    }

    /// Names the models on disk that learned from pictures that were taken back since.
    pub fn tainted_models(&self) -> Result<Vec<RunName>, PipelineRunError> {
        let ghosts = self.store.notes::<Ghost>()?.into_iter().map(|(blob, _)| blob);
        let removed = self.store.notes::<Removal>()?.into_iter().map(|(blob, _)| blob);
        let taken: BTreeSet<BlobId> = ghosts.chain(removed).collect();
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        // A model nobody knows the pictures of may have learned from any.
        let mut tainted: Vec<RunName> = Vec::new();
        for folder in files::entries(&self.layout.models())? {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let name = RunName(name.to_owned());
            if self.store.note::<Run>(&name)?.is_none() {
                tainted.push(name);
            }
        }
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

/// Names the pictures a post shows, whatever the rules say of it.
fn shown(id: &PostId, post: &Post) -> Vec<MediaUrl> {
    resolve::addresses(id, &post.media, post.preview.as_deref())
}

fn number(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}

fn pause(error: &RedditError, attempt: u32) -> std::time::Duration {
    error.retry_after().unwrap_or(std::time::Duration::from_secs(u64::from(attempt)))
}
