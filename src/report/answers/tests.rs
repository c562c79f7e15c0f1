use crate::{
    domain::{
        id::BlobId,
        learning::{self, Answer, Evaluation},
        split::{Placement, Split},
    },
    report::{
        bench::{BEETLES, Bench, FISH, drawn, jpeg, stamp},
        html,
    },
    store::{
        files,
        schema::{Run, RunName, SetRun},
    },
};

/// A dataset whose pictures are all tested, and a model that takes the first three for another
/// class, the less certain the later.
fn mistaken() -> (Bench, Vec<BlobId>) {
    let bench = Bench::new();
    for (place, first) in [(BEETLES, 100), (FISH, 500)] {
        for seed in first..first + 4 {
            bench.picture(&format!("p{seed}"), place, &jpeg(&drawn(place, seed, 200, 150), 92));
        }
    }
    bench.finish();
    let blobs: Vec<BlobId> =
        bench.store.notes::<Placement>().unwrap().into_iter().map(|(blob, _)| blob).collect();
    for blob in &blobs {
        bench.note(*blob, Placement::In(Split::Test));
    }
    let answer = |(blob, rank): (&BlobId, u8)| {
        let right = if rank < 3 { 0.1 + f32::from(rank) / 10.0 } else { 0.9 };
        Answer { blob: *blob, truth: 0, probabilities: vec![right, 1.0 - right] }
    };
    let answers: Vec<Answer> = blobs.iter().zip(0..).map(answer).collect();
    let run = Run {
        architecture: "plain".to_owned(),
        classes: vec!["beetles".to_owned(), "fish".to_owned()],
        parameters: 1,
        epochs: Vec::new(),
        best_epoch: 0,
        test: Some(Evaluation::of(&answers, 2)),
        answers,
        learned_from: Vec::new(),
        at_s: 0,
        took_s: 0,
        recipe: serde_json::Value::Null,
    };
    bench.note(RunName::of(stamp()), run);
    bench.note("train".to_owned(), SetRun { stamp: stamp(), summary: String::new() });
    (bench, blobs)
}

fn wrong(bench: &Bench) -> String {
    let page = html(&bench.input()).unwrap();
    let rest = page.split("<h3>Wrong, the most certain first</h3>").nth(1).unwrap();
    rest.split("<h3>").next().unwrap().to_owned()
}

#[test]
fn where_the_model_looked_is_shown_beside_the_mistakes_it_was_noted_of() {
    let (bench, blobs) = mistaken();
    let before = wrong(&bench);
    let file = bench.layout.mistake(&RunName::of(stamp()), &blobs[1]);
    files::write_atomic(&file, &jpeg(&drawn(FISH, 7, 60, 60), 90)).unwrap();

    let after = wrong(&bench);

    assert_eq!((before.matches("<img").count(), after.matches("<img").count()), (3, 4));
    assert!(!before.contains("where the model looked") && !before.contains("looked"), "{before}");
    assert!(after.contains("where the model looked") && after.contains("told looked"), "{after}");
    let figures: Vec<&str> = after.split("<figure").skip(1).collect();
    let sure = |it: &str| it.split("% sure").next().unwrap().rsplit('>').next().unwrap().to_owned();
    let all: Vec<String> = figures.iter().map(|it| sure(it)).collect();
    assert_eq!(all, ["90.0\u{a0}", "80.0\u{a0}", "70.0\u{a0}"]);
    assert!(figures[1].contains("alt=\"where the model saw fish\"") && !figures[0].contains("saw"));
}

#[test]
fn what_was_taken_for_what_is_counted_and_seen() {
    let (bench, _) = mistaken();

    let page = html(&bench.input()).unwrap();

    let kinds = page.split("<h3>What was taken for what</h3>").nth(1).unwrap();
    let kinds = kinds.split("<h3>").next().unwrap();
    assert!(
        kinds.contains("<strong>beetles</strong> taken for <strong>fish</strong>: 3 of 8"),
        "{kinds}"
    );
    assert_eq!((kinds.matches("class=\"kind\"").count(), kinds.matches("<img").count()), (1, 3));
}

#[test]
fn mistakes_are_in_one_order_for_the_page_and_for_the_folder_of_the_model() {
    let answer = |name: &[u8], right: f32| Answer {
        blob: BlobId::of(name),
        truth: 0,
        probabilities: vec![right, 1.0 - right],
    };
    let mut answers = vec![
        answer(b"unsure", 0.4),
        answer(b"right", 0.8),
        answer(b"one", 0.1),
        answer(b"two", 0.1),
    ];

    let order: Vec<BlobId> = learning::mistakes(&answers).iter().map(|it| it.blob).collect();
    answers.reverse();

    let mut sure = [BlobId::of(b"one"), BlobId::of(b"two")];
    sure.sort();
    assert_eq!(order, [sure[0], sure[1], BlobId::of(b"unsure")]);
    assert!(order.iter().eq(learning::mistakes(&answers).iter().map(|it| &it.blob)));
}
