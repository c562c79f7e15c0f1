//! A post that is deleted takes its pictures with it, through to the exports, and they stay out.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use serde_json::Value;
use sha2::{Digest, Sha256};
use snapset::{
    domain::{bytes::hex, id::Place},
    source::{SourceSpec, demo::Deletions},
};

use crate::support::{Bench, SMALL};

/// The small demo at its usual size, with fish as the site has them at some moment.
fn pipeline(fish: &str) -> String {
    SMALL.replace("demo:beetles@60", "demo:beetles").replace("demo:fish@60", fish)
}

fn truth(fish: &str) -> Deletions {
    let Ok(SourceSpec::Demo(place)) = SourceSpec::parse(&Place(fish.to_owned())) else {
        panic!("{fish} is no place of the demo site");
    };
    place.deletions()
}

fn rows(bench: &Bench, table: &str) -> Vec<BTreeMap<String, String>> {
    let text = bench.read(&format!("data/small/exports/kaggle/{table}"));
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn column(rows: &[BTreeMap<String, String>], name: &str) -> BTreeSet<String> {
    rows.iter().map(|row| row[name].clone()).collect()
}

fn names(bench: &Bench, folder: &str) -> BTreeSet<String> {
    let last = |path: String| path.rsplit('/').next().unwrap().to_owned();
    bench.files(&format!("data/small/{folder}")).into_keys().map(last).collect()
}

#[test]
fn a_hundred_deleted_posts_take_their_pictures_along_and_do_not_return() {
    let bench = Bench::with(&pipeline("demo:fish"));
    bench.run();
    let before = rows(&bench, "manifest.csv");
    let blobs_before = names(&bench, "blobs");
    let later = "demo:fish@300-100";
    let gone: BTreeSet<String> = truth(later).deleted.into_iter().map(|post| post.0).collect();
    assert_eq!(gone.len(), 100);
    let theirs: Vec<_> =
        before.iter().filter(|row| gone.contains(&row["post_id"])).cloned().collect();
    assert!(50 < theirs.len(), "most of them are in the dataset: {}", theirs.len());

    bench.write("pipelines/small.toml", &pipeline(later));
    let told = bench.snapset(&["sync-deletions", "pipelines/small.toml", "--dry-run", "--json"]);
    assert_eq!(told.json()["deletions"]["gone"]["deleted"], 100);
    assert_eq!(names(&bench, "blobs"), blobs_before, "a dry run touches nothing");
    let ended = bench.snapset(&["sync-deletions", "pipelines/small.toml", "--json"]);
    ended.expect_code(0);
    let found = &ended.json()["deletions"];

    assert_eq!(found["gone"]["deleted"], 100);
    let blobs_after = names(&bench, "blobs");
    let n_blobs = blobs_before.len() - blobs_after.len();
    assert_eq!(found["pictures"], Value::from(n_blobs));
    let is_kept = |row: &BTreeMap<String, String>, kept: &BTreeSet<String>| {
        let file = row["file_name"].rsplit('/').next().unwrap().to_owned();
        let digits = file.rsplit('-').next().unwrap().split('.').next().unwrap().to_owned();
        kept.iter().any(|name| name.contains(&digits))
    };
    for folder in ["blobs", "dataset"] {
        let there = names(&bench, folder);
        let left: Vec<_> = theirs.iter().filter(|row| is_kept(row, &there)).collect();
        assert!(left.is_empty(), "still in {folder}: {left:?}");
    }
    let digests = column(&theirs, "sha256");
    let kept: Vec<String> = digests_of(&bench).intersection(&digests).cloned().collect();
    assert_eq!(kept, Vec::<String>::new(), "in a crop, the dataset or an archive");
    let text = answers(&bench);
    let told = gone.iter().filter(|post| text.contains(&name_field(post)));
    assert_eq!(told.count(), 0, "in an answer that is kept");
    let after = column(&rows(&bench, "manifest.csv"), "file_name");
    let removed = column(&rows(&bench, "REMOVALS.csv"), "file_name");
    assert!(after.is_disjoint(&column(&theirs, "file_name")));
    let left: BTreeSet<String> = column(&before, "file_name").difference(&after).cloned().collect();
    assert_eq!(removed, left, "what left is named, and nothing else");
    assert_eq!(found["left_dataset"], Value::from(left.len()));
    let models = names_of_models(&bench);
    assert_eq!(found["models"], Value::from(models.clone()), "the model learned from them");

    bench.write("pipelines/small.toml", &pipeline("demo:fish@310-100"));
    let ran = bench.snapset(&["run", "pipelines/small.toml", "--json"]);
    ran.expect_code(0);

    let gone_blobs: BTreeSet<String> = blobs_before.difference(&blobs_after).cloned().collect();
    let returned: Vec<String> = names(&bench, "blobs").intersection(&gone_blobs).cloned().collect();
    assert_eq!(returned, Vec::<String>::new(), "the same bytes are not kept again");
    let again = truth("demo:fish@310-100");
    let reposts: BTreeSet<String> = again.reposts.iter().map(|it| it.post.0.clone()).collect();
    assert!(!reposts.is_empty());
    let posts = column(&rows(&bench, "manifest.csv"), "post_id");
    let returned: Vec<&String> = posts.intersection(&reposts).collect();
    assert_eq!(returned, Vec::<&String>::new());
    assert!(posts.is_disjoint(&gone));
    for repost in &reposts {
        let journey = bench.snapset(&["explain", "pipelines/small.toml", repost]).out();
        let is_explained = journey.contains("taken back by its poster")
            || journey.contains("a picture of a deleted post");
        assert!(is_explained, "{journey}");
    }
    let idle = bench.snapset(&["sync-deletions", "pipelines/small.toml", "--json"]).json();
    assert_eq!(idle["deletions"]["gone"], serde_json::json!({}), "asked about once");
}

/// Digests every prepared picture there is, wherever it lies.
fn digests_of(bench: &Bench) -> BTreeSet<String> {
    let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    let mut digests = BTreeSet::new();
    for folder in ["crops", "dataset", "exports"] {
        for (name, bytes) in bench.files(&format!("data/small/{folder}")) {
            digests.insert(digest(&bytes));
            if name.rsplit('.').next() != Some("zip") {
                continue;
            }
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            for n in 0..archive.len() {
                let mut bytes = Vec::new();
                archive.by_index(n).unwrap().read_to_end(&mut bytes).unwrap();
                digests.insert(digest(&bytes));
            }
        }
    }
    digests
}

/// Returns the text of all kept answers.
fn answers(bench: &Bench) -> String {
    let files = bench.files("data/small/answers").into_values();
    files.map(|it| String::from_utf8(zstd::decode_all(&*it).unwrap()).unwrap()).collect()
}

/// How an answer writes the name of a post it shows; a bookmark may name one that is gone.
fn name_field(post: &str) -> String {
    format!("\"name\":\"{}\"", post.trim_start_matches("demo:"))
}

fn names_of_models(bench: &Bench) -> Vec<String> {
    let folders = bench.files("data/small/models").into_keys();
    let names: BTreeSet<String> =
        folders.map(|path| path.split('/').next().unwrap().to_owned()).collect();
    names.into_iter().collect()
}
