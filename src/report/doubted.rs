//! The labels that models doubt which never saw the picture, the least believed first.

use maud::{Markup, html};

use super::{Section, facts::Facts, gallery::Size, words};
use crate::domain::{id::BlobId, learning::suspects::Suspect};

/// How many pictures are shown.
const SHOWN: usize = 24;

/// Shows the doubted pictures that still are in the class that is doubted; nothing where no
/// model was asked.
pub(super) fn section(facts: &Facts) -> Option<Section> {
    let suspects = &facts.suspects;
    if suspects.is_empty() {
        return None;
    }
    Some(Section {
        id: "suspects",
        title: "Doubted labels",
        lead: html! {
            strong { (words::of(words::count(suspects.len()), "picture")) }
            " may be in the wrong class: models that never saw them believe another one. "
            code { "snapset review" } " settles them."
        },
        body: html! {
            div.thumbs.told {
                @for (blob, suspect) in suspects.iter().take(SHOWN) { (doubted(facts, blob, suspect)) }
            }
            @if SHOWN < suspects.len() {
                p.soft { "and " (words::number(words::count(suspects.len() - SHOWN))) " more" }
            }
        },
    })
}

fn doubted(facts: &Facts, blob: &BlobId, suspect: &Suspect) -> Markup {
    html! {
        figure.thumb {
            (facts.gallery().original(blob, Size::Small, &facts.alt(blob)))
            figcaption {
                "in " strong { (suspect.given) } " (" (words::percent(suspect.p_given)) "), probably "
                strong { (suspect.likely) } " (" (words::percent(suspect.p_likely)) ")"
                span { code { (blob.short()) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            id::Label,
            review::{Decision, Queue, Review},
            verdict::{Ruling, Verdict},
        },
        report::{
            bench::{BEETLES, Bench, drawn, jpeg},
            html,
        },
        store::reviews,
    };

    #[test]
    fn doubted_labels_are_shown_until_a_person_settles_them() {
        let bench = Bench::new();
        for seed in 100..104 {
            let picture = drawn(BEETLES, seed, 200, 150);
            bench.picture(&format!("p{seed}"), BEETLES, &jpeg(&picture, 92));
        }
        bench.finish();
        let verdicts = bench.store.notes::<Verdict>().unwrap().into_iter();
        let kept: Vec<(BlobId, Label)> = verdicts
            .filter_map(|(blob, verdict)| match verdict.ruling {
                Ruling::Keep { label } => Some((blob, label)),
                Ruling::Drop(_) => None,
            })
            .collect();
        let [first, second, third] = [0, 1, 2].map(|at| kept[at].clone());
        let other = Label::new("owls").unwrap();
        for (rank, (blob, given)) in [(1, &first), (0, &second), (2, &third)] {
            let given = if *blob == third.0 { other.clone() } else { given.clone() };
            let (likely, p_given, p_likely) = (other.clone(), 0.021, 0.973);
            bench.note(*blob, Suspect { given, likely, p_given, p_likely, rank });
        }
        let shown = |page: &str| {
            let section =
                page.split("id=\"suspects\"").nth(1).map(|rest| rest.split("</section>").next());
            section.flatten().map(str::to_owned)
        };

        let before = shown(&html(&bench.input()).unwrap()).unwrap();
        let line = Review {
            at_ms: 1,
            picture: second.0,
            decision: Decision::Keep,
            queue: Queue::Suspects,
            shown_as: None,
            by: None,
        };
        reviews::append(&bench.reviews(), &[line]).unwrap();
        let after = shown(&html(&bench.input()).unwrap()).unwrap();

        assert!(before.contains("97.3\u{a0}%") && before.contains("2\u{a0}pictures"), "{before}");
        let place = |of: &BlobId| before.find(&of.short());
        assert!(place(&second.0) < place(&first.0) && place(&second.0).is_some());
        assert_eq!(place(&third.0), None, "it is in another class by now");
        assert!(after.contains(&first.0.short()) && !after.contains(&second.0.short()));
        assert_eq!(shown(&html(&Bench::new().input()).unwrap()), None);
    }
}
