//! Post → the addresses of its pictures. Pure rules over what the post says; asks nobody.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    domain::{
        classes::Classes,
        id::{Label, Place, PostId},
        link::{MediaLink, MediaUrl, Origin, Quality, Resolution, Resolved},
        outcome::{Outcome, Reject},
        post::{GalleryItem, Media, Post},
        rules::Rules,
    },
    engine::{Inputs, ItemStage, Lane, StageName, Transient},
    store::{Store, StoreError, query},
};

use hosts::Picture;

mod hosts;

/// The work of this room.
pub struct Resolve<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
}

/// What is asked of the posts of all classes. What single classes ask is part of their posts'
/// input, so that a changed rule of one class leaves the others alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub filter: Rules,
}

/// What becomes of a post by the rules. Votes and dates are weighed here and not kept, so that
/// votes coming in make no work.
#[derive(Debug, Serialize)]
pub enum Input {
    Taken(Box<Taken>),
    Refused(Reject),
}

/// A post that belongs to a class, as far as its pictures are concerned.
#[derive(Debug, Serialize)]
pub struct Taken {
    label: Label,
    place: Place,
    galleries: Rules,
    media: Media,
    preview: Option<String>,
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

    fn inputs<'a>(&'a self, store: &'a Store) -> Result<Inputs<'a, Self>, StoreError> {
        let posts = query::posts(store, self.classes)?;
        Ok(Box::new(posts.map(|entry| entry.map(|(id, post)| (id, self.input(post))))))
    }

    async fn apply(
        &self,
        post: &PostId,
        input: &Input,
        _before: &[ResolveError],
    ) -> Result<Outcome<Resolution>, ResolveError> {
        Ok(match resolve(post, input) {
            Ok(resolution) => Outcome::Made(resolution),
            Err(reject) => Outcome::Rejected(reject),
        })
    }
}

impl Resolve<'_> {
    fn input(&self, post: Post) -> Input {
        match self.classes.claim(&post) {
            Ok(claim) => Input::Taken(Box::new(Taken {
                label: claim.label.clone(),
                place: claim.place.clone(),
                galleries: claim.rules.of_galleries(),
                media: post.media,
                preview: post.preview,
            })),
            Err(reject) => Input::Refused(reject),
        }
    }
}

/// Names every address at which a post shows a picture, whatever the rules say of it; those of
/// what it passes on too.
pub fn addresses(post: &PostId, media: &Media, preview: Option<&str>) -> Vec<MediaUrl> {
    let rules = Rules::default();
    let shown = Shown { prefix: prefix(post), galleries: &rules, preview };
    let Ok((_, items)) = shown.pictures(media) else { return Vec::new() };
    let both = items.into_iter().filter_map(|item| match item {
        Resolved::Link(link) => Some([Some(link.url), link.fallback]),
        Resolved::Rejected(_) => None,
    });
    both.flatten().flatten().collect()
}

/// Returns what the addresses of a post's site begin with: pictures of the demo site never mix
/// with the real hosts'.
fn prefix(post: &PostId) -> &'static str {
    if post.0.starts_with("demo:") { "demo+" } else { "" }
}

fn resolve(post: &PostId, input: &Input) -> Result<Resolution, Reject> {
    match input {
        Input::Refused(reject) => Err(reject.clone()),
        Input::Taken(taken) => {
            let Taken { label, place, galleries, media, preview } = &**taken;
            let shown = Shown { prefix: prefix(post), galleries, preview: preview.as_deref() };
            let (origin, items) = shown.pictures(media)?;
            Ok(Resolution { label: label.clone(), place: place.clone(), origin, items })
        }
    }
}

/// What turns the media of one post into addresses.
struct Shown<'a> {
    /// What the addresses of a site of its own begin with.
    prefix: &'a str,
    galleries: &'a Rules,
    preview: Option<&'a str>,
}

