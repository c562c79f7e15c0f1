//! What all answers share: the posts, the pictures, the tokens, and who asked for what before.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::{self, Body},
    extract::{Request, State},
    http::{HeaderMap, Method, Response, StatusCode, header},
};

use super::{
    SiteOptions,
    address::{EXTERNAL, IMGUR, REDDIT, SLOW, WIKIMEDIA},
    archive, elsewhere,
    limits::{Allowance, Meter},
    pictures, reddit,
    reply::{Log, Reply},
    tokens::Tokens,
    world::World,
};

const FORM_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: World,
    pub(super) tokens: Tokens,
    pub(super) meter: Meter,
    pub(super) archive_meter: Meter,
    credentials: Option<(String, String)>,
    pub(super) stall: Duration,
    pub(super) log: Arc<Log>,
    // The conversations of all clients look into it.
    visits: Mutex<BTreeMap<String, u32>>,
}

/// A request, taken apart.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    headers: HeaderMap,
    parameters: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
}

impl Asked {
    /// Returns a header, empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the token the request was sent with, empty if there is none.
    pub(super) fn bearer(&self) -> &str {
        self.header("authorization").strip_prefix("Bearer ").unwrap_or_default()
    }

    /// Returns a parameter of the address.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Returns a field of the form that was sent.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }
}

/// Answers any request of any host.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().split(':').next().unwrap_or_default().to_lowercase();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let line = shared.log.begin(&head.method, &host, target);
    // A form that is too long or breaks off is an empty form.
    let form = body::to_bytes(body, FORM_BYTES_MAX).await.unwrap_or_default();
    let pairs = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect();
    let asked = Asked {
        path: head.uri.path().to_owned(),
        parameters: pairs(head.uri.query().unwrap_or_default().as_bytes()),
        form: pairs(&form),
        method: head.method,
        headers: head.headers,
    };
    dispatch(&shared, &asked, &host).await.into_response(line)
}

async fn dispatch(shared: &Shared, asked: &Asked, host: &str) -> Reply {
    match host {
        "www.reddit.com" => reddit::front(shared, asked),
        "oauth.reddit.com" => reddit::interface(shared, asked),
        "preview.redd.it" => pictures::preview(shared, asked).await,
        "i.redd.it" => pictures::answer(shared, asked, REDDIT).await,
        "i.imgur.com" => pictures::answer(shared, asked, IMGUR).await,
        "i.ibb.co" => pictures::answer(shared, asked, SLOW).await,
        "imgur.com" => elsewhere::page(shared, asked),
        "api.imgur.com" => elsewhere::interface(shared, asked),
        "external-preview.redd.it" => pictures::answer(shared, asked, EXTERNAL).await,
        "upload.wikimedia.org" => pictures::answer(shared, asked, WIKIMEDIA).await,
        archive::HOST => archive::answer(shared, asked),
        _ => Reply::new(StatusCode::NOT_FOUND, "text/plain", "nobody lives here"),
    }
}

impl Shared {
    pub(super) fn new(options: &SiteOptions, log: Arc<Log>) -> Self {
        Self {
            world: World::new(options),
            tokens: Tokens::new(options.tokens),
            meter: Meter::new(options.allowance),
            archive_meter: Meter::new(Allowance::default()),
            credentials: options.credentials.clone(),
            stall: Duration::from_millis(options.stall_ms),
            log,
            visits: Mutex::default(),
        }
    }

    /// Counts a visit and returns how many there were before.
    pub(super) fn visit(&self, what: &str) -> u32 {
        let mut visits = self.visits.lock().expect("nobody panics while counting");
        let count = visits.entry(what.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    /// Checks the client's name and secret; installed programs have no secret.
    pub(super) fn accepts_client(&self, header: &str, grant: &str) -> bool {
        let Some(given) = header.strip_prefix("Basic ") else { return false };
        let Some((id, secret)) = &self.credentials else { return !given.is_empty() };
        let is_installed = grant.ends_with("/installed_client");
        let expected = [Some(secret.as_str()), is_installed.then_some("")];
        let mut expected = expected.into_iter().flatten();
        expected.any(|secret| given == base_64(format!("{id}:{secret}").as_bytes()))
    }
}

/// Writes bytes as the letters of basic authentication.
fn base_64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * n) & 63).expect("it is below 64");
            text.push(if n <= three.len() { char::from(LETTERS[letter]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_authentication_is_spelt_as_the_standard_says() {
        let spelt = ["", "f", "fo", "foo", "id:secret"].map(|text| base_64(text.as_bytes()));
        assert_eq!(spelt, ["", "Zg==", "Zm8=", "Zm9v", "aWQ6c2VjcmV0"]);
    }
}
