//! An export that is no longer wanted: what is ours goes as a whole, and nothing else.

use super::*;

#[test]
fn what_is_not_wanted_any_more_goes_and_what_was_never_ours_stays() {
    let bench = Bench::new();
    bench.with(|it| tabular::write_csv(it, &bench.path("exports/csv"))).unwrap();
    fs::create_dir(bench.path("exports/folder")).unwrap();
    fs::write(bench.path("exports/folder/mine"), "mine").unwrap();

    swap::withdraw("pets", &bench.path("exports/csv")).unwrap();
    swap::withdraw("pets", &bench.path("exports/folder")).unwrap();

    let left: Vec<String> =
        tree(&bench.path("exports")).into_keys().filter(|it| !it.starts_with('.')).collect();
    assert_eq!(left, ["folder/", "folder/mine"]);
}

#[test]
fn what_goes_leaves_nothing_behind_wherever_an_export_was_killed() {
    let crashes: [Crash; 3] = [
        ("between the two renames", |exports| {
            fs::rename(exports.join("csv"), exports.join(".csv.old")).unwrap();
            fs::create_dir(exports.join(".csv.new")).unwrap();
            fs::write(exports.join(".csv.new/manifest.csv"), "new").unwrap();
        }),
        ("before the folder was removed", |exports| {
            fs::create_dir(exports.join(".csv.old")).unwrap();
            fs::write(exports.join(".csv.old/manifest.csv"), "old").unwrap();
        }),
        ("before the mark was removed", |exports| {
            fs::remove_dir_all(exports.join("csv")).unwrap();
        }),
    ];
    for (when, crash) in crashes {
        let bench = Bench::new();
        bench.with(|it| tabular::write_csv(it, &bench.path("exports/csv"))).unwrap();
        crash(&bench.path("exports"));

        swap::withdraw("pets", &bench.path("exports/csv")).unwrap();

        assert!(tree(&bench.path("exports")).is_empty(), "{when}");
    }
}
