use super::*;
use crate::{
    domain::{id::Place, outcome::Failure},
    pixels::contact,
    report::bench::{BEETLES, Bench, FISH, cut, drawn, jpeg, marked, url},
};

fn rows(bench: &Bench) -> BTreeMap<PlantKind, (u64, u64)> {
    let report = planted(&bench.store, &bench.classes).unwrap().unwrap();
    assert_eq!(report.rows.iter().map(|row| row.kind).collect::<Vec<_>>(), PlantKind::ALL);
    let rows = report.rows.iter().filter(|row| row.planted != 0);
    rows.map(|row| (row.kind, (row.planted, row.found))).collect()
}

fn plant_all(bench: &Bench, kind: PlantKind, names: &[(&str, Option<&str>)]) {
    let plants: Vec<_> = names.iter().map(|(name, original)| (kind, *name, *original)).collect();
    bench.plant(BEETLES, &plants);
}

#[test]
fn nobody_knows_the_truth_about_a_place_without_a_note() {
    let bench = Bench::new();
    bench.note(Place("demo:birds".to_owned()), Planted::default());

    assert_eq!(planted(&bench.store, &bench.classes).unwrap(), None);
}

#[test]
fn an_exact_repost_is_found_where_both_addresses_brought_the_same_bytes() {
    let bench = Bench::new();
    let bytes = jpeg(&drawn(BEETLES, 1, 200, 160), 90);
    bench.picture("a", BEETLES, &bytes);
    bench.picture("b", BEETLES, &bytes);
    bench.picture("c", BEETLES, &jpeg(&drawn(BEETLES, 1, 200, 160), 70));
    let names = [("b", Some("a")), ("c", Some("a")), ("never", Some("a"))];

    plant_all(&bench, PlantKind::ExactRepost, &names);

    assert_eq!(rows(&bench), [(PlantKind::ExactRepost, (3, 1))].into());
}

#[test]
fn edited_copies_are_found_as_twins_whoever_is_kept_and_strangers_are_not() {
    let bench = Bench::new();
    let original = drawn(BEETLES, 2, 320, 240);
    bench.picture("a", BEETLES, &jpeg(&original, 92));
    bench.picture("re", BEETLES, &jpeg(&original, 50));
    bench.picture("mark", BEETLES, &jpeg(&marked(&original), 90));
    bench.picture("cut", BEETLES, &jpeg(&cut(&original, 5), 90));
    bench.picture("other", BEETLES, &jpeg(&drawn(BEETLES, 3, 320, 240), 92));
    bench.finish();

    bench.plant(
        BEETLES,
        &[
            (PlantKind::Reencoded, "re", Some("a")),
            (PlantKind::Resized, "other", Some("a")),
            (PlantKind::Cropped, "cut", Some("a")),
            // Both are copies: neither need be the keeper.
            (PlantKind::Watermarked, "mark", Some("re")),
        ],
    );

    let expected = [
        (PlantKind::Reencoded, (1, 1)),
        (PlantKind::Resized, (1, 0)),
        (PlantKind::Cropped, (1, 1)),
        (PlantKind::Watermarked, (1, 1)),
    ];
    assert_eq!(rows(&bench), expected.into());
    let report = planted(&bench.store, &bench.classes).unwrap().unwrap();
    assert_eq!(report.twin_recall, Some(0.75));
    assert_eq!(
        report.missed.iter().map(|plant| plant.kind).collect::<Vec<_>>(),
        [PlantKind::Resized]
    );
    assert_eq!(report.false_twins, []);
}

#[test]
fn twins_that_no_planted_copying_connects_are_false_and_a_chain_of_copies_connects() {
    let bench = Bench::new();
    let original = drawn(BEETLES, 4, 320, 240);
    bench.picture("a", BEETLES, &jpeg(&original, 92));
    bench.picture("chained", BEETLES, &jpeg(&original, 60));
    // The smallest copy is never the keeper.
    let alien = bench.picture("alien", BEETLES, &contact::thumbnail_jpeg(&original, 240, 90));
    bench.finish();

    // What stood between the original and its copy's copy was never fetched.
    let plants = [
        (PlantKind::Reencoded, "between", Some("a")),
        (PlantKind::Reencoded, "chained", Some("between")),
    ];
    bench.plant(BEETLES, &plants);
    let report = planted(&bench.store, &bench.classes).unwrap().unwrap();

    assert_eq!(report.false_twins.iter().map(|twin| twin.dropped).collect::<Vec<_>>(), [alien]);
    bench
        .plant(BEETLES, &[plants.as_slice(), &[(PlantKind::Resized, "alien", Some("a"))]].concat());
    let report = planted(&bench.store, &bench.classes).unwrap().unwrap();
    assert_eq!(report.false_twins, []);
}

