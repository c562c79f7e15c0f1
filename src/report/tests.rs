use std::collections::BTreeSet;

use super::{
    bench::{BEETLES, Bench, FISH, cut, drawn, jpeg, marked, stamp, url},
    *,
};
use crate::{
    domain::{
        id::{BlobId, Place, PostId},
        learning::{Answer, Epoch, Evaluation},
        link::{Download, Origin, Resolution, Trouble},
        outcome::{Failure, Outcome, Reject},
        planted::PlantKind,
        post::{Media, Post, Teller},
        split::{Placement, Split},
    },
    pixels::{Picture, contact, decode},
    store::{
        query,
        schema::{Exported, Listing, Run, RunName, SetRun},
    },
};

fn picture(place: &str, seed: u64) -> Picture {
    drawn(place, seed, 200, 150)
}

/// A dataset with something for every part of the page.
fn full() -> Bench {
    let bench = Bench::new();
    for (place, n, first) in [(BEETLES, 9, 100), (FISH, 7, 500)] {
        for seed in first..first + n {
            bench.picture(&format!("p{seed}"), place, &jpeg(&picture(place, seed), 92));
        }
    }
    copies(&bench);
    rejects(&bench);
    bench.finish();
    truth(&bench);
    train(&bench);
    let pictures = 3;
    let export =
        Exported { pictures, files: 9, size_bytes: 812_345, version: "1-c0ffee".to_owned() };
    bench.note("kaggle".to_owned(), export);
    let unreadable = vec!["a post without an id".to_owned()];
    let listing = Listing { posts: 40, unreadable, ..Listing::default() };
    bench.settle(Place(BEETLES.to_owned()), Outcome::Made(listing));
    bench
}

fn copies(bench: &Bench) {
    for (n, seed) in (100..104).enumerate() {
        let original = picture(BEETLES, seed);
        bench.picture(&format!("re{seed}"), BEETLES, &jpeg(&original, [70, 45, 30, 20][n]));
        bench.picture(&format!("mark{seed}"), BEETLES, &jpeg(&marked(&original), 85));
        bench.picture(&format!("cut{seed}"), BEETLES, &jpeg(&cut(&original, 5), 90));
    }
    bench.picture("small", FISH, &contact::thumbnail_jpeg(&picture(FISH, 501), 150, 85));
    bench.picture("again", FISH, &jpeg(&picture(FISH, 502), 92));
    bench.picture("oncemore", FISH, &jpeg(&picture(FISH, 502), 92));
    bench.show("crossed", FISH, Origin::Crosspost, &["p503"]);
    bench.show("gallery", FISH, Origin::Gallery, &["p503", "p504", "g1"]);
    bench.bring("g1", &jpeg(&picture(FISH, 900), 90), &[Trouble::Throttled]);
    bench.picture("conflict", FISH, &jpeg(&picture(BEETLES, 105), 75));
    bench.picture("conflict2", FISH, &jpeg(&picture(BEETLES, 106), 92));
}

fn rejects(bench: &Bench) {
    for n in 0..3 {
        bench.post(&format!("film{n}"), BEETLES, Outcome::Rejected(Reject::Video));
        bench.reject(&format!("away{n}"), FISH, Reject::Gone { status: 404 });
        let name = format!("tiny{n}");
        bench.picture(&name, FISH, &contact::thumbnail_jpeg(&picture(FISH, 910 + n), 90, 85));
    }
    bench.post("text", BEETLES, Outcome::Rejected(Reject::TextOnly));
    let host = "example.com".to_owned();
    bench.post("host", FISH, Outcome::Rejected(Reject::UnknownHost { host }));
    bench.reject("html", BEETLES, Reject::NotAnImage { found: "HTML".to_owned() });
    bench.reject("sign", BEETLES, Reject::Placeholder);
    let whole = jpeg(&picture(BEETLES, 920), 90);
    bench.picture("half", BEETLES, &whole[..whole.len() * 2 / 3]);
    for n in 0..2 {
        let name = format!("dead{n}");
        bench.show(&name, FISH, Origin::Single, &[&name]);
        let message = format!("could not fetch {}: no byte for 20 s", url(&name));
        let failure = Failure { message, attempts: 4, transient: true, trouble: None };
        bench.settle::<Download>(url(&name), Outcome::Failed(failure));
    }
    bench.show("later", FISH, Origin::Single, &["later"]);
}

