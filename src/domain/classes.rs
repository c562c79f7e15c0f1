//! The classes of a dataset: the places each draws from, and what a post there must be like.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    id::{Label, Place},
    outcome::Reject,
    post::Post,
    rules::Rules,
};

/// One place under one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub label: Label,
    pub place: Place,
    /// What this entry asks, without what is asked of all posts.
    pub rules: Rules,
}

/// Every place of every class, in the order of labels and places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Classes {
    entries: Vec<Listed>,
    wanted: BTreeSet<Label>,
}

/// An entry, and its rules with what is asked of all posts filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Listed {
    entry: Entry,
    rules: Rules,
}

/// The classes contradict each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    #[error(
        "`{place}` is listed under `{first}` and under `{second}`: give each its own rules that \
         part them (flair, title, …), or list it once"
    )]
    SharedPlace { place: Place, first: Label, second: Label },
    #[error("class `{label}` lists no place")]
    NoPlace { label: Label },
    #[error("no class is listed: a dataset needs at least one")]
    NoClass,
}

/// What a post is to the classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim<'a> {
    pub label: &'a Label,
    pub place: &'a Place,
    pub rules: &'a Rules,
}

impl Classes {
    /// Checks and sorts the entries; `defaults` is asked of all posts unless an entry says
    /// otherwise. A label without an entry is an error.
    pub fn new(
        labels: BTreeSet<Label>,
        mut entries: Vec<Entry>,
        defaults: &Rules,
    ) -> Result<Self, ClassesError> {
        if labels.is_empty() {
            return Err(ClassesError::NoClass);
        }
        let is_bare = |label: &&Label| !entries.iter().any(|entry| entry.label == **label);
        if let Some(label) = labels.iter().find(is_bare) {
            return Err(ClassesError::NoPlace { label: label.clone() });
        }
        entries.sort_by(|a, b| (&a.label, &a.place).cmp(&(&b.label, &b.place)));
        for (n, entry) in entries.iter().enumerate() {
            if let Some(other) = entries[..n].iter().find(|it| !it.is_parted_from(entry)) {
                return Err(ClassesError::SharedPlace {
                    place: entry.place.clone(),
                    first: other.label.clone(),
                    second: entry.label.clone(),
                });
            }
        }
        let listed = |entry: Entry| Listed { rules: entry.rules.or(defaults), entry };
        Ok(Self { entries: entries.into_iter().map(listed).collect(), wanted: labels })
    }

    /// Returns classes that take every post of their places.
    pub fn plain(listed: &BTreeMap<Label, Vec<Place>>) -> Result<Self, ClassesError> {
        let entries = listed.iter().flat_map(|(label, places)| {
            places.iter().map(|place| Entry {
                label: label.clone(),
                place: place.clone(),
                rules: Rules::default(),
            })
        });
        Self::new(listed.keys().cloned().collect(), entries.collect(), &Rules::default())
    }

    /// Tells which entry a post belongs to by its places and the rules: the first that accepts
    /// it, if all that do are of one class. The other error is why the first entry refused it.
    pub fn claim(&self, post: &Post) -> Result<Claim<'_>, Reject> {
        let mut accepted: Option<Claim> = None;
        let mut labels = BTreeSet::new();
        let mut refusal = None;
        for Listed { entry, rules } in &self.entries {
            if !post.places.contains(&entry.place) {
                continue;
            }
            match rules.accept(post) {
                Ok(()) => {
                    labels.insert(entry.label.clone());
                    let claim = Claim { label: &entry.label, place: &entry.place, rules };
                    accepted.get_or_insert(claim);
                }
                Err(reject) => {
                    refusal.get_or_insert(reject);
                }
            }
        }
        match accepted {
            Some(_) if 1 < labels.len() => Err(Reject::SeveralClasses { labels }),
            Some(claim) => Ok(claim),
            None => Err(refusal.expect("only posts of listed places are asked about")),
        }
    }

    /// Returns the class to count a post under, also one that the rules refuse; `None` where only
    /// the rules could have told.
    pub fn counted_under(&self, post: &Post) -> Option<&Label> {
        let claimed = self.claim(post).ok().map(|claim| claim.label);
        claimed.or_else(|| {
            let of_places = |it: &&Entry| post.places.contains(&it.place);
            let labels: BTreeSet<&Label> =
                self.wanted_entries().filter(of_places).map(|it| &it.label).collect();
            if labels.len() == 1 { labels.into_iter().next() } else { None }
        })
    }

    /// Tells whether a wanted class lists any place of the post.
    pub fn lists(&self, post: &Post) -> bool {
        post.places.iter().any(|place| self.lists_place(place))
    }

    pub fn lists_place(&self, place: &Place) -> bool {
        self.labels_of(place).next().is_some()
    }

    /// Returns the wanted classes that draw from a place: several if rules part them.
    pub fn labels_of<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Label> {
        self.wanted_entries().filter(move |it| it.place == *place).map(|it| &it.label)
    }

    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.wanted.iter()
    }

    pub fn places(&self) -> BTreeSet<&Place> {
        self.wanted_entries().map(|entry| &entry.place).collect()
    }

    fn wanted_entries(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter().map(|listed| &listed.entry);
        entries.filter(|entry| self.wanted.contains(&entry.label))
    }

    /// Returns the same dataset with only one class wanted, the rules of the others still in
    /// force; `None` if there is no such class.
    #[must_use]
    pub fn only(&self, label: &Label) -> Option<Self> {
        let wanted = self.wanted.contains(label).then(|| BTreeSet::from([label.clone()]))?;
        Some(Self { wanted, ..self.clone() })
    }
}

impl Entry {
    /// Tells whether a post of the same place can be of one class and not of the other.
    fn is_parted_from(&self, other: &Self) -> bool {
        self.place != other.place
            || self.label == other.label
            || self.rules.can_part_from(&other.rules)
    }
}

#[cfg(test)]
mod tests;
