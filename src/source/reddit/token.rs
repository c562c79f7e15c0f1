//! The login: an application alone, with a password, or with a refresh token; renewed before
//! it expires and when it is refused.

use std::{fmt, time::Duration};

use roux::util::url::build_url;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{RedditError, line::WAIT_MAX};
use crate::net::{Client, Request};

/// What a login takes. Never written, shown or stored.
#[derive(Clone)]
pub struct Credentials {
    pub client_id: String,
    /// Empty for installed applications, which cannot keep a secret.
    pub client_secret: String,
    pub grant: Grant,
}

/// On whose behalf the application asks.
#[derive(Clone)]
pub enum Grant {
    /// Its own.
    Application,
    /// Its own, without a secret.
    Installed {
        device: String,
    },
    Password {
        user: String,
        password: String,
    },
    /// That of a person who once agreed and can take it back.
    Refresh {
        token: String,
    },
}

/// What an installed application says where it will not tell one device from another.
pub const NO_DEVICE: &str = "DO_NOT_TRACK_THIS_DEVICE";

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(secret)")
    }
}

/// How long a token is used whose lifetime nobody told.
const LIFETIME_S: f64 = 3600.0;

/// The pause after a login that failed, doubled with each that fails after it.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The current token, if there is one.
pub(super) struct Tokens {
    credentials: Credentials,
    // Held while logging in: of many who need a token one asks for it.
    desk: Mutex<Desk>,
}

/// Where logins are asked for, one after the other.
#[derive(Default)]
struct Desk {
    current: Option<Token>,
    /// Logins that failed since one was granted.
    failed: u32,
    /// When the next may be asked for; at once if not told.
    opens_at: Option<Instant>,
}

#[derive(Clone)]
struct Token {
    bearer: String,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    #[serde(default)]
    expires_in: serde_json::Value,
    error: Option<serde_json::Value>,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, desk: Mutex::default() }
    }

    /// Returns a token that is good for now.
    pub(super) async fn current(&self, client: &Client) -> Result<String, RedditError> {
        let mut desk = self.desk.lock().await;
        if let Some(token) = desk.current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.bearer.clone());
        }
        self.renew(&mut desk, client).await
    }

    /// Returns another token than `refused`; of many who were refused one logs in.
    pub(super) async fn replace(
        &self,
        client: &Client,
        refused: &str,
    ) -> Result<String, RedditError> {
        let mut desk = self.desk.lock().await;
        if let Some(token) = desk.current.as_ref().filter(|token| token.bearer != refused) {
            return Ok(token.bearer.clone());
        }
        self.renew(&mut desk, client).await
    }

    /// Logs in; after logins that failed, not before a pause.
    async fn renew(&self, desk: &mut Desk, client: &Client) -> Result<String, RedditError> {
        if let Some(at) = desk.opens_at {
            tokio::time::sleep_until(at).await;
        }
        // Counted as failed even if nobody waits for its end.
        let pause = PAUSE_MIN * 2_u32.saturating_pow(desk.failed);
        desk.opens_at = Some(Instant::now() + pause.min(PAUSE_MAX));
        desk.failed = desk.failed.saturating_add(1);
        match self.login(client).await {
            Ok(token) => {
                (desk.failed, desk.opens_at) = (0, None);
                Ok(desk.current.insert(token).bearer.clone())
            }
            Err(error) => {
                let wish = error.retry_after().map(|wait| Instant::now() + wait.min(WAIT_MAX));
                desk.opens_at = desk.opens_at.max(wish);
                Err(error)
            }
        }
    }

    async fn login(&self, client: &Client) -> Result<Token, RedditError> {
        let Credentials { client_id, client_secret, grant } = &self.credentials;
        let form = match grant {
            Grant::Application => vec![("grant_type", "client_credentials")],
            Grant::Installed { device } => vec![
                ("grant_type", "https://oauth.reddit.com/grants/installed_client"),
                ("device_id", device.as_str()),
            ],
            Grant::Password { user, password } => vec![
                ("grant_type", "password"),
                ("username", user.as_str()),
                ("password", password.as_str()),
            ],
            Grant::Refresh { token } => {
                vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str())]
            }
        };
        let url = Url::parse(&build_url("api/v1/access_token")).expect("roux's address is valid");
        let basic = (client_id.as_str(), client_secret.as_str());
        let post = Request::Post { url: &url, basic, form: &form };
        let answer = client.send(post).await.map_err(RedditError::Net)?;
        let refused = |why: String| RedditError::Credentials { why };
        match answer.status {
            200 => (),
            400 | 401 | 403 => {
                return Err(refused(format!("the login answered {}", answer.status)));
            }
            429 => return Err(RedditError::Throttled { wait: answer.retry_after }),
            status => {
                return Err(RedditError::Login { why: format!("it answered {status}") });
            }
        }
        let read: TokenAnswer = serde_json::from_slice(&answer.body)
            .map_err(|error| RedditError::Login { why: format!("its answer is none: {error}") })?;
        // A wrong password is told in a body whose status is 200.
        if let Some(error) = read.error {
            return Err(refused(error.as_str().map_or_else(|| error.to_string(), str::to_owned)));
        }
        let bearer = read.access_token.ok_or_else(|| refused("no token came".to_owned()))?;
        let lifetime = read.expires_in.as_f64().filter(|it| (0.0..1e7).contains(it));
        let lifetime = lifetime.unwrap_or(LIFETIME_S);
        let renew_at = Instant::now() + Duration::from_secs_f64(lifetime * 0.9);
        Ok(Token { bearer, renew_at })
    }
}
