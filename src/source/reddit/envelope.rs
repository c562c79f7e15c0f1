//! The wrapping of posts in answers: a listing, its children, each with a kind. One bad child
//! spoils nothing but itself.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Site, post, scalar::Scalar};
use crate::{domain::id::Place, source::Page};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Inner<'a>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow)]
    children: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    after: Scalar<'a>,
}

#[derive(Deserialize)]
struct Child<'a> {
    #[serde(borrow, default)]
    kind: Scalar<'a>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The children of an answer that are posts, and why the others are not.
struct Children<'a> {
    posts: Vec<&'a RawValue>,
    odd: Vec<String>,
    after: Option<String>,
}

fn open(body: &str) -> Result<Children<'_>, serde_json::Error> {
    let Envelope { data: Inner { children, after } } = serde_json::from_str(body)?;
    let mut posts = Vec::new();
    let mut odd = Vec::new();
    for child in children {
        match serde_json::from_str::<Child<'_>>(child.get()) {
            Ok(Child { kind, data }) => match kind.text() {
                Some("t3") => posts.push(data),
                Some(kind) => odd.push(format!("a {kind} is no post")),
                None => odd.push("a child without a kind".to_owned()),
            },
            Err(error) => odd.push(format!("a child that is no thing: {error}")),
        }
    }
    let after = after.text().filter(|it| !it.is_empty()).map(str::to_owned);
    Ok(Children { posts, odd, after })
}

/// Reads the posts of one page of a listing.
pub(super) fn page(body: &[u8], place: &Place, site: Site) -> Result<Page, serde_json::Error> {
    // One character that is none must not cost a hundred posts.
    let body = String::from_utf8_lossy(body);
    let Children { posts, odd, after } = open(&body)?;
    let mut page = Page { next: after, unreadable: odd, ..Page::default() };
    for post in posts {
        match post::read(post.get(), place) {
            Ok((fullname, post)) => page.posts.push((site.post_id(&fullname), post)),
            Err(error) => page.unreadable.push(error.to_string()),
        }
    }
    Ok(page)
}

/// Reads how the posts of an answer stand, by full name.
pub(super) fn standings(body: &[u8]) -> Result<Vec<(String, post::Standing)>, serde_json::Error> {
    let body = String::from_utf8_lossy(body);
    let posts = open(&body)?.posts;
    // A post whose name cannot be read is one nobody asked about.
    Ok(posts.into_iter().filter_map(|it| post::standing(it.get()).ok()).collect())
}

/// Returns a kept answer without the posts `is_gone` names; `None` if it has none of them.
pub(super) fn without(
    body: &[u8],
    is_gone: impl Fn(&str) -> bool,
) -> Result<Option<Vec<u8>>, serde_json::Error> {
    let mut answer: serde_json::Value = serde_json::from_slice(body)?;
    let children = answer.pointer_mut("/data/children").and_then(serde_json::Value::as_array_mut);
    let Some(children) = children else { return Ok(None) };
    let n_before = children.len();
    children.retain(|child| {
        let data = child.get("data");
        let text = |name: &str| data.and_then(|it| it.get(name)?.as_str());
        let own = text("name").is_some_and(&is_gone);
        let parent = text("crosspost_parent").is_some_and(&is_gone);
        !own && !parent
    });
    if children.len() == n_before {
        return Ok(None);
    }
    serde_json::to_vec(&answer).map(Some)
}
