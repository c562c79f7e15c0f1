use std::collections::BTreeSet;

use super::*;
use crate::domain::{id::Place, post::Teller};

fn post() -> Post {
    Post {
        places: BTreeSet::from([Place("r/tanks".to_owned())]),
        title: "My T-34 in the snow".to_owned(),
        author: Some("Ivan".to_owned()),
        permalink: String::new(),
        created_utc: Some(1_735_603_200), // 2024-12-31
        score: Some(10),
        upvote_percent: Some(80),
        flair: Some("WW2 ".to_owned()),
        over_18: false,
        media: Media::Text,
        preview: None,
        told_by: Teller::Live,
    }
}

fn rules(json: &str) -> Rules {
    serde_json::from_str(json).unwrap()
}

/// Names the rule a post breaks; empty if it breaks none.
fn broken(json: &str, post: &Post) -> String {
    match rules(json).accept(post) {
        Ok(()) => String::new(),
        Err(reject) => reject.to_string(),
    }
}

#[test]
fn each_rule_takes_what_fits_and_names_what_does_not() {
    for (json, refusal) in [
        (r#"{"flair": ["oc", "ww2"]}"#, ""),
        (r#"{"flair": ["oc"]}"#, "flair not wanted (WW2 )"),
        (r#"{"not_flair": ["WW2"]}"#, "flair not wanted (WW2 )"),
        (r#"{"title": "(?i)t-?34"}"#, ""),
        (r#"{"title": "t-34"}"#, "title not wanted"),
        (r#"{"not_title": "snow$"}"#, "title not wanted"),
        (r#"{"min_score": 10, "max_score": 10}"#, ""),
        (r#"{"min_score": 11}"#, "score not wanted (10)"),
        (r#"{"max_score": 9}"#, "score not wanted (10)"),
        (r#"{"min_ratio": 0.8}"#, ""),
        (r#"{"min_ratio": 0.81}"#, "too few of the votes (80 %)"),
        (r#"{"since": "2024-12-31", "until": "2025-01-01"}"#, ""),
        (r#"{"since": "2025-01-01"}"#, "outside the dates (2024-12-31)"),
        (r#"{"until": "2024-12-31"}"#, "outside the dates (2024-12-31)"),
        (r#"{"authors": ["ivan"]}"#, ""),
        (r#"{"authors": ["olga"]}"#, "author not wanted (Ivan)"),
        (r#"{"not_authors": ["ivan"]}"#, "author not wanted (Ivan)"),
        (r#"{"nsfw": "only"}"#, "nsfw post"),
        (r#"{"crossposts": "only"}"#, "crosspost not wanted"),
    ] {
        assert_eq!(broken(json, &post()), refusal, "{json}");
    }
}

#[test]
fn kinds_of_posts_are_skipped_kept_or_wanted_alone() {
    let nsfw = Post { over_18: true, ..post() };
    let all = ["{}", r#"{"nsfw": "keep"}"#, r#"{"nsfw": "only"}"#];
    assert_eq!(all.map(|json| broken(json, &nsfw)), ["nsfw post", "", ""]);

    let gallery = Media::Gallery { items: Vec::new() };
    let passed_on = Media::Crosspost { of: "t3_x".to_owned(), media: Box::new(gallery) };
    let crosspost = Post { media: passed_on, ..post() };
    let all = ["{}", r#"{"crossposts": "skip"}"#, r#"{"galleries": "none"}"#];
    assert_eq!(
        all.map(|json| broken(json, &crosspost)),
        ["", "crosspost not wanted", "gallery not wanted"]
    );
}

#[test]
fn what_a_source_does_not_tell_breaks_no_rule_but_a_missing_flair_does() {
    let untold = Post {
        author: None,
        created_utc: None,
        score: None,
        upvote_percent: None,
        flair: None,
        ..post()
    };
    let json = r#"{"min_score": 9, "min_ratio": 0.9, "since": "2030-01-01", "authors": ["x"]}"#;
    assert_eq!(broken(json, &untold), "");
    assert_eq!(broken(r#"{"flair": ["OC"]}"#, &untold), "flair not wanted");
}

#[test]
fn a_removed_post_is_told_as_removed_whatever_the_rules() {
    let removed = Post { media: Media::Removed { by: "deleted".to_owned() }, ..post() };
    assert_eq!(broken(r#"{"flair": ["OC"]}"#, &removed), "post removed (deleted)");
}

#[test]
fn own_rules_go_before_those_of_all() {
    let own = rules(r#"{"min_score": 1, "nsfw": "keep"}"#);
    let all = rules(r#"{"min_score": 5, "title": "x"}"#);
    assert_eq!(own.or(&all), rules(r#"{"min_score": 1, "nsfw": "keep", "title": "x"}"#));
}

#[test]
fn nonsense_in_a_rule_is_explained() {
    for (json, cause) in [
        (r#"{"title": "(oops"}"#, "unclosed group"),
        (r#"{"min_ratio": 80.0}"#, "80 is no share of votes: use 0 to 1, such as 0.8"),
        (r#"{"since": "yesterday"}"#, "`yesterday` is no day: write it as 2024-12-31"),
    ] {
        let error = serde_json::from_str::<Rules>(json).unwrap_err().to_string();
        assert!(error.contains(cause), "{error}");
    }
}
