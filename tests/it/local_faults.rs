//! Trouble on this machine: a folder that cannot be written, names that are no names, a proxy
//! that is none, people in a hurry.

use std::{fs, process::Stdio, thread, time::Duration};

use super::{
    stand_in::{ID_AND_SECRET, StandIn},
    support::{Bench, SMALL, put},
};

#[test]
fn a_data_folder_that_cannot_be_written_is_named_and_nothing_is_asked_for() {
    let bench = Bench::with(SMALL);
    // No user may make folders there, not even root.
    let ended = bench.snapset(&["run", "pipelines/small.toml", "--data", "/proc/snapset"]);

    ended.expect_code(1);
    assert!(ended.err().contains("could not make folder `/proc/snapset"), "{}", ended.err());
    assert_eq!(bench.n_requests(), 0);
}

#[test]
fn a_name_of_any_kind_is_never_a_path() {
    let bench = Bench::with(
        "[classes]\na = [\"folder:photos\"]\n[prepare]\nsize = 64\n[export.kaggle]\n\
         id = \"snapset/odd-names\"\ntitle = \"Odd names\"\n",
    );
    let picture = snapset::pixels::encode::jpeg(&drawn(3), 90);
    fs::create_dir_all(bench.path("photos")).unwrap();
    let odd = ["\u{1f697}\n..\\..\\x", "%2e%2e%2fup", "=cmd()", &"long ".repeat(48), "-rf"];
    for (n, name) in odd.iter().enumerate() {
        // What follows the end of a JPEG is part of the file and not of the picture.
        let bytes = [picture.as_slice(), &[u8::try_from(n).unwrap()]].concat();
        put(&bench.path("photos").join(format!("{name}.jpg")), &bytes);
    }

    let ended = bench.snapset(&["run", "pipelines/small.toml", "--json"]);

    ended.expect_code(0);
    assert_eq!(ended.json()["run"]["tallies"]["fetch"]["made"], odd.len());
    for path in bench.files("data/small/dataset").into_keys() {
        let name = path.rsplit('/').next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{path}");
    }
}

/// Draws a picture of its own per `seed`.
fn drawn(seed: u32) -> snapset::pixels::Picture {
    let level = |n: u32| u8::try_from(n % 256).unwrap();
    let mut picture = snapset::pixels::Picture::new(150, 150);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        *pixel = snapset::pixels::Pixel::from([level(x * seed), level(y * 2 + seed), level(x * y)]);
    }
    picture
}

#[test]
fn what_is_wrong_within_a_file_is_found_when_it_is_decoded_and_costs_nothing_else() {
    let bench = Bench::with("[classes]\na = [\"folder:photos\"]\n");
    let whole = snapset::pixels::encode::jpeg(&drawn(3), 90);
    let mut bomb = whole.clone();
    let frame = bomb.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff";
    let still = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let animation = [&head[..], still, still, b"\x3b"].concat();
    fs::create_dir_all(bench.path("photos")).unwrap();
    let files = [
        ("whole.jpg", whole.as_slice()),
        ("bomb.jpg", &bomb),
        ("cut.jpg", &whole[..whole.len() / 2]),
        ("animation.gif", &animation),
    ];
    for (name, bytes) in files {
        put(&bench.path("photos").join(name), bytes);
    }

    let ended = bench.snapset(&["run", "pipelines/small.toml", "--to", "fingerprint", "--json"]);

    ended.expect_code(0);
    let tally = &ended.json()["run"]["tallies"]["fingerprint"];
    assert_eq!((&tally["made"], &tally["rejected"]), (&2.into(), &2.into()), "{tally}");
    let expected = serde_json::json!({ "too many pixels": 1, "broken file": 1 });
    assert_eq!(tally["rejects"], expected);
}

