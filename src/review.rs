//! A page on this machine where a person looks at pictures and decides about them. What is to be
//! reviewed is read from the store once; decisions are added to the file of reviews, and nothing
//! else is ever written. Nothing here prints.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tokio::net::TcpListener;

use crate::engine::stop::Stop;

mod answers;
mod api;
mod book;
mod desk;
mod house;
mod page;
mod queues;
mod room;
mod shelf;
mod tally;
mod words;

pub use book::{BookError, Clock};
pub use desk::{Desk, DeskInput};
pub use house::NoRandomness;
use house::{House, Token};
use room::Room;

/// The largest body of a request; a page of decisions is far below.
const BYTES_MAX: usize = 1 << 20;

/// How long answers under way are waited for once the end is asked for.
const GRACE: Duration = Duration::from_secs(5);

/// A page that listens, on the loopback interface only.
pub struct Server {
    listener: TcpListener,
    app: Router,
    token: Token,
}

/// Who decides, and when.
#[derive(Clone, Debug)]
pub struct Reviewer {
    /// As they wish to be called in the file.
    pub name: Option<String>,
    pub clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("could not listen at port {port} of this machine; another program may do so already")]
    Bind { port: u16, source: io::Error },
    #[error("could not go on listening")]
    Listen(#[source] io::Error),
    #[error(transparent)]
    Book(#[from] BookError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl Server {
    /// Listens at `port`, or at a free one if that is 0. Fails also where the file of reviews
    /// cannot be understood.
    pub async fn bind(port: u16, desk: Desk, reviewer: Reviewer) -> Result<Self, ReviewError> {
        let failed = |source| ReviewError::Bind { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(ReviewError::Listen)?.port();
        let token = Token::draw()?;
        let house = Arc::new(House { token: token.clone(), port });
        let room = Arc::new(Room::open(desk, reviewer)?);
        let app = Router::new()
            .route("/t/{token}/", get(page::page))
            .route("/t/{token}/page/{file}", get(page::part))
            .route("/t/{token}/api/desk", get(api::desk))
            .route("/t/{token}/api/queue/{queue}", get(api::queue))
            .route("/t/{token}/api/news/{queue}", get(api::news))
            .route("/t/{token}/api/decide/{queue}", post(api::decide))
            .route("/t/{token}/api/undo/{queue}", post(api::undo))
            .route("/t/{token}/small/{blob}", get(api::small))
            .route("/t/{token}/large/{blob}", get(api::large))
            .layer(DefaultBodyLimit::max(BYTES_MAX))
            .layer(middleware::from_fn_with_state(house, house::own_house_only))
            .with_state(room);
        Ok(Self { listener, app, token })
    }

    /// Returns the address of the page; whoever has it may decide.
    pub fn address(&self) -> Result<String, ReviewError> {
        let address: SocketAddr = self.listener.local_addr().map_err(ReviewError::Listen)?;
        Ok(format!("http://{address}/t/{}/", self.token.as_str()))
    }

    /// Answers until a stop is asked for, and then what was asked before; a browser that only
    /// keeps its line open is not waited for.
    pub async fn run(self, stop: &Stop) -> Result<(), ReviewError> {
        let asked = stop.clone();
        let served = axum::serve(self.listener, self.app)
            .with_graceful_shutdown(async move { asked.asked().await });
        let served = stop.with_grace(GRACE, served.into_future()).await;
        served.unwrap_or(Ok(())).map_err(ReviewError::Listen)
    }
}

#[cfg(test)]
mod tests;
