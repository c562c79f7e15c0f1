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
    pub client_secret: String,
    pub user: Option<User>,
}

/// A person's login, where the application alone is not enough.
#[derive(Clone)]
pub struct User {
    pub name: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(secret)")
    }
}

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
    expires_in: Option<f64>,
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
        let Credentials { client_id, client_secret, user } = &self.credentials;
        let form = match user {
            Some(user) => vec![
                ("grant_type", "password"),
                ("username", user.name.as_str()),
                ("password", user.password.as_str()),
            ],
            None => vec![("grant_type", "client_credentials")],
        };
        let url = Url::parse(&build_url("api/v1/access_token")).expect("roux's address is valid");
        let basic = (client_id.as_str(), client_secret.as_str());
        let post = Request::Post { url: &url, basic, form: &form };
        let answer = client.send(post).await.map_err(RedditError::Net)?;
        let refused = |why: String| RedditError::Credentials { why };
        match answer.status {
            200 => (),
            401 | 403 => return Err(refused(format!("the login answered {}", answer.status))),
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
        let lifetime = read.expires_in.filter(|it| (60.0..1e7).contains(it)).unwrap_or(3600.0);
        let renew_at = Instant::now() + Duration::from_secs_f64(lifetime * 0.9);
        Ok(Token { bearer, renew_at })
    }
}
