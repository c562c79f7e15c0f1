//! What the page is told, as JSON.

use serde::Serialize;

use super::{
    book::{Book, Made},
    desk::{Card, CardId, Desk},
    queues::{Item, Why},
    tally::{self, SHOWN, Tally},
    words,
};
use crate::domain::{
    fingerprint::Similarity,
    id::{BlobId, Label},
    review::{
        Decision, Question, Queue, purity,
        reasons::{REASONS, Reason},
    },
    verdict::{DropReason, Ruling},
};

/// The most posts told of a picture.
const POSTS_MAX: usize = 4;

/// The state of the book, by which a page asks for what came after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct State {
    pub edition: u64,
    pub lines: usize,
}

/// How far a queue is.
#[derive(Debug, Serialize)]
pub(super) struct Progress {
    pub name: Queue,
    pub total: usize,
    pub decided: usize,
}

/// What the audit says of one class.
#[derive(Debug, Serialize)]
pub(super) struct PurityRow {
    class: Label,
    pictures: usize,
    seen: u32,
    right: u32,
    share: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    /// How many more to look at, no more than there are.
    more: usize,
}

/// What every answer says of the whole.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    state: State,
    progress: Vec<Progress>,
    purity: Vec<PurityRow>,
}

/// One thing to look at.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    at: usize,
    why: String,
    decided: bool,
    strangers: bool,
    /// The class it probably shows.
    likely: Option<Label>,
    /// What "keep" says, and what accepting says: that what was done is right.
    keep: Option<Proposal>,
    accept: Option<Proposal>,
    pictures: Vec<Face>,
}

/// A decision that one key makes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Proposal {
    words: String,
    picture: BlobId,
    #[serde(flatten)]
    decision: Decision,
}

/// One picture as it is shown.
#[derive(Debug, Serialize)]
struct Face {
    id: BlobId,
    width: u32,
    height: u32,
    label: Option<Label>,
    fate: String,
    split: Option<&'static str>,
    posts: Vec<PostLine>,
    more_posts: usize,
    said: Option<Decision>,
    keeper: bool,
}

#[derive(Debug, Serialize)]
struct PostLine {
    title: String,
    place: String,
    label: Option<Label>,
    link: Option<String>,
}

/// A part of a queue.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    #[serde(flatten)]
    pub standing: Standing,
    pub items: Vec<Shown>,
    /// Where the next part begins, and whether one lies before.
    pub next: Option<usize>,
    pub previous: Option<usize>,
}

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Written {
    pub made: Vec<Made>,
    /// What could not be taken back, as something else was decided since.
    pub passed_over: usize,
}

pub(super) fn standing(desk: &Desk, book: &Book, tally: &Tally) -> Standing {
    let (edition, lines) = book.state();
    let progress = SHOWN.map(|name| {
        let (total, decided) = (desk.queue(name).len(), tally.n_decided(name));
        Progress { name, total, decided }
    });
    Standing {
        state: State { edition, lines },
        progress: progress.into(),
        purity: purity(desk, book, tally),
    }
}

fn purity(desk: &Desk, book: &Book, tally: &Tally) -> Vec<PurityRow> {
    let row = |class: &Label| {
        let audited = book.sample().of(class);
        let score = audited.purity();
        let interval = score.and_then(|score| score.interval);
        let seen = usize::try_from(audited.n_seen).unwrap_or(usize::MAX);
        let more = usize::try_from(audited.n_more(purity::HALF_WIDTH)).unwrap_or(usize::MAX);
        let left = tally.n_to_audit(class);
        PurityRow {
            class: class.clone(),
            pictures: seen + left,
            seen: audited.n_seen,
            right: audited.n_right,
            share: score.map(|score| score.value),
            low: interval.map(|it| it.low),
            high: interval.map(|it| it.high),
            more: more.min(left),
        }
    };
    desk.labels.iter().map(row).collect()
}

/// Shows one item of a queue.
pub(super) fn shown(
    desk: &Desk,
    book: &Book,
    tally: &Tally,
    (queue, at): (Queue, usize),
) -> Option<Shown> {
    let item = desk.queue(queue).get(at)?;
    let cards = [Some(item.picture), item.beside].into_iter().flatten();
    let blobs: Vec<BlobId> = cards.clone().map(|id| desk.card(id).blob).collect();
    let strangers =
        if let [a, b] = blobs.as_slice() { tally::are_strangers(book, *a, *b) } else { false };
    let (keep, accept) = proposals(desk, item);
    Some(Shown {
        at,
        why: words::why(desk, item),
        decided: tally.is_decided(queue, at),
        strangers,
        likely: if let Why::Suspect(suspect) = &item.why {
            Some(suspect.likely.clone())
        } else {
            None
        },
        keep,
        accept,
        pictures: cards.map(|id| face(desk, book, id)).collect(),
    })
}

