//! The trained model asked: by every way of naming pictures, over HTTP, and beside another one.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Bench, Ended, SMALL};

/// Returns the answers of `predict --json` to what is named by `arguments`.
fn answers(bench: &Bench, arguments: &[&str]) -> Vec<Value> {
    let fixed = ["predict", "pipelines/small.toml", "--json"];
    let ended = bench.snapset(&[&fixed, arguments].concat());
    ended.expect_code(0);
    ended.json()["predictions"].as_array().unwrap().clone()
}

/// Runs the program with `bytes` on its standard input.
fn fed(bench: &Bench, arguments: &[&str], bytes: &[u8]) -> Ended {
    let mut command = bench.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    Ended(child.wait_with_output().unwrap())
}

#[test]
fn every_way_of_naming_pictures_gives_the_same_answers() {
    let bench = Bench::with(SMALL);
    bench.run();
    let folder = "data/small/dataset/test";
    let all = answers(&bench, &[folder]);
    let names: Vec<&str> = all.iter().map(|it| it["picture"].as_str().unwrap()).collect();

    let by_pattern = answers(&bench, &["data/small/dataset/te*/*/*.jpg"]);
    let one_by_one = answers(&bench, &names);
    let predict = ["predict", "pipelines/small.toml", "--json", "-"];
    let listed = fed(&bench, &predict, names.join("\n").as_bytes()).json();
    let alone = fed(&bench, &predict, &std::fs::read(bench.path(names[0])).unwrap()).json();

    assert!(4 < all.len(), "{all:?}");
    assert_eq!(by_pattern, all);
    assert_eq!(one_by_one, all);
    assert_eq!(listed["predictions"].as_array().unwrap(), &all);
    assert_eq!(alone["predictions"][0]["answer"], all[0]["answer"]);
    let nothing = bench.snapset(&["predict", "pipelines/small.toml", "no/such/*.jpg"]);
    nothing.expect_code(1);
    assert!(nothing.err().contains("no file is called like `no/such/*.jpg`"), "{}", nothing.err());
    bench.write("notes/read.me", "no picture");
    let empty = bench.snapset(&["predict", "pipelines/small.toml", "notes"]);
    empty.expect_code(1);
    assert!(empty.err().contains("there is no picture below `notes`"), "{}", empty.err());
    let silent = fed(&bench, &predict, b"\n");
    silent.expect_code(1);
    assert!(silent.err().contains("brought neither a picture nor"), "{}", silent.err());
}

#[test]
fn answers_come_as_tables_for_people_and_for_programs() {
    let bench = Bench::with(SMALL);
    bench.run();
    bench.write("data/small/dataset/../broken.jpg", "<html>");
    let folder = "data/small/dataset/test";
    let all = answers(&bench, &[folder]);

    let csv = |arguments: &[&str]| {
        let fixed = ["predict", "pipelines/small.toml", "--csv", folder, "data/small/broken.jpg"];
        let ended = bench.snapset(&[&fixed, arguments].concat());
        ended.expect_code(11);
        ended.out()
    };
    let (whole, ranked) = (csv(&[]), csv(&["--top", "1"]));
    let table = bench.snapset(&["predict", "pipelines/small.toml", folder, "--top", "2"]).out();

    let rows: Vec<&str> = whole.lines().collect();
    assert_eq!(rows[0], "picture,answer,probability,error,p(beetles),p(fish)");
    assert_eq!(rows.len(), all.len() + 2);
    let first = all[0]["answer"]["classes"].as_array();
    let best = first.map_or("none of these", |it| it[0][0].as_str().unwrap());
    let beginning = format!("{},{best},", all[0]["picture"].as_str().unwrap());
    assert!(rows[1].starts_with(&beginning), "{} {beginning}", rows[1]);
    assert!(rows[rows.len() - 1].starts_with("data/small/broken.jpg,,,"), "{whole}");
    assert!(ranked.starts_with("picture,answer,probability,error,class_1,probability_1\n"));
    assert_eq!(table.lines().count(), 1 + 2 * all.len(), "{table}");
}

