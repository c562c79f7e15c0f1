//! A trained classifier behind HTTP on this machine: what `predict` says, without loading the
//! model anew, and a page to drop pictures on.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread,
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinError, time};

use crate::{
    engine::stop::Stop,
    model::classifier::Classifier,
    pipeline::ask::{self, Answer, PredictError, Prediction},
};

mod page;

/// The largest file that is looked at.
const BYTES_MAX: usize = 64 << 20;

/// How long a picture may take to come in.
const BODY_WAIT: Duration = Duration::from_mins(1);

/// How long answers under way are waited for once the end is asked for.
const GRACE: Duration = Duration::from_secs(5);

/// A classifier that listens, on the loopback interface only.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    app: Router,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("could not listen at port {port} of this machine; another program may do so already")]
    Bind { port: u16, source: io::Error },
    #[error("could not go on listening")]
    Listen(#[source] io::Error),
}

/// What the requests share.
#[derive(Debug)]
struct Desk {
    run: String,
    model: Classifier,
    /// As many pictures at a time as there are cores.
    places: Arc<Semaphore>,
}

impl Server {
    /// Listens at `port`, or at a free one if that is 0; `run` names the model.
    pub async fn bind(port: u16, run: String, model: Classifier) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Bind { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let n_cores = thread::available_parallelism().map_or(1, usize::from);
        let desk = Arc::new(Desk { run, model, places: Arc::new(Semaphore::new(n_cores)) });
        let app = Router::new()
            .route("/", get(async || Html(page::PAGE)))
            .route("/model", get(model_card))
            .route("/predict", post(predict))
            .layer(DefaultBodyLimit::max(BYTES_MAX))
            .layer(middleware::from_fn(own_house_only))
            .with_state(desk);
        Ok(Self { listener, app })
    }

    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        self.listener.local_addr().map_err(ServeError::Listen)
    }

    /// Answers until a stop is asked for, and then what was asked before; a client that only keeps
    /// its line open is not waited for.
    pub async fn run(self, stop: &Stop) -> Result<(), ServeError> {
        let asked = stop.clone();
        let served = axum::serve(self.listener, self.app)
            .with_graceful_shutdown(async move { asked.asked().await });
        let served = stop.with_grace(GRACE, served.into_future()).await;
        served.unwrap_or(Ok(())).map_err(ServeError::Listen)
    }
}

/// Refuses requests that were not made to this machine by name, and those a page of another site
/// makes: a foreign name may lead here as well.
async fn own_house_only(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    let is_here = host_name(host).is_some_and(|name| matches!(name, "localhost" | "127.0.0.1"));
    let is_own = text(headers, header::ORIGIN).is_none_or(|it| it == format!("http://{host}"));
    if is_here && is_own {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this model answers to its own machine only\n").into_response()
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn host_name(host: &str) -> Option<&str> {
    host.split(':').next()
}

async fn model_card(State(desk): State<Arc<Desk>>) -> Response {
    let card = desk.model.card();
    let document = json!({ "schema": "snapset.model.v1", "run": desk.run, "card": card });
    Json(document).into_response()
}

#[derive(Debug, Deserialize)]
struct Wish {
    /// How many classes to tell of, all if not said.
    top: Option<usize>,
    /// What to call the picture in the answer.
    name: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Judge(#[from] PredictError),
    #[error("the picture was not judged")]
    BrokenOff(#[from] JoinError),
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let document = json!({ "error": crate::engine::chain(&self) });
        (StatusCode::INTERNAL_SERVER_ERROR, Json(document)).into_response()
    }
}

async fn predict(
    State(desk): State<Arc<Desk>>,
    Query(wish): Query<Wish>,
    request: Request,
) -> Result<Response, Trouble> {
    let body = match time::timeout(BODY_WAIT, Bytes::from_request(request, &desk)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refusal)) => {
            let document = json!({ "error": refusal.body_text() });
            return Ok((refusal.status(), Json(document)).into_response());
        }
        Err(_) => {
            let document = json!({ "error": "the picture did not come in whole" });
            return Ok((StatusCode::REQUEST_TIMEOUT, Json(document)).into_response());
        }
    };
    let place = Arc::clone(&desk.places).acquire_owned().await;
    let at_work = Arc::clone(&desk);
    let judging = move || {
        // Kept until the work is done, even if nobody waits for the answer any more.
        let _place = place;
        ask::judge_bytes(&at_work.model, body.into())
    };
    let mut answer = tokio::task::spawn_blocking(judging).await??;
    if let Some(top) = wish.top {
        answer = answer.top(top);
    }
    let status = match &answer {
        Answer::Classes(_) | Answer::NoneOfThese(_) => StatusCode::OK,
        Answer::Unreadable(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let picture = wish.name.unwrap_or_else(|| "-".to_owned());
    let predictions = [Prediction { picture, answer, cam: None }];
    let document = json!({ "schema": "snapset.predict.v1", "predictions": predictions });
    Ok((status, Json(document)).into_response())
}
