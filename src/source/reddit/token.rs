//! The login: an application alone, with a password, or with a refresh token; renewed before
//! it expires and when it is refused.

use std::{fmt, time::Duration};

use roux::util::url::build_url;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::RedditError;
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

/// The current token, if there is one.
pub(super) struct Tokens {
    credentials: Credentials,
    current: Mutex<Option<Token>>,
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
        Self { credentials, current: Mutex::default() }
    }

    /// Returns a token that is good for now.
    pub(super) async fn current(&self, client: &Client) -> Result<String, RedditError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.bearer.clone());
        }
        let token = self.login(client).await?;
        Ok(current.insert(token).bearer.clone())
    }

    /// Returns another token than `refused`; of many who were refused one logs in.
    pub(super) async fn replace(
        &self,
        client: &Client,
        refused: &str,
    ) -> Result<String, RedditError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| token.bearer != refused) {
            return Ok(token.bearer.clone());
        }
        let token = self.login(client).await?;
        Ok(current.insert(token).bearer.clone())
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
            status => return Err(RedditError::Status { what: "the login".to_owned(), status }),
        }
        let read: TokenAnswer = serde_json::from_slice(&answer.body)
            .map_err(|source| RedditError::NotAListing { what: "the login".to_owned(), source })?;
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