#[test]
fn a_conflict_counts_only_if_both_classes_are_listed() {
    let bench = Bench::new();
    let both = drawn(BEETLES, 5, 320, 240);
    bench.picture("a", BEETLES, &jpeg(&both, 92));
    bench.picture("b", FISH, &jpeg(&both, 70));
    bench.picture("c", BEETLES, &jpeg(&drawn(BEETLES, 6, 320, 240), 92));
    bench.picture("d", FISH, &jpeg(&drawn(FISH, 7, 320, 240), 92));
    bench.finish();
    plant_all(&bench, PlantKind::LabelConflict, &[("b", Some("a")), ("d", Some("c"))]);

    assert_eq!(rows(&bench), [(PlantKind::LabelConflict, (2, 1))].into());

    let only = bench.classes.only(&Label::new("beetles").unwrap()).unwrap();
    let report = planted(&bench.store, &only).unwrap().unwrap();
    assert!(report.rows.iter().all(|row| row.planted == 0));
}

#[test]
fn copies_lost_together_in_a_conflict_are_still_found_as_copies() {
    let bench = Bench::new();
    let original = drawn(BEETLES, 8, 320, 240);
    bench.picture("a", BEETLES, &jpeg(&original, 92));
    bench.picture("re", BEETLES, &jpeg(&original, 60));
    bench.picture("strange", FISH, &jpeg(&original, 75));
    bench.finish();

    plant_all(&bench, PlantKind::Reencoded, &[("re", Some("a"))]);

    assert_eq!(rows(&bench), [(PlantKind::Reencoded, (1, 1))].into());
}

#[test]
fn troubles_of_a_post_are_read_from_its_resolution() {
    let bench = Bench::new();
    bench.show("pair", BEETLES, Origin::Gallery, &["1", "2"]);
    bench.show("lone", BEETLES, Origin::Gallery, &["3"]);
    bench.show("cross", BEETLES, Origin::Crosspost, &["1"]);
    bench.show("plain", BEETLES, Origin::Single, &["1"]);
    bench.post("film", BEETLES, Outcome::Rejected(Reject::Video));
    bench.post("gone", BEETLES, Outcome::Rejected(Reject::Removed { by: "author".to_owned() }));
    let kinds = [
        (PlantKind::Gallery, "pair", "lone"),
        (PlantKind::Crosspost, "cross", "plain"),
        (PlantKind::Video, "film", "gone"),
        (PlantKind::Removed, "gone", "film"),
    ];

    bench.plant(
        BEETLES,
        &kinds.map(|(kind, yes, no)| [(kind, yes, None), (kind, no, None)]).concat(),
    );

    assert_eq!(rows(&bench), kinds.map(|(kind, ..)| (kind, (2, 1))).into());
}

#[test]
fn troubles_of_a_file_are_read_from_its_download_and_its_fingerprint() {
    let bench = Bench::new();
    let picture = jpeg(&drawn(BEETLES, 9, 200, 160), 90);
    bench.reject("sign", BEETLES, Reject::Placeholder);
    bench.reject("page", BEETLES, Reject::NotAnImage { found: "HTML".to_owned() });
    bench.reject("away", BEETLES, Reject::Gone { status: 404 });
    bench.picture("half", BEETLES, &picture[..picture.len() / 2]);
    bench.picture("whole", BEETLES, &picture);
    for (name, trouble) in
        [("cut", Trouble::Truncated), ("wait", Trouble::Throttled), ("slow", Trouble::Stalled)]
    {
        bench.show(name, BEETLES, Origin::Single, &[name]);
        bench.bring(name, &picture, &[trouble]);
    }
    let failure =
        Failure { message: "timeout".to_owned(), attempts: 3, transient: true, trouble: None };
    bench.settle::<Download>(url("dead"), Outcome::Failed(failure));
    let kinds = [
        (PlantKind::Placeholder, "sign", "page"),
        (PlantKind::HtmlAsJpeg, "page", "away"),
        (PlantKind::NotFound, "away", "sign"),
        (PlantKind::BrokenFile, "half", "whole"),
        (PlantKind::CutBody, "cut", "dead"),
        (PlantKind::Throttled, "wait", "slow"),
        (PlantKind::SlowHost, "slow", "whole"),
    ];

    bench.plant(
        BEETLES,
        &kinds.map(|(kind, yes, no)| [(kind, yes, None), (kind, no, None)]).concat(),
    );

    assert_eq!(rows(&bench), kinds.map(|(kind, ..)| (kind, (2, 1))).into());
}
