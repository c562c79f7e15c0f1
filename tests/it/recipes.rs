//! The pipelines that ship with the program, each run through on a few pictures: with smaller
//! pictures, one epoch, and weights made here instead of fetched ones.

use std::{fs, io::Write as _, path::Path};

use toml::{Table, Value};

use crate::support::{Bench, SMALL, put};

/// How many pictures each class is given.
const N_PICTURES: usize = 24;

/// Makes `N_PICTURES` pictures of 160 pixels for each class, beetles and fish by turns.
fn pictures(classes: &[String]) -> Vec<(String, Vec<Vec<u8>>)> {
    let bench = Bench::with(&SMALL.replace("size = 64", "size = 160"));
    let run = ["run", "pipelines/small.toml", "--to", "export"];
    bench.snapset(&run).expect_code(0);
    let files = bench.files("data/small/dataset");
    let of_kind = |kind: &str| -> Vec<Vec<u8>> {
        let is_meant =
            |path: &&String| path.contains(kind) && path.rsplit('.').next() == Some("jpg");
        files.keys().filter(is_meant).map(|path| files[path].clone()).collect()
    };
    let kinds = [of_kind("/beetles/"), of_kind("/fish/")];
    let given = |(at, class): (usize, &String)| {
        let from = at / 2 * N_PICTURES;
        (class.clone(), kinds[at % 2][from..from + N_PICTURES].to_vec())
    };
    classes.iter().enumerate().map(given).collect()
}

/// Writes the pictures where `place` says they are.
fn lay_out(bench: &Bench, place: &str, pictures: &[Vec<u8>], archives: &mut Table) {
    let (kind, path) = place.split_once(':').unwrap();
    if kind == "archive" {
        let (archive, folder) = path.split_once('#').unwrap();
        let entry = archives.entry(archive).or_insert_with(|| Value::Array(Vec::new()));
        entry.as_array_mut().unwrap().push(Value::String(folder.to_owned()));
    }
    let folder = bench.path(path.split_once('#').map_or(path, |(_, folder)| folder));
    fs::create_dir_all(&folder).unwrap();
    for (number, bytes) in pictures.iter().enumerate() {
        put(&folder.join(format!("{number}.jpg")), bytes);
    }
}

fn pack(bench: &Bench, archive: &str, folders: &[Value]) {
    let mut writer = zip::ZipWriter::new(fs::File::create(bench.path(archive)).unwrap());
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for folder in folders {
        let folder = folder.as_str().unwrap();
        for (name, bytes) in bench.files(folder) {
            writer.start_file(format!("{folder}/{name}"), options).unwrap();
            writer.write_all(&bytes).unwrap();
        }
    }
    writer.finish().unwrap();
}

/// Runs a shipped pipeline on pictures of our own; `side_px` is what its network can do with.
fn run_through(name: &str, side_px: i64) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name);
    let mut file: Table = fs::read_to_string(shipped).unwrap().parse().unwrap();
    let bench = Bench::new();
    let labels: Vec<String> = file["classes"].as_table().unwrap().keys().cloned().collect();
    let mut archives = Table::new();
    for (label, pictures) in pictures(&labels) {
        let place = &mut file["classes"][&label][0];
        // The subreddits of one of them are not asked.
        if place.as_str().unwrap().starts_with("r/") {
            *place = Value::String(format!("folder:photos/{label}"));
            file["classes"][&label].as_array_mut().unwrap().truncate(1);
        }
        let place = file["classes"][&label][0].as_str().unwrap().to_owned();
        lay_out(&bench, &place, &pictures, &mut archives);
    }
    for (archive, folders) in &archives {
        pack(&bench, archive, folders.as_array().unwrap());
    }
    let train = file["train"].as_table_mut().unwrap();
    train.insert("epochs".to_owned(), Value::Integer(1));
    train.insert("image_size".to_owned(), Value::Integer(side_px));
    if train.contains_key("weights") {
        train.insert("weights".to_owned(), Value::String(weights(&bench, train)));
    }
    bench.write(&format!("pipelines/{name}"), &file.to_string());
    let pipeline = format!("pipelines/{name}");

    let ran = bench.snapset(&["run", &pipeline, "--json"]);
    let tested = bench.snapset(&["evaluate", &pipeline, "--json"]);
    let again = bench.snapset(&["run", &pipeline, "--json"]);

    ran.expect_code(0);
    let run = &ran.json()["run"]["tallies"];
    let n_classes = i64::try_from(labels.len()).unwrap();
    let n = n_classes * i64::try_from(N_PICTURES).unwrap();
    assert_eq!(run["prepare"]["made"].as_i64().unwrap_or(0) + made_early(run), n, "{run}");
    assert_eq!(run["train"]["made"], 1, "{run}");
    tested.expect_code(0);
    let tested = tested.json();
    assert!(!tested["answers"].as_array().unwrap().is_empty());
    assert_eq!(i64::try_from(tested["classes"].as_array().unwrap().len()).unwrap(), n_classes);
    again.expect_code(0);
    let done: u64 = again.json()["run"]["tallies"]
        .as_object()
        .unwrap()
        .values()
        .map(|it| it["made"].as_u64().unwrap())
        .sum();
    assert_eq!(done, 0);
}

/// Crops that `fingerprint` made from its own decode.
fn made_early(run: &serde_json::Value) -> i64 {
    run["prepare"]["unchanged"].as_i64().unwrap_or(0)
}

/// Makes a file of weights for the network of `train`: those it has before it learned anything.
fn weights(bench: &Bench, train: &Table) -> String {
    let mut fresh = Table::new();
    for key in ["architecture", "image_size"] {
        fresh.insert(key.to_owned(), train[key].clone());
    }
    for (key, value) in [("epochs", 1), ("batch_size", 16)] {
        fresh.insert(key.to_owned(), Value::Integer(value));
    }
    let mut file: Table = SMALL.parse().unwrap();
    file.insert("train".to_owned(), Value::Table(fresh));
    for label in ["beetles", "fish"] {
        let place = Value::String(format!("demo:{label}@16"));
        file["classes"][label] = Value::Array(vec![place]);
    }
    bench.write("pipelines/fresh.toml", &file.to_string());
    bench.snapset(&["run", "pipelines/fresh.toml"]).expect_code(0);
    let made = bench.files("data/fresh/models");
    let path = made.keys().find(|path| path.ends_with("model.safetensors")).unwrap();
    format!("data/fresh/models/{path}")
}

#[test]
fn cars_vs_tanks() {
    run_through("cars-vs-tanks.toml", 80);
}

#[test]
fn ok_vs_ng() {
    run_through("ok-vs-ng.toml", 64);
}

#[test]
fn healthy_vs_defective() {
    run_through("healthy-vs-defective.toml", 80);
}

#[test]
fn concrete_cracks() {
    run_through("concrete-cracks.toml", 64);
}

#[test]
fn four_classes() {
    run_through("four-classes.toml", 32);
}

#[test]
fn every_shipped_pipeline_can_be_read_as_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut n = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "toml") {
            snapset::pipeline::Pipeline::read(&path).unwrap();
            n += 1;
        }
    }
    assert_eq!(n, 6);
}
