//! What every place gave and what became of it, class by class: counted in one walk over the
//! posts, so that memory does not grow with them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};

use super::{Digest, Records, Store, StoreError, derived::Question, query};
use crate::domain::{
    classes::Classes,
    fingerprint::Fingerprint,
    id::{BlobId, Label, Place, PostId},
    link::{Download, MediaLink, Resolution, Resolved, Trouble},
    outcome::{Failure, Outcome},
    post::Post,
    verdict::{DropReason, Ruling, Verdict},
};

/// One place of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `None` for posts of which only the rules could have told the class, and did not.
    pub class: Option<Label>,
    pub place: String,
    pub posts: u64,
    /// Pictures the posts point at.
    pub links: u64,
    /// Links whose picture was fetched, for this link or for another of the same address.
    pub fetched: u64,
    /// In the dataset, or on the way there.
    pub kept: u64,
    pub duplicates: Duplicates,
    pub rejected: Counts,
    pub failed: Counts,
    /// Not looked at yet by some stage.
    pub pending: u64,
}

/// How many there are of each kind.
pub type Counts = BTreeMap<Cow<'static, str>, u64>;

/// Pictures that were there already, by how it was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    pub same_address: u64,
    pub same_bytes: u64,
    pub twins: u64,
}

impl Duplicates {
    pub fn all(self) -> u64 {
        self.same_address + self.same_bytes + self.twins
    }
}

impl Account {
    pub fn n_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    pub fn n_failed(&self) -> u64 {
        self.failed.values().sum()
    }
}

type Key = (Option<Label>, Place);

struct Ledger<'a> {
    store: &'a Store,
    resolutions: Records<Resolution>,
    accounts: BTreeMap<Key, Account>,
    addresses: BTreeSet<Digest>,
    blobs: BTreeSet<BlobId>,
}

/// Counts what every place of every class gave; of pictures shown twice the first post counts.
pub fn accounts(store: &Store, classes: &Classes) -> Result<Vec<Account>, StoreError> {
    store.derived(Question::Accounts, classes, || counted(store, classes))
}

fn counted(store: &Store, classes: &Classes) -> Result<Vec<Account>, StoreError> {
    let mut ledger = Ledger {
        store,
        resolutions: store.records_in_order()?,
        accounts: BTreeMap::new(),
        addresses: BTreeSet::new(),
        blobs: BTreeSet::new(),
    };
    for place in classes.places() {
        for label in classes.labels_of(place) {
            ledger.account((Some(label.clone()), place.clone()));
        }
    }
    for entry in query::posts(store, classes)? {
        let (id, post) = entry?;
        ledger.count(classes, &id, &post)?;
    }
    Ok(ledger.accounts.into_values().collect())
}

impl Ledger<'_> {
    fn account(&mut self, key: Key) -> &mut Account {
        let fresh = |key: &Key| Account {
            class: key.0.clone(),
            place: key.1.to_string(),
            ..Account::default()
        };
        let account = fresh(&key);
        self.accounts.entry(key).or_insert(account)
    }

    fn count(&mut self, classes: &Classes, id: &PostId, post: &Post) -> Result<(), StoreError> {
        let settled = self.resolutions.get(id)?.map(|settled| settled.outcome);
        let resolution = match settled {
            Some(Outcome::Made(resolution)) => resolution,
            other => {
                let key = (classes.counted_under(post).cloned(), first_listed(classes, post));
                let account = self.account(key);
                account.posts += 1;
                match other {
                    Some(Outcome::Rejected(reject)) => add(&mut account.rejected, reject.kind()),
                    Some(Outcome::Failed(failure)) => add(&mut account.failed, kind(&failure)),
                    Some(Outcome::Made(_)) | None => account.pending += 1,
                }
                return Ok(());
            }
        };
        let key = (Some(resolution.label), resolution.place);
        self.account(key.clone()).posts += 1;
        for item in resolution.items {
            match item {
                Resolved::Link(link) => self.follow(key.clone(), &link)?,
                Resolved::Rejected(reject) => {
                    add(&mut self.account(key.clone()).rejected, reject.kind());
                }
            }
        }
        Ok(())
    }

    fn follow(&mut self, key: Key, link: &MediaLink) -> Result<(), StoreError> {
        let is_new = self.addresses.insert(Digest::of(&link.url));
        let settled = self.store.get::<Download>(&link.url)?.map(|settled| settled.outcome);
        let blob = match &settled {
            Some(Outcome::Made(download)) => Some(download.blob),
            Some(Outcome::Rejected(_) | Outcome::Failed(_)) | None => None,
        };
        let is_first = blob.is_none_or(|blob| self.blobs.insert(blob));
        let verdict = match blob {
            Some(blob) if is_first => self.store.note::<Verdict>(&blob)?,
            Some(_) | None => None,
        };
        let account = self.account(key.clone());
        account.links += 1;
        match settled {
            Some(Outcome::Made(_)) => account.fetched += 1,
            Some(Outcome::Rejected(reject)) => add(&mut account.rejected, reject.kind()),
            Some(Outcome::Failed(failure)) => add(&mut account.failed, kind(&failure)),
            None => account.pending += 1,
        }
        let Some(blob) = blob else { return Ok(()) };
        match verdict.map(|verdict| verdict.ruling) {
            _ if !is_new => account.duplicates.same_address += 1,
            _ if !is_first => account.duplicates.same_bytes += 1,
            Some(Ruling::Keep { .. }) => account.kept += 1,
            Some(Ruling::Drop(DropReason::Twin { .. })) => account.duplicates.twins += 1,
            Some(Ruling::Drop(reason)) => add(&mut account.rejected, reason.kind()),
            None => {
                let print = self.store.get::<Fingerprint>(&blob)?.map(|settled| settled.outcome);
                let account = self.account(key);
                match print {
                    Some(Outcome::Rejected(reject)) => add(&mut account.rejected, reject.kind()),
                    Some(Outcome::Failed(failure)) => add(&mut account.failed, kind(&failure)),
                    Some(Outcome::Made(_)) | None => account.pending += 1,
                }
            }
        }
        Ok(())
    }
}

fn first_listed(classes: &Classes, post: &Post) -> Place {
    let listed = post.places.iter().find(|place| classes.lists_place(place));
    listed.expect("only posts of listed places are asked for").clone()
}

fn add(counts: &mut Counts, kind: &'static str) {
    *counts.entry(Cow::Borrowed(kind)).or_default() += 1;
}

fn kind(failure: &Failure) -> &'static str {
    failure.trouble.map_or("other trouble", Trouble::word)
}

#[cfg(test)]
mod tests;
