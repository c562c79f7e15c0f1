//! Entry → the JSON the live interface gives for a post, field by field as recorded from it.

use serde_json::{Map, Value, json};

use super::{
    address::{self, Address},
    catalogue::{Entry, Shot, Shows},
    dice::Dice,
    world::World,
};

pub(super) const SUBSCRIBERS: u32 = 4_217;

/// Returns a post as the interface tells it.
pub(super) fn post(entry: &Entry, world: &World) -> Value {
    if world.is_gone(entry) {
        return deleted(entry);
    }
    let mut fields = as_posted(entry);
    if let Shows::Crosspost { parent, .. } = &entry.shows {
        let row = world.row(&entry.subreddit).unwrap_or_default();
        if let Some(parent) = row.get(*parent) {
            set(&mut fields, "crosspost_parent", parent.name());
            set(&mut fields, "crosspost_parent_list", json!([post(parent, world)]));
        }
    }
    Value::Object(fields)
}

/// Returns what is left of a post whose author deleted it.
fn deleted(entry: &Entry) -> Value {
    let mut fields = common(entry);
    removed(&mut fields, entry, "deleted");
    set(&mut fields, "author", "[deleted]");
    Value::Object(fields)
}

/// Returns a post as it was before anything was deleted.
pub(super) fn as_posted(entry: &Entry) -> Map<String, Value> {
    let mut fields = common(entry);
    match &entry.shows {
        Shows::Picture(shot) | Shows::Copy { copy: shot, .. } => picture(&mut fields, shot),
        Shows::Gallery { shots, failed } => gallery(&mut fields, entry, shots, failed.as_ref()),
        Shows::Crosspost { shot, .. } => {
            picture(&mut fields, shot);
            fields.remove("preview");
        }
        Shows::Video { id } => video(&mut fields, id),
        Shows::Gifv { address } => {
            link(&mut fields, &address.to_string(), address.host);
            set(&mut fields, "post_hint", "link");
        }
        Shows::Removed { by } => removed(&mut fields, entry, by),
        Shows::Elsewhere { url, shots } => elsewhere(&mut fields, url, shots),
    }
    fields
}

/// Returns the name of a subreddit that the interface uses.
pub(super) fn subreddit_id(name: &str) -> String {
    format!("t5_{}", &address::letters(name)[..5])
}

