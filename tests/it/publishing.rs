//! What leaves the house: exports told apart, handed to their platform's tool, and foreign folders
//! looked through.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use crate::support::{Bench, Ended, SMALL};

/// Runs everything up to the exports.
fn exported() -> Bench {
    let bench = Bench::with(SMALL);
    bench.snapset(&["run", "pipelines/small.toml", "--to", "export"]).expect_code(0);
    bench
}

#[test]
fn a_split_folder_is_audited_whoever_made_it() {
    let bench = exported();
    let whole = bench.snapset(&["check", "data/small/dataset"]);
    let sides = bench.sides();
    let of = |side: &str| sides.iter().filter(|(_, it)| *it == side).map(|(name, _)| name).next();
    let (train, test) = (of("train/fish").unwrap(), of("test/fish").unwrap());
    bench.snapset(&["run", "pipelines/small.toml", "--to", "export"]).expect_code(0);
    let copied = |from: String, to: &str| {
        let bytes = fs::read(bench.path(&from)).unwrap();
        fs::create_dir_all(bench.path(to).parent().unwrap()).unwrap();
        crate::support::put(&bench.path(to), &bytes);
    };
    for (name, side) in &sides {
        copied(format!("data/small/dataset/{side}/{name}"), &format!("foreign/{side}/{name}"));
    }
    copied(format!("data/small/dataset/train/fish/{train}"), "foreign/test/fish/leak.jpg");
    copied(format!("data/small/dataset/test/fish/{test}"), "foreign/test/beetles/other.jpg");
    bench.write("foreign/val/fish/broken.jpg", "<html>");

    let found = bench.snapset(&["check", "foreign", "--json"]);
    let told = bench.snapset(&["check", "foreign"]);
    let none = bench.snapset(&["check", "no-such-folder"]);

    whole.expect_code(0);
    assert!(whole.out().contains("nothing is wrong"), "{}", whole.out());
    found.expect_code(12);
    let audit = found.json();
    let wrong = ["exact_leak", "near_leak", "label_conflict", "broken", "mislabelled"];
    let kinds: Vec<&str> = audit["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .filter(|it| wrong.contains(it))
        .collect();
    assert_eq!(kinds, ["exact_leak", "label_conflict", "broken"], "{audit}");
    told.expect_code(12);
    assert!(told.out().contains("foreign") || told.out().contains("leak.jpg"), "{}", told.out());
    none.expect_code(2);
}

#[test]
fn an_export_is_handed_to_kaggles_tool_or_the_command_is_said() {
    let bench = exported();
    let said = bench.snapset(&["publish", "kaggle", "pipelines/small.toml"]);
    let first = bench.files("data/small/exports/kaggle");
    bench.write("old.csv", &String::from_utf8_lossy(&first["manifest.csv"]));
    bench.write("pipelines/small.toml", &SMALL.replace("fish@60", "fish@80"));
    bench.snapset(&["run", "pipelines/small.toml", "--to", "export"]).expect_code(0);
    bench.write("bin/kaggle", "#!/bin/sh\nprintf '%s\\n' \"$@\" > called\n");
    let tool = bench.path("bin/kaggle");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();

    let version = [
        "publish",
        "kaggle",
        "pipelines/small.toml",
        "--version",
        "More fish",
        "--since",
        "old.csv",
    ];
    let mut command = bench.command(&version);
    let ran = Ended(command.env("PATH", bench.path("bin")).output().unwrap());

    said.expect_code(11);
    assert_eq!(said.out().trim(), "kaggle datasets create -p data/small/exports/kaggle");
    assert!(said.err().contains("kaggle is not installed"), "{}", said.err());
    ran.expect_code(0);
    let called = bench.read("called");
    let expected = "datasets\nversion\n-p\ndata/small/exports/kaggle\n-m\nMore fish\n";
    assert!(called.starts_with(expected), "{called}");
    let diff = ["export", "--diff", "old.csv", "data/small/exports/kaggle", "--json"];
    let diff: Value = bench.snapset(&diff).json();
    assert!(!diff["added"].as_array().unwrap().is_empty(), "{diff}");
    assert!(diff["moved"].as_array().unwrap().is_empty(), "{diff}");
}