fn truth(bench: &Bench) {
    let names: Vec<(String, String)> =
        (100..104).map(|seed| (seed.to_string(), format!("p{seed}"))).collect();
    let mut plants = Vec::new();
    let owned: Vec<[String; 3]> = names
        .iter()
        .map(|(seed, _)| [format!("re{seed}"), format!("mark{seed}"), format!("cut{seed}")])
        .collect();
    for ([re, mark, cut], (_, original)) in owned.iter().zip(&names) {
        plants.push((PlantKind::Reencoded, re.as_str(), Some(original.as_str())));
        plants.push((PlantKind::Watermarked, mark.as_str(), Some(original.as_str())));
        plants.push((PlantKind::Cropped, cut.as_str(), Some(original.as_str())));
    }
    plants.extend([
        (PlantKind::HtmlAsJpeg, "html", None),
        (PlantKind::Placeholder, "sign", None),
        (PlantKind::BrokenFile, "half", None),
        (PlantKind::Video, "film0", None),
        (PlantKind::SlowHost, "g1", None),
    ]);
    bench.plant(BEETLES, &plants);
    // What the fish place planted is known too, but one copy was kept from the comparison, so
    // the page has a false twin to show.
    let plants = [
        (PlantKind::ExactRepost, "again", Some("p502")),
        (PlantKind::LabelConflict, "conflict", Some("p105")),
        (PlantKind::LabelConflict, "conflict2", Some("p106")),
    ];
    bench.plant(FISH, &plants);
}

fn train(bench: &Bench) {
    let placements = bench.store.notes::<Placement>().unwrap();
    let test = placements.iter().filter(|(_, placement)| *placement == Placement::In(Split::Test));
    let pictures = query::dataset(&bench.store, &bench.classes).unwrap();
    let truth = |blob: &BlobId| {
        let picture = pictures.iter().find(|it| it.blob == *blob).unwrap();
        usize::from(picture.label.as_str() == "fish")
    };
    let answers: Vec<Answer> = test
        .map(|(blob, _)| {
            let truth = truth(blob);
            let byte = f32::from(blob.as_bytes()[5]) / 255.0;
            let right = if byte < 0.2 { byte } else { 0.5 + byte / 2.0 };
            let probabilities =
                if truth == 0 { vec![right, 1.0 - right] } else { vec![1.0 - right, right] };
            Answer { blob: *blob, truth, probabilities }
        })
        .collect();
    let epoch = |number: u32| {
        let n = f64::from(number);
        let wave = (n * 2.3).sin() * 0.03;
        Epoch {
            number,
            train_loss: 0.72 * (-n / 5.0).exp() + 0.03,
            train_accuracy: 0.97 - 0.45 * (-n / 3.5).exp(),
            val_loss: 0.7 * (-n / 4.0).exp() + 0.16 + 0.012 * (n - 7.0).max(0.0) + wave,
            val_accuracy: 0.9 - 0.38 * (-n / 3.0).exp() - wave,
            ..Epoch::default()
        }
    };
    let run = Run {
        learned_from: Vec::new(),
        architecture: "plain".to_owned(),
        classes: vec!["beetles".to_owned(), "fish".to_owned()],
        parameters: 1_234_567,
        epochs: (0..=14).map(epoch).collect(),
        best_epoch: 8,
        test: Some(Evaluation::of(&answers, 2)),
        answers,
        at_s: 0,
        took_s: 0,
        recipe: serde_json::Value::Null,
    };
    bench.note(RunName::of(stamp()), run);
    bench.note("train".to_owned(), SetRun { stamp: stamp(), summary: String::new() });
}

