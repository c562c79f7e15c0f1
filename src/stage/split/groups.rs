//! The judged pictures → which of them must be on one side together, and since when they are known.

use std::collections::BTreeMap;

use super::{
    Splitting,
    table::{Bucket, GroupBy},
};
use crate::{
    domain::{
        id::{BlobId, Label, Place, PostId},
        split::{Member, Mode},
        verdict::{Ruling, Verdict, components},
    },
    store::{
        Store, StoreError,
        query::{self, Sighting},
    },
};

/// What pictures have in common that must be on one side together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Post(PostId),
    /// An author of a site; the same name elsewhere is somebody else.
    Author(String, String),
    /// A stretch of time in one place.
    Bucket(Place, i64),
}

impl Splitting<'_> {
    /// Lists all judged pictures with their groups: components of twins and of what the table
    /// asks for.
    pub(super) fn members(&self, store: &Store) -> Result<BTreeMap<BlobId, Member>, StoreError> {
        let table = self.recipe.table;
        let verdicts: BTreeMap<BlobId, Verdict> = store.notes()?.into_iter().collect();
        let mut edges: Vec<(BlobId, BlobId)> =
            verdicts.iter().map(|(blob, verdict)| (*blob, verdict.leak_group)).collect();
        let is_by_time = matches!(table.rule.mode(), Mode::Newest(_) | Mode::Cuts(_));
        let mut shown_at: BTreeMap<BlobId, i64> = BTreeMap::new();
        if is_by_time || table.group != GroupBy::Twin || table.bucket != Bucket::None {
            let mut first_of: BTreeMap<Bond, BlobId> = BTreeMap::new();
            for (blob, sightings) in query::sightings_by_blob(store, self.classes)? {
                // A file nobody judged, such as a broken one, cannot hold others together.
                if !verdicts.contains_key(&blob) {
                    continue;
                }
                for sighting in &sightings {
                    if let Some(at) = sighting.created_utc.filter(|_| is_by_time) {
                        let first = shown_at.entry(blob).or_insert(at);
                        *first = at.min(*first);
                    }
                    for bond in bonds(sighting, table.group, table.bucket) {
                        edges.push((blob, *first_of.entry(bond).or_insert(blob)));
                    }
                }
            }
        }
        let groups = components(verdicts.keys(), edges.into_iter());
        let label = |verdict: &Verdict| -> Option<Label> {
            match &verdict.ruling {
                Ruling::Keep { label } => Some(label.clone()),
                Ruling::Drop(_) => None,
            }
        };
        Ok(verdicts
            .iter()
            .map(|(blob, verdict)| {
                let shown_at = shown_at.get(blob).copied();
                (*blob, Member { group: groups[blob], label: label(verdict), shown_at })
            })
            .collect())
    }
}

/// Lists what binds a picture to others that share it.
fn bonds(sighting: &Sighting, group: GroupBy, bucket: Bucket) -> Vec<Bond> {
    let post = &sighting.link.post;
    let mut bonds = Vec::new();
    if GroupBy::Post <= group {
        bonds.push(Bond::Post(post.clone()));
        bonds.extend(sighting.crosspost_of.clone().map(Bond::Post));
    }
    if GroupBy::Author <= group
        && let Some(author) = &sighting.author
    {
        bonds.push(Bond::Author(post.site().to_owned(), author.clone()));
    }
    let number = sighting.created_utc.and_then(|at| bucket.of(at));
    bonds.extend(number.map(|number| Bond::Bucket(sighting.place.clone(), number)));
    bonds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::link::{LinkId, MediaLink, MediaUrl};

    fn sighting(post: &str) -> Sighting {
        let media = MediaLink::to(MediaUrl("https://i.redd.it/a.jpg".to_owned()));
        Sighting {
            link: LinkId { post: PostId(post.to_owned()), index: 0 },
            label: Label::new("cats").unwrap(),
            media,
            place: Place("r/cats".to_owned()),
            score: 1,
            created_utc: Some(86_400),
            author: Some("ann".to_owned()),
            crosspost_of: Some(PostId("reddit:t3_b".to_owned())),
        }
    }

    #[test]
    fn each_way_of_grouping_takes_in_the_one_before() {
        let n = |group, bucket| bonds(&sighting("reddit:t3_a"), group, bucket).len();

        assert_eq!(n(GroupBy::Twin, Bucket::None), 0);
        assert_eq!(n(GroupBy::Post, Bucket::None), 2);
        assert_eq!(n(GroupBy::Author, Bucket::None), 3);
        assert_eq!(n(GroupBy::Author, Bucket::Day), 4);
    }

    #[test]
    fn a_crosspost_is_bound_to_its_parent_and_a_namesake_elsewhere_is_not() {
        let author = |post: &str| bonds(&sighting(post), GroupBy::Author, Bucket::None).pop();
        let parent = Bond::Post(PostId("reddit:t3_b".to_owned()));

        assert!(bonds(&sighting("reddit:t3_a"), GroupBy::Post, Bucket::None).contains(&parent));
        assert!(author("reddit:t3_a") == author("reddit:t3_c"));
        assert!(author("reddit:t3_a") != author("urls:a"));
    }
}
