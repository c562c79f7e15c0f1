//! What people get wrong, and what they are told.

use std::process::Stdio;

use super::support::{Bench, SMALL};

#[test]
fn an_unknown_key_ends_with_the_line_and_the_nearest_known_key() {
    let bench = Bench::with(&SMALL.replace("size = 64", "sise = 64"));

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(2);
    insta::assert_snapshot!(
        ended.err(),
        @"error: pipelines/small.toml:18: unknown key `sise`; did you mean `size`?"
    );
}

#[test]
fn missing_credentials_name_the_variables_and_the_way_around() {
    let bench = Bench::with("[classes]\ncats = [\"r/cats\"]\n");

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(2);
    insta::assert_snapshot!(ended.err(), @r"
    error: no Reddit credentials: REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET not set

    hint: create an app at https://www.reddit.com/prefs/apps (new ones need approval since November 2025)
    and set the variables in the environment or in .env; folder: and demo: places need none
    ");
}

#[test]
fn credentials_may_stand_in_a_file_beside_the_project() {
    let bench = Bench::with("[classes]\ncats = [\"r/cats\"]\n");
    bench.write(".env", "REDDIT_CLIENT_ID=id\nREDDIT_CLIENT_SECRET=hush\n");

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(2);
    insta::assert_snapshot!(ended.err(), @r"
    error: Reddit wants to know whom to turn to: no contact is set

    hint: set REDDIT_USERNAME, or contact under [collect]; Reddit bars clients that hide who they are
    ");
}

#[test]
fn a_folder_that_does_not_exist_is_named_before_anything_is_done() {
    let bench = Bench::with("[classes]\na = [\"demo:fish@5\"]\nb = [\"folder:no/such\"]\n");

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(2);
    insta::assert_snapshot!(ended.err(), @r"
    error: there is no folder `no/such`

    hint: folder: paths start where the program is started
    ");
    assert_eq!(bench.n_requests(), 0);
}

#[test]
fn a_second_process_on_the_same_dataset_is_refused() {
    let bench = Bench::with(SMALL);
    let mut command = bench.command(&["run", "pipelines/small.toml"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut first = command.spawn().unwrap();
    while bench.pictures_given().is_empty() {
        assert!(first.try_wait().unwrap().is_none(), "the first run ended early");
        std::thread::yield_now();
    }

    let second = bench.snapset(&["run", "pipelines/small.toml"]);

    second.expect_code(1);
    insta::assert_snapshot!(second.err(), @r"
    error: the store at `data/small/store` is in use by another process

    hint: wait for the other run of this dataset to end, or give --data another folder
    ");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_class_without_pictures_is_a_counted_reason_and_no_panic() {
    let bench = Bench::with(SMALL);
    let text = SMALL.replace("[\"demo:fish@60\"]", "[\"folder:empty\"]");
    bench.write("pipelines/small.toml", &text);
    std::fs::create_dir(bench.path("empty")).unwrap();

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(11);
    assert!(ended.out().contains("class `fish` has no picture to train on"), "{}", ended.out());
    let warning = "warning: class `fish` has 0 pictures: none for train and val and test";
    assert!(ended.out().contains(warning), "{}", ended.out());
}

#[test]
fn a_class_with_fewer_pictures_than_splits_is_said_to_be_so() {
    let bench = Bench::with(&SMALL.replace("fish@60", "fish@2"));

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    let said = [ended.out(), ended.err()].concat();
    assert!(said.contains("class `fish` has 2 pictures: none for val"), "{said}");
}

#[test]
fn a_dataset_without_any_picture_ends_with_the_reason() {
    let bench = Bench::with("[classes]\na = [\"folder:empty\"]\n");
    std::fs::create_dir(bench.path("empty")).unwrap();

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(11);
    assert!(ended.out().contains("skipped: the dataset has no picture"), "{}", ended.out());
}

#[test]
fn a_damaged_lock_is_named_and_nothing_is_split_anew() {
    let bench = Bench::with(SMALL);
    bench.write("pipelines/small.lock", "<<<<<<< ours\n");

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(1);
    assert!(ended.err().contains("is damaged in line 1: `<<<<<<< ours`"), "{}", ended.err());
    assert_eq!(bench.read("pipelines/small.lock"), "<<<<<<< ours\n");
}

#[test]
fn a_folder_of_somebody_else_where_the_dataset_should_go_is_not_touched() {
    let bench = Bench::with(SMALL);
    bench.write("data/small/dataset/mine.txt", "keep me");

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(1);
    assert!(ended.err().contains("no mark of ours"), "{}", ended.err());
    assert_eq!(bench.read("data/small/dataset/mine.txt"), "keep me");
}

#[test]
fn a_disk_that_is_full_ends_the_run_with_its_name_and_nothing_half_written() {
    let bench = Bench::with(SMALL);
    let full = bench.path("data/small/blobs");
    std::fs::create_dir_all(&full).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=200k", "tmpfs", full.to_str().unwrap()];
    let mounted = std::process::Command::new("mount").args(mount).output();
    if !mounted.is_ok_and(|it| it.status.success()) {
        eprintln!("skipped: a small disk can only be mounted by the superuser");
        return;
    }

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    let kept = bench.files("data/small/blobs");
    let unmounted = std::process::Command::new("umount").arg(&full).status().unwrap();
    assert!(unmounted.success());
    ended.expect_code(1);
    assert!(ended.err().contains("No space left on device"), "{}", ended.err());
    for (name, bytes) in kept {
        let digest = snapset::domain::id::BlobId::of(&bytes).to_string();
        assert!(name.ends_with(&digest), "{name} is half a file");
    }
    bench.run();
}
