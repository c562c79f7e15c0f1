//! A subreddit whose posts lead elsewhere: to pages and albums of another host, through a wrapper,
//! to a picture kept by others, and to one that only Reddit's own preview still shows.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    address::{self, Address, EXTERNAL, IMGUR, REDDIT, WIKIMEDIA},
    catalogue::{Entry, Manner, Shot, Shows},
    draw::{Edit, Motif, Subject},
    reply::Reply,
    site::{Asked, Shared},
};

pub(super) const NAME: &str = "elsewhere";

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const FIRST_POST_UTC: u32 = 1_756_684_800;

/// Writes all posts; there are always the same.
pub(super) fn write() -> Vec<Entry> {
    let on = |host, n: usize| shot(host, n);
    let (page, wrapped) = (on(IMGUR, 0), on(REDDIT, 1));
    let inner: String =
        url::form_urlencoded::byte_serialize(wrapped.address.to_string().as_bytes()).collect();
    let kept = on(WIKIMEDIA, 2);
    let links = [
        (
            "A page around one picture",
            format!("https://imgur.com/{}", page.address.stem()),
            vec![page],
        ),
        (
            "An album",
            "https://imgur.com/a/dEm0A1b".to_owned(),
            (3..6).map(|n| on(IMGUR, n)).collect(),
        ),
        ("Wrapped", format!("https://www.reddit.com/media?url={inner}"), vec![wrapped]),
        ("Kept by others", kept.address.to_string(), vec![kept]),
        (
            "Lost, but for a preview",
            "https://live.staticflickr.com/65535/50000000001_0123456789_b.jpg".to_owned(),
            vec![on(EXTERNAL, 6)],
        ),
    ];
    let entries = links.into_iter().zip(0_u32..).map(|((title, url, shots), n)| Entry {
        id: address::special_post_id(NAME, usize::try_from(n).expect("a handful")),
        subreddit: NAME.to_owned(),
        title: title.to_owned(),
        author: "quiet_otter".to_owned(),
        flair: None,
        created_utc: FIRST_POST_UTC + n * 3_600,
        score: 10 + n,
        comments: n,
        upvote_percent: 90,
        over_18: false,
        plant: None,
        shows: Shows::Elsewhere { url, shots },
    });
    entries.collect()
}

fn shot(host: &'static str, n: usize) -> Shot {
    let subject = Subject { motif: Motif::Quilt, key: format!("{NAME}/{n}"), edit: Edit::None };
    let letters = address::letters(&subject.key);
    let path = match host {
        IMGUR => format!("/E{}x.jpg", &letters[..5]),
        WIKIMEDIA => format!("/wikipedia/commons/a/ab/{letters}.jpg"),
        _ => format!("/{letters}.jpg"),
    };
    Shot { address: Address { host, path }, subject, manner: Manner::Sound }
}

/// Answers imgur.com: pages around pictures and albums, for people to look at.
pub(super) fn page(shared: &Shared, asked: &Asked) -> Reply {
    let id = asked.path.trim_start_matches('/');
    let single = shared.world.shot(&Address { host: IMGUR, path: format!("/{id}.jpg") });
    let shots: Vec<&Shot> = match single {
        Some(shot) => vec![shot],
        None => album(shared, id.trim_start_matches("gallery/").trim_start_matches("a/")),
    };
    if shots.is_empty() {
        return Reply::new(StatusCode::NOT_FOUND, HTML, "<!doctype html><title>Not found</title>");
    }
    let pictures = shots
        .iter()
        .map(|shot| format!("<meta property=\"og:image\" content=\"{}?fb\">", shot.address));
    let pictures: String = pictures.collect();
    Reply::new(StatusCode::OK, HTML, format!("<!doctype html><head>{pictures}</head>"))
}

/// Answers api.imgur.com, which knows albums and wants to know who asks.
pub(super) fn interface(shared: &Shared, asked: &Asked) -> Reply {
    let refused = |status: StatusCode, why: &str| {
        let data = json!({ "error": why, "request": asked.path, "method": "GET" });
        let body = json!({ "data": data, "success": false, "status": status.as_u16() });
        Reply::new(status, JSON, body.to_string())
    };
    if asked.header("authorization").strip_prefix("Client-ID ").is_none_or(str::is_empty) {
        return refused(StatusCode::UNAUTHORIZED, "Authentication required");
    }
    let Some(id) = asked.path.strip_prefix("/3/album/") else {
        return refused(StatusCode::NOT_FOUND, "Unable to find the requested page");
    };
    let images = album(shared, id).into_iter().map(|shot| {
        let form = shot.subject.form();
        json!({ "id": shot.address.stem(), "link": shot.address.to_string(), "type": "image/jpeg",
            "animated": false, "width": form.width_px, "height": form.height_px })
    });
    let images: Vec<Value> = images.collect();
    if images.is_empty() {
        return refused(StatusCode::NOT_FOUND, "Unable to find an album with the id");
    }
    let data = json!({ "id": id, "images_count": images.len(), "images": images });
    let body = json!({ "data": data, "success": true, "status": 200 });
    Reply::new(StatusCode::OK, JSON, body.to_string())
}

/// Finds the pictures of an album; letters of its id are large or small.
fn album<'a>(shared: &'a Shared, id: &str) -> Vec<&'a Shot> {
    let wanted = format!("https://imgur.com/a/{id}");
    let row = shared.world.row(NAME).unwrap_or_default();
    let shots = row.iter().filter_map(|entry| match &entry.shows {
        Shows::Elsewhere { url, shots } if *url == wanted => Some(shots),
        Shows::Elsewhere { .. }
        | Shows::Picture(_)
        | Shows::Copy { .. }
        | Shows::Gallery { .. }
        | Shows::Crosspost { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Removed { .. } => None,
    });
    shots.flatten().collect()
}
