//! The pictures of a gallery, in the gallery's order. Two tables tell of them, and either may be
//! missing or broken in part; what the other knows is kept.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::{post::unescape, scalar::Scalar};
use crate::domain::post::GalleryItem;

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    media_id: Scalar<'a>,
    #[serde(borrow, default)]
    caption: Scalar<'a>,
}

#[derive(Default, Deserialize)]
struct Picture<'a> {
    #[serde(borrow, default)]
    status: Scalar<'a>,
    /// The kind: `Image`, `AnimatedImage`, `RedditVideo`.
    #[serde(borrow, default)]
    e: Scalar<'a>,
    /// The type of the file, `image/jpg`.
    #[serde(borrow, default)]
    m: Scalar<'a>,
    #[serde(borrow, default)]
    s: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Source<'a> {
    #[serde(borrow, default)]
    u: Scalar<'a>,
    #[serde(borrow, default)]
    gif: Scalar<'a>,
}

/// A table in the order it was written in.
struct Table<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Table<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Rows;

        impl<'de> de::Visitor<'de> for Rows {
            type Value = Table<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: de::MapAccess<'de>>(
                self,
                mut from: A,
            ) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = from.next_entry()? {
                    rows.push(row);
                }
                Ok(Table(rows))
            }
        }

        from.deserialize_map(Rows)
    }
}

pub(super) fn items(order: Option<&RawValue>, table: Option<&RawValue>) -> Vec<GalleryItem> {
    let table: Option<Table<'_>> = table.and_then(|it| serde_json::from_str(it.get()).ok());
    let Table(table) = table.unwrap_or(Table(Vec::new()));
    let order: Option<Order<'_>> = order.and_then(|it| serde_json::from_str(it.get()).ok());
    let Some(Order { items }) = order else {
        // Without an order the table's own is as good as any.
        return table.iter().map(|(id, picture)| item(id, Some(*picture), None)).collect();
    };
    let entries = items.into_iter().map(|it| serde_json::from_str::<Entry<'_>>(it.get()));
    let entries = entries.map(Result::unwrap_or_default);
    let in_order = entries.map(|entry| {
        let id = entry.media_id.text().unwrap_or_default();
        let picture = table.iter().find(|(known, _)| known == id).map(|(_, picture)| *picture);
        item(id, picture, entry.caption.text())
    });
    in_order.collect()
}

fn item(id: &str, picture: Option<&RawValue>, caption: Option<&str>) -> GalleryItem {
    let caption = caption.map(unescape).filter(|it| !it.trim().is_empty());
    let Some(picture) = picture else {
        return GalleryItem { url: None, status: "missing".to_owned(), caption, sha256: None };
    };
    let picture: Picture<'_> = serde_json::from_str(picture.get()).unwrap_or_default();
    let status = picture.status.text().unwrap_or("missing");
    if status != "valid" {
        return GalleryItem { url: None, status: status.to_owned(), caption, sha256: None };
    }
    let source = picture.s.and_then(|it| serde_json::from_str::<Source<'_>>(it.get()).ok());
    let told = source.and_then(|it| it.u.text().or(it.gif.text()).map(unescape));
    let url = told.or_else(|| original(id, &picture));
    let is_video = picture.e.text() == Some("RedditVideo") && url.is_none();
    let status = if is_video { "video" } else { status };
    GalleryItem { url, status: status.to_owned(), caption, sha256: None }
}

/// Returns where a picture lies whose address was left out, by its id and type.
fn original(id: &str, picture: &Picture<'_>) -> Option<String> {
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
    let ending = match picture.m.text()? {
        "image/jpg" | "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => return None,
    };
    is_id.then(|| format!("https://i.redd.it/{id}.{ending}"))
}