#[test]
fn a_picture_of_this_machine_with_too_many_bytes_is_not_read() {
    let bench = Bench::with(
        "[classes]\na = [\"folder:photos\", \"archive:more.tar\"]\n[fetch]\nmax_megabytes = 1\n",
    );
    fs::create_dir_all(bench.path("photos")).unwrap();
    let mut tar = tar::Builder::new(fs::File::create(bench.path("more.tar")).unwrap());
    for (seed, length) in [(3, 1_000_000), (5, 1_000_001), (7, 1_000_000), (9, 1_000_001)] {
        let mut bytes = snapset::pixels::encode::jpeg(&drawn(seed), 90);
        bytes.resize(length, 0);
        if seed < 7 {
            put(&bench.path(&format!("photos/{seed}.jpg")), &bytes);
        } else {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(length).unwrap());
            tar.append_data(&mut header, format!("{seed}.jpg"), bytes.as_slice()).unwrap();
        }
    }
    tar.into_inner().unwrap();

    let ended = bench.snapset(&["run", "pipelines/small.toml", "--to", "fetch", "--json"]);

    ended.expect_code(0);
    let tally = &ended.json()["run"]["tallies"]["fetch"];
    assert_eq!(tally["made"], 2, "{tally}");
    assert_eq!(tally["rejects"], serde_json::json!({ "too many bytes": 2 }));
}

#[test]
fn a_host_without_an_address_is_told_as_such_and_keeps_nobody_else() {
    let bench = Bench::with(
        "[classes]\na = [\"urls:list.csv\", \"folder:photos\"]\n[fetch]\nattempts = 1\n",
    );
    bench.write("list.csv", "url\nhttps://snapset-nowhere.invalid/a.jpg\n");
    fs::create_dir_all(bench.path("photos")).unwrap();
    let bytes = snapset::pixels::encode::jpeg(&drawn(5), 90);
    put(&bench.path("photos/whole.jpg"), &bytes);

    let ended = bench.snapset(&["run", "pipelines/small.toml", "--to", "fetch", "--json"]);

    let tally = &ended.json()["run"]["tallies"]["fetch"];
    assert_eq!((&tally["made"], &tally["failed"]), (&1.into(), &1.into()), "{tally}");
    let failures = tally["failures"].to_string();
    assert!(failures.contains("could not reach snapset-nowhere.invalid"), "{failures}");
}

#[test]
fn the_time_zone_of_the_machine_changes_nothing() {
    let export = |zone: &str| {
        let bench = Bench::with(&SMALL.replace("@60", "@24"));
        let arguments = ["run", "pipelines/small.toml", "--to", "export"];
        let output = bench.command(&arguments).env("TZ", zone).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        bench.files("data/small/exports/kaggle")
    };

    let east = export("Pacific/Kiritimati");

    assert!(!east.is_empty());
    assert_eq!(east, export("Pacific/Marquesas"));
}

#[test]
fn a_proxy_nobody_answers_at_is_told_as_such() {
    let bench = Bench::with(
        "[classes]\na = [\"r/beetles\"]\n[collect]\ncontact = \"somebody\"\n[fetch]\nattempts = 1\n",
    );
    let mut command = bench.command(&["run", "pipelines/small.toml", "--to", "collect"]);
    let output = command
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .envs(ID_AND_SECRET.iter().copied())
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(11), "{told}");
    assert!(told.contains("could not reach www.reddit.com"), "{told}");
    assert!(told.contains("refused"), "the cause is told: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_is_told_as_such() {
    let bench = Bench::with(
        "[classes]\na = [\"r/beetles\"]\n[collect]\ncontact = \"somebody\"\n[fetch]\nattempts = 1\n",
    );
    let stand_in = StandIn::start(bench.path("log"), None).await;
    let other = StandIn::start(bench.path("other-log"), None).await;
    let collect = ["run", "pipelines/small.toml", "--to", "collect"];

    let ended = stand_in.run_trusting(&other, &bench, &collect, ID_AND_SECRET).await;

    ended.expect_code(11);
    assert!(ended.out().contains("certificate"), "{}{}", ended.out(), ended.err());
}

#[test]
fn a_second_interrupt_stops_at_once_and_loses_nothing() {
    let bench = Bench::with(SMALL);
    let mut command = bench.command(&["run", "pipelines/small.toml"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    while bench.pictures_given().len() < 10 {
        assert!(running.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        thread::sleep(Duration::from_millis(5));
    }
    let pid = running.id().to_string();
    for _ in 0..2 {
        let sent = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(sent.success());
        thread::sleep(Duration::from_millis(30));
    }

    let ended = running.wait().unwrap();

    assert_eq!(ended.code(), Some(130));
    let undisturbed = Bench::with(SMALL);
    undisturbed.run();
    bench.run();
    assert_eq!(bench.files("data/small/exports"), undisturbed.files("data/small/exports"));
}
