use std::{collections::BTreeMap, fs::File, io::Write};

use zstd::zstd_safe::CParameter;

use super::*;
use crate::{
    domain::{
        id::PostId,
        post::{Media, Post, Teller},
    },
    source::{SourceSpec, batch::Unreadable},
};

fn written(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

fn wanted(names: &[&str]) -> Vec<Choice> {
    let choice = |name: &&str| Choice {
        subreddit: Subreddit::new(name).unwrap(),
        place: Place(format!("dump:x#r/{}", name.to_lowercase())),
    };
    names.iter().map(choice).collect()
}

fn line(id: &str, subreddit: &str) -> String {
    format!(
        "{{\"author\":\"a\",\"created_utc\":1700000000,\"domain\":\"i.redd.it\",\"id\":\"{id}\",\
         \"permalink\":\"/r/{subreddit}/comments/{id}/x/\",\"score\":5,\"subreddit\":\"{subreddit}\",\
         \"title\":\"t {id}\",\"url\":\"https://i.redd.it/{id}.jpg\"}}"
    )
}

fn lines(ids: std::ops::Range<usize>) -> String {
    let subreddits = ["Cats", "dogs", "AskReddit"];
    ids.map(|n| line(&format!("p{n}"), subreddits[n % 3]) + "\n").collect()
}

fn packed(text: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(CParameter::WindowLog(window_log)).unwrap();
    encoder.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[derive(Debug, Default, PartialEq)]
struct Told {
    posts: BTreeMap<PostId, Post>,
    unreadable: Unreadable,
}

impl Told {
    fn ids(&self) -> Vec<&str> {
        self.posts.keys().map(|id| id.0.strip_prefix("reddit:t3_").unwrap()).collect()
    }

    fn add(&mut self, batch: Batch) {
        for (id, post) in batch.posts {
            assert!(self.posts.insert(id.clone(), post).is_none(), "{id} came twice");
        }
        self.unreadable.absorb(batch.unreadable);
    }
}

fn told(path: &Path, names: &[&str]) -> Told {
    let mut told = Told::default();
    let end = read(path, &wanted(names), None, &mut |batch, _| {
        told.add(batch);
        ControlFlow::Continue(())
    });
    assert!(end.unwrap().is_whole());
    told
}

#[test]
fn one_pass_serves_many_subreddits_in_whatever_case_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "RS.zst", &packed(lines(0..9).as_bytes(), 20));

    let told = told(&path, &["CATS", "dogs"]);

    assert_eq!(told.ids(), ["p0", "p1", "p3", "p4", "p6", "p7"]);
    let post = &told.posts[&PostId("reddit:t3_p0".to_owned())];
    let expected = Post {
        places: [Place("dump:x#r/cats".to_owned())].into(),
        title: "t p0".to_owned(),
        author: Some("a".to_owned()),
        permalink: "https://www.reddit.com/r/Cats/comments/p0/x/".to_owned(),
        created_utc: Some(1_700_000_000),
        score: Some(5),
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::link("https://i.redd.it/p0.jpg".to_owned()),
        preview: None,
        told_by: Teller::Archive,
    };
    assert_eq!(*post, expected);
    assert_eq!(told.unreadable, Unreadable::default());
}

#[test]
fn every_epoch_of_dumps_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let text = [
        // 2014: the time is a text.
        r#"{"id":"a","subreddit":"cats","created_utc":"1400000000","url":"https://i.redd.it/a.jpg"}"#,
        // 2015 to 2017: no subreddit, but an address.
        r#"{"id":"b","subreddit":null,"permalink":"/r/Cats/comments/b/x/","thumbnail":null,"url":"https://i.redd.it/b.jpg"}"#,
        r#"{"id":"c","permalink":"/r/dogs/comments/c/x/","url":"https://i.redd.it/c.jpg"}"#,
        // As other programs write JSON again, with blanks.
        r#"{"subreddit": "cats", "id": "d", "url": "https://i.redd.it/d.jpg"}"#,
        // Its parent is of r/cats, the post itself is not.
        r#"{"id":"e","subreddit":"dogs","crosspost_parent_list":[{"subreddit":"cats"}],"url":"x"}"#,
        // A title that looks like a field.
        r#"{"id":"f","subreddit":"dogs","title":"\"subreddit\":\"cats\"","url":"x"}"#,
        // 2020 and later: a gallery that lost its tables.
        r#"{"id":"g","subreddit":"cats","is_gallery":true,"gallery_data":null,"media_metadata":null}"#,
    ];
    let path = written(dir.path(), "RS.ndjson", text.join("\r\n").as_bytes());

    let told = told(&path, &["cats"]);

    assert_eq!(told.ids(), ["a", "b", "d", "g"]);
    assert_eq!(told.unreadable, Unreadable::default());
    let times: Vec<_> = told.posts.values().map(|post| post.created_utc).collect();
    assert_eq!(times, [Some(1_400_000_000), None, None, None]);
}

