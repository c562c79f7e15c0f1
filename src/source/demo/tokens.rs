//! Who may ask: applications alone and with a user, by the grants the real login knows, and tokens
//! that end when they should or earlier.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use serde_json::{Value, json};

/// How the tokens of a site behave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenRules {
    /// How long a token is good; a day where nothing is said.
    pub lifetime: Option<Duration>,
    /// How many requests a token is good for; any number where nothing is said.
    pub requests: Option<u32>,
    pub announced: Announced,
    pub trouble: LoginTrouble,
}

/// Whether a new token comes with the time it will live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Announced {
    #[default]
    Lifetime,
    Nothing,
}

/// What is wrong with every login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginTrouble {
    #[default]
    None,
    /// The login answers 200 and an error.
    InvalidGrant,
    /// Tokens are given, and none is accepted.
    DeadTokens,
}

/// In whose name a token speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    Application,
    User,
}

/// The tokens in use.
#[derive(Debug)]
pub(super) struct Tokens {
    rules: TokenRules,
    issued: AtomicU64,
    // The conversations of all clients look into it.
    living: Mutex<BTreeMap<String, Token>>,
}

#[derive(Debug)]
struct Token {
    bearer: Bearer,
    born: Instant,
    requests: u32,
}

const LIFETIME_USUAL: Duration = Duration::from_hours(24);
const INSTALLED_CLIENT: &str = "https://oauth.reddit.com/grants/installed_client";
const UNTRACKED: &str = "DO_NOT_TRACK_THIS_DEVICE";

impl Tokens {
    pub(super) fn new(rules: TokenRules) -> Self {
        Self { rules, issued: AtomicU64::new(0), living: Mutex::default() }
    }

    /// Answers a login, whose client is known already.
    pub(super) fn grant(&self, field: impl Fn(&str) -> String) -> Result<Value, StatusCode> {
        if self.rules.trouble == LoginTrouble::InvalidGrant {
            return Ok(json!({ "error": "invalid_grant" }));
        }
        let bearer = match field("grant_type").as_str() {
            "client_credentials" => Bearer::Application,
            "password" if field("password") == "wrong" => {
                return Ok(json!({ "error": "invalid_grant" }));
            }
            "password" => Bearer::User,
            "refresh_token" => match field("refresh_token").as_str() {
                "" | "revoked" => return Err(StatusCode::BAD_REQUEST),
                _ => Bearer::User,
            },
            INSTALLED_CLIENT => {
                let device = field("device_id");
                if device != UNTRACKED && !(20..=30).contains(&device.len()) {
                    return Err(StatusCode::BAD_REQUEST);
                }
                Bearer::Application
            }
            _ => return Ok(json!({ "error": "unsupported_grant_type" })),
        };
        let mut answer =
            json!({ "access_token": self.issue(bearer), "token_type": "bearer", "scope": "*" });
        if self.rules.announced == Announced::Lifetime {
            let lifetime_ms = self.lifetime().as_millis();
            let seconds = u64::try_from(lifetime_ms.div_ceil(1_000)).unwrap_or(u64::MAX);
            answer["expires_in"] = json!(seconds);
        }
        if field("grant_type") == "refresh_token" {
            answer["refresh_token"] = json!(field("refresh_token"));
        }
        Ok(answer)
    }

    fn lifetime(&self) -> Duration {
        self.rules.lifetime.unwrap_or(LIFETIME_USUAL)
    }

    fn issue(&self, bearer: Bearer) -> String {
        let name = format!("demo-token-{}", self.issued.fetch_add(1, Ordering::Relaxed) + 1);
        let token = Token { bearer, born: Instant::now(), requests: 0 };
        self.living.lock().expect("nobody panics while looking").insert(name.clone(), token);
        name
    }

    /// Lets a request in, if its token is good, and counts it.
    pub(super) fn admit(&self, name: &str) -> Option<Bearer> {
        if self.rules.trouble == LoginTrouble::DeadTokens {
            return None;
        }
        let mut living = self.living.lock().expect("nobody panics while looking");
        let token = living.get_mut(name)?;
        token.requests += 1;
        let is_worn = self.rules.requests.is_some_and(|requests| requests < token.requests);
        (!is_worn && token.born.elapsed() < self.lifetime()).then_some(token.bearer)
    }

    pub(super) fn revoke(&self, name: &str) {
        self.living.lock().expect("nobody panics while looking").remove(name);
    }
}
