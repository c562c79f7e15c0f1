//! The demo end to end: everything planted is found, a second run is idle, a changed setting
//! redoes what depends on it and nothing else.

use std::{collections::BTreeSet, time::Instant};

use super::support::{Bench, SMALL, done};

#[test]
fn everything_planted_is_found_and_a_second_run_asks_for_nothing() {
    let bench = Bench::with(SMALL);

    let first = bench.run();

    for row in first["planted"]["rows"].as_array().unwrap() {
        assert_eq!(row["planted"], row["found"], "{row}");
    }
    assert_eq!(first["planted"]["false_twins"].as_array().unwrap().len(), 0);
    let n_requests = bench.n_requests();
    let exports = bench.files("data/small/exports");
    let since = Instant::now();

    let second = bench.run();

    assert!(since.elapsed().as_secs_f32() < 2.0, "{:?}", since.elapsed());
    assert_eq!(done(&second).len(), 0, "{second}");
    assert_eq!(bench.n_requests(), n_requests);
    assert_eq!(bench.files("data/small/exports"), exports);
    let idle = bench.snapset(&["plan", "pipelines/small.toml", "--exit-code"]);
    idle.expect_code(0);
    assert_eq!(idle.out(), "nothing to do\n");
}

/// Returns the stages a plan names after one change to the small pipeline.
fn planned(bench: &Bench, from: &str, to: &str) -> BTreeSet<String> {
    assert!(SMALL.contains(from));
    bench.write("pipelines/small.toml", &SMALL.replace(from, to));
    let plan = bench.snapset(&["plan", "pipelines/small.toml", "--exit-code", "--json"]);
    plan.expect_code(10);
    let plan = plan.json();
    let stages = plan["stages"].as_array().unwrap().iter();
    let busy = stages.filter(|it| it["due"] != 0 || !it["follows"].as_array().unwrap().is_empty());
    busy.map(|it| it["stage"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_changed_setting_names_the_stages_that_depend_on_it() {
    let bench = Bench::with(SMALL);
    bench.run();
    let set = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();

    let size = planned(&bench, "size = 64", "size = 48");
    let distance = planned(&bench, "[prepare]", "[clean]\ndistance = 60\n[prepare]");
    let title =
        planned(&bench, "title = \"Small demo\"\n\n[train]", "title = \"Other demo\"\n[train]");
    let score = planned(&bench, "[fetch]", "[collect.filter]\nmin_score = 3\n[fetch]");

    assert_eq!(size, set(&["prepare", "export", "train"]));
    assert_eq!(distance, set(&["dedupe", "prepare", "split", "export", "train"]));
    assert_eq!(title, set(&["export"]));
    assert!(score.contains("resolve") && !score.contains("collect"), "{score:?}");
}

#[test]
fn a_changed_crop_size_redoes_crops_and_keeps_every_side() {
    let bench = Bench::with(SMALL);
    bench.run();
    let sides = bench.sides();
    let n_requests = bench.n_requests();
    bench.write("pipelines/small.toml", &SMALL.replace("size = 64", "size = 48"));

    let again = bench.run();

    let busy: Vec<String> = done(&again).into_keys().collect();
    assert_eq!(busy, ["export", "prepare", "train"]);
    assert_eq!(bench.sides(), sides);
    assert_eq!(bench.n_requests(), n_requests);
}

#[test]
fn a_picture_can_be_followed_from_post_to_dataset_and_a_dropped_one_names_its_reason() {
    let bench = Bench::with(SMALL);
    bench.run();
    let manifest = bench.files("data/small/exports/kaggle").remove("manifest.csv").unwrap();
    let manifest = String::from_utf8(manifest).unwrap();
    let row = manifest.lines().nth(1).unwrap();
    let file = row.split(',').next().unwrap();
    let name = file.rsplit('/').next().unwrap();

    let kept = bench.snapset(&["explain", "pipelines/small.toml", name]);
    let unknown = bench.snapset(&["explain", "pipelines/small.toml", "t3_nobody"]);

    kept.expect_code(0);
    assert!(kept.out().contains("=> in the dataset"), "{}", kept.out());
    let files = format!("data/small/dataset/{file}, and in the exports kaggle");
    assert!(kept.out().contains(&files), "{}", kept.out());
    unknown.expect_code(1);
    let log = bench.read("data/small/site.log");
    let gone = log.lines().find(|line| line.contains(" 404 ")).unwrap();
    let words: Vec<&str> = gone.split(' ').collect();
    let address = format!("https://{}{}", words[1], words[2]);
    let lost = bench.snapset(&["explain", "pipelines/small.toml", &address]);
    lost.expect_code(0);
    assert!(lost.out().contains("not in the dataset: gone (HTTP 404)"), "{}", lost.out());
}

#[test]
fn a_lost_file_is_noticed_and_made_again() {
    let bench = Bench::with(SMALL);
    bench.run();
    let before = bench.files("data/small/crops");
    let lost = before.keys().next().unwrap();
    std::fs::remove_file(bench.path("data/small/crops").join(lost)).unwrap();

    let again = bench.run();

    assert_eq!(done(&again).get("prepare"), Some(&1));
    assert_eq!(bench.files("data/small/crops"), before);
}

#[test]
fn a_class_can_be_worked_on_alone() {
    let bench = Bench::with(SMALL);
    let one = ["run", "pipelines/small.toml", "--class", "fish", "--to", "fingerprint"];
    bench.snapset(&one).expect_code(0);
    let log = bench.read("data/small/site.log");
    assert!(log.contains("/r/fish/") && !log.contains("/r/beetles/"), "{log}");

    let unknown = bench.snapset(&["run", "pipelines/small.toml", "--class", "birds"]);

    unknown.expect_code(2);
    assert!(unknown.err().contains("there are beetles, fish"), "{}", unknown.err());
}

#[test]
fn a_trained_model_answers_for_files_and_folders_and_names_what_it_cannot_read() {
    let bench = Bench::with(SMALL);
    bench.run();
    bench.write("broken.jpg", "<html>");

    let folder = ["predict", "pipelines/small.toml", "data/small/dataset/test", "--json"];
    let answers = bench.snapset(&folder);
    let broken = bench.snapset(&["predict", "pipelines/small.toml", "broken.jpg"]);

    answers.expect_code(0);
    let answers = answers.json();
    let predictions = answers["predictions"].as_array().unwrap();
    assert_eq!(
        predictions.len(),
        bench.sides().values().filter(|it| it.starts_with("test/")).count()
    );
    for prediction in predictions {
        let classes = prediction["answer"]["classes"].as_array().unwrap();
        let sum: f64 = classes.iter().map(|it| it[1].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{prediction}");
    }
    broken.expect_code(11);
    assert!(broken.out().contains("not an image"), "{}", broken.out());
    let tested = bench.snapset(&["evaluate", "pipelines/small.toml", "--json"]);
    tested.expect_code(0);
    assert_eq!(tested.json()["answers"].as_array().unwrap().len(), predictions.len());
}