#[test]
fn what_was_taken_back_is_told_as_removed_even_where_the_dump_still_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let post = |id: &str, more: &str| {
        format!(r#"{{"id":"{id}","subreddit":"cats","url":"https://i.redd.it/{id}.jpg",{more}}}"#)
    };
    let text = [
        post("a", r#""_meta":{"was_deleted_later":true}"#),
        post("b", r#""_meta":{"removal_type":"moderator"}"#),
        post("c", r#""_meta":{"is_edited":true,"removal_type":null,"was_deleted_later":false}"#),
        post("d", r#""removed_by_category":"author""#),
        post("e", r#""title":"[deleted by user]""#),
        post("f", r#""author":"[deleted]""#),
        post("g", r#""_meta":[1]"#),
    ];
    let path = written(dir.path(), "RS.jsonl", text.join("\n").as_bytes());

    let told = told(&path, &["cats"]);

    let removed = |post: &Post| matches!(post.media, Media::Removed { .. });
    let gone: Vec<bool> = told.posts.values().map(removed).collect();
    assert_eq!(gone, [true, true, false, true, true, false, false]);
}

#[test]
fn broken_lines_are_counted_with_their_place_and_cost_only_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = lines(0..1).into_bytes();
    let starts_at = text.len();
    text.extend(b"{\"id\":\"bad\",\"subreddit\":\"cats\",\"title\":\"\xff\"}\n");
    text.extend(b"{\"id\":\"cut\",\"subreddit\":\"cats\",\"title\":}\n");
    text.extend(b"{\"id\":\"half\",\"subreddit\":\"ca\r\n\n");
    text.extend(b"{\"subreddit\":\"cats\",\"selftext\":\"");
    text.extend(vec![b'x'; 40 << 20]);
    text.extend(b"\"}\n");
    text.extend(lines(3..4).bytes());
    let path = written(dir.path(), "RS.zst", &packed(&text, 20));

    let told = told(&path, &["cats"]);

    assert_eq!(told.ids(), ["p0", "p3"]);
    let heads: Vec<String> = told
        .unreadable
        .samples
        .iter()
        .map(|it| it.split_once(':').unwrap())
        .map(|(at, why)| {
            let at: usize = at.strip_prefix("byte ").unwrap().parse().unwrap();
            format!("{} {}", at - starts_at, why.trim().split(" at ").next().unwrap())
        })
        .collect();
    assert_eq!(
        heads,
        ["0 not UTF-8", "44 expected value", "85 no JSON object", "116 a line of 41943074 bytes",]
    );
}

#[test]
fn frames_may_follow_each_other_be_skippable_or_broken() {
    let dir = tempfile::tempdir().unwrap();
    // A line runs from one frame into the next.
    let text = lines(0..30).into_bytes();
    let (head, tail) = text.split_at(text.len() / 2 + 7);
    let mut bytes = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    bytes.extend(packed(head, 20));
    bytes.extend([0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    bytes.extend(packed(tail, 20));
    let whole = written(dir.path(), "a.zst", &bytes);
    let mut broken = packed(lines(30..60).as_bytes(), 20);
    let at = broken.len() - 3;
    // Its checksum is wrong: the text came out, and cannot be trusted to be whole.
    broken[at] ^= 0xff;
    bytes.extend(broken);
    bytes.extend(packed(lines(60..90).as_bytes(), 20));
    let middle = written(dir.path(), "b.zst", &bytes);
    bytes.truncate(bytes.len() - 40);
    let cut = written(dir.path(), "c.zst", &bytes);

    let [whole, middle, cut] = [whole, middle, cut].map(|path| told(&path, &["cats"]));

    assert_eq!((whole.posts.len(), whole.unreadable.count), (10, 0), "{:?}", whole.unreadable);
    assert_eq!((middle.posts.len(), middle.unreadable.count), (30, 1), "{:?}", middle.unreadable);
    assert!(middle.unreadable.samples[0].contains("cannot be unpacked beyond byte"), "{middle:?}");
    assert!(20 <= cut.posts.len() && 2 <= cut.unreadable.count, "{:?}", cut.unreadable);
    assert!(
        cut.unreadable.samples.iter().any(|it| it.ends_with("the file ends within it")),
        "{cut:?}"
    );
}

#[test]
fn a_window_of_two_gigabytes_is_read_and_a_larger_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = lines(0..3);
    let large = written(dir.path(), "large.zst", &packed(text.as_bytes(), 31));
    // A frame that says it needs a window of 2^41 bytes, followed by a good one.
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 1, 0, 0];
    bytes.extend(packed(text.as_bytes(), 20));
    let too_large = written(dir.path(), "too-large.zst", &bytes);

    let (large, too_large) = (told(&large, &["cats"]), told(&too_large, &["cats"]));

    assert_eq!((large.ids(), large.unreadable.count), (vec!["p0"], 0));
    assert_eq!((too_large.ids(), too_large.unreadable.count), (vec!["p0"], 1));
    assert!(too_large.unreadable.samples[0].contains("too much memory"), "{too_large:?}");
}

#[test]
fn a_file_that_is_no_dump_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let page = written(dir.path(), "a.zst", b"<html>");
    let table = written(dir.path(), "b.ndjson", b"id,title\n1,x\n");
    let gzip = written(dir.path(), "c.gz", b"hello");
    let shown = |path: &Path| {
        let refusal = read(path, &wanted(&["cats"]), None, &mut |_, _| ControlFlow::Continue(()));
        refusal.unwrap_err().to_string().replace(&dir.path().display().to_string(), "")
    };

    assert_eq!(
        [shown(&page), shown(&table)],
        [
            "`/a.zst` is not packed with zstd, as its name says; unpack it or name it by what it is",
            "`/b.ndjson` holds no post; a dump has one a line, as JSON (byte 9: no JSON object)",
        ]
    );
    assert!(shown(&gzip).contains("cannot be unpacked"), "{}", shown(&gzip));
    assert!(shown(&dir.path().join("d.zst")).starts_with("there is no file"));
}

/// Reads as a process does that is killed after every batch: each time from what was kept.
fn told_in_pieces(path: &Path, names: &[&str]) -> (Told, usize) {
    let (mut told, mut n_pieces) = (Told::default(), 0);
    let mut kept: Option<Resume> = None;
    loop {
        let from = kept.take();
        let end = read(path, &wanted(names), from.as_ref(), &mut |batch, resume| {
            told.add(batch);
            let text = serde_json::to_string(resume).unwrap();
            kept = Some(serde_json::from_str(&text).unwrap());
            ControlFlow::Break(())
        });
        n_pieces += 1;
        if end.unwrap().is_whole() {
            return (told, n_pieces);
        }
    }
}

#[test]
fn a_dump_read_in_pieces_gives_what_one_reading_gives() {
    let dir = tempfile::tempdir().unwrap();
    let text = lines(0..9000);
    let mut frames = Vec::new();
    for piece in text.as_bytes().chunks(300_000) {
        frames.extend(packed(piece, 18));
    }
    // A fault that must be counted once, wherever reading is taken up again.
    frames.extend([0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 1, 0, 0]);
    frames.extend(packed(lines(9000..12_000).as_bytes(), 18));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let files = [
        ("one-frame.zst", packed(text.as_bytes(), 27)),
        ("frames.zst", frames),
        ("plain.ndjson", text.as_bytes().to_vec()),
        ("a.ndjson.gz", gzip.finish().unwrap()),
    ];

    for (name, bytes) in files {
        let path = written(dir.path(), name, &bytes);
        let (pieces, n_pieces) = told_in_pieces(&path, &["cats"]);
        assert_eq!(pieces, told(&path, &["cats"]), "{name}");
        assert!(3 <= n_pieces, "{name}: {n_pieces}");
    }
}

#[test]
fn another_file_or_other_subreddits_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "a.ndjson", lines(0..9).as_bytes());
    let all = |names: &[&str], from: Option<&Resume>| {
        let mut told = Told::default();
        let end = read(&path, &wanted(names), from, &mut |batch, _| {
            told.add(batch);
            ControlFlow::Continue(())
        });
        (told.posts.len(), end.unwrap())
    };

    let (_, end) = all(&["cats"], None);
    let (again, _) = all(&["cats"], Some(&end));
    let (more, _) = all(&["cats", "dogs"], Some(&end));
    written(dir.path(), "a.ndjson", lines(0..12).as_bytes());
    let (grown, _) = all(&["cats"], Some(&end));

    assert_eq!([again, more, grown], [0, 6, 4]);
}

#[test]
fn a_place_names_a_dump_and_its_subreddit() {
    let identity =
        |text: &str| SourceSpec::parse(&Place(text.to_owned())).map(|spec| spec.identity().0).ok();

    let known = identity("dump:/mnt/./RS_2024-01.zst#r/TankPorn");
    assert_eq!(known.as_deref(), Some("dump:/mnt/RS_2024-01.zst#r/tankporn"));
    assert_eq!(identity("dump:a#b.ndjson.gz#r/ab").as_deref(), Some("dump:a#b.ndjson.gz#r/ab"));
    for bad in ["dump:RS.zst", "dump:RS.zst#cats", "dump:RS.zst#r/a b", "dump:RS.csv#r/cats"] {
        assert_eq!(identity(bad), None, "{bad}");
    }
}
