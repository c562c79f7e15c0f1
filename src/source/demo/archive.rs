//! What the Arctic Shift archive answers: the same posts as they were before anything was deleted,
//! oldest or newest first, without a limit on depth.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    catalogue::{Entry, Shows},
    limits, post_json,
    reply::Reply,
    site::{Asked, Shared},
};

pub(super) const HOST: &str = "arctic-shift.photon-reddit.com";

/// Posts of one answer where the archive chooses the number.
const AUTO_POSTS: usize = 500;
/// A first request for more takes too long.
const QUICK_POSTS: usize = 50;
const IDS_MAX: usize = 500;

/// How long after a post the archive looks again, and what it missed before that.
const SECOND_LOOK_S: u32 = 36 * 3_600;

/// Answers the archive's host.
pub(super) fn answer(shared: &Shared, asked: &Asked) -> Reply {
    let spent = shared.archive_meter.spend();
    let reply = if spent.is_over {
        refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
    } else {
        match asked.path.as_str() {
            "/api/posts/search" => search(shared, asked),
            "/api/posts/ids" => ids(shared, asked),
            _ => refused(StatusCode::NOT_FOUND, "Not found"),
        }
    };
    limits::tell_archive(spent, reply)
}

fn search(shared: &Shared, asked: &Asked) -> Reply {
    let Some(subreddit) = asked.parameter("subreddit").map(str::to_lowercase) else {
        return refused(StatusCode::BAD_REQUEST, "'subreddit' or 'author' is required");
    };
    let limit = match asked.parameter("limit") {
        Some("auto") => Some(AUTO_POSTS),
        Some(number) => number.parse().ok().filter(|limit| (1..=100).contains(limit)),
        None => Some(25),
    };
    let (after, before) = (moment(asked, "after"), moment(asked, "before"));
    let (Some(limit), Ok(after), Ok(before)) = (limit, after, before) else {
        return refused(StatusCode::BAD_REQUEST, "a parameter has an invalid value");
    };
    if QUICK_POSTS < limit && shared.visit(&format!("archive of {subreddit}")) == 0 {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "Timeout. Maybe slow down a bit");
    }
    let row = shared.world.row(&subreddit).unwrap_or_default();
    let is_between = |entry: &&Entry| {
        let created = i64::from(entry.created_utc);
        after.is_none_or(|after| after < created) && before.is_none_or(|before| created < before)
    };
    let mut found: Vec<&Entry> = row.iter().filter(is_between).collect();
    found.sort_by_key(|entry| (entry.created_utc, &entry.id));
    if asked.parameter("sort") != Some("asc") {
        found.reverse();
    }
    found.truncate(limit);
    listed(shared, &found)
}

fn ids(shared: &Shared, asked: &Asked) -> Reply {
    let names = asked.parameter("ids").unwrap_or_default().split(',').take(IDS_MAX);
    let ids = names.map(|name| name.strip_prefix("t3_").unwrap_or(name));
    let found: Vec<&Entry> = ids.filter_map(|id| shared.world.entry(id)).collect();
    listed(shared, &found)
}

/// Reads a moment in seconds or milliseconds since 1970-01-01 UTC.
fn moment(asked: &Asked, name: &str) -> Result<Option<i64>, std::num::ParseIntError> {
    let Some(text) = asked.parameter(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let number: i64 = text.parse()?;
    Ok(Some(if 100_000_000_000 < number { number / 1_000 } else { number }))
}

fn listed(shared: &Shared, entries: &[&Entry]) -> Reply {
    let posts: Vec<Value> = entries.iter().map(|entry| archived(shared, entry)).collect();
    Reply::new(StatusCode::OK, "application/json", json!({ "data": posts }).to_string())
}

/// Returns a post in the archive's shape: whole numbers, and what became of it on a second look.
fn archived(shared: &Shared, entry: &Entry) -> Value {
    let mut fields = post_json::as_posted(entry);
    let mut meta = Map::new();
    let removed_by = match &entry.shows {
        _ if shared.world.is_gone(entry) => Some("deleted"),
        Shows::Removed { by } => Some(*by),
        Shows::Picture(_)
        | Shows::Copy { .. }
        | Shows::Gallery { .. }
        | Shows::Crosspost { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Elsewhere { .. } => None,
    };
    meta.insert("retrieved_2nd_on".to_owned(), json!(entry.created_utc + SECOND_LOOK_S));
    if let Some(removed_by) = removed_by {
        meta.insert("was_deleted_later".to_owned(), json!(true));
        meta.insert("removal_type".to_owned(), json!(removed_by));
    }
    fields.insert("_meta".to_owned(), Value::Object(meta));
    fields.insert("created_utc".to_owned(), json!(entry.created_utc));
    fields.insert("created".to_owned(), json!(entry.created_utc));
    fields.insert("retrieved_on".to_owned(), json!(entry.created_utc + 15));
    Value::Object(fields)
}

fn refused(status: StatusCode, why: &str) -> Reply {
    let body = json!({ "data": null, "error": why });
    Reply::new(status, "application/json", body.to_string())
}
