//! What holds whatever people say, in whatever order.

use super::{
    reviewed::{reject, relabel, said},
    *,
};
use crate::domain::review::{Decision, Review};

/// Decisions about some of the pictures of an album, at few instants.
fn lines() -> impl Strategy<Value = Vec<Review>> {
    let line = (0..3_u64, 0..24_usize, 0..24_usize, 0..9_u8).prop_map(|(at_ms, on, to, kind)| {
        let ids = blobs::<24>();
        let decision = match kind {
            0 => reject("text"),
            1 => reject("blurred"),
            2 => relabel("cats"),
            3 => relabel("dogs"),
            4 => Decision::Keeper,
            5 | 6 => Decision::Keep,
            7 => Decision::NotTwins { other: ids[to] },
            _ => Decision::Undecide,
        };
        said(at_ms, ids[on], decision)
    });
    prop::collection::vec(line, 0..16)
}

fn verdicts_of(album: &Album, lines: &[Review]) -> BTreeMap<BlobId, Verdict> {
    decide(&album.candidates, &album.pairs, &Reviews::of(lines))
}

proptest! {
    #[test]
    fn whatever_people_say_verdicts_agree_with_each_other(
        (album, lines) in (album(), lines()),
    ) {
        let reviews = Reviews::of(&lines);
        let verdicts = decide(&album.candidates, &album.pairs, &reviews);

        let is_kept = |blob: &BlobId| matches!(verdicts[blob].ruling, Ruling::Keep { .. });
        let are_twins = |a: &BlobId, b: &BlobId| {
            let is_this = |it: &TwinPair| (it.a, it.b) == (*a, *b) || (it.a, it.b) == (*b, *a);
            album.pairs.iter().any(is_this) && !reviews.are_strangers(*a, *b)
        };
        let ruled = |blob: &BlobId| reviews.pictures.get(blob);
        for pair in &album.pairs {
            let both = is_kept(&pair.a) && is_kept(&pair.b);
            prop_assert!(!both || !are_twins(&pair.a, &pair.b), "two twins are kept");
        }
        for (blob, verdict) in &verdicts {
            let flaw = &album.candidates[blob].flaw;
            match &verdict.ruling {
                Ruling::Keep { label } => {
                    prop_assert!(!matches!(ruled(blob), Some(Ruled::Reject { .. })), "{verdict:?}");
                    prop_assert!(!matches!(flaw, Some(DropReason::TakenBack { .. })), "{verdict:?}");
                    if let Some(Ruled::Relabel { label: given }) = ruled(blob) {
                        prop_assert_eq!(label, given);
                    }
                }
                Ruling::Drop(DropReason::Twin { of, .. }) => {
                    prop_assert!(is_kept(of) && are_twins(blob, of));
                    let is_chosen = |it| reviews.keepers.contains(it);
                    prop_assert!(!is_chosen(blob) || is_chosen(of));
                }
                Ruling::Drop(DropReason::TwinOfRejected { of, .. }) => {
                    let is_rejected = matches!(ruled(of), Some(Ruled::Reject { .. }));
                    prop_assert!(is_rejected && are_twins(blob, of));
                    prop_assert!(!reviews.has_decided(blob));
                }
                Ruling::Drop(DropReason::Reviewed { .. }) => {
                    prop_assert!(matches!(ruled(blob), Some(Ruled::Reject { .. })), "{verdict:?}");
                }
                Ruling::Drop(DropReason::Flawed(_)) => prop_assert_eq!(ruled(blob), None),
                Ruling::Drop(DropReason::TakenBack { .. }) => prop_assert!(flaw.is_some()),
                Ruling::Drop(DropReason::LabelConflict { labels }) => {
                    prop_assert!(1 < labels.len());
                }
            }
        }
    }

    #[test]
    fn neither_the_order_of_lines_nor_of_pairs_changes_a_verdict(
        (album, lines, pairs, shuffled) in (album(), lines()).prop_flat_map(|(album, lines)| {
            let pairs = Just(album.pairs.clone()).prop_shuffle();
            let shuffled = Just(lines.clone()).prop_shuffle();
            (Just(album), Just(lines), pairs, shuffled)
        }),
    ) {
        let before = verdicts_of(&album, &lines);
        let swap = |it: TwinPair| TwinPair { a: it.b, b: it.a, ..it };
        let other = Album { pairs: pairs.into_iter().map(swap).collect(), ..album };

        prop_assert_eq!(before, verdicts_of(&other, &shuffled));
    }

    #[test]
    fn a_line_changes_verdicts_of_its_component_only(
        (album, mut lines, added) in (album(), lines(), lines()),
    ) {
        let Some(added) = added.into_iter().next() else { return Ok(()) };
        let before = verdicts_of(&album, &lines);
        let picture = added.picture;
        lines.push(added);

        let after = verdicts_of(&album, &lines);

        // The components as they would be if nobody had parted a pair.
        let groups = components(
            album.candidates.keys(),
            album.pairs.iter().map(|pair| (pair.a, pair.b)),
        );
        for (blob, verdict) in before {
            if groups[&blob] != groups[&picture] {
                prop_assert_eq!(&verdict, &after[&blob]);
            }
        }
    }

    #[test]
    fn what_is_undecided_again_leaves_no_trace(
        (album, lines, on) in (album(), lines(), 0..24_usize),
    ) {
        let picture = blobs::<24>()[on];
        let without: Vec<Review> = lines
            .iter()
            .filter(|line| line.picture != picture || !line.is_of_picture())
            .cloned()
            .collect();
        let mut undone = lines;
        undone.push(said(9, picture, Decision::Undecide));

        prop_assert_eq!(verdicts_of(&album, &undone), verdicts_of(&album, &without));
    }
}
