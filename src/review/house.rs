//! Who may ask: whoever holds the token, from this machine, from the page itself.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::domain::bytes::hex;

/// How many random bytes a token has.
const TOKEN_BYTES: usize = 16;

/// What a page may do: load its own script, style and pictures, ask its own server, nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The name of the page's address nobody can guess.
#[derive(Clone)]
pub(super) struct Token(String);

/// No randomness could be had.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random numbers for the address of the page")]
pub struct NoRandomness(#[source] getrandom::Error);

impl Token {
    pub(super) fn draw() -> Result<Self, NoRandomness> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(NoRandomness)?;
        Ok(Self(hex(&bytes)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in the same time wherever the first difference is.
    fn is(&self, text: &str) -> bool {
        let pairs = self.0.bytes().zip(text.bytes());
        let differences = pairs.fold(0, |sum, (a, b)| sum | (a ^ b));
        self.0.len() == text.len() && differences == 0
    }
}

/// What a request is held against.
#[derive(Clone)]
pub(super) struct House {
    pub token: Token,
    pub port: u16,
}

/// Refuses requests without the token, requests to another name (a foreign name may lead here as
/// well), and those that a page of another site makes.
pub(super) async fn own_house_only(
    State(house): State<Arc<House>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match house.refusal(&request) {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

impl House {
    /// Tells why a request is refused, `None` if it is not.
    fn refusal(&self, request: &Request) -> Option<&'static str> {
        let headers = request.headers();
        let host = text(headers, header::HOST).unwrap_or_default();
        let names = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        if !names.iter().any(|name| name == host) {
            return Some("this page answers to its own machine only");
        }
        let first = request.uri().path().strip_prefix("/t/").and_then(|it| it.split('/').next());
        if !first.is_some_and(|it| self.token.is(it)) {
            return Some("open the whole address that was printed, with its token");
        }
        let is_own = text(headers, header::ORIGIN).is_none_or(|it| it == format!("http://{host}"));
        let site = text(headers, header::HeaderName::from_static("sec-fetch-site"));
        let is_acting = *request.method() != Method::GET && *request.method() != Method::HEAD;
        let is_near = match site {
            // A person typed the address, or it is no browser.
            None => true,
            Some("none") => !is_acting,
            Some(site) => site == "same-origin",
        };
        if !is_own || !is_near {
            return Some("a page of another site may not ask here");
        }
        let is_json = text(headers, header::CONTENT_TYPE)
            .is_some_and(|it| it.split(';').next() == Some("application/json"));
        (is_acting && !is_json).then_some("decisions are sent as application/json")
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// Method, headers, whether it is let in.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);

    fn verdict(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let house = House { token: Token("abc".to_owned()), port: 80 };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        house.refusal(&request.body(Body::empty()).unwrap()).is_none()
    }

    #[test]
    fn only_the_whole_token_opens() {
        for (path, is_open) in [
            ("/t/abc/", true),
            ("/t/abc/api/desk", true),
            ("/", false),
            ("/t/", false),
            ("/t//", false),
            ("/t/ab/", false),
            ("/t/abcd/", false),
            ("/t/abd/", false),
            ("/api/desk", false),
        ] {
            assert_eq!(verdict("GET", path, &[("host", "127.0.0.1:80")]), is_open, "{path}");
        }
    }

    #[test]
    fn only_this_machine_by_name_and_only_the_page_itself_may_ask() {
        let own = ("host", "localhost:80");
        let json = ("content-type", "application/json; charset=utf-8");
        let cases: [Case; 12] = [
            ("GET", &[own], true),
            ("GET", &[("host", "evil.example:80")], false),
            ("GET", &[("host", "localhost:81")], false),
            ("GET", &[("host", "localhost")], false),
            ("GET", &[], false),
            ("GET", &[own, ("sec-fetch-site", "none")], true),
            ("GET", &[own, ("sec-fetch-site", "same-site")], false),
            ("POST", &[own, json, ("sec-fetch-site", "same-origin")], true),
            ("POST", &[own, json, ("sec-fetch-site", "none")], false),
            ("POST", &[own, json, ("origin", "http://localhost:80")], true),
            ("POST", &[own, json, ("origin", "http://localhost:8080")], false),
            ("POST", &[own, ("content-type", "text/plain")], false),
        ];
        for (method, headers, is_open) in cases {
            assert_eq!(verdict(method, "/t/abc/", headers), is_open, "{method} {headers:?}");
        }
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let tokens = [Token::draw().unwrap(), Token::draw().unwrap()];
        assert_ne!(tokens[0].as_str(), tokens[1].as_str());
        assert!(tokens.iter().all(|it| it.as_str().len() == 32));
    }
}
