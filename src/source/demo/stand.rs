//! A server for tests that says exactly what a test wants said, behind the demo site's door: the
//! troubles of Reddit one at a time.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{self, Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use futures_util::{StreamExt, stream};
use tokio::{net::TcpListener, task::JoinSet};

use super::tls::{Door, serve};
use crate::net::{Client, NetOptions, PrivateHosts, Route};

pub(crate) mod board;

/// One request as the script sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) authorization: String,
    pub(crate) range: String,
    /// How many requests for the same path came before.
    pub(crate) before: usize,
}

impl Asked {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// What the script says to it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) manner: Manner,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Whole,
    /// The connection breaks within the body.
    Cut,
    /// Nothing comes after the first bytes.
    Silent,
}

impl Said {
    /// An answer with as much allowance left as anybody could want.
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![
            ("x-ratelimit-used", "1".to_owned()),
            ("x-ratelimit-remaining", "99999.0".to_owned()),
            ("x-ratelimit-reset", "300".to_owned()),
        ];
        Self { status, headers, body: body.into(), manner: Manner::Whole }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn without_limits(mut self) -> Self {
        self.headers.clear();
        self
    }

    pub(crate) fn sent(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }
}

type Script = dyn Fn(&Asked) -> Option<Said> + Send + Sync;

struct Shared {
    script: Box<Script>,
    // Filled by every answer, read by the test when all is over.
    heard: Mutex<Vec<Asked>>,
}

/// A running server; it stops when dropped.
pub(crate) struct Stand {
    addr: SocketAddr,
    root_pem: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

impl Stand {
    /// Starts a server that follows `script`; where it says nothing, logins are granted.
    pub(crate) async fn start(
        script: impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static,
    ) -> Self {
        let hosts = ["www.reddit.com", "oauth.reddit.com", "arctic-shift.photon-reddit.com"];
        let door = Door::new(&hosts).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Box::new(script), heard: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, door.acceptor, app));
        Self { addr, root_pem: door.root_pem, shared, _server: server }
    }

    /// Returns a client for which this server is the whole net.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.route(), net_options()).unwrap()
    }

    pub(crate) fn route(&self) -> Route {
        Route::Loopback { address: self.addr, root_pem: self.root_pem.clone() }
    }

    /// Returns the requests so far that were no logins.
    pub(crate) fn heard(&self) -> Vec<Asked> {
        let heard = self.shared.heard.lock().unwrap();
        heard.iter().filter(|it| !it.path.ends_with("/access_token")).cloned().collect()
    }

    pub(crate) fn logins(&self) -> Vec<Asked> {
        let heard = self.shared.heard.lock().unwrap();
        heard.iter().filter(|it| it.path.ends_with("/access_token")).cloned().collect()
    }
}

pub(crate) fn net_options() -> NetOptions {
    NetOptions {
        user_agent: "snapset tests".to_owned(),
        deadline: Duration::from_secs(20),
        stall: Duration::from_millis(400),
        bytes_max: 1 << 20,
        per_host: 4,
        concurrency: 4,
        private_hosts: PrivateHosts::default(),
        first_rest: Duration::from_secs(1),
        clock: || 0,
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let form = body::to_bytes(body, 1 << 16).await.unwrap_or_default();
    let pairs = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect();
    let header = |name| parts.headers.get(name).and_then(|it| it.to_str().ok());
    let (authorization, range) = (header("authorization"), header("range"));
    let path = parts.uri.path().to_owned();
    let before = {
        let heard = shared.heard.lock().unwrap();
        heard.iter().filter(|it| it.path == path).count()
    };
    let asked = Asked {
        path,
        parameters: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        form: pairs(&form),
        authorization: authorization.unwrap_or_default().to_owned(),
        range: range.unwrap_or_default().to_owned(),
        before,
    };
    shared.heard.lock().unwrap().push(asked.clone());
    let said = (shared.script)(&asked).unwrap_or_else(|| {
        if asked.path == "/api/v1/access_token" {
            let token = format!("{{\"access_token\":\"token-{before}\",\"expires_in\":86400}}");
            return Said::new(200, token);
        }
        Said::new(404, "{\"message\":\"Not Found\",\"error\":404}")
    });
    let mut response = Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    let start = stream::iter([Ok(Bytes::from(said.body.clone()))]);
    let cut = stream::iter([Err(std::io::Error::other("cut on purpose"))]);
    let body = match said.manner {
        Manner::Whole => Body::from(said.body),
        Manner::Cut => Body::from_stream(start.chain(cut)),
        Manner::Silent => Body::from_stream(start.chain(stream::pending())),
    };
    response.body(body).unwrap()
}
