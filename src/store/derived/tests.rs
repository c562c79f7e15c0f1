use std::{collections::BTreeSet, slice::from_ref};

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        classes::Entry,
        dataset::{FunnelStep, Picture},
        id::{BlobId, Label, Place, PostId},
        link::MediaUrl,
        rules::Rules,
        split::Split,
    },
    store::{
        funnel::{
            funnel,
            tests::{classes, full, large},
        },
        ledger::{Account, accounts},
        query::dataset,
        schema::SetRun,
    },
};

const QUESTION: Question = Question::Funnel;

/// The last part is not full.
fn numbers() -> Vec<u32> {
    (0..1101).collect()
}

fn derive(store: &Store) {
    let answer = store.derived(QUESTION, &classes(), || Ok(numbers())).unwrap();
    assert_eq!(answer, numbers());
}

fn remembered(store: &Store) -> Option<Vec<u32>> {
    store.remembered(QUESTION, asked(&classes())).unwrap()
}

fn post(name: &str) -> PostId {
    PostId(name.to_owned())
}

#[test]
fn an_answer_is_worked_out_once_also_after_reopening() {
    let dir = TempDir::new().unwrap();
    derive(&Store::open(dir.path()).unwrap());

    let store = Store::open(dir.path()).unwrap();

    let unasked = || -> Result<Vec<u32>, StoreError> { unreachable!("it is remembered") };
    assert_eq!(store.derived(QUESTION, &classes(), unasked).unwrap(), numbers());
}

#[test]
fn all_that_is_derived_is_remembered_as_it_was_worked_out() {
    let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    for store in [full(&dirs[0]), large(&dirs[1], 1100, 300).0] {
        let pictures = dataset(&store, &classes()).unwrap();
        let steps = funnel(&store, &classes()).unwrap().steps;
        let counted = accounts(&store, &classes()).unwrap();

        let asked = asked(&classes());

        assert!(!pictures.is_empty() && !steps.is_empty() && !counted.is_empty());
        let again: Option<Vec<Picture>> = store.remembered(Question::Dataset, asked).unwrap();
        assert_eq!(again, Some(pictures));
        let again: Option<Vec<FunnelStep>> = store.remembered(Question::Funnel, asked).unwrap();
        assert_eq!(again, Some(steps));
        let again: Option<Vec<Account>> = store.remembered(Question::Accounts, asked).unwrap();
        assert_eq!(again, Some(counted));
    }
}

#[test]
fn answers_are_forgotten_once_anything_they_come_from_is_written() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (blob, id) = (BlobId::of(b"a"), post("a"));
    let url = MediaUrl("https://i.example.com/a.jpg".to_owned());
    let writes: [&dyn Fn() -> Result<(), StoreError>; 7] = [
        &|| store.remove_notes::<Post>(from_ref(&id)),
        &|| store.remove_records::<Resolution>(from_ref(&id)),
        &|| store.remove_records::<Download>(from_ref(&url)),
        &|| store.remove_records::<Fingerprint>(&[blob]),
        &|| store.remove_records::<Crop>(&[blob]),
        &|| store.remove_notes::<Verdict>(&[blob]),
        &|| store.replace_notes(&[(blob, Placement::In(Split::Val))]),
    ];
    for (n, write) in writes.into_iter().enumerate() {
        derive(&store);

        write().unwrap();

        assert_eq!(remembered(&store), None, "write {n}");
        assert!(store.tree(TREE).unwrap().is_empty(), "nothing of it stays");
    }
}

#[test]
fn an_answer_outlives_what_it_does_not_come_from() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    derive(&store);

    store.remove_notes::<SetRun>(&["split".to_owned()]).unwrap();
    store.put_notes::<Verdict>(&[]).unwrap();

    assert_eq!(remembered(&store), Some(numbers()));
}

#[test]
fn an_answer_about_other_classes_is_not_given_and_makes_way() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let label = Label::new("cats").unwrap();
    let entry =
        |rules: Rules| Entry { label: label.clone(), place: Place("r/cats".to_owned()), rules };
    let with = |own: Rules, of_all: &Rules| {
        Classes::new(BTreeSet::from([label.clone()]), vec![entry(own)], of_all).unwrap()
    };
    let strict = || Rules { min_score: Some(5), ..Rules::default() };
    let all = [
        classes(),
        classes().only(&label).unwrap(),
        with(Rules::default(), &Rules::default()),
        with(strict(), &Rules::default()),
        with(Rules::default(), &strict()),
    ];
    for (n, these) in (0_u32..).zip(&all) {
        let answer = store.derived(QUESTION, these, || Ok(vec![n])).unwrap();

        assert_eq!(answer, [n]);
    }
    derive(&store);
}

#[test]
fn what_cannot_be_read_is_worked_out_again() {
    for missing in [QUESTION.end(), QUESTION.part(0), QUESTION.part(137)] {
        for left in [None, Some(b"[\"no number\"]".to_vec())] {
            let dir = TempDir::new().unwrap();
            let store = Store::open(dir.path()).unwrap();
            derive(&store);

            store.insert(TREE, [Ok((missing.clone(), left))].into_iter()).unwrap();

            assert_eq!(remembered(&store), None);
            derive(&store);
            assert_eq!(remembered(&store), Some(numbers()));
        }
    }
}

#[test]
fn an_answer_overtaken_while_it_was_worked_out_is_not_remembered() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();

    let answer = store.derived(QUESTION, &classes(), || {
        store.remove_notes::<Post>(&[post("a")])?;
        Ok(numbers())
    });

    assert_eq!(answer.unwrap(), numbers());
    assert_eq!(remembered(&store), None);
}

#[test]
fn an_answer_begun_in_the_middle_of_a_write_is_not_remembered() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let keys = [b"a", b"b"].map(|key| key.to_vec());
    let mut n_written = 0;

    // Between one value and the next somebody asks.
    let values = keys.into_iter().map(|key| {
        n_written += 1;
        derive(&store);
        Ok((key, None))
    });
    store.insert(<Post as Note>::TREE, values).unwrap();

    assert_eq!(n_written, 2);
    assert_eq!(remembered(&store), None);
}
