//! What www.reddit.com and oauth.reddit.com answer: tokens, listings, single posts, and the
//! troubles of subreddits that only tests visit.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    catalogue::{Entry, Shows},
    listing::{self, Order},
    post_json,
    reply::Reply,
    site::{Asked, Shared},
};

const JSON: &str = "application/json; charset=UTF-8";
const HTML: &str = "text/html; charset=UTF-8";

/// Answers www.reddit.com: tokens and nothing else.
pub(super) fn front(shared: &Shared, asked: &Asked) -> Reply {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/api/v1/access_token") => token(shared, asked),
        _ => page(StatusCode::NOT_FOUND, "page not found"),
    }
}

/// Answers oauth.reddit.com.
pub(super) fn interface(shared: &Shared, asked: &Asked) -> Reply {
    let bearer = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    if !shared.knows_token(bearer) {
        return unauthorized();
    }
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    let reply = match parts[..] {
        ["r", subreddit, order] => match Order::read(order, asked.parameter("t")) {
            Some(order) => subreddit_listing(shared, asked, (subreddit, order)),
            None => error(StatusCode::NOT_FOUND, "Not Found"),
        },
        ["api", "info" | "info.json"] => info(shared, asked),
        ["subreddits", "search" | "search.json"] => json_reply(asked, &listed(&[stranger()], None)),
        _ => error(StatusCode::NOT_FOUND, "Not Found"),
    };
    let used = shared.spend_request();
    // The site is always in the middle of its ten minutes.
    reply
        .with("x-ratelimit-used", used.to_string())
        .with("x-ratelimit-remaining", format!("{}.0", 1_000_u64.saturating_sub(used)))
        .with("x-ratelimit-reset", "300")
}

fn token(shared: &Shared, asked: &Asked) -> Reply {
    let grant = asked.field("grant_type").unwrap_or_default();
    if !shared.accepts_client(asked.header("authorization"), grant) {
        return error(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    match grant {
        "password" if asked.field("password") == Some("wrong") => {
            json_reply(asked, &json!({ "error": "invalid_grant" }))
        }
        "refresh_token" if asked.field("refresh_token").is_none_or(str::is_empty) => {
            error(StatusCode::BAD_REQUEST, "Bad Request")
        }
        "client_credentials"
        | "password"
        | "refresh_token"
        | "https://oauth.reddit.com/grants/installed_client" => {
            let token = shared.issue_token();
            json_reply(
                asked,
                &json!({ "access_token": token, "token_type": "bearer", "expires_in": 86_400,
                    "scope": "*" }),
            )
        }
        _ => json_reply(asked, &json!({ "error": "unsupported_grant_type" })),
    }
}

/// Answers for one subreddit, or several joined by `+`.
fn subreddit_listing(shared: &Shared, asked: &Asked, (name, order): (&str, Order)) -> Reply {
    let name = name.to_lowercase();
    if let Some(trouble) = trouble(shared, asked, &name) {
        return trouble;
    }
    let mut entries: Vec<&Entry> = Vec::new();
    for part in name.split('+') {
        let Some(row) = shared.row(part) else {
            let search = format!("https://oauth.reddit.com/subreddits/search?q={name}");
            return page(StatusCode::FOUND, "elsewhere").with("location", search);
        };
        entries.extend(row);
    }
    let limit = asked.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(25);
    let sorted = listing::sorted(&entries, order);
    let page = listing::page(&sorted, asked.parameter("after"), limit);
    let mut children: Vec<Value> = page.entries.iter().map(|entry| child(shared, entry)).collect();
    if name == "sparse" {
        spoil(&mut children);
    }
    json_reply(asked, &listed(&children, page.after.as_deref()))
}

/// Returns the trouble of a subreddit that only tests visit, if it is in one now.
fn trouble(shared: &Shared, asked: &Asked, name: &str) -> Option<Reply> {
    let closed = |status, reason: &str, message: &str| {
        let body = json!({ "reason": reason, "message": message, "error": status });
        let status = StatusCode::from_u16(status).expect("the caller names a real status");
        Some(Reply::new(status, JSON, body.to_string()))
    };
    match name {
        "private" => closed(403, "private", "Forbidden"),
        "banned" => closed(404, "banned", "Not Found"),
        "html" => Some(page(StatusCode::OK, "whoa there, pardner!")),
        "limited" if shared.visit("r/limited") < 2 => {
            Some(error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests").with("retry-after", "1"))
        }
        "flaky" if shared.visit("r/flaky") < 2 => {
            Some(error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
        }
        "expired" if shared.visit("r/expired") == 0 => {
            let header = asked.header("authorization");
            shared.revoke_token(header.strip_prefix("Bearer ").unwrap_or_default());
            Some(unauthorized())
        }
        _ => None,
    }
}

/// Puts a post of another shape, a stranger and a missing thumbnail among good posts.
fn spoil(children: &mut Vec<Value>) {
    if let Some(thumbnail) = children.get_mut(1).and_then(|c| c.pointer_mut("/data/thumbnail")) {
        *thumbnail = Value::Null;
    }
    let odd = json!({ "kind": "t3", "data": { "id": 17, "title": null, "created_utc": "soon" } });
    children.insert(children.len().min(2), odd);
    children.insert(children.len().min(5), stranger());
}

/// Returns a subreddit where a post is expected.
fn stranger() -> Value {
    json!({ "kind": "t5", "data": { "id": "2qzzz", "name": "t5_2qzzz",
        "display_name": "beetlesandfish", "subscribers": 3, "title": "Beetles and fish" } })
}

/// Answers for posts by name, in the order asked; names nobody has are left out.
fn info(shared: &Shared, asked: &Asked) -> Reply {
    let names = asked.parameter("id").unwrap_or_default().split(',').take(100);
    let children: Vec<Value> =
        names.filter_map(|name| shared.entry(name)).map(|entry| child(shared, entry)).collect();
    json_reply(asked, &listed(&children, None))
}

fn child(shared: &Shared, entry: &Entry) -> Value {
    let earlier = match &entry.shows {
        Shows::Crosspost { .. } => shared.row(&entry.subreddit).unwrap_or_default(),
        Shows::Picture(_)
        | Shows::Copy { .. }
        | Shows::Gallery { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Removed { .. } => &[],
    };
    json!({ "kind": "t3", "data": post_json::post(entry, earlier) })
}

fn listed(children: &[Value], after: Option<&str>) -> Value {
    json!({ "kind": "Listing", "data": { "after": after, "dist": children.len(), "modhash": null,
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

fn error(status: StatusCode, message: &str) -> Reply {
    let body = json!({ "message": message, "error": status.as_u16() });
    Reply::new(status, JSON, body.to_string())
}

/// Answers an unknown token as the live interface does: with a page, not with JSON.
fn unauthorized() -> Reply {
    page(StatusCode::UNAUTHORIZED, "unauthorized")
        .with("www-authenticate", "Bearer realm=\"reddit\", error=\"invalid_token\"")
}

fn page(status: StatusCode, title: &str) -> Reply {
    let body = format!(
        "<!doctype html><html><head><title>{title}</title></head><body>{title}</body></html>"
    );
    Reply::new(status, HTML, body)
}
