//! What the picture hosts answer: pictures drawn when asked for, and their troubles.

use axum::{body::Bytes, http::StatusCode};

use super::{
    address::{Address, EXTERNAL, IMGUR, REDDIT},
    catalogue::{Manner, Shot},
    draw::Subject,
    placeholder,
    reply::{Ending, Reply},
    site::{Asked, Shared},
};

const HTML: &str = "text/html; charset=utf-8";

/// Bytes a stalling answer begins with.
const STALL_AFTER_BYTES: usize = 4_096;

/// Answers for one file of one host.
pub(super) async fn answer(shared: &Shared, asked: &Asked, host: &'static str) -> Reply {
    if host == IMGUR && asked.path == placeholder::PATH {
        return picture(asked, "image/png", placeholder::png());
    }
    let address = Address { host, path: asked.path.clone() };
    let Some(shot) = shared.world.shot(&address) else { return missing() };
    if host == REDDIT && asked.header("accept").starts_with("text/html") {
        return wrapper(&address);
    }
    if host == EXTERNAL && !is_signed(asked) {
        return Reply::new(StatusCode::FORBIDDEN, HTML, page("Forbidden"));
    }
    match shot.manner {
        Manner::Missing => missing(),
        Manner::Placeholder => {
            let target = format!("https://{IMGUR}{}", placeholder::PATH);
            Reply::new(StatusCode::FOUND, HTML, "").with("location", target)
        }
        Manner::Html => Reply::new(StatusCode::OK, "image/jpeg", page("Please sign in")),
        Manner::ThrottledOnce if is_first(shared, asked, &address) => {
            Reply::new(StatusCode::TOO_MANY_REQUESTS, HTML, page("Too many requests"))
                .with("retry-after", "1")
        }
        Manner::Sound | Manner::ThrottledOnce => whole(asked, shot).await,
        Manner::Broken => {
            let bytes = drawn(&shot.subject).await;
            let kept = bytes.slice(..bytes.len() * 3 / 5);
            picture(asked, shot.subject.form().file.content_type(), kept)
        }
        Manner::CutOnce => {
            let mut reply = whole(asked, shot).await;
            if is_first(shared, asked, &address) {
                reply.ending = Ending::Cut { after_bytes: reply.body.len() / 2 };
            }
            reply
        }
        Manner::StalledOnce => {
            let mut reply = whole(asked, shot).await;
            if is_first(shared, asked, &address) {
                let after_bytes = STALL_AFTER_BYTES.min(reply.body.len() / 2);
                reply.ending = Ending::Stall { after_bytes, pause: shared.stall };
            }
            reply
        }
    }
}

/// Answers with a smaller, signed copy, as the site shows beside a post.
pub(super) async fn preview(shared: &Shared, asked: &Asked) -> Reply {
    let address = Address { host: REDDIT, path: asked.path.clone() };
    let Some(shot) = shared.world.shot(&address) else { return missing() };
    if asked.header("accept").starts_with("text/html") {
        return wrapper(&address);
    }
    if !is_signed(asked) {
        return Reply::new(StatusCode::FORBIDDEN, HTML, page("Forbidden"));
    }
    if shot.manner == Manner::Missing {
        return missing();
    }
    let width_px = asked.parameter("width").and_then(|width| width.parse().ok()).unwrap_or(640);
    let subject = shot.subject.clone();
    let bytes = in_background(move || subject.draw_preview(width_px)).await;
    picture(asked, "image/jpeg", bytes)
}

fn is_signed(asked: &Asked) -> bool {
    asked.parameter("s").is_some_and(|signature| signature.len() == 40)
}

/// Tells whether nobody has fetched this file yet; asking for headers alone does not count.
fn is_first(shared: &Shared, asked: &Asked, address: &Address) -> bool {
    asked.method == "GET" && shared.visit(&address.to_string()) == 0
}

async fn whole(asked: &Asked, shot: &Shot) -> Reply {
    let bytes = drawn(&shot.subject).await;
    picture(asked, shot.subject.form().file.content_type(), bytes)
}

async fn drawn(subject: &Subject) -> Bytes {
    let subject = subject.clone();
    in_background(move || subject.draw()).await
}

/// Draws where it does not hold up other answers.
async fn in_background(draw: impl FnOnce() -> Vec<u8> + Send + 'static) -> Bytes {
    let drawn = tokio::task::spawn_blocking(draw).await;
    Bytes::from(drawn.expect("drawing takes any subject and is never cancelled"))
}

/// Answers with a file, or tells that the client has it already.
fn picture(asked: &Asked, content_type: &'static str, bytes: impl Into<Bytes>) -> Reply {
    let bytes = bytes.into();
    let tag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]);
    let reply = if asked.header("if-none-match") == tag {
        Reply::new(StatusCode::NOT_MODIFIED, content_type, Bytes::new())
    } else {
        Reply::new(StatusCode::OK, content_type, bytes)
    };
    reply.with("etag", tag).with("cache-control", "public, max-age=31536000")
}

/// Answers a browser with a page around the picture.
fn wrapper(address: &Address) -> Reply {
    let body = format!(
        "<!doctype html><html><head><title>media</title></head>\
         <body><img src=\"{address}\"></body></html>"
    );
    Reply::new(StatusCode::OK, HTML, body)
}

fn missing() -> Reply {
    Reply::new(StatusCode::NOT_FOUND, HTML, page("Not found"))
}

fn page(title: &str) -> String {
    format!("<!doctype html><html><head><title>{title}</title></head><body>{title}</body></html>")
}
