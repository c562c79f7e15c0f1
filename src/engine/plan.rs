//! Finds what a stage has to do, and why, without doing it. A run and a dry run both start here.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{Insistence, ItemStage, Redo, Retry, StageName, Staleness};
use crate::store::{Digest, Ending, Head, Record, Stamp, Store, StoreError, schema::RecipeText};

/// Why an item is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    New,
    RecipeChanged,
    InputChanged,
    NewRevision,
    FailedBefore,
    Aged,
    FileMissing,
    Forced,
}

impl Why {
    /// Compares what a result was made of with what it would be made of now.
    pub(super) fn differing(old: Stamp, new: Stamp) -> Option<Self> {
        if old.revision != new.revision {
            Some(Self::NewRevision)
        } else if old.recipe != new.recipe {
            Some(Self::RecipeChanged)
        } else if old.input != new.input {
            Some(Self::InputChanged)
        } else {
            None
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::RecipeChanged => "settings changed",
            Self::InputChanged => "input changed",
            Self::NewRevision => "this version works differently",
            Self::FailedBefore => "failed before",
            Self::Aged => "looked at too long ago",
            Self::FileMissing => "its file is missing",
            Self::Forced => "asked for",
        })
    }
}

/// What one stage would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StagePlan {
    pub stage: StageName,
    pub due: u64,
    pub unchanged: u64,
    pub why: BTreeMap<Why, u64>,
    /// The settings that changed: `size: 256 → 128`.
    pub changed_settings: Vec<String>,
    /// Stages before this one that have work, so that its input may change.
    pub follows: Vec<StageName>,
}

impl StagePlan {
    pub(super) fn idle(stage: StageName) -> Self {
        Self {
            stage,
            due: 0,
            unchanged: 0,
            why: BTreeMap::new(),
            changed_settings: Vec::new(),
            follows: Vec::new(),
        }
    }

    pub fn has_work(&self) -> bool {
        0 < self.due || !self.follows.is_empty()
    }
}

/// An item to work on, the stamp its result will carry, and why it is due.
pub(super) struct DueItem<S: ItemStage> {
    pub key: <S::Output as Record>::Key,
    pub input: S::Input,
    pub stamp: Stamp,
    pub why: Why,
}

/// What a look at one item found.
enum Look<S: ItemStage> {
    Unchanged,
    Due { item: DueItem<S>, recipe_before: Option<Digest> },
}

/// Plans a per-item stage.
pub fn plan<S: ItemStage>(
    stage: &S,
    store: &Store,
    insistence: &Insistence,
) -> Result<StagePlan, StoreError> {
    survey(stage, store, insistence, |_, _| ())
}

/// Plans a per-item stage and hands over each item that is due, with how many are by then.
pub(super) fn survey<S: ItemStage>(
    stage: &S,
    store: &Store,
    insistence: &Insistence,
    mut take: impl FnMut(DueItem<S>, u64),
) -> Result<StagePlan, StoreError> {
    let mut plan = StagePlan::idle(S::NAME);
    let mut changed_from = None;
    for look in looks(stage, store, insistence)? {
        match look? {
            Look::Unchanged => plan.unchanged += 1,
            Look::Due { item, recipe_before } => {
                plan.due += 1;
                *plan.why.entry(item.why).or_default() += 1;
                changed_from = recipe_before.or(changed_from);
                take(item, plan.due);
            }
        }
    }
    if let Some(old) = changed_from {
        plan.changed_settings = changed_settings(store, old, stage.recipe())?;
    }
    Ok(plan)
}

/// Finds the items of a stage that are due, one after the other.
pub(super) fn due<'a, S: ItemStage>(
    stage: &'a S,
    store: &'a Store,
    insistence: &'a Insistence,
) -> Result<impl Iterator<Item = Result<DueItem<S>, StoreError>> + use<'a, S>, StoreError> {
    Ok(looks(stage, store, insistence)?.filter_map(|look| match look {
        Ok(Look::Due { item, .. }) => Some(Ok(item)),
        Ok(Look::Unchanged) => None,
        Err(error) => Some(Err(error)),
    }))
}

/// Returns the stamp a result of `stage` carries that is made of `input`.
pub fn stamp_of<S: ItemStage>(recipe: &S::Recipe, input: &S::Input) -> Stamp {
    Stamp { revision: S::REVISION, recipe: Digest::of(recipe), input: Digest::of(input) }
}