#[test]
fn a_full_page_has_every_section_and_shows_pictures() {
    let bench = full();

    let page = html(&bench.input()).unwrap();

    for id in [
        "funnel",
        "classes",
        "planted",
        "duplicates",
        "conflicts",
        "quality",
        "outliers",
        "left-out",
        "pictures",
        "training",
        "origin",
        "troubles",
        "concentration",
        "this-file",
    ] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(30 < page.matches("src=\"data:image/jpeg;base64,").count());
    assert!(!page.contains("no longer on disk"));
    assert!(page.contains("<polyline") && page.contains("class=\"plots\""));
    assert!(page.contains("failed: could not fetch \u{2026}: no byte for 20 s"));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn the_page_shows_pairs_and_pictures_on_both_sides_of_their_limits() {
    let bench = full();

    let page = html(&bench.input()).unwrap();

    assert!(page.contains("Hardest to tell") && page.contains("clean.similarity = 900"));
    let card = page.split("<code>clean.min_side</code>").nth(1).unwrap();
    let card = card.split("</article>").next().unwrap();
    assert!(
        card.contains("at least <strong>100 px</strong>: <strong>3</strong> left out"),
        "{card}"
    );
    let (dropped, kept) = card.split_once("just kept").unwrap();
    assert!(dropped.contains("<figcaption>67 px</figcaption>"), "{dropped}");
    assert!(kept.contains("<figcaption>150 px</figcaption>"), "{kept}");
}

#[test]
fn the_pairs_hardest_to_tell_are_drawn_and_listed_in_the_same_order() {
    let bench = full();

    let sheet = pairs(&bench.input()).unwrap();

    let roles: Vec<&str> = sheet.lines.iter().map(|line| line.role).collect();
    assert_eq!(roles, [["twins"; 4], ["kept apart"; 4]].concat());
    assert!(sheet.lines[..4].is_sorted_by_key(|line| line.similarity));
    let drawn = decode::decode(&sheet.jpeg, decode::Limits::default()).unwrap();
    assert_eq!((drawn.width_px, drawn.height_px), (4 * 182 + 6, 4 * 182 + 6));
    assert_eq!(pairs(&Bench::new().input()).unwrap(), PairSheet { lines: vec![], jpeg: vec![] });
}

#[test]
fn a_dropped_twin_is_explained_beside_the_kept_one() {
    let bench = full();

    let journeys = explain(bench.asked(&[]), "t3_re100").unwrap();

    let [journey] = &journeys[..] else { panic!("one picture, not {}", journeys.len()) };
    let sides: Vec<(&str, &str)> =
        journey.sides.iter().map(|side| (side.role, side.looks.as_str())).collect();
    assert_eq!(sides, [("kept", "190\u{d7}150 JPEG"), ("dropped", "200\u{d7}150 JPEG")]);
    assert!(journey.sides.iter().all(|side| std::path::Path::new(&side.file).is_file()));
    let mean = journey.measured.iter().find(|it| it.setting == "min_brightness").unwrap();
    assert!(mean.name == "mean level" && mean.number.ends_with(" of 255"), "{mean:?}");

    let page = explained(&journeys, &bench.layout);

    assert_eq!(page.matches("data:image/jpeg").count(), 2);
    assert!(page.contains("twin of") && !page.contains("<script"));
}

#[test]
fn every_plot_has_its_numbers_and_every_table_a_name_of_its_own() {
    let page = html(&full().input()).unwrap();

    let figures: Vec<&str> = page
        .split("<figure class=\"plot\"")
        .skip(1)
        .filter_map(|it| it.split("</figure>").next())
        .collect();
    assert_eq!(figures.len(), 7);
    for figure in figures {
        assert!(figure.contains("The same in numbers") && figure.contains("<td>"), "{figure}");
        let is_read = figure.contains("class=\"hit\"") || 1 < figure.matches("<title").count();
        assert!(is_read, "{figure}");
    }
    let regions = page.split("role=\"region\" aria-label=\"").skip(1);
    let names: Vec<&str> = regions.filter_map(|it| it.split('"').next()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn a_page_of_other_pictures_has_another_digest() {
    let bench = full();
    let digest = |page: &str| {
        let row = page.split("with their classes and splits").nth(1).unwrap();
        row.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned()
    };
    let before = html(&bench.input()).unwrap();
    let mut placements = bench.store.notes::<Placement>().unwrap();
    let moved = placements.iter_mut().find(|(_, it)| *it == Placement::In(Split::Train));
    moved.unwrap().1 = Placement::In(Split::Val);

    bench.store.put_notes(&placements).unwrap();

    let after = html(&bench.input()).unwrap();
    assert!(digest(&before) != digest(&after) && digest(&before).len() == 32);
    assert!(before.contains("demo.toml") && before.contains("</time> to <time>20"));
}

#[test]
fn nothing_is_loaded_from_the_net_and_nothing_runs() {
    let page = html(&full().input()).unwrap();

    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    for word in ["<script", "<link", "<iframe", "<object", "@import", "url(", "srcset", "onload="] {
        assert!(!page.contains(word), "{word}");
    }
    let sources = page.split(" src=\"").skip(1);
    assert!(sources.into_iter().all(|source| source.starts_with("data:image/jpeg;base64,")));
    // Posts of a demo site have no page anyone could open.
    assert!(!page.contains("href=\"http"));
}

#[test]
fn a_title_from_the_net_is_text_and_nothing_else() {
    let page = html(&full().input()).unwrap();

    assert!(page.contains("Look &lt;b&gt;what&lt;/b&gt; I found"));
    assert!(!page.contains("<b>") && page.contains("Beetles &amp; Fish"));
}

#[test]
fn a_post_of_the_real_site_is_linked_and_an_odd_address_is_not() {
    let bench = Bench::new();
    let note = |permalink: &str| Post {
        places: BTreeSet::from([Place(BEETLES.to_owned())]),
        title: "a post".to_owned(),
        author: None,
        permalink: permalink.to_owned(),
        created_utc: None,
        score: None,
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::Video,
        preview: None,
        told_by: Teller::Live,
    };
    for (id, permalink) in
        [("reddit:t3_a", "https://www.reddit.com/a"), ("reddit:t3_b", "javascript:alert(1)")]
    {
        let id = PostId(id.to_owned());
        bench.note(id.clone(), note(permalink));
        bench.settle::<Resolution>(id, Outcome::Rejected(Reject::Video));
    }

    let page = html(&bench.input()).unwrap();

    assert!(
        page.contains(
            "<a href=\"https://www.reddit.com/a\" rel=\"noopener noreferrer\">a post</a>"
        )
    );
    assert!(!page.contains("javascript:"));
}

#[test]
fn an_empty_store_gives_a_friendly_page() {
    let bench = Bench::new();

    let page = html(&bench.input()).unwrap();

    for sentence in [
        "The dataset is still empty",
        "No post has been read yet",
        "No two pictures were found",
        "No picture was posted under two classes",
        "No picture has been measured yet",
        "No picture stands out from its class",
        "Nothing was left out",
        "No model has been trained yet",
        "Nothing has been exported yet",
        "Nothing is in the state of failure",
        "beetles has no pictures yet",
    ] {
        assert!(page.contains(sentence), "{sentence}");
    }
    assert!(!page.contains("id=\"planted\""));
}

#[test]
fn equal_stores_give_equal_pages() {
    assert!(html(&full().input()).unwrap() == html(&full().input()).unwrap());
}

#[test]
fn a_picture_that_is_gone_leaves_a_note() {
    let bench = full();
    std::fs::remove_dir_all(bench.layout.crops()).unwrap();

    assert!(html(&bench.input()).unwrap().contains("no longer on disk"));
}

#[test]
fn a_test_picture_the_model_never_saw_is_told_of() {
    let bench = full();
    let sentence = "The dataset has changed since this model was judged";
    assert!(!html(&bench.input()).unwrap().contains(sentence));
    let mut placements = bench.store.notes::<Placement>().unwrap();
    let moved = placements.iter_mut().find(|(_, it)| *it == Placement::In(Split::Train));
    moved.unwrap().1 = Placement::In(Split::Test);

    bench.store.put_notes(&placements).unwrap();

    let page = html(&bench.input()).unwrap();
    assert!(page.contains(sentence) && page.contains("1\u{a0}test picture came in"));
}