/// A served model; it ends with the test.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(bench: &Bench) -> Self {
        let mut command =
            bench.command(&["serve-model", "pipelines/small.toml", "--port", "0", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        while !text.ends_with("}\n") {
            text.push_str(&lines.next().unwrap().unwrap());
            text.push('\n');
        }
        let said: Value = serde_json::from_str(&text).unwrap();
        let address = said["address"].as_str().unwrap();
        let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Sends a request; returns the status and the body of the answer.
    fn ask(&self, first: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!(
            "{first} HTTP/1.1\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A refused body need not be read to its end.
        drop(stream.write_all(body));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }
}

fn interrupt(child: &Child) {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_served_model_says_what_predict_says() {
    let bench = Bench::with(SMALL);
    bench.run();
    let all = answers(&bench, &["data/small/dataset/test"]);
    let path = all[0]["picture"].as_str().unwrap();
    let picture = std::fs::read(bench.path(path)).unwrap();

    let mut served = Served::start(&bench);
    let host = format!("host: {}\r\n", served.address);
    let asked = served.ask(&format!("POST /predict?name={path}"), &host, &picture);
    let broken = served.ask("POST /predict", &host, b"<html>");
    let page = served.ask("GET /", &host, b"");
    let card = served.ask("GET /model", &host, b"");
    let elsewhere = served.ask("POST /predict", "host: example.com\r\n", &picture);
    let foreign = format!("{host}origin: https://example.com\r\n");
    let foreign = served.ask("POST /predict", &foreign, &picture);
    // The dataset is not held meanwhile.
    bench.snapset(&["status", "pipelines/small.toml"]).expect_code(0);
    // One who only keeps the line open does not keep the server.
    let _silent = TcpStream::connect(&served.address).unwrap();
    interrupt(&served.child);
    let ended = served.child.wait().unwrap();

    assert_eq!(asked.0, 200, "{}", asked.1);
    let said: Value = serde_json::from_str(&asked.1).unwrap();
    assert_eq!(said["predictions"][0], all[0]);
    assert_eq!(broken.0, 422);
    assert!(broken.1.contains("not an image"), "{}", broken.1);
    assert!(page.0 == 200 && page.1.contains("Ask the model"), "{}", page.1);
    let card: Value = serde_json::from_str(&card.1).unwrap();
    assert_eq!(card["card"]["classes"], serde_json::json!(["beetles", "fish"]));
    assert_eq!((elsewhere.0, foreign.0), (403, 403));
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn it_is_shown_where_the_evidence_lies() {
    let bench = Bench::with(SMALL);
    bench.run();

    let arguments = ["data/small/dataset/test", "--cam", "maps"];
    let all = answers(&bench, &arguments);

    let maps = bench.files("maps");
    assert_eq!(maps.len(), all.len());
    for prediction in &all {
        let path = prediction["cam"].as_str().unwrap();
        let bytes = &maps[path.strip_prefix("maps/").unwrap()];
        assert!(bytes.starts_with(b"\x89PNG"), "{path}");
    }
}

#[test]
fn a_learning_curve_is_drawn_into_the_report() {
    let bench = Bench::with(SMALL);
    bench.run();

    let told =
        bench.snapset(&["learning-curve", "pipelines/small.toml", "--repeats", "2", "--json"]);
    let report = bench.snapset(&["report", "pipelines/small.toml"]);

    told.expect_code(0);
    let told = told.json();
    let points = told["points"].as_array().unwrap();
    let sizes: Vec<u64> = points.iter().map(|it| it["n_train"].as_u64().unwrap()).collect();
    assert_eq!(sizes.len(), 10);
    assert_eq!(sizes[..5], sizes[5..]);
    assert!(sizes[..5].is_sorted_by(|a, b| a < b), "{sizes:?}");
    let all = bench.sides().values().filter(|it| it.starts_with("train/")).count();
    assert_eq!(told["forecast"]["n_train"].as_u64(), Some(2 * u64::try_from(all).unwrap()));
    report.expect_code(0);
    assert!(bench.read("data/small/report.html").contains("What more training pictures bring"));
}

#[test]
fn a_learning_curve_that_would_tell_nothing_is_not_begun() {
    let bench = Bench::with(SMALL);
    let curve = || bench.snapset(&["learning-curve", "pipelines/small.toml"]);
    let untrained = curve();
    bench.run();
    bench.write("pipelines/small.toml", &SMALL.replace("epochs = 1", "epochs = 2"));
    let stale = curve();
    let (untaught, _) = SMALL.split_once("[train]").unwrap();
    bench.write("pipelines/small.toml", untaught);
    let without = curve();

    untrained.expect_code(1);
    assert!(untrained.err().contains("has no trained model yet"), "{}", untrained.err());
    stale.expect_code(1);
    assert!(stale.err().contains("have changed since its model"), "{}", stale.err());
    without.expect_code(2);
    assert!(without.err().contains("has no [train] table"), "{}", without.err());
}

#[test]
fn an_interrupted_learning_curve_says_so() {
    let bench = Bench::with(SMALL);
    bench.run();
    let arguments = ["learning-curve", "pipelines/small.toml", "--repeats", "100"];
    let mut command = bench.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its trainings take far longer than this.
    std::thread::sleep(std::time::Duration::from_secs(1));
    interrupt(&child);

    let ended = Ended(child.wait_with_output().unwrap());

    ended.expect_code(130);
}

#[test]
fn every_label_is_weighed_by_models_that_never_saw_its_picture() {
    let bench = Bench::with(SMALL);
    bench.run();
    let ask = || bench.snapset(&["suspects", "pipelines/small.toml", "--folds", "3", "--json"]);

    let told = ask();
    let again = ask();
    let words = bench.snapset(&["suspects", "pipelines/small.toml", "--folds", "4", "--top", "1"]);

    told.expect_code(0);
    let document = told.json();
    let said = document["said"].as_array().unwrap();
    assert_eq!(said.len(), bench.sides().len());
    for it in said {
        let probabilities = it["probabilities"].as_array().unwrap();
        let sum: f64 = probabilities.iter().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5 && probabilities.len() == 2, "{it}");
    }
    let known: BTreeSet<&str> = said.iter().map(|it| it["picture"].as_str().unwrap()).collect();
    assert_eq!(known.len(), said.len());
    for suspect in document["suspects"].as_array().unwrap() {
        assert!(known.contains(suspect["picture"].as_str().unwrap()));
        assert_ne!(suspect["doubt"]["given"], suspect["doubt"]["likely"]);
    }
    assert_eq!(document, again.json());
    words.expect_code(0);
    assert!(words.out().contains("Models that never saw a picture agree"), "{}", words.out());
}

#[test]
fn labels_are_not_weighed_without_pictures_or_a_way_to_train() {
    let bench = Bench::with(SMALL);
    let suspects = || bench.snapset(&["suspects", "pipelines/small.toml"]);
    let empty = suspects();
    let (untaught, _) = SMALL.split_once("[train]").unwrap();
    bench.write("pipelines/small.toml", untaught);
    let without = suspects();

    empty.expect_code(1);
    assert!(empty.err().contains("has no pictures yet"), "{}", empty.err());
    without.expect_code(2);
    assert!(without.err().contains("has no [train] table"), "{}", without.err());
}

#[test]
fn trainings_are_kept_and_compared() {
    let bench = Bench::with(SMALL);
    bench.run();
    bench.write("pipelines/small.toml", &SMALL.replace("epochs = 1", "epochs = 3"));
    bench.run();

    let listed = bench.snapset(&["runs", "pipelines/small.toml", "--json"]).json();
    let runs = listed["runs"].as_array().unwrap();
    let name_of = |is_current: bool| {
        let found = runs.iter().find(|it| it["is_current"] == is_current).unwrap();
        found["run"].as_str().unwrap()
    };
    let names = [name_of(false), name_of(true)];
    let table = bench.snapset(&["runs", "pipelines/small.toml"]);
    let compare = ["runs", "pipelines/small.toml", names[0], names[1]];
    let compared = bench.snapset(&[&compare[..], &["--json"]].concat()).json();
    let in_words = bench.snapset(&compare);
    let unknown = bench.snapset(&["runs", "pipelines/small.toml", names[0], "zzz"]);

    assert_eq!(runs.len(), 2);
    table.expect_code(0);
    // Two trainings within a second are in the order of their names.
    let either = ["epochs: 1 \u{2192} 3", "epochs: 3 \u{2192} 1"];
    assert!(either.iter().any(|it| table.out().contains(it)), "{}", table.out());
    assert_eq!(compared["changes"], serde_json::json!(["epochs: 1 \u{2192} 3"]));
    let n_test = runs[0]["test_pictures"].as_u64().unwrap();
    assert_eq!(compared["paired"]["n_pictures"].as_u64().unwrap(), n_test);
    assert!(in_words.out().contains("McNemar"), "{}", in_words.out());
    unknown.expect_code(2);
    assert!(unknown.err().contains("no training is called `zzz`"), "{}", unknown.err());
}

#[test]
fn a_model_comes_with_a_card_that_tells_what_is_known_of_it() {
    let bench = Bench::with(SMALL);
    bench.run();
    let listed = bench.snapset(&["runs", "pipelines/small.toml", "--json"]).json();
    let run = &listed["runs"][0];

    let card =
        bench.read(&format!("data/small/models/{}/MODEL_CARD.md", run["run"].as_str().unwrap()));

    let sides = bench.sides();
    for class in ["beetles", "fish"] {
        let n = |side: &str| sides.values().filter(|it| **it == format!("{side}/{class}")).count();
        let row = format!("| {class} | {} | {} | {} |", n("train"), n("val"), n("test"));
        assert!(card.contains(&row), "{row} {card}");
    }
    let accuracy = run["test"]["accuracy"].as_f64().unwrap();
    assert!(card.contains(&format!("| accuracy | {accuracy:.3} |")), "{card}");
    assert!(card.contains("\"epochs\": 1,") && card.contains("drawn at random"), "{card}");
    assert_eq!(card.matches("a person must answer this").count(), 3);
}
