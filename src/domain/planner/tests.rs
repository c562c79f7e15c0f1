use super::*;
use crate::domain::{
    id::{Place, PostId},
    post::{Media, Teller},
    progress::{Mark, Watermark},
};

fn post(title: &str, flair: Option<&str>) -> Post {
    Post {
        places: BTreeSet::from([Place("r/x".to_owned())]),
        title: title.to_owned(),
        author: None,
        permalink: String::new(),
        created_utc: None,
        score: None,
        upvote_percent: None,
        flair: flair.map(str::to_owned),
        over_18: false,
        media: Media::Text,
        preview: None,
        told_by: Teller::Live,
    }
}

fn done(angle: Angle, ended: Ended, new: u64) -> Done {
    Done { angle, taken: Taken { pages: 10, seen: 1_000, new }, ended }
}

fn vocabulary(posts: &[(&str, Option<&str>)]) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    for (title, flair) in posts {
        vocabulary.count(&post(title, *flair));
    }
    vocabulary
}

/// Follows the planner to its end; `end` says how each angle turns out.
fn follow(
    vocabulary: &Vocabulary,
    floor: Floor,
    end: impl Fn(&Angle) -> (Ended, u64),
) -> Vec<String> {
    let mut all: Vec<Done> = Vec::new();
    while let Some(angle) = next(vocabulary, &all, floor) {
        let (ended, new) = end(&angle);
        all.push(done(angle, ended, new));
        assert!(all.len() < 10_000, "the planner goes in circles");
    }
    all.iter().map(|it| it.angle.to_string()).collect()
}

#[test]
fn listings_come_before_searches_and_flairs_before_words() {
    let known = vocabulary(&[("Big tank", Some("OC")), ("big T-34", Some("OC")), ("x", None)]);

    let angles = follow(&known, Floor(0), |angle| match angle {
        Angle::Sort(Sort::New) => (Ended::Capped, 1_000),
        Angle::Sort(_) | Angle::Search(_) => (Ended::Whole, 0),
    });

    let searches: Vec<&str> = angles[15..].iter().map(String::as_str).collect();
    assert_eq!(angles[0], "new");
    assert!(angles[..15].iter().all(|it| !it.starts_with("search")));
    assert_eq!(
        searches,
        [
            "search flair:\"OC\" by new of all",
            "search big by new of all",
            "search 34 by new of all",
            "search tank by new of all",
        ]
    );
}

#[test]
fn a_subreddit_that_new_shows_whole_is_asked_for_nothing_else() {
    let known = vocabulary(&[("Big tank", Some("OC"))]);
    assert_eq!(follow(&known, Floor(0), |_| (Ended::Whole, 300)), ["new"]);
}

#[test]
fn what_was_cut_is_asked_for_in_other_orders_and_together_with_others() {
    let known = vocabulary(&[("big tank", Some("OC"))]);

    let angles = follow(&known, Floor(0), |_| (Ended::Capped, 0));

    // 15 listings; 3 subjects; 3 other orders in 6 periods of each; 3 pairs.
    assert_eq!(angles.len(), 15 + 3 + 3 * 3 * 6 + 3);
    assert!(angles.contains(&"search flair:\"OC\" big by new of all".to_owned()));
    assert!(angles.contains(&"search tank by comments of hour".to_owned()));
    let different: BTreeSet<&String> = angles.iter().collect();
    assert_eq!(different.len(), angles.len());
}

#[test]
fn a_kind_of_search_that_brings_too_little_is_given_up_after_some_patience() {
    let titles: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
    let posts: Vec<(&str, Option<&str>)> = titles.iter().map(|it| (it.as_str(), None)).collect();
    let known = vocabulary(&posts);
    // 10 pages bring 9 posts: below one a request.
    let poor = |_: &Angle| (Ended::Capped, 9);

    let angles = follow(&known, Floor(1), poor);
    let all = follow(&known, Floor(0), poor);

    assert_eq!(angles.len(), 15 + 3 * PATIENCE);
    assert!(1_000 < all.len(), "{}", all.len());
}