/// Looks at every item of a stage: is its result missing, outdated or worth another try?
fn looks<'a, S: ItemStage>(
    stage: &'a S,
    store: &'a Store,
    insistence: &'a Insistence,
) -> Result<impl Iterator<Item = Result<Look<S>, StoreError>> + use<'a, S>, StoreError> {
    let recipe = Digest::of(stage.recipe());
    Ok(stage.inputs(store)?.map(move |item| {
        let (key, input) = item?;
        let stamp = Stamp { revision: S::REVISION, recipe, input: Digest::of(&input) };
        let head = store.head::<S::Output>(&key)?;
        let may_retry = || is_retried::<S::Output>(store, &key, &insistence.retry);
        let why = reason(head, stamp, insistence, may_retry)?.or_else(|| {
            match stage.is_stale(store, &key) {
                Staleness::Fresh => None,
                Staleness::Aged => Some(Why::Aged),
                Staleness::FileMissing => Some(Why::FileMissing),
            }
        });
        let Some(why) = why else { return Ok(Look::Unchanged) };
        let recipe_before =
            head.filter(|_| why == Why::RecipeChanged).map(|head| head.stamp.recipe);
        Ok(Look::Due { item: DueItem { key, input, stamp, why }, recipe_before })
    }))
}

fn reason(
    head: Option<Head>,
    stamp: Stamp,
    insistence: &Insistence,
    is_retried: impl FnOnce() -> Result<bool, StoreError>,
) -> Result<Option<Why>, StoreError> {
    let Some(head) = head else { return Ok(Some(Why::New)) };
    if let Some(why) = Why::differing(head.stamp, stamp) {
        return Ok(Some(why));
    }
    if insistence.force == Redo::Everything {
        return Ok(Some(Why::Forced));
    }
    let is_due = match (head.ending, &insistence.retry) {
        (Ending::Made | Ending::Rejected, _) | (Ending::FailedForGood, Retry::Passing) => false,
        (Ending::FailedForNow, Retry::Passing)
        | (Ending::FailedForNow | Ending::FailedForGood, Retry::AllFailed) => true,
        (Ending::FailedForNow | Ending::FailedForGood, Retry::Only(_)) => is_retried()?,
    };
    Ok(is_due.then_some(Why::FailedBefore))
}

/// Looks up whether a failure is one of those a person wants to be tried again.
fn is_retried<R: Record>(store: &Store, key: &R::Key, retry: &Retry) -> Result<bool, StoreError> {
    let Retry::Only(troubles) = retry else { return Ok(true) };
    let settled = store.get::<R>(key)?;
    let trouble = settled.as_ref().and_then(|settled| settled.failure()?.trouble);
    Ok(trouble.is_some_and(|trouble| troubles.contains(&trouble)))
}

/// Remembers a recipe by its digest, so that a later plan can say what changed.
pub fn remember_recipe(store: &Store, recipe: &impl Serialize) -> Result<(), StoreError> {
    let digest = Digest::of(recipe);
    if store.note::<RecipeText>(&digest)?.is_none() {
        let text = serde_json::to_value(recipe).expect("a recipe has string keys");
        store.put_notes(&[(digest, RecipeText(text))])?;
    }
    Ok(())
}

/// Compares a remembered recipe with today's, setting by setting.
pub(super) fn changed_settings(
    store: &Store,
    old: Digest,
    new: &impl Serialize,
) -> Result<Vec<String>, StoreError> {
    let Some(RecipeText(old)) = store.note::<RecipeText>(&old)? else { return Ok(Vec::new()) };
    Ok(changes(&old, &serde_json::to_value(new).expect("a recipe has string keys")))
}

/// Names every setting that differs between two recipes, with both values.
pub fn changes(old: &serde_json::Value, new: &serde_json::Value) -> Vec<String> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    flatten("", old, &mut before);
    flatten("", new, &mut after);
    let mut changes = Vec::new();
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (old, new) = (before.get(name), after.get(name));
        if old != new {
            let show = |value: Option<&String>| value.map_or("unset", String::as_str).to_owned();
            changes.push(format!("{name}: {} \u{2192} {}", show(old), show(new)));
        }
    }
    changes
}

fn flatten(name: &str, value: &serde_json::Value, into: &mut BTreeMap<String, String>) {
    match value.as_object() {
        Some(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, into);
            }
        }
        None => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            into.insert(name.to_owned(), text);
        }
    }
}