impl Shown<'_> {
    fn pictures(&self, media: &Media) -> Result<(Origin, Vec<Resolved>), Reject> {
        match media {
            Media::Removed { by } => Err(Reject::Removed { by: by.clone() }),
            Media::Video => Err(Reject::Video),
            Media::Text => Err(Reject::TextOnly),
            Media::Link { url, sha256 } => {
                let link = MediaLink { sha256: *sha256, ..self.link(url, self.preview)? };
                Ok((Origin::Single, vec![Resolved::Link(link)]))
            }
            Media::Gallery { items } if items.is_empty() => {
                Err(Reject::GalleryItem { status: "empty gallery".to_owned() })
            }
            Media::Gallery { items } => {
                let numbered = items.iter().enumerate();
                let items = numbered.map(|(index, item)| self.item(index, item)).collect();
                Ok((Origin::Gallery, items))
            }
            Media::Crosspost { media: parent, .. } => {
                let (_, items) = self.pictures(parent)?;
                Ok((Origin::Crosspost, items))
            }
            Media::File { path, digest } => {
                let link = MediaLink::to(MediaUrl(format!("file:{path}")));
                let link = MediaLink { digest: Some(*digest), ..link };
                Ok((Origin::Single, vec![Resolved::Link(link)]))
            }
            Media::Packed { archive, entry, digest } => {
                let link = MediaLink::to(MediaUrl(format!("archive:{archive}#{entry}")));
                let link = MediaLink { digest: Some(*digest), ..link };
                Ok((Origin::Single, vec![Resolved::Link(link)]))
            }
        }
    }

    fn item(&self, index: usize, item: &GalleryItem) -> Resolved {
        let picture = self.galleries.accept_item(index, item).and_then(|()| match &item.url {
            // The preview shows the first picture only.
            Some(url) => self.link(url, None).map(|link| MediaLink { sha256: item.sha256, ..link }),
            None => Err(Reject::GalleryItem { status: item.status.clone() }),
        });
        picture.map_or_else(Resolved::Rejected, Resolved::Link)
    }

    fn link(&self, text: &str, preview: Option<&str>) -> Result<MediaLink, Reject> {
        let web = |text: &str| {
            Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
        };
        let url = web(text).ok_or_else(|| Reject::BadAddress { url: text.to_owned() })?;
        let named = |url: &Url| MediaUrl(format!("{}{url}", self.prefix));
        let copy = preview.and_then(web).filter(hosts::is_own_copy).map(|url| named(&url));
        match (hosts::picture_of(url)?, copy) {
            (Picture::At(url), copy) => {
                let fallback = copy.filter(|copy| *copy != named(&url));
                Ok(MediaLink { fallback, ..MediaLink::to(named(&url)) })
            }
            (Picture::OnAPage { .. }, Some(copy)) => {
                Ok(MediaLink { quality: Quality::Preview, ..MediaLink::to(copy) })
            }
            (Picture::OnAPage { host }, None) => Err(Reject::UnknownHost { host }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        rules::{Galleries, Pattern, Rule},
        sha256::Sha256,
    };

    fn resolved(media: &Media) -> Result<Vec<Resolved>, Reject> {
        let shown = Shown { prefix: "", galleries: &Rules::default(), preview: None };
        shown.pictures(media).map(|(_, items)| items)
    }

    fn item(url: Option<&str>, status: &str, caption: &str) -> GalleryItem {
        let caption = Some(caption.to_owned());
        let url = url.map(str::to_owned);
        GalleryItem { url, status: status.to_owned(), caption, sha256: None }
    }

    fn at(url: &str) -> Resolved {
        Resolved::Link(MediaLink::to(MediaUrl(url.to_owned())))
    }

    #[test]
    fn a_gallery_keeps_its_failures_in_their_places() {
        let gallery = Media::Gallery {
            items: vec![
                item(None, "failed", ""),
                item(Some("https://preview.redd.it/b.png?s=1"), "valid", ""),
            ],
        };

        let items = resolved(&gallery).unwrap();

        let failed = Reject::GalleryItem { status: "failed".to_owned() };
        assert_eq!(items, [Resolved::Rejected(failed), at("https://i.redd.it/b.png")]);
    }

    #[test]
    fn rules_pick_the_pictures_of_a_gallery() {
        let pictures = ["tank", "crew"].map(|words| {
            let url = format!("https://preview.redd.it/{words}.png?s=1");
            item(Some(&url), "valid", words)
        });
        let gallery = Media::Gallery { items: pictures.into() };
        let picked = |galleries: &Rules| {
            let shown = Shown { prefix: "", galleries, preview: None };
            shown.pictures(&gallery).map(|(_, items)| items).unwrap()
        };
        let not = |rule, found: &str| {
            Resolved::Rejected(Reject::Filtered { rule, found: found.to_owned() })
        };

        let first = picked(&Rules { galleries: Some(Galleries::First), ..Rules::default() });
        let named = picked(&Rules { caption: Pattern::new("cr.w").ok(), ..Rules::default() });

        let [tank, crew] = ["tank", "crew"].map(|it| at(&format!("https://i.redd.it/{it}.png")));
        assert_eq!(first, [tank, not(Rule::Gallery, "")]);
        assert_eq!(named, [not(Rule::Caption, "tank"), crew]);
    }

    #[test]
    fn a_copy_of_the_site_stands_in_for_what_may_be_gone() {
        let copy = "https://external-preview.redd.it/c.jpg?s=1";
        let shown = Shown { prefix: "", galleries: &Rules::default(), preview: Some(copy) };
        let link = |url: &str| shown.link(url, Some(copy));
        let copy = MediaUrl(copy.to_owned());

        let elsewhere = MediaLink::to(MediaUrl("https://example.org/a.jpg".to_owned()));
        assert_eq!(
            link("https://example.org/a.jpg"),
            Ok(MediaLink { fallback: Some(copy.clone()), ..elsewhere })
        );
        assert_eq!(
            link("https://imgur.com/a/album"),
            Ok(MediaLink { quality: Quality::Preview, ..MediaLink::to(copy) })
        );
        assert_eq!(
            resolved(&Media::link("https://imgur.com/a/album".to_owned())),
            Err(Reject::UnknownHost { host: "imgur album".to_owned() })
        );
    }

    #[test]
    fn the_digest_a_list_tells_goes_with_the_address() {
        let sha256 = Some(Sha256::of(b"abc"));
        let url = "https://i.redd.it/a.jpg";
        let told = GalleryItem { sha256, ..item(Some(url), "valid", "") };
        let expected = MediaLink { sha256, ..MediaLink::to(MediaUrl(url.to_owned())) };

        for media in
            [Media::Link { url: url.to_owned(), sha256 }, Media::Gallery { items: vec![told] }]
        {
            assert_eq!(resolved(&media), Ok(vec![Resolved::Link(expected.clone())]));
        }
    }

    #[test]
    fn a_crosspost_shows_what_its_parent_shows() {
        let parent = Box::new(Media::Video);
        let crosspost = Media::Crosspost { of: "t3_p".to_owned(), media: parent };
        assert_eq!(resolved(&crosspost), Err(Reject::Video));
    }

    #[test]
    fn what_is_no_web_address_is_named() {
        let refused = resolved(&Media::link("javascript:alert(1)".to_owned()));
        assert_eq!(refused, Err(Reject::BadAddress { url: "javascript:alert(1)".to_owned() }));
    }
}
