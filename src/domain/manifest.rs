//! What changed from one version of a dataset to another, for the notes of the new version.

use std::{collections::BTreeMap, fmt::Write as _};

/// A picture as a manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Names the source picture, whatever its class or part: 16 digits of its digest.
    pub picture: String,
    pub label: String,
    pub split: String,
    /// SHA-256 of the prepared file.
    pub sha256: String,
}

impl Entry {
    /// Reads the name a file has in the dataset: `train/cats/cats-0123456789abcdef.jpg`.
    pub fn picture_of(file_name: &str) -> Option<String> {
        let name = file_name.rsplit('/').next()?;
        let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
        let (_, digits) = stem.rsplit_once('-')?;
        let is_digest = digits.len() == 16 && digits.bytes().all(|it| it.is_ascii_hexdigit());
        is_digest.then(|| digits.to_owned())
    }
}

/// What became of the pictures between two versions, each list in the order of the pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<Entry>,
    pub removed: Vec<Entry>,
    /// In another part than before, as it was and as it is.
    pub moved: Vec<(Entry, Entry)>,
    /// In another class than before.
    pub relabelled: Vec<(Entry, Entry)>,
    /// In its place, but prepared in another way.
    pub altered: Vec<(Entry, Entry)>,
    pub n_same: usize,
}

/// Compares two manifests, whatever order they list their pictures in. A picture that changed
/// class and part is told once, by its class.
pub fn diff(old: &[Entry], new: &[Entry]) -> Changes {
    let by_picture = |entries: &[Entry]| -> BTreeMap<String, Entry> {
        entries.iter().map(|entry| (entry.picture.clone(), entry.clone())).collect()
    };
    let (old, new) = (by_picture(old), by_picture(new));
    let mut changes = Changes::default();
    for (picture, now) in &new {
        let Some(before) = old.get(picture) else {
            changes.added.push(now.clone());
            continue;
        };
        let pair = || (before.clone(), now.clone());
        if before.label != now.label {
            changes.relabelled.push(pair());
        } else if before.split != now.split {
            changes.moved.push(pair());
        } else if before.sha256 != now.sha256 {
            changes.altered.push(pair());
        } else {
            changes.n_same += 1;
        }
    }
    let left = old.into_iter().filter(|(picture, _)| !new.contains_key(picture));
    changes.removed = left.map(|(_, entry)| entry).collect();
    changes
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        *self == Self { n_same: self.n_same, ..Self::default() }
    }

    /// Writes the changes as notes of a version: counts by class and part, no names.
    pub fn notes(&self) -> String {
        if self.is_empty() {
            return format!("The same {} pictures as before.\n", self.n_same);
        }
        let mut text = String::new();
        let mut told = |what: &str, entries: &mut dyn Iterator<Item = String>| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for key in entries {
                *counts.entry(key).or_default() += 1;
            }
            let n: usize = counts.values().sum();
            if 0 < n {
                let parts: Vec<String> =
                    counts.iter().map(|(key, n)| format!("{n} {key}")).collect();
                writeln!(text, "- {n} {what}: {}", parts.join(", "))
                    .expect("writing to a string cannot fail");
            }
        };
        let place = |it: &Entry| format!("{} ({})", it.label, it.split);
        told("added", &mut self.added.iter().map(place));
        told("removed", &mut self.removed.iter().map(place));
        let sides =
            |(a, b): &(Entry, Entry)| format!("{} from {} to {}", b.label, a.split, b.split);
        told("moved to another part", &mut self.moved.iter().map(sides));
        let classes = |(a, b): &(Entry, Entry)| format!("from {} to {}", a.label, b.label);
        told("in another class", &mut self.relabelled.iter().map(classes));
        told("prepared anew", &mut self.altered.iter().map(|(_, b)| place(b)));
        if self.moved.iter().any(|(a, b)| a.split == "test" || b.split == "test") {
            text.push_str("- Results on test cannot be compared with those of before.\n");
        }
        writeln!(text, "- {} as before", self.n_same).expect("writing to a string cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(picture: &str, label: &str, split: &str, sha256: &str) -> Entry {
        let [picture, label, split, sha256] = [picture, label, split, sha256].map(str::to_owned);
        Entry { picture, label, split, sha256 }
    }

    #[test]
    fn every_picture_is_in_exactly_one_list_whatever_the_order() {
        let old = [
            entry("1", "cats", "train", "a"),
            entry("2", "cats", "test", "b"),
            entry("3", "cats", "val", "c"),
            entry("4", "dogs", "train", "d"),
            entry("5", "dogs", "train", "e"),
        ];
        let mut new = [
            entry("1", "cats", "train", "a"),
            entry("2", "cats", "train", "b"),
            entry("3", "dogs", "test", "c"),
            entry("4", "dogs", "train", "dd"),
            entry("6", "dogs", "train", "f"),
        ];
        new.reverse();

        let changes = diff(&old, &new);

        let expected = Changes {
            added: vec![entry("6", "dogs", "train", "f")],
            removed: vec![entry("5", "dogs", "train", "e")],
            moved: vec![(old[1].clone(), entry("2", "cats", "train", "b"))],
            relabelled: vec![(old[2].clone(), entry("3", "dogs", "test", "c"))],
            altered: vec![(old[3].clone(), entry("4", "dogs", "train", "dd"))],
            n_same: 1,
        };
        assert_eq!(changes, expected);
        assert_eq!(
            changes.notes(),
            "- 1 added: 1 dogs (train)\n- 1 removed: 1 dogs (train)\n\
             - 1 moved to another part: 1 cats from test to train\n\
             - 1 in another class: 1 from cats to dogs\n- 1 prepared anew: 1 dogs (train)\n\
             - Results on test cannot be compared with those of before.\n- 1 as before\n"
        );
    }

    #[test]
    fn a_version_compared_with_itself_has_no_change() {
        let entries = [entry("1", "cats", "train", "a")];
        let changes = diff(&entries, &entries);
        assert!(changes.is_empty());
        assert_eq!(changes.notes(), "The same 1 pictures as before.\n");
    }

    #[test]
    fn a_picture_is_known_by_the_digest_in_its_name() {
        let name = "train/t-72_tanks/t-72_tanks-0123456789abcdef.jpg";
        assert_eq!(Entry::picture_of(name).as_deref(), Some("0123456789abcdef"));
        assert_eq!(Entry::picture_of("train/cats/cats.jpg"), None);
    }
}
