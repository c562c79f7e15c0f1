use super::*;
use crate::domain::fingerprint::Distance;

fn picture(path: &str, bytes: &str) -> Sample {
    let [split, class, _] = path.split('/').collect::<Vec<_>>()[..] else { unreachable!() };
    Sample {
        path: path.to_owned(),
        split: split.to_owned(),
        class: class.to_owned(),
        blob: BlobId::of(bytes.as_bytes()),
        seen: Seen::Picture { width_px: 64, height_px: 64, format: "JPEG".to_owned() },
    }
}

fn clean() -> Vec<Sample> {
    ["train/cats/1.jpg", "train/dogs/2.jpg", "test/cats/3.jpg", "test/dogs/4.jpg"]
        .map(|path| picture(path, path))
        .to_vec()
}

fn twins(a: &str, b: &str) -> TwinPair {
    let [a, b] = [a, b].map(|bytes| BlobId::of(bytes.as_bytes()));
    TwinPair { a, b, distance: Distance(9), similarity: Similarity(950) }
}

fn findings(samples: &[Sample], pairs: &[TwinPair]) -> Vec<Finding> {
    judge(&Layout::new(), samples, pairs).findings
}

#[test]
fn nothing_is_said_of_a_clean_folder() {
    let audit = judge(&Layout::new(), &clean(), &[]);

    assert_eq!((audit.is_wrong(), audit.findings), (false, Vec::new()));
    assert_eq!(audit.pictures["test"]["dogs"], 1);
}

#[test]
fn what_is_the_same_in_two_splits_leaks_and_in_two_classes_is_contested() {
    let mut samples = clean();
    samples.push(picture("test/dogs/5.jpg", "train/cats/1.jpg"));
    let pairs = [twins("train/dogs/2.jpg", "test/dogs/4.jpg"), twins("train/cats/1.jpg", "gone")];

    let found = findings(&samples, &pairs);

    let paths = || vec!["train/cats/1.jpg".to_owned(), "test/dogs/5.jpg".to_owned()];
    let classes = ["cats", "dogs"].map(str::to_owned).into();
    let [a, b] = ["test/dogs/4.jpg", "train/dogs/2.jpg"].map(str::to_owned);
    assert_eq!(
        found,
        [
            Finding::ExactLeak { paths: paths() },
            Finding::NearLeak { a, b, similarity: Similarity(950) },
            Finding::LabelConflict { paths: paths(), classes },
        ]
    );
}

#[test]
fn twins_in_one_class_of_one_split_are_nobodys_business() {
    let mut samples = clean();
    samples.push(picture("train/cats/6.jpg", "six"));

    assert_eq!(findings(&samples, &[twins("train/cats/1.jpg", "six")]), []);
}

#[test]
fn a_class_that_is_missing_or_empty_is_told_by_split() {
    let layout = Layout::from([
        ("train".to_owned(), BTreeSet::from(["fish".to_owned()])),
        ("val".to_owned(), BTreeSet::from(["cats".to_owned(), "dogs".to_owned()])),
    ]);

    let found = judge(&layout, &clean(), &[]).findings;

    let [train, val, test] = ["train", "val", "test"].map(str::to_owned);
    let [cats, dogs, fish] = ["cats", "dogs", "fish"].map(str::to_owned);
    assert_eq!(
        found,
        [
            Finding::EmptyClass { split: train, class: fish.clone() },
            Finding::EmptyClass { split: val.clone(), class: cats },
            Finding::EmptyClass { split: val.clone(), class: dogs },
            Finding::MissingClass { split: test, class: fish.clone() },
            Finding::MissingClass { split: val, class: fish },
        ]
    );
}

#[test]
fn what_is_only_worth_a_look_comes_last_and_is_not_wrong() {
    let mut samples: Vec<Sample> =
        (0..30).map(|n| picture(&format!("train/cats/{n}.jpg"), &n.to_string())).collect();
    samples.push(picture("train/dogs/1.jpg", "dog"));
    samples.push(picture("train/cats/again.jpg", "7"));
    samples[3].seen = Seen::Picture { width_px: 9, height_px: 64, format: "JPEG".to_owned() };
    samples[4].seen = Seen::Other;

    let audit = judge(&Layout::new(), &samples, &[]);

    assert!(!audit.is_wrong());
    let told: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the same bytes: train/cats/7.jpg, train/cats/again.jpg",
            "train/cats/3.jpg is 9\u{d7}64, unlike nearly all",
            "class dogs has 1 pictures in train, the largest 30",
            "train/cats/4.jpg is no picture",
        ]
    );
    samples[5].seen = Seen::Broken { why: "cut off".to_owned() };
    samples[6].path = "train/cats/6.png".to_owned();
    let worse = judge(&Layout::new(), &samples, &[]);
    assert!(worse.is_wrong());
    assert_eq!(
        worse.findings[..2],
        [
            Finding::Broken { path: "train/cats/5.jpg".to_owned(), why: "cut off".to_owned() },
            Finding::Mislabelled { path: "train/cats/6.png".to_owned(), format: "JPEG".to_owned() },
        ]
    );
}

#[test]
fn an_audit_comes_back_from_json() {
    let mut samples = clean();
    samples.push(picture("test/dogs/5.jpg", "train/cats/1.jpg"));
    let audit = judge(&Layout::new(), &samples, &[]);

    let json = serde_json::to_string(&audit).unwrap();

    assert!(json.contains(r#"{"kind":"exact_leak","paths":["#), "{json}");
    assert_eq!(serde_json::from_str::<Audit>(&json).unwrap(), audit);
}