fn set(fields: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

/// Returns the fields all posts have.
fn common(entry: &Entry) -> Map<String, Value> {
    let created = f64::from(entry.created_utc);
    let subreddit = &entry.subreddit;
    let subreddit_id = subreddit_id(subreddit);
    let author_id = format!("t2_{}", &address::letters(&entry.author)[..8]);
    let mut fields = object(json!({
        "subreddit": subreddit, "subreddit_name_prefixed": format!("r/{subreddit}"),
        "subreddit_id": subreddit_id, "id": entry.id, "name": entry.name(), "title": entry.title,
        "author": entry.author, "author_fullname": author_id, "permalink": permalink(entry),
        "created": created, "created_utc": created, "score": entry.score, "ups": entry.score,
        "upvote_ratio": f64::from(entry.upvote_percent) / 100.0, "link_flair_text": entry.flair,
        "num_comments": entry.comments, "thumbnail": "default", "removed_by_category": null,
    }));
    fields.extend(object(json!({
        "selftext": "", "selftext_html": null, "is_self": false, "is_video": false,
        "over_18": entry.over_18, "spoiler": false, "stickied": false, "quarantine": false,
        "locked": false, "pinned": false, "archived": false, "hidden": false, "saved": false,
        "clicked": false, "visited": false, "contest_mode": false, "hide_score": false,
        "edited": false, "no_follow": false, "media_only": false, "send_replies": true,
        "is_crosspostable": true, "is_original_content": false, "is_robot_indexable": true,
        "downs": 0, "gilded": 0, "num_crossposts": 0, "subreddit_subscribers": SUBSCRIBERS,
    })));
    let empty = [
        "approved_at_utc",
        "approved_by",
        "author_flair_css_class",
        "author_flair_text",
        "banned_at_utc",
        "banned_by",
        "category",
        "distinguished",
        "likes",
        "link_flair_css_class",
        "media",
        "mod_note",
        "mod_reason_title",
        "num_reports",
        "removal_reason",
        "removed_by",
        "report_reasons",
        "secure_media",
        "suggested_sort",
        "view_count",
    ];
    fields.extend(empty.map(|name| (name.to_owned(), Value::Null)));
    fields
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { unreachable!("an object was written") };
    fields
}

/// Returns the path of a post's page: its title in small letters and underscores.
fn permalink(entry: &Entry) -> String {
    let letters = entry.title.to_lowercase();
    let words = letters.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("_");
    format!("/r/{}/comments/{}/{slug}/", entry.subreddit, entry.id)
}

fn link(fields: &mut Map<String, Value>, url: &str, domain: &str) {
    set(fields, "url", url);
    set(fields, "url_overridden_by_dest", url);
    set(fields, "domain", domain);
}

fn picture(fields: &mut Map<String, Value>, shot: &Shot) {
    let form = shot.subject.form();
    link(fields, &shot.address.to_string(), shot.address.host);
    set(fields, "post_hint", "image");
    if shot.address.host != address::REDDIT {
        return;
    }
    set(fields, "thumbnail", preview(&shot.address, 140));
    let source = json!({ "url": preview(&shot.address, form.width_px),
        "width": form.width_px, "height": form.height_px });
    let resolutions: Vec<Value> = [108, 216, 320, 640]
        .iter()
        .filter(|width| **width < form.width_px)
        .map(|width| {
            let height = form.height_px * width / form.width_px;
            json!({ "url": preview(&shot.address, *width), "width": width, "height": height })
        })
        .collect();
    let id = address::letters(&format!("preview of {}", shot.address));
    set(
        fields,
        "preview",
        json!({ "enabled": true, "images": [
        { "source": source, "resolutions": resolutions, "variants": {}, "id": id }] }),
    );
}

/// Returns the signed address of a smaller copy.
fn preview(address: &Address, width_px: u32) -> String {
    let signature = signature(address, width_px);
    let file = address.file();
    format!("https://preview.redd.it/{file}?width={width_px}&format=pjpg&auto=webp&s={signature}")
}

fn signature(address: &Address, width_px: u32) -> String {
    let mut dice = Dice::of(&format!("signature of {address} {width_px}"));
    let (a, b, c) = (dice.word(), dice.word(), dice.word() >> 32);
    format!("{a:016x}{b:016x}{c:08x}")
}

/// Links to another host, beside Reddit's own copy if there is one.
fn elsewhere(fields: &mut Map<String, Value>, url: &str, shots: &[Shot]) {
    let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default();
    link(fields, url, host);
    let is_picture = url.rsplit_once('.').is_some_and(|(_, extension)| extension == "jpg");
    set(fields, "post_hint", if is_picture { "image" } else { "link" });
    for shot in shots.iter().filter(|shot| shot.address.host == address::EXTERNAL) {
        let form = shot.subject.form();
        let signature = signature(&shot.address, form.width_px);
        let source = json!({ "url": format!("{}?auto=webp&s={signature}", shot.address),
            "width": form.width_px, "height": form.height_px });
        let image = json!({ "source": source, "resolutions": [], "variants": {},
            "id": address::letters(&format!("preview of {}", shot.address)) });
        set(fields, "preview", json!({ "enabled": true, "images": [image] }));
    }
}

fn gallery(
    fields: &mut Map<String, Value>,
    entry: &Entry,
    shots: &[Shot],
    failed: Option<&String>,
) {
    link(fields, &format!("https://www.reddit.com/gallery/{}", entry.id), "reddit.com");
    let ids: Vec<&str> = shots.iter().map(|shot| shot.address.stem()).collect();
    let ids = ids.into_iter().chain(failed.map(String::as_str));
    let items = ids.enumerate().map(|(n, id)| {
        json!({ "caption": "", "media_id": id, "is_deleted": false, "id": 700_000_000 + n })
    });
    set(fields, "gallery_data", json!({ "items": items.collect::<Vec<_>>() }));
    let mut metadata = Map::new();
    for shot in shots {
        let form = shot.subject.form();
        let kind =
            if form.file.extension() == "jpg" { "image/jpg" } else { form.file.content_type() };
        let id = shot.address.stem();
        let source = json!({ "y": form.height_px, "x": form.width_px,
            "u": preview(&shot.address, form.width_px) });
        let small = json!({ "y": form.height_px * 108 / form.width_px, "x": 108,
            "u": preview(&shot.address, 108) });
        set(
            &mut metadata,
            id,
            json!({ "status": "valid", "e": "Image", "m": kind, "id": id,
            "p": [small], "s": source }),
        );
    }
    if let Some(id) = failed {
        set(&mut metadata, id, json!({ "status": "failed" }));
    }
    set(fields, "media_metadata", metadata);
    set(fields, "is_gallery", true);
    if let Some(first) = shots.first() {
        set(fields, "thumbnail", preview(&first.address, 140));
    }
}

fn video(fields: &mut Map<String, Value>, id: &str) {
    let url = format!("https://v.redd.it/{id}");
    link(fields, &url, "v.redd.it");
    let media = json!({ "reddit_video": {
        "fallback_url": format!("{url}/DASH_720.mp4?source=fallback"), "height": 720, "width": 1280,
        "dash_url": format!("{url}/DASHPlaylist.mpd"), "duration": 9, "is_gif": false,
        "hls_url": format!("{url}/HLSPlaylist.m3u8"), "transcoding_status": "completed" } });
    set(fields, "media", media.clone());
    set(fields, "secure_media", media);
    set(fields, "is_video", true);
    set(fields, "post_hint", "hosted:video");
}

/// A removed post keeps its page; its picture, author and text are gone.
fn removed(fields: &mut Map<String, Value>, entry: &Entry, by: &str) {
    let page = format!("https://www.reddit.com{}", permalink(entry));
    set(fields, "url", page);
    set(fields, "domain", format!("self.{}", entry.subreddit));
    set(fields, "is_self", true);
    set(fields, "selftext", if by == "deleted" { "[deleted]" } else { "[removed]" });
    set(fields, "removed_by_category", by);
    set(fields, "is_robot_indexable", false);
    fields.remove("author_fullname");
}
