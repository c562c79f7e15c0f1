//! One decode gives fingerprint and crop: what a run redoes, what lies aside, what is left behind.

use std::fs;

use serde_json::Value;
use snapset::{domain::id::BlobId, pixels::encode};

use super::{
    folder::drawn,
    support::{Bench, done, put},
};

const PIPELINE: &str = "[classes]\na = [\"folder:photos/a\"]\nb = [\"folder:photos/b\"]\n\
                        [clean]\nmax_seam = 1000\n[prepare]\nsize = 64\n";

/// Twelve pictures of each class, and one of them again in another encoding.
fn bench_with_a_twin(pipeline: &str) -> Bench {
    let bench = Bench::with(pipeline);
    for (class, first) in [("a", 0), ("b", 100)] {
        let folder = bench.path("photos").join(class);
        fs::create_dir_all(&folder).unwrap();
        for n in first..first + 12 {
            put(&folder.join(format!("{n}.jpg")), &encode::jpeg(&drawn(n), 90));
        }
    }
    put(&bench.path("photos/a/0-again.jpg"), &encode::jpeg(&drawn(0), 15));
    bench
}

fn n_crops(bench: &Bench) -> usize {
    bench.files("data/small/crops").len()
}

fn set(bench: &Bench, pipeline: &str) {
    bench.write("pipelines/small.toml", pipeline);
}

fn busy(ran: &Value) -> Vec<String> {
    done(ran).into_keys().collect()
}

#[test]
fn crops_come_with_the_fingerprints_and_prepare_finds_them_done() {
    let bench = bench_with_a_twin(PIPELINE);

    let ran = bench.run();

    let prepare = &ran["run"]["tallies"]["prepare"];
    assert_eq!((prepare["made"].as_u64(), prepare["unchanged"].as_u64()), (Some(0), Some(24)));
    assert_eq!(prepare["summary"], "25 made with the fingerprints");
    assert!(0.0 < ran["run"]["seconds"]["fingerprint"].as_f64().unwrap());
    let status = bench.snapset(&["status", "pipelines/small.toml", "--json"]).json();
    assert_eq!(status["stages"]["prepare"]["made"], 24, "the dropped twin's is not counted");
    assert_eq!(busy(&bench.run()), Vec::<String>::new());
}

#[test]
fn a_dropped_pictures_crop_waits_aside_and_serves_when_thresholds_change() {
    let bench = bench_with_a_twin(PIPELINE);
    bench.run();
    assert_eq!((n_crops(&bench), bench.sides().len()), (25, 24));

    set(&bench, &PIPELINE.replace("[prepare]", "similarity = 1000\ndistance = 0\n[prepare]"));
    let ran = bench.run();

    assert_eq!(busy(&ran), ["dedupe", "export", "split"], "nothing is decoded");
    assert_eq!((n_crops(&bench), bench.sides().len()), (25, 25));
}

#[test]
fn another_size_hashes_nothing_and_leaves_no_old_crop_behind() {
    let bench = bench_with_a_twin(PIPELINE);
    bench.run();
    set(&bench, &PIPELINE.replace("64", "48"));
    let plan = bench.snapset(&["plan", "pipelines/small.toml"]).out();
    assert!(plan.contains("size: 64 \u{2192} 48"), "{plan}");

    let ran = bench.run();

    assert_eq!(busy(&ran), ["export", "prepare"]);
    assert_eq!(n_crops(&bench), 24);
}

#[test]
fn a_run_that_ends_before_prepare_makes_no_crops() {
    let bench = bench_with_a_twin(PIPELINE);

    bench.snapset(&["run", "pipelines/small.toml", "--to", "dedupe"]).expect_code(0);

    assert!(!bench.path("data/small/crops").exists());
    let ran = bench.run();
    assert_eq!(done(&ran)["prepare"], 24);
    assert_eq!(n_crops(&bench), 24);
}

#[test]
fn crops_are_the_same_whichever_stage_made_them() {
    let (in_passing, by_prepare) = (bench_with_a_twin(PIPELINE), bench_with_a_twin(PIPELINE));
    in_passing.run();
    by_prepare.snapset(&["run", "pipelines/small.toml", "--to", "dedupe"]).expect_code(0);
    by_prepare.run();

    assert!(in_passing.files("data/small/dataset") == by_prepare.files("data/small/dataset"));
}

#[test]
fn a_model_judges_an_original_exactly_as_it_judges_the_crop_made_of_it() {
    let pipeline = format!(
        "{PIPELINE}fit = \"letterbox\"\nbackground = \"#204060\"\n\
         [train]\nepochs = 1\nimage_size = 32\n"
    );
    let bench = bench_with_a_twin(&pipeline);
    bench.run();
    let evaluated = bench.snapset(&["evaluate", "pipelines/small.toml", "--json"]).json();
    let answers = evaluated["answers"].as_array().unwrap();
    assert!(!answers.is_empty());

    for answer in answers {
        let original = ["a", "b"].iter().flat_map(|class| {
            let folder = fs::read_dir(bench.path("photos").join(class)).unwrap();
            folder.map(|it| it.unwrap().path())
        });
        let original = original
            .filter(|path| answer["blob"] == BlobId::of(&fs::read(path).unwrap()).to_string())
            .map(|path| path.display().to_string())
            .next()
            .unwrap();
        let said = bench.snapset(&["predict", "pipelines/small.toml", &original, "--json"]).json();

        let mut classes: Vec<(String, f64)> =
            serde_json::from_value(said["predictions"][0]["answer"]["classes"].clone()).unwrap();
        classes.sort_by(|a, b| a.0.cmp(&b.0));
        let predicted: Vec<f64> = classes.into_iter().map(|(_, probability)| probability).collect();
        let wanted: Vec<f64> = serde_json::from_value(answer["probabilities"].clone()).unwrap();
        assert_eq!(predicted, wanted, "{original}");
    }
}
