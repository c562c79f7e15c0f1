use tempfile::TempDir;

use super::*;
use crate::domain::{
    id::BlobId,
    outcome::Reject,
    picture::{Crop, FileFormat},
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
