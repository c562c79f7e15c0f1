//! A dataset that grows: nothing old is fetched again, no picture changes sides, and the result
//! is what a clean rebuild with the same lock gives.

use super::support::{Bench, SMALL};

#[test]
fn new_posts_move_nothing_and_the_result_equals_a_clean_rebuild() {
    let bench = Bench::with(SMALL);
    bench.run();
    let (sides, given) = (bench.sides(), bench.pictures_given());
    let grown = SMALL.replace("@60", "@66");
    bench.write("pipelines/small.toml", &grown);

    bench.run();

    let grown_sides = bench.sides();
    assert!(sides.len() < grown_sides.len());
    for (name, side) in &sides {
        // A better copy may replace a picture; nothing may change sides.
        assert!(grown_sides.get(name).is_none_or(|it| it == side), "{name} left {side}");
    }
    let n_replaced = sides.keys().filter(|name| !grown_sides.contains_key(*name)).count();
    assert!(n_replaced <= 2, "{n_replaced} pictures are gone");
    let fetched = bench.pictures_given().split_off(given.len());
    let twice: Vec<&String> = fetched.iter().filter(|it| given.contains(it)).collect();
    assert_eq!(twice, Vec::<&String>::new());

    let rebuilt = Bench::with(&grown);
    rebuilt.write("pipelines/small.lock", &bench.read("pipelines/small.lock"));
    rebuilt.run();
    assert_eq!(rebuilt.files("data/small/exports"), bench.files("data/small/exports"));
    assert_eq!(rebuilt.files("data/small/dataset"), bench.files("data/small/dataset"));
    assert_eq!(rebuilt.read("pipelines/small.lock"), bench.read("pipelines/small.lock"));
}

#[test]
fn a_place_taken_out_leaves_the_dataset_and_comes_back_without_a_request() {
    let bench = Bench::with(SMALL);
    bench.run();
    let sides = bench.sides();
    let n_requests = bench.n_requests();
    let one = SMALL.replace("fish = [\"demo:fish@60\"]\n", "");
    bench.write("pipelines/small.toml", &one);

    // With one class left there is nothing to tell apart, so training is skipped and said so.
    let ended = bench.snapset(&["run", "pipelines/small.toml"]);
    ended.expect_code(11);
    assert!(ended.out().contains("a classifier needs at least two classes"), "{}", ended.out());
    assert!(bench.sides().values().all(|side| side.ends_with("/beetles")));
    bench.write("pipelines/small.toml", SMALL);
    bench.run();

    assert_eq!(bench.sides(), sides);
    assert_eq!(bench.n_requests(), n_requests);
}

#[test]
fn going_back_to_fewer_posts_forgets_nothing_and_asks_for_no_picture() {
    let bench = Bench::with(SMALL);
    bench.run();
    bench.write("pipelines/small.toml", &SMALL.replace("@60", "@66"));
    bench.run();
    let (sides, n_given) = (bench.sides(), bench.pictures_given().len());
    bench.write("pipelines/small.toml", SMALL);

    bench.run();

    assert_eq!((bench.sides(), bench.pictures_given().len()), (sides, n_given));
}

#[test]
fn a_dataset_that_lost_all_its_pictures_takes_its_exports_back() {
    let bench = Bench::with(SMALL);
    bench.run();
    assert!(!bench.files("data/small/exports/kaggle").is_empty());
    bench.write(
        "pipelines/small.toml",
        &SMALL.replace("[fetch]", "[collect.filter]\nmin_score = 1000000\n[fetch]"),
    );

    let ended = bench.snapset(&["run", "pipelines/small.toml"]);

    ended.expect_code(11);
    assert!(bench.sides().is_empty());
    assert!(!bench.path("data/small/exports/kaggle").exists());
}
