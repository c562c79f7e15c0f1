use serde_json::json;

use crate::{
    domain::{
        id::BlobId,
        learning::{Answer, Epoch, Evaluation},
    },
    report::{
        bench::{Bench, stamp},
        html,
    },
    store::schema::{Run, RunName, SetRun},
};

/// A training that knew the first `n_right` of ten test pictures.
fn training(at_s: i64, n_right: usize, recipe: serde_json::Value) -> Run {
    let answer = |n: u8| {
        let right = if usize::from(n) < n_right { 0.9 } else { 0.2 };
        Answer { blob: BlobId::of(&[n]), truth: 0, probabilities: vec![right, 1.0 - right] }
    };
    let answers: Vec<Answer> = (0..10).map(answer).collect();
    let val_accuracy = f64::from(u32::try_from(n_right).unwrap()) / 10.0;
    let epoch = |number| Epoch { number, val_accuracy, ..Epoch::default() };
    Run {
        architecture: "small-cnn".to_owned(),
        classes: vec!["beetles".to_owned(), "fish".to_owned()],
        parameters: 54_522,
        epochs: (0..=3).map(epoch).collect(),
        best_epoch: 2,
        test: Some(Evaluation::of(&answers, 2)),
        answers,
        learned_from: vec![BlobId::of(b"learned from")],
        at_s,
        took_s: 329,
        recipe,
    }
}

/// Returns the comparison of trainings on the page, if there is one.
fn section(bench: &Bench) -> Option<String> {
    let page = html(&bench.input()).unwrap();
    let rest = page.split("<section id=\"trainings\"").nth(1)?;
    rest.split("</section>").next().map(str::to_owned)
}

#[test]
fn two_trainings_are_compared_and_a_single_one_is_not() {
    let bench = Bench::new();
    bench.note(RunName("older".to_owned()), training(1_780_000_000, 9, json!({ "epochs": 50 })));
    assert_eq!(section(&bench), None);
    let learned_from = vec![BlobId::of(b"another"), BlobId::of(b"learned from")];
    let run = training(1_780_100_000, 6, json!({ "epochs": 3 }));
    bench.note(RunName::of(stamp()), Run { learned_from, ..run });
    bench.note("train".to_owned(), SetRun { stamp: stamp(), summary: String::new() });

    let told = section(&bench).unwrap();

    for part in [
        "<strong>2\u{a0}trainings</strong>",
        "<strong>A</strong> did best on its validation pictures: <strong>90.0\u{a0}%</strong>",
        "<strong>B</strong> is the model that is asked today",
        "<li>epochs: 50 \u{2192} 3</li>",
        "<li>pictures to learn from: 1 new, 0 gone</li>",
        "60.0\u{a0}%<span class=\"below\">31.3 to 83.2</span>",
        "+30.0 points",
        "2 of 3",
        "5\u{a0}min 29\u{a0}s",
        "2026-05-28",
    ] {
        assert!(told.contains(part), "{part} is missing from {told}");
    }
    assert_eq!(told.matches("<polyline").count(), 2);
    assert!(told.contains("class=\"curve curve-0\"") && told.contains("class=\"curve curve-1\""));
    assert!(told.contains("<th scope=\"row\">3</th><td>90.0\u{a0}%</td><td>60.0\u{a0}%</td>"));
}

#[test]
fn of_many_trainings_the_latest_have_letters_and_the_one_asked_today_has_a_line() {
    let bench = Bench::new();
    for n in 0..15_i64 {
        bench.note(
            RunName(format!("run {n:02}")),
            training(1_780_000_000 + n, 5, json!({ "n": n })),
        );
    }
    bench.note(RunName::of(stamp()), training(1_780_000_003, 5, json!({ "n": 3 })));
    bench.note("train".to_owned(), SetRun { stamp: stamp(), summary: String::new() });

    let told = section(&bench).unwrap();

    assert!(told.contains("16\u{a0}trainings</strong>, 12 of them shown"), "{told}");
    assert!(!told.contains("run 03") && told.contains("<code>run 14</code>"), "{told}");
    assert_eq!(told.matches("<polyline").count(), 6);
    let name = RunName::of(stamp()).0;
    let letter = told.split(&format!(" <code>{}", &name[..6])).next().unwrap();
    let letter = letter.chars().next_back().unwrap();
    assert!(told.contains(&format!("{letter}</text>")), "{letter} has no line");
}
