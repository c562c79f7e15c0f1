//! Which posts of a subreddit are in trouble, and how: so many of each kind in every block.

use super::{dice::Dice, draw::Class};
use crate::domain::planted::PlantKind;

/// Posts that share one set of troubles.
pub(super) const BLOCK: usize = 300;

/// The first posts of a block are plain, so that there is something to copy.
const QUIET: usize = 20;

/// How many posts of each block are in which trouble.
pub(super) const TROUBLES: [(PlantKind, usize); 17] = [
    (PlantKind::ExactRepost, 12),
    (PlantKind::Reencoded, 8),
    (PlantKind::Resized, 8),
    (PlantKind::Cropped, 8),
    (PlantKind::Watermarked, 8),
    (PlantKind::LabelConflict, 6),
    (PlantKind::Gallery, 10),
    (PlantKind::Crosspost, 6),
    (PlantKind::Video, 6),
    (PlantKind::Removed, 7),
    (PlantKind::Placeholder, 4),
    (PlantKind::HtmlAsJpeg, 4),
    (PlantKind::BrokenFile, 4),
    (PlantKind::CutBody, 3),
    (PlantKind::NotFound, 5),
    (PlantKind::Throttled, 4),
    (PlantKind::SlowHost, 2),
];

/// Returns the trouble of a post, `None` for a plain picture.
pub(super) fn plant(class: Class, place: usize) -> Option<PlantKind> {
    block(class, place / BLOCK)[place % BLOCK]
}

/// Counts the posts of the same trouble before this one in its block.
fn before(class: Class, place: usize) -> usize {
    let block = block(class, place / BLOCK);
    let (earlier, rest) = block.split_at(place % BLOCK);
    earlier.iter().filter(|plant| **plant == rest[0]).count()
}

/// Returns 0 and 1 by turns over the posts of one trouble in one block.
pub(super) fn turn(class: Class, place: usize) -> usize {
    before(class, place) % 2
}

/// Tells whether the post is the first of its trouble in its block.
pub(super) fn is_first(class: Class, place: usize) -> bool {
    before(class, place) == 0
}

/// Deals the troubles of one block.
fn block(class: Class, number: usize) -> Vec<Option<PlantKind>> {
    let troubles = TROUBLES.iter().flat_map(|(kind, count)| vec![Some(*kind); *count]);
    let mut dealt: Vec<_> = troubles.collect();
    dealt.resize(BLOCK - QUIET, None);
    Dice::of(&format!("troubles of {} {number}", class.name())).shuffle(&mut dealt);
    let mut block = vec![None; QUIET];
    block.append(&mut dealt);
    block
}