fn face(desk: &Desk, book: &Book, id: CardId) -> Face {
    let card = desk.card(id);
    let posts = card.posts.iter().take(POSTS_MAX).map(|post| PostLine {
        title: post.title.to_string(),
        place: desk.place_name(post.place).to_owned(),
        label: desk.label(post.label).cloned(),
        link: (!post.link.is_empty()).then(|| post.link.to_string()),
    });
    Face {
        id: card.blob,
        width: card.width_px,
        height: card.height_px,
        label: desk.shown_as(card).cloned(),
        fate: words::fate(card),
        split: card.split.map(crate::domain::split::Split::name),
        posts: posts.collect(),
        more_posts: card.posts.len().saturating_sub(POSTS_MAX),
        said: book.holds(Question::Picture(card.blob)).map(|line| line.decision.clone()),
        keeper: book.holds(Question::Keeper(card.blob)).is_some(),
    }
}

/// Returns what "keep" says of an item, and what accepting it says.
fn proposals(desk: &Desk, item: &Item) -> (Option<Proposal>, Option<Proposal>) {
    let card = desk.card(item.picture);
    let said = |words: &str, decision| {
        Some(Proposal { words: words.to_owned(), picture: card.blob, decision })
    };
    let keep = || {
        let label = desk.shown_as(card)?;
        // To keep says "as it was posted", which may be another class than it is kept in.
        let decision = if desk.is_posted_as(card, label) {
            Decision::Keep
        } else {
            Decision::Relabel { label: label.clone() }
        };
        said(&format!("Keep as {label}"), decision)
    };
    match (&item.why, item.beside) {
        (Why::Twins(_), Some(beside)) => {
            let other = desk.card(beside);
            let kept = if is_better_copy(card, other) { card } else { other };
            let words = "Twins: keep the better copy".to_owned();
            let picture = kept.blob;
            let twins = Some(Proposal { words, picture, decision: Decision::Keeper });
            (twins.clone(), twins)
        }
        (Why::Strangers(_) | Why::Leak(_), Some(beside)) => {
            let other = desk.card(beside).blob;
            let apart = said("Not twins: keep both", Decision::NotTwins { other });
            (apart.clone(), apart)
        }
        // Which of the classes is right only a person can say.
        (Why::Conflict { .. }, _) => (keep(), None),
        (Why::Flawed(flaw), _) => {
            let reason = flaw.measure.row().kind;
            let drop =
                said(&format!("Reject: {reason}"), Decision::Reject { reason: reason.to_owned() });
            (keep(), drop)
        }
        (
            Why::Twins(_)
            | Why::Strangers(_)
            | Why::Leak(_)
            | Why::Suspect(_)
            | Why::Near(_)
            | Why::Outlier { .. }
            | Why::Drawn,
            _,
        ) => (keep(), keep()),
    }
}

/// Tells which of two twins was kept, whatever their sizes; where neither was, the larger.
fn is_better_copy(card: &Card, other: &Card) -> bool {
    let gives_way = |it: &Card, to: &Card| matches!(&it.ruling, Some(Ruling::Drop(DropReason::Twin { of, .. })) if *of == to.blob);
    let worth = |it: &Card| (it.width_px.min(it.height_px), it.width_px.max(it.height_px), it.blob);
    let is_kept = |it: &Card| matches!(it.ruling, Some(Ruling::Keep { .. }));
    if is_kept(card) != is_kept(other) {
        return is_kept(card);
    }
    if gives_way(card, other) {
        return false;
    }
    gives_way(other, card) || worth(other) < worth(card)
}

/// What a page is told once.
#[derive(Debug, Serialize)]
pub(super) struct DeskCard<'a> {
    #[serde(flatten)]
    pub standing: Standing,
    pub title: &'a str,
    pub labels: &'a [Label],
    /// In the order of the digits.
    pub reasons: [Reason; 10],
    pub queues: Vec<QueueCard>,
    pub similarity: Similarity,
    /// Names the file the decisions go to, the same whenever it is opened.
    pub file: String,
}

#[derive(Debug, Serialize)]
pub(super) struct QueueCard {
    name: Queue,
    title: &'static str,
    lead: &'static str,
}

pub(super) fn desk_card<'a>(desk: &'a Desk, book: &Book, tally: &Tally) -> DeskCard<'a> {
    let queue = |name: Queue| {
        let (title, lead) = words::queue(name);
        QueueCard { name, title, lead }
    };
    DeskCard {
        standing: standing(desk, book, tally),
        title: &desk.title,
        labels: &desk.labels,
        reasons: REASONS,
        queues: SHOWN.into_iter().map(queue).collect(),
        similarity: desk.similarity,
        file: book.name(),
    }
}
