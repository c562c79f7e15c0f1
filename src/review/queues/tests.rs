use super::*;
use crate::{
    domain::{fingerprint::Distance, flaws::Measure, split::Split},
    review::desk::Posted,
};

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn labels() -> Vec<Label> {
    ["cat", "dog"].map(label).into()
}

fn kept(name: &str) -> Card {
    Card {
        blob: BlobId::of(name.as_bytes()),
        width_px: 40,
        height_px: 30,
        ruling: Some(Ruling::Keep { label: label("cat") }),
        split: Some(Split::Train),
        posts: vec![posted(0)],
    }
}

fn posted(label: u32) -> Posted {
    Posted { title: "t".into(), link: "".into(), place: 0, label, created_utc: None }
}

/// Sorts cards as a desk does, and says where each of them went.
fn laid_out(mut cards: Vec<Card>) -> (Vec<Card>, impl Fn(&str) -> CardId) {
    cards.sort_by_key(|card| card.blob);
    let blobs: Vec<BlobId> = cards.iter().map(|card| card.blob).collect();
    let find =
        move |name: &str| CardId::of(blobs.binary_search(&BlobId::of(name.as_bytes())).unwrap());
    (cards, find)
}

fn sources<'a>(cards: &'a [Card], labels: &'a [Label]) -> Sources<'a> {
    Sources {
        cards,
        labels,
        limit: Similarity(900),
        seed: 1,
        twins: Vec::new(),
        strangers: Vec::new(),
        suspects: Vec::new(),
        near: Vec::new(),
        outliers: Vec::new(),
    }
}

fn alike(similarity: u16) -> Likeness {
    Likeness { distance: Distance(9), similarity: Similarity(similarity) }
}

#[test]
fn pictures_that_come_later_do_not_change_the_order_of_the_audit() {
    let names: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let order = |names: &[String], seed: u64| -> Vec<BlobId> {
        let (cards, _) = laid_out(names.iter().map(|name| kept(name)).collect());
        let labels = labels();
        let items = audit(&Sources { seed, ..sources(&cards, &labels) });
        items.iter().map(|item| cards[item.picture.place()].blob).collect()
    };
    let few = order(&names[..40], 1);
    let mut all = order(&names, 1);

    assert_eq!(all.len(), 60);
    assert_ne!(all, order(&names, 2), "the seed draws the order");
    all.retain(|blob| few.contains(blob));
    assert_eq!(all, few);
    let mut ascending = few.clone();
    ascending.sort_unstable();
    assert_ne!(few, ascending, "no order of digests");
}

#[test]
fn only_what_is_kept_under_a_known_class_is_audited() {
    let gone = Card { ruling: Some(Ruling::Keep { label: label("bird") }), ..kept("b") };
    let dropped = Card {
        ruling: Some(Ruling::Drop(DropReason::LabelConflict { labels: BTreeSet::new() })),
        ..kept("c")
    };
    let (cards, find) =
        laid_out(vec![kept("a"), gone, dropped, Card { ruling: None, ..kept("d") }]);
    let labels = labels();

    let items = audit(&sources(&cards, &labels));

    assert_eq!(items, [Item { picture: find("a"), beside: None, why: Why::Drawn }]);
}

#[test]
fn pairs_nearest_to_the_line_come_first_from_both_sides_and_far_ones_not_at_all() {
    let flaw = Flaw { measure: Measure::Side, found: 9, limit: 128 };
    let flawed = Card { ruling: Some(Ruling::Drop(DropReason::Flawed(flaw))), ..kept("f") };
    let (cards, find) =
        laid_out(vec![kept("a"), kept("b"), kept("c"), kept("d"), kept("e"), flawed]);
    let labels = labels();
    let pair = |a, b, similarity| Pair { a: find(a), b: find(b), likeness: alike(similarity) };
    let sources = Sources {
        twins: vec![
            pair("a", "b", 930),
            pair("a", "c", 1000),
            pair("a", "d", 1001),
            pair("a", "f", 901),
        ],
        strangers: vec![pair("b", "c", 899), pair("b", "d", 850)],
        ..sources(&cards, &labels)
    };

    let found: Vec<Why> = twins(&sources).into_iter().map(|item| item.why).collect();

    assert_eq!(
        found,
        [
            Why::Strangers(alike(899)),
            Why::Twins(alike(930)),
            Why::Strangers(alike(850)),
            Why::Twins(alike(1000)),
        ]
    );
    assert!(is_just_below(Similarity(800), Similarity(900)));
    assert!(![799, 900].iter().any(|it| is_just_below(Similarity(*it), Similarity(900))));
}

