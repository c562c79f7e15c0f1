//! A subreddit that grows between runs: nothing is asked for twice, nothing is left out
//! silently, and a run that is cut off goes on where it was.

use super::*;
use crate::{domain::census::Method, engine::stop::Brake, source::demo::stand::board::Pin};

/// A subreddit that a test can change while the server runs.
#[derive(Clone, Default)]
// Shared by the server, which shows it, and the test, which lets it grow.
struct Live(Arc<Mutex<Board>>);

impl Live {
    fn of(board: Board) -> Self {
        Self(Arc::new(Mutex::new(board)))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Pin>)) {
        change(&mut self.0.lock().unwrap().0);
    }

    fn script(&self) -> impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static {
        let board = Arc::clone(&self.0);
        move |asked| asked.path.starts_with("/r/board/").then(|| board.lock().unwrap().page(asked))
    }
}

const PLACE: &str = "r/board";

#[tokio::test]
async fn a_later_run_reads_new_only_down_to_where_it_was() {
    let live = Live::of(Board::posts(0, 400));
    let bench = Bench::with(live.script()).await;
    bench.run(&[PLACE], Wish::new()).await.unwrap();
    let first = bench.listing(PLACE);
    live.change(|pins| pins.extend(Board::posts(400, 450).0));

    bench.run(&[PLACE], Wish::new()).await.unwrap();

    let second = bench.listing(PLACE);
    assert_eq!((first.asked.requests, first.angles[0].ended), (4, Ended::Whole));
    assert_eq!((second.asked.requests, second.angles[0].ended), (1, Ended::Met));
    assert_eq!((second.asked.taken.new, second.posts), (50, 450));
    assert_eq!(bench.posts(), Board::posts(0, 450).names());
    assert_eq!(bench.gaps(), []);
}

#[tokio::test]
async fn a_later_run_finds_its_place_though_all_the_posts_that_marked_it_are_gone() {
    let live = Live::of(Board::posts(0, 400));
    let bench = Bench::with(live.script()).await;
    bench.run(&[PLACE], Wish::new()).await.unwrap();
    live.change(|pins| {
        pins.truncate(250);
        pins.extend(Board::posts(400, 450).0);
    });

    bench.run(&[PLACE], Wish::new()).await.unwrap();

    let second = bench.listing(PLACE);
    assert_eq!((second.asked.requests, second.angles[0].ended), (1, Ended::Met));
    assert_eq!(bench.gaps(), []);
}

#[tokio::test]
async fn more_new_posts_than_a_listing_shows_are_a_gap_with_bounds_and_a_size() {
    let live = Live::of(Board::posts(0, 300));
    let bench = Bench::with(live.script()).await;
    bench.run(&[PLACE], Wish::new()).await.unwrap();
    live.change(|pins| pins.extend(Board::posts(300, 1_900).0));

    bench.run(&[PLACE], Wish::new()).await.unwrap();

    let gaps = bench.gaps();
    assert_eq!(gaps.len(), 1);
    let gap = &gaps[0];
    assert_eq!(gap.older.as_ref().unwrap().post.0, "reddit:t3_00299");
    assert_eq!((gap.newer.post.0.as_str(), gap.why), ("reddit:t3_00900", Ended::Capped));
    // 600 posts lie between the two, and one of them is known.
    assert!((598..=602).contains(&gap.posts.unwrap()), "{gap:?}");
    live.change(|pins| pins.extend(Board::posts(1_900, 1_950).0));
    bench.run(&[PLACE], Wish::new()).await.unwrap();
    assert_eq!(bench.gaps(), gaps, "a gap stays until something fills it, and is told once");
    assert_eq!(bench.listing(PLACE).asked.requests, 1);
}

#[tokio::test]
async fn a_listing_that_ends_above_where_it_was_leaves_a_gap_and_a_doubt() {
    let live = Live::of(Board::posts(0, 400));
    let bench = Bench::with(live.script()).await;
    bench.run(&[PLACE], Wish::new()).await.unwrap();
    assert_eq!(bench.listing(PLACE).unseen.unwrap().method, Method::Counted);
    // Of 100 new posts only the latest 50 are shown, and none of the old ones.
    live.change(|pins| *pins = Board::posts(450, 500).0);

    bench.run(&[PLACE], Wish::new()).await.unwrap();

    let gaps = bench.gaps();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].older.as_ref().unwrap().post.0, "reddit:t3_00399");
    assert_eq!(gaps[0].newer.post.0, "reddit:t3_00450");
    let listing = bench.listing(PLACE);
    assert_eq!((listing.angles[0].ended, listing.unseen), (Ended::Capped, None));
}

