//! Recorded answers of the real site, read by us and by a script that knows nothing of us.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::{bytes::hex, post::Post};

/// What one file shows.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Shown {
    counts: BTreeMap<String, i64>,
    addresses: usize,
    digest: String,
}

fn beside_the_checkout(path: &str) -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A build from a folder within the checkout is as good as one from its root.
    let roots = [manifest, manifest.parent().unwrap()];
    let found = roots.iter().map(|root| root.join(path)).find(|it| it.exists());
    found.unwrap_or_else(|| manifest.join(path))
}

fn read_file(path: &Path) -> Vec<Post> {
    let text = fs::read_to_string(path).unwrap();
    let place = Place("r/x".to_owned());
    if path.extension().is_some_and(|it| it == "ndjson") {
        return text.lines().map(|line| post::read(line, &place).unwrap().1).collect();
    }
    let page = read_page(text.as_bytes(), &place, Site::Reddit).unwrap();
    assert_eq!(page.unreadable, Vec::<String>::new());
    page.posts.into_iter().map(|(_, post)| post).collect()
}

fn show(media: &Media, count: &mut impl FnMut(String, i64), addresses: &mut Vec<String>) {
    match media {
        Media::Removed { by } => count(format!("removed by {by}"), 1),
        Media::Crosspost { media, .. } => {
            count("crosspost".to_owned(), 1);
            show(media, count, addresses);
        }
        Media::Gallery { items } => {
            count("gallery".to_owned(), 1);
            for item in items {
                match &item.url {
                    Some(url) => {
                        count("gallery picture".to_owned(), 1);
                        addresses.push(url.clone());
                    }
                    None => count(format!("gallery item {}", item.status), 1),
                }
                count("caption".to_owned(), i64::from(item.caption.is_some()));
            }
        }
        Media::Video => count("video".to_owned(), 1),
        Media::Text => count("text".to_owned(), 1),
        Media::Link { url, .. } => {
            count("link".to_owned(), 1);
            addresses.push(url.clone());
        }
        Media::File { .. } | Media::Packed { .. } => panic!("Reddit does not tell of {media:?}"),
    }
}

fn shown(posts: &[Post]) -> Shown {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let mut addresses = Vec::new();
    for post in posts {
        let mut count = |name: String, n| *counts.entry(name).or_default() += n;
        count("post".to_owned(), 1);
        show(&post.media, &mut count, &mut addresses);
        count("flair".to_owned(), i64::from(post.flair.is_some()));
        count("nsfw".to_owned(), i64::from(post.over_18));
        count("nobody".to_owned(), i64::from(post.author.is_none()));
        count("preview".to_owned(), i64::from(post.preview.is_some()));
        count("score".to_owned(), post.score.unwrap_or_default());
    }
    counts.retain(|_, n| *n != 0);
    let digest = hex(&Sha256::digest(addresses.join("\n").as_bytes()));
    Shown { counts, addresses: addresses.len(), digest }
}

#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn recorded_answers_of_the_real_site_are_read_without_losing_a_picture() {
    let folder = beside_the_checkout("../shared/data/reddit");
    let judge = beside_the_checkout("tests/judges/recorded_answers.py");
    if !folder.exists() {
        eprintln!("skipped: the recorded answers are not beside this checkout");
        return;
    }
    let Ok(judged) = Command::new("python3").arg(&judge).arg(&folder).output() else {
        eprintln!("skipped: no python3 to count independently");
        return;
    };
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    let judged: BTreeMap<String, Shown> = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(judged.len(), 12);

    let listings = folder.join("listings");
    for (name, by_the_judge) in judged {
        let path = [&folder, &listings].map(|it| it.join(&name));
        let path = path.iter().find(|it| it.exists()).unwrap();
        let by_us = shown(&read_file(path));
        eprintln!("{name}: {:?}", by_us.counts);
        assert_eq!(by_us, by_the_judge, "{name}");
    }
}
