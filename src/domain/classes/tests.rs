use super::*;
use crate::domain::post::{Media, Teller};

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn entry(class: &str, place: &str, rules: &str) -> Entry {
    Entry {
        label: label(class),
        place: Place(place.to_owned()),
        rules: serde_json::from_str(rules).unwrap(),
    }
}

fn classes(entries: &[Entry]) -> Result<Classes, ClassesError> {
    let labels = entries.iter().map(|entry| entry.label.clone()).collect();
    Classes::new(labels, entries.to_vec(), &Rules::default())
}

fn post(places: &[&str], title: &str) -> Post {
    Post {
        places: places.iter().map(|place| Place((*place).to_owned())).collect(),
        title: title.to_owned(),
        author: None,
        permalink: String::new(),
        created_utc: None,
        score: None,
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::Text,
        preview: None,
        told_by: Teller::Live,
    }
}

fn class_of(classes: &Classes, post: &Post) -> Result<String, Reject> {
    classes.claim(post).map(|claim| claim.label.to_string())
}

#[test]
fn one_place_fills_two_classes_only_if_both_say_what_they_take() {
    let shared = |first: &str, second: &str| {
        classes(&[entry("cats", "r/pets", first), entry("dogs", "r/pets", second)])
    };
    let refusal = Err(ClassesError::SharedPlace {
        place: Place("r/pets".to_owned()),
        first: label("cats"),
        second: label("dogs"),
    });

    assert_eq!(shared("{}", "{}"), refusal);
    assert_eq!(shared(r#"{"title": "cat"}"#, "{}"), refusal);
    assert_eq!(shared(r#"{"title": "cat"}"#, r#"{"title": "cat"}"#), refusal);
    assert_eq!(shared(r#"{"min_score": 5}"#, r#"{"min_score": 10}"#), refusal);
    assert_eq!(shared(r#"{"galleries": "first"}"#, r#"{"nsfw": "skip"}"#), refusal);
    for (cats, dogs) in [
        (r#"{"title": "cat"}"#, r#"{"title": "dog"}"#),
        (r#"{"flair": ["Cat"]}"#, r#"{"not_flair": ["Cat"]}"#),
        (r#"{"max_score": 4}"#, r#"{"min_score": 5}"#),
        (r#"{"until": "2020-01-01"}"#, r#"{"since": "2020-01-01"}"#),
        (r#"{"nsfw": "only"}"#, r#"{"nsfw": "skip"}"#),
    ] {
        assert!(shared(cats, dogs).is_ok(), "{cats} {dogs}");
    }
}

#[test]
fn rules_part_the_posts_of_one_place_and_what_fits_both_is_a_conflict() {
    let pets = classes(&[
        entry("cats", "r/pets", r#"{"title": "cat"}"#),
        entry("dogs", "r/pets", r#"{"title": "dog"}"#),
    ])
    .unwrap();
    let of = |title: &str| class_of(&pets, &post(&["r/pets"], title));

    assert_eq!(of("a cat"), Ok("cats".to_owned()));
    assert_eq!(of("a dog"), Ok("dogs".to_owned()));
    let labels = BTreeSet::from([label("cats"), label("dogs")]);
    assert_eq!(of("cat and dog"), Err(Reject::SeveralClasses { labels }));
    assert!(matches!(of("a fish"), Err(Reject::Filtered { .. })));
}

#[test]
fn a_post_of_two_places_of_two_classes_is_a_conflict_and_of_one_class_is_not() {
    let all = classes(&[
        entry("cats", "r/cats", "{}"),
        entry("cats", "dump:x#r/cats", "{}"),
        entry("dogs", "r/dogs", "{}"),
    ])
    .unwrap();
    let twice = post(&["r/cats", "dump:x#r/cats"], "");
    let claim = all.claim(&twice).unwrap();
    assert_eq!((claim.label.as_str(), claim.place.0.as_str()), ("cats", "dump:x#r/cats"));

    let both = class_of(&all, &post(&["r/cats", "r/dogs"], ""));
    assert!(matches!(both, Err(Reject::SeveralClasses { .. })));
}

#[test]
fn a_class_alone_keeps_the_rules_of_the_others_in_force() {
    let all = classes(&[entry("cats", "r/cats", "{}"), entry("dogs", "r/dogs", "{}")]).unwrap();
    let cats = all.only(&label("cats")).unwrap();

    assert_eq!(cats.places(), BTreeSet::from([&Place("r/cats".to_owned())]));
    assert!(!cats.lists(&post(&["r/dogs"], "")));
    assert!(cats.lists(&post(&["r/cats", "r/dogs"], "")));
    assert!(class_of(&cats, &post(&["r/cats", "r/dogs"], "")).is_err(), "still a conflict");
    assert_eq!(all.only(&label("fish")), None);
}

#[test]
fn a_class_without_places_and_a_dataset_without_classes_are_refused() {
    let bare = Classes::plain(&BTreeMap::from([(label("cats"), Vec::new())]));
    assert_eq!(bare, Err(ClassesError::NoPlace { label: label("cats") }));
    assert_eq!(Classes::plain(&BTreeMap::new()), Err(ClassesError::NoClass));
}