#[test]
fn a_forecast_follows_from_what_is_known_of_the_place() {
    let fresh = Progress::default();
    let outlook = Outlook {
        progress: &fresh,
        angles: Angles::These(&[Sort::New, Sort::Hot]),
        age_s: None,
        posts_a_day: None,
        pictures_a_post: Some(2.0),
        requests_a_minute: 100.0,
    };
    let mark = Mark { post: PostId("a".to_owned()), created_utc: 0 };
    let listed = Progress {
        watermark: Some(Watermark { anchors: vec![mark], cut_at: None }),
        ..Progress::default()
    };
    let again =
        Outlook { progress: &listed, age_s: Some(2 * 86_400), posts_a_day: Some(120.0), ..outlook };

    let first = forecast(outlook);
    let second = forecast(again);

    assert_eq!(first, Forecast { requests: 20, minutes: 0.2, posts: 1_500, pictures: 3_000 });
    assert_eq!(second, Forecast { requests: 6, minutes: 0.06, posts: 240, pictures: 480 });
}

#[test]
fn a_forecast_of_everything_tells_a_round_that_is_due_from_one_that_is_not() {
    let mark = Mark { post: PostId("a".to_owned()), created_utc: 0 };
    let mut progress = Progress {
        watermark: Some(Watermark { anchors: vec![mark], cut_at: None }),
        ..Progress::default()
    };
    let requests = |progress: &Progress, angles: Angles<'_>| {
        let outlook = Outlook {
            progress,
            angles,
            age_s: Some(86_400),
            posts_a_day: Some(50.0),
            pictures_a_post: None,
            requests_a_minute: 100.0,
        };
        forecast(outlook).requests
    };

    assert_eq!(requests(&progress, Angles::NewAlone), 1);
    assert_eq!(requests(&progress, Angles::Everything), 1 + 29 * 10, "never tried before");
    let listing = |sort| done(Angle::Sort(sort), Ended::Whole, 0);
    progress.last = vec![listing(Sort::New), listing(Sort::Hot), listing(Sort::Rising)];
    assert_eq!(requests(&progress, Angles::Everything), 1 + 2 * 10, "as the last time");
}

#[test]
fn what_failed_is_not_taken_for_more_than_a_search_can_show() {
    let known = vocabulary(&[("big tank", Some("OC"))]);

    let angles = follow(&known, Floor(0), |angle| match angle {
        Angle::Sort(_) => (Ended::Capped, 0),
        Angle::Search(_) => (Ended::Broken, 0),
    });

    assert_eq!(angles.len(), 15 + 3);
}

#[test]
fn a_kind_of_search_that_only_fails_is_given_up_after_some_patience() {
    let titles: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
    let posts: Vec<(&str, Option<&str>)> = titles.iter().map(|it| (it.as_str(), None)).collect();
    let known = vocabulary(&posts);
    let mut tried: Vec<Done> = Vec::new();

    while let Some(angle) = next(&known, &tried, Floor(1)) {
        let is_search = matches!(angle, Angle::Search(_));
        let (ended, pages) = if is_search { (Ended::Broken, 0) } else { (Ended::Capped, 10) };
        tried.push(Done { angle, taken: Taken { pages, seen: 0, new: 0 }, ended });
    }

    assert_eq!(tried.len(), 15 + PATIENCE);
}

#[test]
fn the_next_of_millions_of_pairs_is_found_at_once() {
    let titles: Vec<String> = (0..4_000).map(|n| format!("word{n}")).collect();
    let posts: Vec<(&str, Option<&str>)> = titles.iter().map(|it| (it.as_str(), None)).collect();
    let known = vocabulary(&posts);
    let mut tried: Vec<Done> =
        Sort::all().into_iter().map(|it| done(Angle::Sort(it), Ended::Capped, 1_000)).collect();
    let look = |query| done(Angle::Search(query), Ended::Capped, 1_000);
    tried.extend(first_looks(&known).map(look));
    let capped = capped(&tried);
    tried.extend(other_orders(&capped).map(|it| done(Angle::Search(it), Ended::Whole, 100)));

    let begun = std::time::Instant::now();
    let angle = next(&known, &tried, Floor(1)).unwrap();

    assert_eq!(angle.to_string(), "search word0 word1 by new of all");
    // Eight million made beforehand take many seconds.
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
}
