//! The program killed at any instant: the next run ends as if nothing had happened.

use std::{collections::BTreeMap, thread, time::Duration};

use snapset::{
    domain::planted::{Plant, PlantKind},
    source::demo,
};

use super::support::{Bench, SMALL, done, put};

/// How many pictures may be under way when the program is killed: those being fetched (the
/// concurrency of the pipeline), and those fetched and not yet on record (as many at most).
const UNDER_WAY: usize = 16 + 16;

#[test]
fn runs_killed_at_twenty_instants_export_what_an_undisturbed_run_exports() {
    let undisturbed = Bench::with(SMALL);
    let since = std::time::Instant::now();
    undisturbed.run();
    let whole = since.elapsed();
    let wanted = undisturbed.files("data/small/exports");
    let given_once = count(&undisturbed);

    for n in 0_u32..20 {
        let bench = Bench::with(SMALL);
        // Spread over the run by a fixed sequence that hits its parts unevenly.
        let share = f64::from((n * 7 + 3) % 20) / 20.0 + 0.02;
        let mut killed = bench.command(&["run", "pipelines/small.toml"]);
        let mut killed = killed.stdout(std::process::Stdio::null()).spawn().unwrap();
        thread::sleep(whole.mul_f64(share));
        drop(killed.kill()); // It may have ended before.
        killed.wait().unwrap();

        bench.run();

        let exports = bench.files("data/small/exports");
        assert!(exports == wanted, "killed at {share:.2} of {whole:?}");
        let again: usize =
            count(&bench).iter().map(|(url, n)| n.saturating_sub(given_once[url])).sum();
        assert!(again <= UNDER_WAY, "{again} pictures fetched twice after a kill at {share:.2}");
    }
}

#[test]
fn an_export_the_disk_may_not_have_all_of_is_written_again() {
    let bench = Bench::with(SMALL);
    bench.run();
    let note = bench.path("data/small/.unsettled");
    assert!(!note.exists(), "the disk has it");
    let [exports, dataset] =
        ["exports", "dataset"].map(|it| bench.files(&format!("data/small/{it}")));

    // As a power cut may leave it.
    put(&note, b"");
    put(&bench.path("data/small/exports/kaggle/train.zip"), b"");
    let refusal = bench.snapset(&["publish", "kaggle", "pipelines/small.toml"]);
    let again = bench.run();

    assert!(refusal.err().contains("the disk may not have all of"), "{}", refusal.err());
    assert_eq!(done(&again)["export"], 1);
    assert!(bench.files("data/small/exports") == exports);
    assert!(bench.files("data/small/dataset") == dataset);
    assert!(!note.exists());
    assert_eq!(done(&bench.run()), BTreeMap::new());
}

fn count(bench: &Bench) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for url in bench.pictures_given() {
        *counts.entry(url).or_default() += 1;
    }
    counts
}

#[test]
fn an_interrupt_finishes_what_is_under_way_and_the_next_run_goes_on() {
    let bench = Bench::with(SMALL);
    let mut command = bench.command(&["run", "pipelines/small.toml"]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut running = command.spawn().unwrap();
    while bench.pictures_given().len() < 10 {
        assert!(running.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        thread::sleep(Duration::from_millis(20));
    }
    let pid = running.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());

    let ended = running.wait().unwrap();

    assert_eq!(ended.code(), Some(130));
    let given = bench.pictures_given();
    bench.run();
    let later = bench.pictures_given().split_off(given.len());
    let is_whole = |url: &&String| !half_given().contains(*url);
    let twice: Vec<&String> =
        later.iter().filter(|url| given.contains(url)).filter(is_whole).collect();
    assert_eq!(twice, Vec::<&String>::new(), "what was under way was saved");
}

/// The addresses whose first answer the demo site breaks off by design.
fn half_given() -> Vec<String> {
    let plants = ["beetles", "fish"].map(|name| demo::planted(name, 60).plants).concat();
    let is_half = |plant: &Plant| matches!(plant.kind, PlantKind::CutBody | PlantKind::SlowHost);
    let url = |plant: Plant| plant.url.map(|url| url.0.replace("demo+https://", ""));
    plants.into_iter().filter(is_half).filter_map(url).collect()
}

/// Counts what is known of the dump's two places.
fn accounts(bench: &Bench) -> serde_json::Value {
    bench.snapset(&["status", "pipelines/small.toml", "--json"]).json()["places"]["accounts"]
        .clone()
}

#[test]
fn a_dump_whose_reading_was_killed_goes_on_where_it_was_and_ends_the_same() {
    const DUMP: &str = "[classes]\na = [\"dump:d.zst#r/aa\"]\nb = [\"dump:d.zst#r/bb\"]\n";
    let mut dump = zstd::Encoder::new(Vec::new(), 1).unwrap();
    for n in 0..80_000 {
        let subreddit = ["aa", "bb", "elsewhere", "aa"][n % 4];
        let post = serde_json::json!({
            "id": format!("p{n}"), "subreddit": subreddit, "title": "a post", "is_self": true,
            "created_utc": 1_700_000_000 + n, "author": "somebody", "url": "https://a.org",
        });
        std::io::Write::write_all(&mut dump, format!("{post}\n").as_bytes()).unwrap();
        if n % 10_000 == 9 {
            std::io::Write::write_all(&mut dump, b"{\"subreddit\":\"aa\", oops\n").unwrap();
        }
    }
    let dump = dump.finish().unwrap();
    let [undisturbed, killed] = [(); 2].map(|()| {
        let bench = Bench::with(DUMP);
        put(&bench.path("d.zst"), &dump);
        bench
    });
    let run = ["run", "pipelines/small.toml", "--to", "resolve", "--json"];
    let unreadable = |ran: &serde_json::Value| {
        let listings = ran["places"]["listings"].as_object().unwrap().values();
        listings.map(|it| it["asked"]["unreadable"].as_u64().unwrap()).sum::<u64>()
    };
    let whole = undisturbed.snapset(&run).json();

    let mut n_killed = 0;
    for wait_ms in [300, 500, 700, 900] {
        let mut command = killed.command(&run);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut running = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(wait_ms));
        n_killed += u32::from(running.try_wait().unwrap().is_none());
        running.kill().unwrap();
        running.wait().unwrap();
    }
    let ended = killed.snapset(&run);

    assert!(0 < n_killed, "it ended before it could be killed");
    ended.expect_code(0);
    assert_eq!(accounts(&killed), accounts(&undisturbed));
    assert_eq!((unreadable(&ended.json()), unreadable(&whole)), (8, 8));
}
