//! Requests → answers. The work is done off the threads that answer others.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinError;

use super::{
    book::BookError,
    room::{Part, Regret, Room, RoomError, Wish},
    shelf::{ShelfError, Size},
};
use crate::domain::{id::BlobId, review::Queue};

/// A picture of this name never changes, for its name is its content; but what was taken back is
/// not to be kept for long.
const AN_HOUR: &str = "private, max-age=3600, immutable";

#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error("the request was not finished")]
    BrokenOff(#[from] JoinError),
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::Room(RoomError::Book(BookError::Reviews(_) | BookError::Write(_)))
            | Self::BrokenOff(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Room(
                RoomError::NoSuchPicture(_)
                | RoomError::NoSuchClass(_)
                | RoomError::Reason
                | RoomError::Ambiguous(_)
                | RoomError::Alone
                | RoomError::TooMany,
            ) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let document = json!({ "error": crate::engine::chain(&self) });
        (self.status(), Json(document)).into_response()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct OfQueue {
    queue: Queue,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfPicture {
    blob: BlobId,
}

#[derive(Debug, Deserialize)]
pub(super) struct Heard {
    edition: u64,
    lines: usize,
}

/// Does something with the book where waiting for the disk holds nobody up.
async fn apart<T: Serialize + Send + 'static>(
    room: Arc<Room>,
    work: impl FnOnce(&Room) -> Result<T, RoomError> + Send + 'static,
) -> Result<T, Trouble> {
    Ok(tokio::task::spawn_blocking(move || work(&room)).await??)
}

pub(super) async fn desk(State(room): State<Arc<Room>>) -> Result<Response, Trouble> {
    Ok(Json(apart(room, Room::desk_card).await?).into_response())
}

pub(super) async fn queue(
    State(room): State<Arc<Room>>,
    Path(OfQueue { queue }): Path<OfQueue>,
    Query(part): Query<Part>,
) -> Result<Response, Trouble> {
    Ok(Json(apart(room, move |room| room.page(queue, &part)).await?).into_response())
}

pub(super) async fn news(
    State(room): State<Arc<Room>>,
    Path(OfQueue { queue }): Path<OfQueue>,
    Query(Heard { edition, lines }): Query<Heard>,
) -> Result<Response, Trouble> {
    let news = apart(room, move |room| room.news((queue, (edition, lines)))).await?;
    Ok(news.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |it| Json(it).into_response()))
}

pub(super) async fn decide(
    State(room): State<Arc<Room>>,
    Path(OfQueue { queue }): Path<OfQueue>,
    Query(Heard { edition, lines }): Query<Heard>,
    Json(wish): Json<Wish>,
) -> Result<Response, Trouble> {
    let heard = (edition, lines);
    Ok(Json(apart(room, move |room| room.decide((queue, heard), wish)).await?).into_response())
}

pub(super) async fn undo(
    State(room): State<Arc<Room>>,
    Path(OfQueue { queue }): Path<OfQueue>,
    Query(Heard { edition, lines }): Query<Heard>,
    Json(regret): Json<Regret>,
) -> Result<Response, Trouble> {
    let heard = (edition, lines);
    Ok(Json(apart(room, move |room| room.undo((queue, heard), regret)).await?).into_response())
}

pub(super) async fn small(
    State(room): State<Arc<Room>>,
    Path(OfPicture { blob }): Path<OfPicture>,
) -> Response {
    picture(&room, blob, Size::Small).await
}

pub(super) async fn large(
    State(room): State<Arc<Room>>,
    Path(OfPicture { blob }): Path<OfPicture>,
) -> Response {
    picture(&room, blob, Size::Large).await
}

async fn picture(room: &Room, blob: BlobId, size: Size) -> Response {
    let Some(id) = room.desk.find(&blob) else {
        return (StatusCode::NOT_FOUND, "no such picture\n").into_response();
    };
    match room.shelf.picture(id, size).await {
        Ok(jpeg) => {
            let headers = [(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, AN_HOUR)];
            (headers, jpeg).into_response()
        }
        Err(error) => {
            let status = match &error {
                ShelfError::Gone(_) | ShelfError::Broken(_) => StatusCode::NOT_FOUND,
                ShelfError::BrokenOff(_) => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, format!("{}\n", crate::engine::chain(&error))).into_response()
        }
    }
}
