//! Digests in a list: which file they are of, and what becomes of bad ones.

use super::*;
use crate::domain::sha256::Sha256;

/// As `stage/export/tables.rs` writes the list others fetch from.
const HYDRATE: &str = "\
url,label,split,sha256,blake3,file_name,post_id,gallery_index,permalink,place
https://i.redd.it/a.jpg,cats,train,BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD,00,train/cats/a.jpg,reddit:t3_abc,1,https://www.reddit.com/r/Cats/comments/abc/,r/cats
https://i.redd.it/b.jpg,cats,val,ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad,00,val/cats/b.jpg,reddit:t3_def,0,https://www.reddit.com/r/Cats/comments/def/,r/cats
https://i.redd.it/c.jpg,cats,val,ba7816bf,00,val/cats/c.jpg,reddit:t3_ghi,0,https://www.reddit.com/r/Cats/comments/ghi/,r/cats
https://i.redd.it/d.jpg,cats,val,,00,val/cats/d.jpg,reddit:t3_jkl,0,https://www.reddit.com/r/Cats/comments/jkl/,r/cats
";

/// Returns the digests told with each post, picture by picture.
fn digests(posts: &BTreeMap<PostId, Post>) -> Vec<Vec<Option<Sha256>>> {
    let told = |post: &Post| {
        if let Media::Link { sha256, .. } = &post.media {
            return vec![*sha256];
        }
        post.media.gallery().unwrap().iter().map(|item| item.sha256).collect()
    };
    posts.values().map(told).collect()
}

#[test]
fn a_digest_goes_with_its_address_and_a_bad_one_spoils_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let csv = written(dir.path(), "hydrate.csv", HYDRATE.as_bytes());
    let mut lines = HYDRATE.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let object = |line: &str| {
        let cells = names.iter().copied().zip(line.split(','));
        let cells = cells.map(|(name, cell)| (name.to_owned(), cell.into()));
        serde_json::Value::Object(cells.collect()).to_string() + "\n"
    };
    let json: String = lines.map(object).collect();
    let json = written(dir.path(), "hydrate.jsonl", json.as_bytes());

    for path in [csv, json] {
        let (posts, unreadable) = everything(&path);

        let abc = Some(Sha256::of(b"abc"));
        assert_eq!(digests(&posts), [vec![None, abc], vec![abc], vec![None]]);
        assert_eq!(unreadable.count, 1);
        let told = unreadable.samples[0].as_str();
        assert!(told.ends_with("its sha256 is not a SHA-256 of 64 hexadecimal digits"), "{told}");
    }
}

#[test]
fn the_digest_of_a_prepared_file_is_not_held_against_the_source() {
    let dir = tempfile::tempdir().unwrap();
    let digest = Sha256::of(b"the prepared file").to_string();
    let text = MANIFEST.replace("cats,train,00", &format!("cats,train,{digest}"));
    let path = written(dir.path(), "manifest.csv", text.as_bytes());

    let (posts, unreadable) = everything(&path);

    assert!(digests(&posts).concat().iter().all(Option::is_none));
    assert_eq!(unreadable.count, 1, "the file of this machine alone: {:?}", unreadable.samples);
}
