use std::collections::BTreeMap;

use super::*;
use crate::source::demo::schedule::TROUBLES;

fn class_of(entry: &Entry) -> Class {
    Class::ALL.into_iter().find(|class| class.name() == entry.subreddit).unwrap()
}

fn addresses(entries: &[Entry]) -> Vec<String> {
    entries.iter().flat_map(Entry::shots).map(|shot| shot.address.to_string()).collect()
}

#[test]
fn every_block_holds_the_announced_troubles() {
    for class in Class::ALL {
        let entries = of_class(class, 600);
        for block in entries.chunks(300) {
            let mut counts: BTreeMap<PlantKind, usize> = BTreeMap::new();
            for plant in block.iter().filter_map(|entry| entry.plant) {
                *counts.entry(plant).or_default() += 1;
            }
            assert_eq!(counts, BTreeMap::from(TROUBLES));
        }
    }
}

#[test]
fn a_longer_site_begins_with_the_same_posts() {
    let [beetles, fish] = write(300);
    let [more_beetles, more_fish] = write(330);

    assert_eq!((beetles, fish), (more_beetles[..300].to_vec(), more_fish[..300].to_vec()));
}

#[test]
fn posts_come_one_after_another_under_growing_names() {
    for class in Class::ALL {
        let entries = of_class(class, 300);
        assert!(entries.is_sorted_by_key(|entry| entry.created_utc));
        assert!(entries.is_sorted_by(|a, b| (a.id.len(), &a.id) < (b.id.len(), &b.id)));
    }
}

#[test]
fn an_original_is_an_earlier_plain_picture_and_has_one_copy() {
    let rows = write(900);
    let plain: BTreeMap<String, u32> = rows
        .iter()
        .flatten()
        .filter(|entry| entry.plant.is_none())
        .map(|entry| (entry.shots()[0].address.to_string(), entry.created_utc))
        .collect();
    let mut originals = Vec::new();

    for entry in rows.iter().flatten() {
        let original = match &entry.shows {
            Shows::Copy { original, .. } => original.to_string(),
            Shows::Crosspost { shot, .. } => shot.address.to_string(),
            Shows::Picture(_)
            | Shows::Gallery { .. }
            | Shows::Video { .. }
            | Shows::Gifv { .. }
            | Shows::Removed { .. }
            | Shows::Elsewhere { .. } => continue,
        };
        assert!(plain[&original] < entry.created_utc, "{original} is younger than its copy");
        originals.push(original);
    }

    let count = originals.len();
    originals.sort();
    originals.dedup();
    assert_eq!(originals.len(), count, "an original has two copies");
    assert_eq!(count, 6 * (12 + 4 * 8 + 6 + 6));
}

#[test]
fn conflicts_cross_the_classes_and_stay_near_the_beginning() {
    let rows = write(600);
    let early: Vec<String> = rows.iter().flat_map(|row| addresses(&row[..150])).collect();
    let conflicts: Vec<&Entry> = rows
        .iter()
        .flatten()
        .filter(|entry| entry.plant == Some(PlantKind::LabelConflict))
        .collect();
    let mut exact = 0;

    for entry in &conflicts {
        let Shows::Copy { copy, original } = &entry.shows else { unreachable!() };
        assert_eq!(copy.subject.motif, Motif::Figure(class_of(entry).other()));
        assert!(early.contains(&original.to_string()));
        exact += usize::from(copy.subject.edit == Edit::None);
    }

    assert_eq!((conflicts.len(), exact), (24, 12));
}

#[test]
fn no_two_pictures_share_an_address_or_by_chance_a_scene() {
    let rows = write(300);
    let is_own = |entry: &&Entry| !matches!(entry.shows, Shows::Crosspost { .. });
    let own: Vec<&Shot> = rows.iter().flatten().filter(is_own).flat_map(Entry::shots).collect();
    let mut places: Vec<String> = own.iter().map(|shot| shot.address.to_string()).collect();
    let mut scenes: Vec<&str> = own.iter().map(|shot| shot.subject.key.as_str()).collect();

    places.sort();
    places.dedup();
    scenes.sort_unstable();
    scenes.dedup();

    let copies = 2 * (12 + 4 * 8 + 6);
    assert_eq!((places.len(), scenes.len()), (own.len(), own.len() - copies));
}

#[test]
fn each_block_has_one_failed_gallery_item_and_one_animation() {
    for class in Class::ALL {
        let entries = of_class(class, 300);
        let count =
            |wanted: fn(&Shows) -> bool| entries.iter().filter(|e| wanted(&e.shows)).count();
        let failed = count(|shows| matches!(shows, Shows::Gallery { failed: Some(_), .. }));
        let animations = count(|shows| matches!(shows, Shows::Gifv { .. }));
        assert_eq!((failed, animations), (1, 1));
    }
}