#[test]
fn only_pairs_on_two_sides_of_the_split_may_leak() {
    let test = |name| Card { split: Some(Split::Test), ..kept(name) };
    let nowhere = Card { split: None, ..kept("d") };
    let (cards, find) = laid_out(vec![kept("a"), kept("b"), test("c"), nowhere, test("e")]);
    let labels = labels();
    let pair = |a, b, similarity| Pair { a: find(a), b: find(b), likeness: alike(similarity) };
    let strangers =
        vec![pair("a", "b", 899), pair("a", "c", 850), pair("a", "d", 898), pair("b", "e", 890)];

    let found = leaks(&Sources { strangers, ..sources(&cards, &labels) });

    let whys: Vec<&Why> = found.iter().map(|item| &item.why).collect();
    assert_eq!(whys, [&Why::Leak(alike(890)), &Why::Leak(alike(850))]);
}

#[test]
fn a_conflict_stands_beside_its_most_alike_twin_of_another_class() {
    let conflict = |name: &str, of: u32| Card {
        ruling: Some(Ruling::Drop(DropReason::LabelConflict {
            labels: labels().into_iter().collect(),
        })),
        posts: vec![posted(of)],
        ..kept(name)
    };
    let (cards, find) = laid_out(vec![
        conflict("cat", 0),
        conflict("dog", 1),
        conflict("far dog", 1),
        conflict("same cat", 0),
        Card { posts: vec![posted(0), posted(1)], ..conflict("both", 0) },
    ]);
    let labels = labels();
    let pair = |a, b, similarity| Pair { a: find(a), b: find(b), likeness: alike(similarity) };
    let twins =
        vec![pair("cat", "far dog", 910), pair("cat", "dog", 950), pair("cat", "same cat", 990)];

    let found = conflicts(&Sources { twins, ..sources(&cards, &labels) });

    let beside = |name: &str| {
        let item = found.iter().find(|item| item.picture == find(name)).unwrap();
        item.beside
    };
    assert_eq!(found.len(), 5);
    assert_eq!(beside("cat"), Some(find("dog")));
    assert_eq!(beside("dog"), Some(find("cat")));
    assert_eq!(beside("far dog"), Some(find("cat")));
    assert_eq!((beside("same cat"), beside("both")), (None, None));
    let place = |name: &str| found.iter().position(|item| item.picture == find(name)).unwrap();
    assert_eq!(place("cat").abs_diff(place("dog")), 1, "{found:?}");
}

#[test]
fn measures_close_to_their_limit_and_strangers_of_a_class_take_turns() {
    let dark = |name: &str, found| {
        let flaw = Flaw { measure: Measure::Brightness, found, limit: 8 };
        Card { ruling: Some(Ruling::Drop(DropReason::Flawed(flaw))), ..kept(name) }
    };
    let (cards, find) =
        laid_out(vec![dark("black", 1), dark("dusk", 7), kept("near"), kept("odd")]);
    let labels = labels();
    let flaw = Flaw { measure: Measure::Side, found: 130, limit: 128 };
    let outlier =
        |name: &str, strangeness| Outlier { blob: BlobId::of(name.as_bytes()), strangeness };
    let sources = Sources {
        near: vec![(find("near"), NearLimit { flaw, percent: 1 })],
        outliers: vec![outlier("near", 300), outlier("odd", 900)],
        ..sources(&cards, &labels)
    };

    let found: Vec<CardId> = quality(&sources).iter().map(|item| item.picture).collect();

    assert_eq!(found, ["near", "odd", "dusk", "black"].map(find));
}

#[test]
fn a_sound_picture_is_near_the_limit_it_is_closest_to() {
    let limits = Limits::default();
    let mut numbers = ROWS.each_ref().map(|row| match row.bound {
        Bound::AtLeast => (row.limit)(&limits) * 10,
        Bound::AtMost => 0,
    });
    assert_eq!(nearest(&numbers, &limits), None);
    numbers[0] = 141; // Pixels of the shorter side; 128 are asked.
    numbers[2] = 9; // The mean level; 8 is asked.
    let flaw = Flaw { measure: Measure::Side, found: 141, limit: 128 };
    assert_eq!(nearest(&numbers, &limits), Some(NearLimit { flaw, percent: 10 }));
    numbers[0] = 127;
    let flaw = Flaw { measure: Measure::Brightness, found: 9, limit: 8 };
    assert_eq!(nearest(&numbers, &limits), Some(NearLimit { flaw, percent: 12 }));
}

#[test]
fn doubted_labels_keep_their_rank() {
    let (cards, find) = laid_out(vec![kept("a"), kept("b")]);
    let labels = labels();
    let suspect = |rank| {
        let (given, likely) = (label("cat"), label("dog"));
        Suspect { given, likely, p_given: 0.1, p_likely: 0.9, rank }
    };
    let doubted = vec![(find("a"), suspect(4)), (find("b"), suspect(0))];

    let found = suspects(&Sources { suspects: doubted, ..sources(&cards, &labels) });

    assert_eq!(found.iter().map(|item| item.picture).collect::<Vec<_>>(), ["b", "a"].map(find));
}