#[tokio::test]
async fn everything_is_asked_for_when_it_is_first_wanted_and_again_when_more_is() {
    let live = Live::of(Board::posts(0, 1_500));
    let bench = Bench::with(live.script()).await;
    let everything = |limit: u64, least_new: u64| Wish {
        listings: Listings::Everything,
        limit,
        least_new,
        ..Wish::new()
    };
    let angles = || bench.listing(PLACE).angles.len();
    bench.run(&[PLACE], Wish::these(&[Sort::New, Sort::Hot])).await.unwrap();

    bench.run(&[PLACE], everything(1_000, 20)).await.unwrap();
    assert!(15 < angles(), "{}", angles());
    bench.run(&[PLACE], everything(1_000, 20)).await.unwrap();
    assert_eq!(angles(), 1, "the round is not over for long");
    bench.run(&[PLACE], everything(1_000, 5)).await.unwrap();
    assert!(15 < angles(), "{}", angles());
}

#[tokio::test]
async fn a_place_with_more_history_than_a_listing_shows_says_so_the_first_time() {
    let bench = Bench::with(Live::of(Board::posts(0, 1_500)).script()).await;

    bench.run(&[PLACE], Wish::new()).await.unwrap();

    let gaps = bench.gaps();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].older.clone(), gaps[0].newer.post.0.as_str()), (None, "reddit:t3_00500"));
}

