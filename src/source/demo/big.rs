//! A subreddit larger than any listing shows: thousands of posts with cheap pictures. Most can be
//! found by a word of their title or by their flair, some only while a listing reaches them.

use super::{
    address::{self, Address},
    catalogue::{Entry, Manner, Shot, Shows},
    deletion::Deletion,
    dice::Dice,
    draw::{Edit, Motif, Subject},
    words,
};

pub(super) const NAME: &str = "big";

/// Posts of the subreddit unless something else is said; those beyond come after a deletion.
pub(super) const POSTS_USUAL: usize = 5_000;

const FIRST_POST_UTC: u32 = 1_730_419_200;
/// A week brings a hundred posts.
const POST_INTERVAL_S: u32 = 7 * 86_400 / 100;

/// Posts with a title that no search finds, and those of them that have a flair all the same.
const WORDLESS_SHARE: f32 = 0.06;
const WORDLESS_FLAIR_SHARE: f32 = 0.3;
const OVER_18_SHARE: f32 = 0.02;

/// Writes the first `posts` posts where authors have deleted `deleted` of theirs.
pub(super) fn write(posts: usize, deleted: usize) -> Vec<Entry> {
    let deletion = Deletion { count: deleted, usual: POSTS_USUAL };
    let mut row = Vec::with_capacity(posts);
    for place in 0..posts {
        let entry = entry(&row, place, deletion);
        row.push(entry);
    }
    row
}

fn entry(row: &[Entry], place: usize, deletion: Deletion) -> Entry {
    let mut dice = Dice::of(&format!("post {NAME} {place}"));
    let mut below = |end: u32| {
        let end = usize::try_from(end).expect("a small number");
        u32::try_from(dice.below(end)).expect("it is below a small number")
    };
    let jitter = below(POST_INTERVAL_S * 3 / 4);
    let (luck, comments) = (below(100), below(120));
    let percent = (51 + below(49)).max(51 + below(49));
    let number = u32::try_from(place).expect("a site is smaller than that");
    // A few posts are seen by many.
    let votes = 1 + luck * luck * luck / 400;
    let shows = deletion.returned(row, place).unwrap_or_else(|| Shows::Picture(shot(place)));
    let (title, flair) = if dice.happens(WORDLESS_SHARE) {
        let has_flair = dice.happens(WORDLESS_FLAIR_SHARE);
        (
            words::wordless_title(&mut dice).to_owned(),
            has_flair.then(|| words::any_flair(&mut dice)),
        )
    } else {
        (words::long_title(&mut dice), words::flair_of_many(&mut dice))
    };
    Entry {
        id: address::big_post_id(place),
        subreddit: NAME.to_owned(),
        title,
        author: words::author(&mut dice),
        flair,
        created_utc: FIRST_POST_UTC + number * POST_INTERVAL_S + jitter,
        score: votes * (2 * percent - 100) / 100,
        comments: comments * comments / 40,
        upvote_percent: u8::try_from(percent).expect("it is at most 99"),
        over_18: dice.happens(OVER_18_SHARE),
        plant: None,
        shows,
    }
}

fn shot(place: usize) -> Shot {
    let subject = Subject { motif: Motif::Quilt, key: format!("{NAME}/{place}"), edit: Edit::None };
    let address = Address::of_picture(&subject.key, &subject, Manner::Sound);
    Shot { address, subject, manner: Manner::Sound }
}
