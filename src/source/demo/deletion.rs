//! Posts whose authors have deleted them since, and the posts that show their pictures again.
//! Pure: which ones they are depends on the posts and on how many are deleted.

use super::{
    catalogue::{self, Entry, Shot, Shows},
    draw::Edit,
};

/// How many posts of a subreddit have been deleted, after its first `usual` posts had come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deletion {
    pub(super) count: usize,
    pub(super) usual: usize,
}

/// What becomes of each five posts that come after the deletion: a lost picture as it was, one
/// encoded anew, a picture of their own, a smaller one, and one of their own again.
const RETURNS: [Option<Edit>; 5] =
    [Some(Edit::None), Some(Edit::Reencoded), None, Some(Edit::Resized), None];

/// Of so many plain pictures one stays, so that deleted and living posts lie among each other.
const STAYS_OF: usize = 3;

impl Deletion {
    /// Chooses the deleted posts: plain pictures from the oldest on. A longer row begins with the
    /// same choice.
    pub(super) fn chosen<'a>(&self, row: &'a [Entry]) -> impl Iterator<Item = &'a Entry> {
        let plain = row.iter().take(self.usual).filter(|entry| plain(entry).is_some());
        let leaving = plain.enumerate().filter(|(n, _)| n % STAYS_OF != STAYS_OF - 1);
        leaving.map(|(_, entry)| entry).take(self.count)
    }

    /// Returns the deleted picture that the post at `place` shows again, if it shows one. `row`
    /// holds all posts before it.
    pub(super) fn returned(&self, row: &[Entry], place: usize) -> Option<Shows> {
        let late = place.checked_sub(self.usual).filter(|_| 0 < self.count)?;
        let edit = RETURNS[late % RETURNS.len()]?;
        let before = RETURNS.iter().take(late % RETURNS.len()).flatten().count();
        let turn = late / RETURNS.len() * RETURNS.iter().flatten().count() + before;
        let deleted = self.chosen(row).nth(turn)?;
        let name = format!("{} {place} returns", deleted.subreddit);
        Some(catalogue::copy_of(plain(deleted)?, edit, &name))
    }
}

/// Returns the picture of a post that shows one of its own and is in no trouble.
fn plain(entry: &Entry) -> Option<&Shot> {
    match &entry.shows {
        Shows::Picture(shot) if entry.plant.is_none() => Some(shot),
        Shows::Picture(_)
        | Shows::Copy { .. }
        | Shows::Gallery { .. }
        | Shows::Crosspost { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Removed { .. }
        | Shows::Elsewhere { .. } => None,
    }
}
