use tempfile::TempDir;

use super::*;
use crate::domain::{
    fingerprint::Fingerprint,
    id::BlobId,
    outcome::Reject,
    picture::{Crop, FileFormat},
    quality::Quality,
    split::{Placement, Split},
};

fn stamp(input: u8) -> Stamp {
    Stamp { revision: 3, recipe: Digest::of(&"recipe"), input: Digest::of(&input) }
}

fn crop() -> Crop {
    let file = BlobId::of(b"file");
    Crop {
        file,
        sha256: String::new(),
        crc32: None,
        size_bytes: 4,
        width_px: 256,
        height_px: 256,
        format: FileFormat::Jpeg,
    }
}

#[test]
fn results_come_back_as_they_were_put_also_after_reopening() {
    let dir = TempDir::new().unwrap();
    let [made, rejected, failed] = [b"a", b"b", b"c"].map(|bytes| BlobId::of(bytes));
    let failure =
        Failure { message: "no route".to_owned(), attempts: 2, transient: true, trouble: None };
    let batch = [
        (made, Settled { stamp: stamp(1), outcome: Outcome::Made(crop()) }),
        (rejected, Settled { stamp: stamp(2), outcome: Outcome::Rejected(Reject::Empty) }),
        (failed, Settled { stamp: stamp(3), outcome: Outcome::Failed(failure) }),
    ];
    Store::open(dir.path()).unwrap().put_all(&batch).unwrap();

    let store = Store::open(dir.path()).unwrap();

    for (key, settled) in batch {
        assert_eq!(store.get::<Crop>(&key).unwrap(), Some(settled));
    }
    let head = store.head::<Crop>(&failed).unwrap();
    assert_eq!(head, Some(Head { stamp: stamp(3), ending: Ending::FailedForNow }));
    assert_eq!(store.made::<Crop>().unwrap(), [(made, crop())]);
}

#[test]
fn a_snapshot_cut_short_by_a_full_disk_costs_nothing() {
    let dir = TempDir::new().unwrap();
    let entry = |n: u8| {
        let outcome: Outcome<Crop> = Outcome::Made(crop());
        (BlobId::of(&[n]), Settled { stamp: stamp(n), outcome })
    };
    Store::open(dir.path()).unwrap().put_all(&[entry(1)]).unwrap();
    let snapshots = || {
        let names = files::entries(dir.path()).unwrap().into_iter();
        let names = names.map(|it| it.file_name().unwrap().to_str().unwrap().to_owned());
        names.filter(|it| it.starts_with("snap.")).collect::<Vec<_>>()
    };
    for (n, half) in [(2, &b""[..]), (3, b"half of a table of pages")] {
        let path = dir.path().join("snap.FFFFFFFFFFFFFFF0.generating");
        files::write_plainly(&path, half).unwrap();

        let store = Store::open(dir.path()).unwrap();

        assert!(!snapshots().iter().any(|it| it.ends_with(".generating")));
        store.put_all(&[entry(n)]).unwrap();
        for n in 1..=n {
            assert_eq!(store.get::<Crop>(&entry(n).0).unwrap(), Some(entry(n).1));
        }
    }
}

#[test]
fn a_snapshot_that_is_damaged_is_told_of_and_left() {
    let dir = TempDir::new().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let damaged = dir.path().join("snap.FFFFFFFFFFFFFFF0");
    files::write_plainly(&damaged, b"not a table of pages").unwrap();

    let refusal = Store::open(dir.path()).err();

    assert!(matches!(refusal, Some(StoreError::Open { .. })), "{refusal:?}");
    assert!(damaged.exists());
}

