//! A post as an archive keeps it: Reddit's own JSON, with what became of the post later.

use serde::Deserialize;

use super::reddit::{self, Site};
use crate::domain::{
    id::{Place, PostId},
    post::{Media, Post, Teller},
};

/// What an archive adds to a post.
#[derive(Deserialize)]
struct Archived<'a> {
    #[serde(default, borrow, rename = "_meta")]
    meta: Option<&'a serde_json::value::RawValue>,
}

/// What an archive found when it looked again some days later.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Afterwards {
    removal_type: Option<String>,
    was_deleted_later: Option<bool>,
    was_initially_deleted: Option<bool>,
}

/// The title Reddit gives to a post its author took back.
const TAKEN_BACK: &str = "[deleted by user]";

/// Reads one post. What was taken back or removed since is told as removed, even where the
/// archive still holds it.
pub(super) fn read(json: &str, place: &Place) -> Result<(PostId, Post), serde_json::Error> {
    let (fullname, post) = reddit::post::read(json, place)?;
    let archived: Archived<'_> = serde_json::from_str(json)?;
    // Notes of another shape than ever seen are no reason to lose the post.
    let later: Afterwards =
        archived.meta.and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default();
    let was_deleted = [later.was_deleted_later, later.was_initially_deleted].contains(&Some(true));
    let by_author = was_deleted || post.title == TAKEN_BACK;
    let removed = later.removal_type.or(by_author.then(|| "deleted".to_owned()));
    let media = match (removed, post.media) {
        (_, media @ Media::Removed { .. }) | (None, media) => media,
        (Some(by), _) => Media::Removed { by },
    };
    Ok((Site::Reddit.post_id(&fullname), Post { media, told_by: Teller::Archive, ..post }))
}
