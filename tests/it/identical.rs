//! An export is the same bytes wherever it is made: in another folder, with other threads, in
//! another language and on the other side of the world.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Bench, Ended, SMALL};

/// Every form there is, with its settings.
const ALL_FORMS: &str = r#"
[export.kaggle-dirs]
id = "snapset/small-demo"
title = "Small demo"
[export.folder]
[export.huggingface]
[export.webdataset]
[export.croissant]
[export.hydrate]
[export.csv]
[export.lists]
"#;

const FORMS: [&str; 8] =
    ["csv", "folder", "huggingface", "hydrate", "kaggle", "kaggle-dirs", "lists", "webdataset"];

/// Builds the small demo below `data` in a process with this environment, and returns the files of
/// its dataset and of all exports, with what marks the folders as ours.
fn exported(data: &str, environment: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let bench = Bench::with(&format!("{SMALL}{ALL_FORMS}"));
    let arguments = ["run", "pipelines/small.toml", "--to", "export", "--data", data];
    let mut command = bench.command(&arguments);
    Ended(command.envs(environment.iter().copied()).output().unwrap()).expect_code(0);
    let mut files = BTreeMap::new();
    for folder in ["dataset", "exports"] {
        let inner = bench.files(&format!("{data}/small/{folder}"));
        files.extend(inner.into_iter().map(|(name, bytes)| (format!("{folder}/{name}"), bytes)));
    }
    let machine = bench.path("").display().to_string().into_bytes();
    for (name, bytes) in &files {
        let tells = bytes.windows(machine.len()).any(|window| window == machine);
        assert!(!tells, "{name} tells where it was made");
    }
    files
}

#[test]
fn every_export_is_the_same_bytes_in_another_place_language_and_number_of_threads() {
    let one = [
        ("RAYON_NUM_THREADS", "1"),
        ("TOKIO_WORKER_THREADS", "1"),
        ("TZ", "Pacific/Kiritimati"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "tr_TR.UTF-8"),
    ];
    let two = [
        ("RAYON_NUM_THREADS", "2"),
        ("TOKIO_WORKER_THREADS", "2"),
        ("TZ", "America/Los_Angeles"),
        ("LC_ALL", "C"),
        ("HOME", "/nowhere"),
    ];

    let first = exported("data", &one);
    let second = exported("some where/else", &two);

    let forms: BTreeSet<&str> = first
        .keys()
        .filter_map(|name| name.strip_prefix("exports/")?.split_once('/'))
        .map(|(form, _)| form)
        .collect();
    assert_eq!(forms, BTreeSet::from(FORMS));
    assert!(first.keys().eq(second.keys()), "{:?}", difference(&first, &second));
    assert_eq!(difference(&first, &second), Vec::<&str>::new());
}

/// Names the files that are in one alone or not the same in both.
fn difference<'a>(
    first: &'a BTreeMap<String, Vec<u8>>,
    second: &'a BTreeMap<String, Vec<u8>>,
) -> Vec<&'a str> {
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let differs = |name: &&String| first.get(*name) != second.get(*name);
    names.into_iter().filter(differs).map(String::as_str).collect()
}