#[tokio::test]
async fn what_was_left_on_purpose_is_read_when_more_is_wanted() {
    let bench = Bench::with(Live::of(Board::posts(0, 500)).script()).await;

    bench.run(&[PLACE], Wish { limit: 120, ..Wish::new() }).await.unwrap();
    let few = bench.listing(PLACE);
    bench.run(&[PLACE], Wish { limit: 120, ..Wish::new() }).await.unwrap();
    let again = bench.listing(PLACE);
    bench.run(&[PLACE], Wish::new()).await.unwrap();

    assert_eq!((few.posts, few.angles[0].ended), (120, Ended::Enough));
    assert_eq!((again.asked.requests, again.angles[0].ended), (1, Ended::Met));
    assert_eq!(bench.posts(), Board::posts(0, 500).names());
    assert_eq!(bench.gaps(), []);
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_where_it_was_and_finds_what_came_meanwhile() {
    let live = Live::of(Board::posts(0, 700));
    let script = live.script();
    // Pulled by the server when the fourth page is asked for.
    let brake: Arc<Mutex<Option<Brake>>> = Arc::default();
    let pulled = Arc::clone(&brake);
    let bench = Bench::with(move |asked| {
        if asked.path == "/r/board/new" && asked.before == 3 {
            pulled.lock().unwrap().take().unwrap().pull();
        }
        script(asked)
    })
    .await;
    bench.run(&["r/other"], Wish::new()).await.unwrap();
    let (hand, stop) = Stop::channel();
    *brake.lock().unwrap() = Some(hand);

    let tally = bench.run(&[PLACE], Wish { stop, ..Wish::new() }).await.unwrap();
    assert_eq!((tally.made, tally.failed), (0, 0), "what was stopped is neither done nor failed");
    let kept = bench.posts().len();
    live.change(|pins| pins.extend(Board::posts(700, 850).0));
    bench.run(&[PLACE], Wish::new()).await.unwrap();

    assert_eq!(kept, 300);
    assert_eq!(bench.posts(), Board::posts(0, 850).names());
    assert_eq!(bench.gaps(), []);
    let asked = bench.listing(PLACE).asked;
    // Seven pages of what there was, one of them asked for twice, and two for what came since.
    assert_eq!(asked.requests, 10);
    assert_eq!((asked.taken.new, bench.progress(PLACE).open.len()), (850, 0));
}

#[tokio::test]
async fn kept_answers_give_the_same_posts_without_asking_anybody() {
    let bench = Bench::with(Live::of(Board::posts(0, 350)).script()).await;
    bench.run(&[PLACE], Wish::these(&[Sort::New, Sort::Hot])).await.unwrap();
    let posts = bench.store.notes::<Post>().unwrap();
    let n_requests = bench.stand.heard().len();
    let names: Vec<PostId> = posts.iter().map(|(id, _)| id.clone()).collect();
    bench.store.remove_notes::<Post>(&names).unwrap();

    bench.run(&[PLACE], Wish { ask: Ask::KeptAnswers, ..Wish::new() }).await.unwrap();

    assert_eq!(bench.store.notes::<Post>().unwrap(), posts);
    assert_eq!(bench.stand.heard().len(), n_requests);
    assert_eq!((bench.listing(PLACE).posts, bench.listing(PLACE).asked.requests), (350, 0));
}

#[tokio::test]
async fn a_limit_that_was_used_up_is_still_waited_for_by_the_next_run() {
    let board = Board::posts(0, 50);
    let bench = Bench::with(move |asked| {
        let page = board.page(asked);
        asked
            .path
            .starts_with("/r/")
            .then(|| page.with("x-ratelimit-remaining", "0.0").with("x-ratelimit-reset", "1"))
    })
    .await;

    bench.run(&[PLACE], Wish::new()).await.unwrap();
    bench.run(&[PLACE], Wish::new()).await.unwrap();

    let waited_ms = bench.listing(PLACE).asked.waited_ms;
    assert!((800..1_500).contains(&waited_ms), "{waited_ms}");
}

#[tokio::test]
async fn everything_that_any_listing_or_search_can_show_is_found_and_the_rest_is_estimated() {
    const POSTS: u64 = 5_000;
    let live = Live::of(Board::posts(0, POSTS));
    let bench = Bench::with(live.script()).await;
    let wish = || Wish { listings: Listings::Everything, least_new: 0, ..Wish::new() };

    bench.run(&[PLACE], wish()).await.unwrap();

    let visible = visible(&live.0.lock().unwrap());
    let found = bench.posts();
    assert_eq!(visible.difference(&found).count(), 0);
    let listing = bench.listing(PLACE);
    let unseen = POSTS - listing.posts;
    let estimate = listing.unseen.clone().unwrap();
    assert_eq!(estimate.method, Method::Chao);
    let off = estimate.unseen.abs_diff(unseen);
    assert!(off < POSTS / 20, "{unseen} unseen, {estimate:?}");
    assert!(unseen > 0, "the board has posts that nothing shows");

    live.change(|pins| pins.extend(Board::posts(POSTS, POSTS + 120).0));
    bench.run(&[PLACE], wish()).await.unwrap();
    let second = bench.listing(PLACE);
    assert_eq!((second.asked.requests, second.asked.taken.new), (2, 120));
}

/// Returns the names of all posts that any listing, or search for one flair or word, can show.
fn visible(board: &Board) -> BTreeSet<String> {
    let mut angles: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let periods = ["all", "year", "month", "week", "day", "hour"];
    let parameters = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    for sort in ["new", "hot", "rising", "top", "controversial"] {
        angles.extend(periods.map(|t| (format!("/r/board/{sort}"), parameters(&[("t", t)]))));
    }
    let flairs: BTreeSet<String> = board
        .0
        .iter()
        .filter_map(|pin| Some(format!("flair:\"{}\"", pin.flair.as_ref()?)))
        .collect();
    let words: BTreeSet<String> =
        board.0.iter().flat_map(|pin| pin.title.split(' ')).map(str::to_owned).collect();
    for query in flairs.iter().chain(words.iter().filter(|it| *it != "!")) {
        for sort in ["new", "top", "comments", "relevance"] {
            for t in periods {
                let pairs = [("q", query.as_str()), ("sort", sort), ("t", t)];
                angles.push(("/r/board/search".to_owned(), parameters(&pairs)));
            }
        }
    }
    let mut visible = BTreeSet::new();
    for (path, parameters) in angles {
        let authorization = String::new();
        let asked = Asked {
            path,
            parameters,
            form: BTreeMap::new(),
            authorization,
            range: String::new(),
            before: 0,
        };
        let shown = board.shown(&asked);
        visible.extend(shown.iter().map(|pin| format!("reddit:{}", pin.name)));
    }
    visible
}
