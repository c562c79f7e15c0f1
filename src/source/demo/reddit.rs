//! What www.reddit.com and oauth.reddit.com answer: tokens, listings, searches and single posts.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    catalogue::Entry,
    limits::{self, Told},
    listing::{self, Cut, Sorting},
    post_json,
    reply::Reply,
    search::Query,
    site::{Asked, Shared},
    tokens::Bearer,
    troubles::{self, Trouble},
};

const JSON: &str = "application/json; charset=UTF-8";
const HTML: &str = "text/html; charset=UTF-8";

/// Posts a request may name.
const NAMES_MAX: usize = 100;

/// Answers www.reddit.com: tokens and nothing else.
pub(super) fn front(shared: &Shared, asked: &Asked) -> Reply {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/api/v1/access_token") => token(shared, asked),
        _ => page(StatusCode::NOT_FOUND, "page not found"),
    }
}

fn token(shared: &Shared, asked: &Asked) -> Reply {
    let field = |name: &str| asked.field(name).unwrap_or_default().to_owned();
    if !shared.accepts_client(asked.header("authorization"), &field("grant_type")) {
        return error(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    match shared.tokens.grant(field) {
        Ok(answer) => json_reply(asked, &answer),
        Err(status) => error(status, status.canonical_reason().unwrap_or_default()),
    }
}

/// Answers oauth.reddit.com.
pub(super) fn interface(shared: &Shared, asked: &Asked) -> Reply {
    let Some(bearer) = shared.tokens.admit(asked.bearer()) else { return unauthorized() };
    let spent = shared.meter.spend();
    if spent.is_over {
        let reply = error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        return shared.meter.refuse(spent, reply);
    }
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    let mut told = Told::Plainly;
    let reply = match parts[..] {
        ["api", "info" | "info.json"] | ["r", _, "api", "info" | "info.json"] => {
            named(shared, asked, asked.parameter("id").unwrap_or_default())
        }
        ["by_id", names] => named(shared, asked, names.trim_end_matches(".json")),
        ["subreddits", "search" | "search.json"] => json_reply(asked, &listed(&[stranger()])),
        ["r", name, ref rest @ ..] => {
            let name = name.to_lowercase();
            let trouble = troubles::of(&name);
            told = trouble.map_or(Told::Plainly, Trouble::told);
            match closed(shared, &name, trouble) {
                Some(reply) => reply,
                None => subreddit(shared, asked, (&name, rest), bearer),
            }
        }
        _ => error(StatusCode::NOT_FOUND, "Not Found"),
    };
    if reply.has("x-ratelimit-remaining") { reply } else { limits::tell(spent, told, reply) }
}

/// Answers for a subreddit that cannot be entered.
fn closed(shared: &Shared, name: &str, trouble: Option<Trouble>) -> Option<Reply> {
    if let Some(Trouble::Closed { status, reason }) = trouble {
        let message = if status == 404 { "Not Found" } else { "Forbidden" };
        let body = json!({ "reason": reason, "message": message, "error": status });
        let status = StatusCode::from_u16(status).expect("the table has real ones");
        return Some(Reply::new(status, JSON, body.to_string()));
    }
    let is_known = name.split('+').all(|part| shared.world.row(part).is_some());
    let search = format!("https://oauth.reddit.com/subreddits/search?q={name}");
    (!is_known).then(|| page(StatusCode::FOUND, "elsewhere").with("location", search))
}

/// Answers for one open subreddit, or several joined by `+`.
fn subreddit(shared: &Shared, asked: &Asked, at: (&str, &[&str]), bearer: Bearer) -> Reply {
    let (name, rest) = at;
    let period = asked.parameter("t");
    match rest {
        ["about" | "about.json"] => json_reply(asked, &about(shared, name)),
        ["api", "link_flair_v2" | "link_flair_v2.json"] => match bearer {
            Bearer::Application => error(StatusCode::FORBIDDEN, "Forbidden"),
            Bearer::User => json_reply(asked, &flairs(shared, name)),
        },
        ["search" | "search.json"] => {
            let query = Query::read(asked.parameter("q").unwrap_or_default());
            let sorting = Sorting::of_search(asked.parameter("sort"), period);
            let is_inside = matches!(asked.parameter("restrict_sr"), Some("1" | "on" | "true"));
            let found = |entry: &&Entry| query.finds(entry);
            if is_inside {
                listing(shared, asked, name, (sorting, &found))
            } else {
                // Without the restriction a search goes through the whole site.
                let all = shared.world.names().collect::<Vec<_>>().join("+");
                listing(shared, asked, &all, (sorting, &found))
            }
        }
        [order] => match Sorting::of_listing(order, period) {
            Some(sorting) => listing(shared, asked, name, (sorting, &|_| true)),
            None => error(StatusCode::NOT_FOUND, "Not Found"),
        },
        _ => error(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// What a listing holds, and in which order.
type Wanted<'a> = (Sorting, &'a dyn Fn(&&Entry) -> bool);

fn listing(shared: &Shared, asked: &Asked, name: &str, (sorting, is_in): Wanted) -> Reply {
    let trouble = troubles::of(name);
    let mut entries: Vec<&Entry> =
        name.split('+').filter_map(|part| shared.world.living(part)).flatten().collect();
    let now = listing::now(&entries);
    entries.retain(is_in);
    let sorted = listing::sorted(&entries, sorting, now);
    let number = |name: &str| asked.parameter(name).and_then(|value| value.parse().ok());
    let limit: usize = number("limit").unwrap_or(25);
    let cut = Cut {
        after: asked.parameter("after").filter(|name| !name.is_empty()),
        before: asked.parameter("before").filter(|name| !name.is_empty()),
        count: number("count").unwrap_or_default(),
        limit: limit.min(trouble.and_then(Trouble::page_posts).unwrap_or(limit)),
    };
    let page = match trouble {
        Some(Trouble::Pages(pages)) => pages.page(shared, &sorted, cut),
        Some(_) | None => listing::page(&sorted, cut),
    };
    let mut children: Vec<Value> = page.entries.iter().map(|entry| child(shared, entry)).collect();
    if let Some(trouble) = trouble {
        trouble.spoil(&mut children);
    }
    let mut listed = listed(&children);
    listed["data"]["after"] = json!(page.after);
    listed["data"]["before"] = json!(page.before);
    let good = json_reply(asked, &listed);
    match trouble.and_then(|trouble| trouble.instead(shared, asked, name)) {
        Some(instead) => instead.of(good, shared, asked),
        None => good,
    }
}

/// Tells what a subreddit is.
fn about(shared: &Shared, name: &str) -> Value {
    let row = shared.world.row(name).unwrap_or_default();
    let created = row.first().map_or(0, |entry| entry.created_utc) - 86_400;
    let id = post_json::subreddit_id(name);
    json!({ "kind": "t5", "data": { "display_name": name, "name": id, "id": id[3..],
        "display_name_prefixed": format!("r/{name}"), "title": format!("All about {name}"),
        "url": format!("/r/{name}/"), "subscribers": post_json::SUBSCRIBERS, "over18": false,
        "created": f64::from(created), "created_utc": f64::from(created), "quarantine": false,
        "public_description": "", "subreddit_type": "public", "lang": "en" } })
}

/// Lists the flairs a subreddit offers.
fn flairs(shared: &Shared, name: &str) -> Value {
    let row = shared.world.row(name).unwrap_or_default();
    let texts: BTreeSet<&str> = row.iter().filter_map(|entry| entry.flair).collect();
    let told = texts.iter().enumerate().map(|(n, text)| {
        json!({ "type": "text", "text": text, "id": format!("{n:08}-0000-11ee-8000-000000000000"),
            "text_editable": false, "mod_only": false, "text_color": "dark", "richtext": [] })
    });
    told.collect()
}

/// Returns a subreddit where a post is expected.
pub(super) fn stranger() -> Value {
    json!({ "kind": "t5", "data": { "id": "2qzzz", "name": "t5_2qzzz",
        "display_name": "beetlesandfish", "subscribers": 3, "title": "Beetles and fish" } })
}

/// Answers for posts by name, in the order asked; names nobody has are left out.
fn named(shared: &Shared, asked: &Asked, names: &str) -> Reply {
    let ids = names.split(',').take(NAMES_MAX).filter_map(|name| name.strip_prefix("t3_"));
    let entries = ids.filter_map(|id| shared.world.entry(id));
    let children: Vec<Value> = entries.map(|entry| child(shared, entry)).collect();
    json_reply(asked, &listed(&children))
}

fn child(shared: &Shared, entry: &Entry) -> Value {
    json!({ "kind": "t3", "data": post_json::post(entry, &shared.world) })
}

fn listed(children: &[Value]) -> Value {
    json!({ "kind": "Listing", "data": { "after": null, "dist": children.len(), "modhash": null,
        "geo_filter": "", "children": children, "before": null } })
}

/// Answers with JSON; without `raw_json=1` three characters come escaped, as for browsers.
fn json_reply(asked: &Asked, value: &Value) -> Reply {
    let mut body = value.to_string();
    if asked.parameter("raw_json") != Some("1") {
        body = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    }
    Reply::new(StatusCode::OK, JSON, body).with("cache-control", "private, max-age=0")
}

pub(super) fn error(status: StatusCode, message: &str) -> Reply {
    let body = json!({ "message": message, "error": status.as_u16() });
    Reply::new(status, JSON, body.to_string())
}

/// Answers that the site has too much to do, in JSON.
pub(super) fn busy() -> Reply {
    error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// Answers an unknown token as the live interface does: with a page, not with JSON.
pub(super) fn unauthorized() -> Reply {
    page(StatusCode::UNAUTHORIZED, "unauthorized")
        .with("www-authenticate", "Bearer realm=\"reddit\", error=\"invalid_token\"")
}

pub(super) fn page(status: StatusCode, title: &str) -> Reply {
    let body = format!(
        "<!doctype html><html><head><title>{title}</title></head><body>{title}</body></html>"
    );
    Reply::new(status, HTML, body)
}