#[test]
fn an_annex_is_passed_over_unless_the_whole_is_asked_for() {
    const ANNEX: &str = Fingerprint::ANNEX.unwrap();
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let print = |level: u8| Fingerprint {
        width_px: level.into(),
        height_px: 1,
        format: "PNG".to_owned(),
        views: Vec::new(),
        thumbnail: vec![level; 4096],
        colours: vec![level, 0],
        quality: Quality::default(),
    };
    let keys = [b"a", b"b", b"c", b"d"].map(|bytes| BlobId::of(bytes));
    let outcome = |at: usize| match at {
        1 => Outcome::Rejected(Reject::Empty),
        _ => Outcome::Made(print(u8::try_from(at).unwrap())),
    };
    let mut batch: Vec<Entry<Fingerprint>> = keys
        .iter()
        .enumerate()
        .map(|(at, key)| (*key, Settled { stamp: stamp(1), outcome: outcome(at) }))
        .collect();
    store.put_all(&batch).unwrap();
    // Left by a crash before the result itself was written.
    store.tree(ANNEX).unwrap().insert(BlobId::of(b"e").to_bytes(), b"torn").unwrap();
    let [outdated] = schema::OUTDATED;
    store.tree(outdated).unwrap().insert(b"a", b"a picture").unwrap();
    drop(store);

    let store = Store::open(dir.path()).unwrap();
    assert!(store.tree(outdated).unwrap().is_empty());
    for (key, settled) in &batch {
        assert_eq!(store.get::<Fingerprint>(key).unwrap().as_ref(), Some(settled));
    }
    batch.sort_by_key(|(key, _)| *key);
    let whole: Vec<_> = store.walk_settled::<Fingerprint>().unwrap().map(Result::unwrap).collect();
    assert_eq!(whole, batch);
    let later = store.walk_settled_from::<Fingerprint>(&batch[2].0).unwrap().map(Result::unwrap);
    assert_eq!(later.collect::<Vec<_>>(), batch[2..]);
    let brief = store.walk_brief::<Fingerprint>().unwrap().map(Result::unwrap);
    for ((key, found), (own, expected)) in brief.zip(&batch) {
        assert_eq!(key, *own);
        let Outcome::Made(whole) = &expected.outcome else {
            assert_eq!(found, *expected);
            continue;
        };
        let bare = Fingerprint { thumbnail: Vec::new(), colours: Vec::new(), ..whole.clone() };
        assert_eq!(found.outcome, Outcome::Made(bare));
    }
    assert!(store.bytes(Fingerprint::TREE, keys[0].as_bytes()).unwrap().unwrap().len() < 500);

    let spoiled = Settled { stamp: stamp(2), outcome: Outcome::Rejected(Reject::Empty) };
    store.put_all::<Fingerprint>(&[(keys[2], spoiled)]).unwrap();
    assert_eq!(store.tree(ANNEX).unwrap().len(), 3);

    store.remove_records::<Fingerprint>(&keys[..3]).unwrap();
    assert_eq!(store.get::<Fingerprint>(&keys[0]).unwrap(), None);
    assert_eq!(store.tree(ANNEX).unwrap().len(), 2);

    store.tree(ANNEX).unwrap().remove(keys[3].as_bytes()).unwrap();
    for found in [
        store.get::<Fingerprint>(&keys[3]).map(|_| ()),
        store.walk_settled::<Fingerprint>().unwrap().next().unwrap().map(|_| ()),
    ] {
        assert!(matches!(found, Err(StoreError::Short { tree: ANNEX })), "{found:?}");
    }
}

#[test]
fn replacing_notes_forgets_those_not_named() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let [a, b] = [b"a", b"b"].map(|bytes| BlobId::of(bytes));
    store.put_notes(&[(a, Placement::In(Split::Train))]).unwrap();

    store.replace_notes(&[(b, Placement::In(Split::Val))]).unwrap();

    assert_eq!(store.notes::<Placement>().unwrap(), [(b, Placement::In(Split::Val))]);
}

#[test]
fn a_store_in_use_says_so() {
    let dir = TempDir::new().unwrap();
    let _held = Store::open(dir.path()).unwrap();

    let refusal = Store::open(dir.path());

    assert!(matches!(refusal, Err(StoreError::Busy { .. })), "{:?}", refusal.err());
}

#[test]
fn a_store_that_is_let_go_of_is_waited_for() {
    let dir = TempDir::new().unwrap();
    let held = Store::open(dir.path()).unwrap();
    let letting_go = thread::spawn(|| {
        thread::sleep(Duration::from_millis(200));
        drop(held);
    });

    Store::open(dir.path()).unwrap();

    letting_go.join().unwrap();
}
