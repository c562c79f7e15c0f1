//! Post → the addresses of its pictures. Pure rules over what the post says; asks nobody.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    domain::{
        classes::Classes,
        id::PostId,
        link::{MediaLink, MediaUrl, Origin, Resolution, Resolved},
        outcome::{Outcome, Reject},
        post::{GalleryItem, Media},
    },
    engine::{Item, ItemStage, Lane, StageName, Transient},
    store::{Store, StoreError, query},
};

mod hosts;

/// The work of this room.
pub struct Resolve<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
}

/// Which posts may take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub nsfw: Nsfw,
    pub min_score: Option<i64>,
}

/// What to do with posts marked as not safe for work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nsfw {
    #[default]
    Skip,
    Keep,
}

/// What a rule may look at. The score counts only if a rule asks for it, so that votes coming
/// in do not make work.
#[derive(Debug, Serialize)]
pub struct Input {
    media: Media,
    over_18: bool,
    score: Option<i64>,
}

/// Nothing can go wrong here: every post ends as pictures or as a reason.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {}

impl Transient for ResolveError {
    fn is_transient(&self) -> bool {
        match *self {}
    }
}

impl ItemStage for Resolve<'_> {
    const NAME: StageName = StageName::Resolve;
    const REVISION: u32 = 1;
    const LANE: Lane = Lane::Cpu;
    type Recipe = Recipe;
    type Input = Input;
    type Output = Resolution;
    type Error = ResolveError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn inputs(&self, store: &Store) -> Result<Vec<Item<Self>>, StoreError> {
        let posts = query::posts(store, self.classes)?;
        let item = |(id, post): (PostId, crate::domain::post::Post)| {
            let points = self.recipe.min_score.map(|_| post.score);
            (id, Input { media: post.media, over_18: post.over_18, score: points })
        };
        Ok(posts.into_iter().map(item).collect())
    }

    async fn apply(
        &self,
        post: &PostId,
        input: &Input,
        _before: &[ResolveError],
    ) -> Result<Outcome<Resolution>, ResolveError> {
        Ok(match self.resolve(post, input) {
            Ok(resolution) => Outcome::Made(resolution),
            Err(reject) => Outcome::Rejected(reject),
        })
    }
}

impl Resolve<'_> {
    fn resolve(&self, post: &PostId, input: &Input) -> Result<Resolution, Reject> {
        if input.over_18 && self.recipe.nsfw == Nsfw::Skip {
            return Err(Reject::Nsfw);
        }
        if let (Some(least), Some(score)) = (self.recipe.min_score, input.score)
            && score < least
        {
            return Err(Reject::LowScore { score });
        }
        let is_demo = post.0.starts_with("demo:");
        media(&input.media, if is_demo { "demo+" } else { "" })
    }
}

/// Turns what a post shows into addresses; those of a site of its own begin with `prefix`.
fn media(media_of_post: &Media, prefix: &str) -> Result<Resolution, Reject> {
    match media_of_post {
        Media::Removed { by } => Err(Reject::Removed { by: by.clone() }),
        Media::Video => Err(Reject::Video),
        Media::Text => Err(Reject::TextOnly),
        Media::Link { url } => {
            let items = vec![Resolved::Link(link(url, prefix)?)];
            Ok(Resolution { origin: Origin::Single, items })
        }
        Media::Gallery { items } if items.is_empty() => {
            Err(Reject::GalleryItem { status: "empty gallery".to_owned() })
        }
        Media::Gallery { items } => {
            let items = items.iter().map(|item| gallery_item(item, prefix)).collect();
            Ok(Resolution { origin: Origin::Gallery, items })
        }
        Media::Crosspost { media: parent, .. } => {
            let Resolution { items, .. } = media(parent, prefix)?;
            Ok(Resolution { origin: Origin::Crosspost, items })
        }
        Media::File { path, digest } => {
            let url = MediaUrl(format!("file:{path}"));
            let items = vec![Resolved::Link(MediaLink { url, digest: Some(*digest) })];
            Ok(Resolution { origin: Origin::Single, items })
        }
    }
}

fn gallery_item(item: &GalleryItem, prefix: &str) -> Resolved {
    let Some(url) = &item.url else {
        return Resolved::Rejected(Reject::GalleryItem { status: item.status.clone() });
    };
    match link(url, prefix) {
        Ok(link) => Resolved::Link(link),
        Err(reject) => Resolved::Rejected(reject),
    }
}

fn link(text: &str, prefix: &str) -> Result<MediaLink, Reject> {
    let url = Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| Reject::BadAddress { url: text.to_owned() })?;
    let picture = hosts::picture_of(url)?;
    Ok(MediaLink { url: MediaUrl(format!("{prefix}{picture}")), digest: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(media_of_post: &Media) -> Result<Vec<Resolved>, Reject> {
        media(media_of_post, "").map(|resolution| resolution.items)
    }

    #[test]
    fn a_gallery_keeps_its_failures_in_their_places() {
        let item = |url: Option<&str>, status: &str| GalleryItem {
            url: url.map(str::to_owned),
            status: status.to_owned(),
        };
        let gallery = Media::Gallery {
            items: vec![
                item(None, "failed"),
                item(Some("https://preview.redd.it/b.png?s=1"), "valid"),
            ],
        };

        let items = resolved(&gallery).unwrap();

        let url = MediaUrl("https://i.redd.it/b.png".to_owned());
        assert_eq!(
            items,
            [
                Resolved::Rejected(Reject::GalleryItem { status: "failed".to_owned() }),
                Resolved::Link(MediaLink { url, digest: None }),
            ]
        );
    }

    #[test]
    fn a_crosspost_shows_what_its_parent_shows() {
        let parent = Box::new(Media::Video);
        let crosspost = Media::Crosspost { of: "t3_p".to_owned(), media: parent };
        assert_eq!(resolved(&crosspost), Err(Reject::Video));
    }

    #[test]
    fn what_is_no_web_address_is_named() {
        let refused = resolved(&Media::Link { url: "javascript:alert(1)".to_owned() });
        assert_eq!(refused, Err(Reject::BadAddress { url: "javascript:alert(1)".to_owned() }));
    }
}
