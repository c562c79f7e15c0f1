//! The page itself: hand-written files in the program, no build step, nothing from elsewhere.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

const PAGE: &str = include_str!("page/page.html");

/// The parts of the page: name, type, text.
const PARTS: [(&str, &str, &str); 8] = [
    ("page.css", "text/css", include_str!("page/page.css")),
    ("main.js", "text/javascript", include_str!("page/main.js")),
    ("keys.js", "text/javascript", include_str!("page/keys.js")),
    ("outbox.js", "text/javascript", include_str!("page/outbox.js")),
    ("draw.js", "text/javascript", include_str!("page/draw.js")),
    ("dialogs.js", "text/javascript", include_str!("page/dialogs.js")),
    ("view.js", "text/javascript", include_str!("page/view.js")),
    ("pictures.js", "text/javascript", include_str!("page/pictures.js")),
];

#[derive(Debug, Deserialize)]
pub(super) struct OfFile {
    file: String,
}

pub(super) async fn page() -> Html<&'static str> {
    Html(PAGE)
}

pub(super) async fn part(Path(OfFile { file }): Path<OfFile>) -> Response {
    match PARTS.iter().find(|(name, ..)| *name == file) {
        Some((_, kind, text)) => {
            ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], *text).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such part\n").into_response(),
    }
}
