//! All posts and pictures of one site, and which of them are gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use super::{
    SiteOptions,
    address::{self, Address, IMGUR},
    big,
    catalogue::{self, Entry, Shot, Shows},
    deletion::Deletion,
    draw::Class,
    elsewhere, troubles,
};

/// How many pictures each subreddit lists that only tests visit.
const SPECIAL_POSTS: usize = 8;

#[derive(Debug)]
pub(super) struct World {
    /// As they were posted, oldest first, deleted ones too.
    rows: BTreeMap<String, Vec<Entry>>,
    /// Id → subreddit and place in its row.
    places: BTreeMap<String, (String, usize)>,
    shots: BTreeMap<Address, Shot>,
    // Posts may be deleted while clients are being answered.
    gone: Mutex<Gone>,
}

#[derive(Debug, Default)]
struct Gone {
    ids: BTreeSet<String>,
    addresses: BTreeSet<Address>,
}

impl World {
    pub(super) fn new(options: &SiteOptions) -> Self {
        let rows = rows(options);
        let mut places = BTreeMap::new();
        let mut shots = BTreeMap::new();
        for (subreddit, row) in &rows {
            for (place, entry) in row.iter().enumerate() {
                places.insert(entry.id.clone(), (subreddit.clone(), place));
                for shot in entry.shots() {
                    shots.insert(shot.address.clone(), shot.clone());
                }
            }
        }
        let world = Self { rows, places, shots, gone: Mutex::default() };
        for (subreddit, count) in &options.deleted {
            let row = world.row(subreddit).unwrap_or_default();
            let deletion = Deletion { count: *count, usual: usual(subreddit) };
            deletion.chosen(row).for_each(|entry| world.delete(entry));
        }
        world
    }

    /// Returns all posts of a subreddit, oldest first, deleted ones too.
    pub(super) fn row(&self, subreddit: &str) -> Option<&[Entry]> {
        self.rows.get(subreddit).map(Vec::as_slice)
    }

    /// Names all subreddits that have posts.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Returns the posts of a subreddit that are still there, oldest first.
    pub(super) fn living(&self, subreddit: &str) -> Option<Vec<&Entry>> {
        let row = self.row(subreddit)?;
        let gone = self.gone.lock().expect("nobody panics while looking");
        Some(row.iter().filter(|entry| !gone.ids.contains(&entry.id)).collect())
    }

    /// Finds a post by its id, without `t3_`.
    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        let (subreddit, place) = self.places.get(id)?;
        self.rows.get(subreddit)?.get(*place)
    }

    pub(super) fn is_gone(&self, entry: &Entry) -> bool {
        self.gone.lock().expect("nobody panics while looking").ids.contains(&entry.id)
    }

    /// Finds what a host has at an address, unless its post is gone.
    pub(super) fn shot(&self, address: &Address) -> Option<&Shot> {
        let gone = self.gone.lock().expect("nobody panics while looking");
        // One host gives its pictures under any extension.
        let stem = Address { host: IMGUR, path: format!("/{}.", address.stem()) };
        let renamed = || {
            let (known, shot) = self.shots.range(&stem..).next()?;
            let is_same =
                address.host == IMGUR && known.host == IMGUR && known.path.starts_with(&stem.path);
            is_same.then_some((known, shot))
        };
        let (known, shot) = self.shots.get_key_value(address).or_else(renamed)?;
        (!gone.addresses.contains(known)).then_some(shot)
    }

    /// Deletes a post and its pictures.
    pub(super) fn delete(&self, entry: &Entry) {
        let mut gone = self.gone.lock().expect("nobody panics while looking");
        gone.addresses.extend(entry.shots().iter().map(|shot| shot.address.clone()));
        gone.ids.insert(entry.id.clone());
    }

    /// Deletes a post whose pictures others show under the same address.
    pub(super) fn delete_post_alone(&self, entry: &Entry) {
        let mut gone = self.gone.lock().expect("nobody panics while looking");
        gone.ids.insert(entry.id.clone());
    }
}

/// Returns after how many posts of a subreddit its deletions happened.
pub(super) fn usual(subreddit: &str) -> usize {
    if subreddit == big::NAME { big::POSTS_USUAL } else { catalogue::POSTS_USUAL }
}

/// Writes all posts; the large subreddit only if it is asked for.
fn rows(options: &SiteOptions) -> BTreeMap<String, Vec<Entry>> {
    let count =
        |class: Class| options.posts.get(class.name()).copied().unwrap_or(catalogue::POSTS_USUAL);
    let longest = Class::ALL.map(count).into_iter().max().unwrap_or_default();
    // The special subreddits borrow pictures even from an empty site.
    let written = catalogue::write_after(&options.deleted, longest.max(SPECIAL_POSTS * 2));
    let [beetles, _] = &written;
    let mut rows: BTreeMap<String, Vec<Entry>> =
        troubles::open().map(|name| (name.to_owned(), special(name, beetles))).collect();
    for (class, mut row) in Class::ALL.into_iter().zip(written) {
        row.truncate(count(class));
        rows.insert(class.name().to_owned(), row);
    }
    rows.insert(elsewhere::NAME.to_owned(), elsewhere::write());
    if let Some(posts) = options.posts.get(big::NAME) {
        let deleted = options.deleted.get(big::NAME).copied().unwrap_or_default();
        rows.insert(big::NAME.to_owned(), big::write(*posts, deleted));
    }
    rows
}

/// Lists the first plain pictures of `beetles` under posts of their own.
fn special(subreddit: &str, beetles: &[Entry]) -> Vec<Entry> {
    let plain = beetles.iter().filter(|entry| match &entry.shows {
        Shows::Picture(_) => entry.plant.is_none(),
        Shows::Copy { .. }
        | Shows::Gallery { .. }
        | Shows::Crosspost { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Removed { .. }
        | Shows::Elsewhere { .. } => false,
    });
    let own = plain.take(SPECIAL_POSTS).enumerate().map(|(place, entry)| Entry {
        id: address::special_post_id(subreddit, place),
        subreddit: subreddit.to_owned(),
        ..entry.clone()
    });
    own.collect()
}
