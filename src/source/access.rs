//! The doors to the outside, opened when first needed: the live net, and the demo site. A run
//! with nothing to ask for opens none.

use std::{collections::BTreeMap, env, path::PathBuf};

use tokio::sync::OnceCell;

use super::{
    demo::{DemoError, Site, SiteOptions},
    demo_place::DemoPlace,
    reddit::{self, Credentials, Grant, NO_DEVICE},
};
pub use crate::net::{FIRST_REST, NetOptions, PrivateHosts};
use crate::{
    domain::traffic::Traffic,
    net::{Client, NetError, Route},
};

/// How to open the doors.
#[derive(Clone, Debug)]
pub struct AccessOptions {
    pub net: NetOptions,
    /// Who answers for our requests, told to Reddit in the user agent.
    pub contact: Option<String>,
    pub demo_places: Vec<DemoPlace>,
    pub demo_log: PathBuf,
    /// Seconds since 1970-01-01 UTC.
    pub clock: fn() -> i64,
}

/// How long the demo site's slow host keeps silent: longer than a client should bear.
const STALL_MS: u64 = 120_000;

pub struct Access {
    options: AccessOptions,
    route: Route,
    live: OnceCell<Client>,
    demo: OnceCell<(Site, Client)>,
}

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("no Reddit credentials: {} not set", missing.join(" and "))]
    NoCredentials { missing: Vec<&'static str> },
    #[error("Reddit wants to know whom to turn to: no contact is set")]
    NoContact,
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("could not start the demo site")]
    Demo(#[from] DemoError),
}

impl Access {
    pub fn new(options: AccessOptions) -> Self {
        Self { options, route: Route::Public, live: OnceCell::new(), demo: OnceCell::new() }
    }

    /// Sends the live net's requests another way: to a server that stands in for it.
    #[cfg(test)]
    pub(crate) fn through(self, route: Route) -> Self {
        Self { route, ..self }
    }

    /// Returns what was said with the hosts so far; nothing if no door was opened.
    pub fn statistics(&self) -> Traffic {
        let clients = [self.live.get(), self.demo.get().map(|(_, client)| client)];
        let mut hosts = BTreeMap::new();
        for client in clients.into_iter().flatten() {
            hosts.extend(client.statistics().hosts);
        }
        Traffic { hosts }
    }

    pub fn now(&self) -> i64 {
        (self.options.clock)()
    }

    /// Returns the client of the live net.
    pub async fn live(&self) -> Result<&Client, AccessError> {
        let open = || async {
            let user_agent = user_agent(self.contact().as_deref());
            let net = NetOptions { user_agent, ..self.options.net.clone() };
            Ok(Client::new(&self.route, net)?)
        };
        self.live.get_or_try_init(open).await
    }

    /// Returns the client of the demo site, starting the site if nobody has.
    pub async fn demo(&self) -> Result<&Client, AccessError> {
        let open = || async {
            let options = SiteOptions {
                log: Some(self.options.demo_log.clone()),
                stall_ms: STALL_MS,
                ..DemoPlace::site(&self.options.demo_places)
            };
            let site = Site::start(options).await?;
            let route = Route::Loopback { address: site.addr, root_pem: site.root_pem.clone() };
            let net = NetOptions { user_agent: user_agent(None), ..self.options.net.clone() };
            let client = Client::new(&route, net)?;
            Ok((site, client))
        };
        self.demo.get_or_try_init(open).await.map(|(_, client)| client)
    }

    /// Begins a conversation with the real Reddit.
    pub async fn reddit(&self) -> Result<reddit::Session<'_>, AccessError> {
        let credentials = credentials()?;
        self.contact_or_complain()?;
        Ok(reddit::Session::new(self.live().await?, reddit::Site::Reddit, credentials))
    }

    /// Begins a conversation with the demo site, which accepts any credentials.
    pub async fn demo_reddit(&self) -> Result<reddit::Session<'_>, AccessError> {
        let credentials = Credentials {
            client_id: "demo".to_owned(),
            client_secret: "demo".to_owned(),
            grant: Grant::Application,
        };
        Ok(reddit::Session::new(self.demo().await?, reddit::Site::Demo, credentials))
    }

    /// Checks that Reddit can be told whom to turn to.
    pub fn contact_or_complain(&self) -> Result<(), AccessError> {
        let has_own = variable("REDDIT_USER_AGENT").is_some();
        if has_own || self.contact().is_some() { Ok(()) } else { Err(AccessError::NoContact) }
    }

    fn contact(&self) -> Option<String> {
        self.options.contact.clone().or_else(|| variable("REDDIT_USERNAME"))
    }
}

/// Reads the login from the environment, or tells which variables are missing.
///
/// A refresh token speaks for its person, then a password; without either the application asks
/// for itself, and an id without a secret is that of an installed application.
pub fn credentials() -> Result<Credentials, AccessError> {
    credentials_from(variable)
}

fn credentials_from(variable: impl Fn(&str) -> Option<String>) -> Result<Credentials, AccessError> {
    let (id, secret) = (variable("REDDIT_CLIENT_ID"), variable("REDDIT_CLIENT_SECRET"));
    let missing = |missing: Vec<&'static str>| Err(AccessError::NoCredentials { missing });
    let Some(client_id) = id else {
        let both = ["REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"];
        return missing(both.into_iter().take(if secret.is_none() { 2 } else { 1 }).collect());
    };
    let password = variable("REDDIT_PASSWORD");
    let grant = match (variable("REDDIT_REFRESH_TOKEN"), password, &secret) {
        (Some(token), _, _) => Grant::Refresh { token },
        (None, Some(_), None) => return missing(vec!["REDDIT_CLIENT_SECRET"]),
        (None, Some(password), Some(_)) => match variable("REDDIT_USERNAME") {
            Some(user) => Grant::Password { user, password },
            None => return missing(vec!["REDDIT_USERNAME"]),
        },
        (None, None, Some(_)) => Grant::Application,
        (None, None, None) => {
            let device = variable("REDDIT_DEVICE_ID");
            let device = device.filter(|it| (20..=30).contains(&it.len()));
            Grant::Installed { device: device.unwrap_or_else(|| NO_DEVICE.to_owned()) }
        }
    };
    Ok(Credentials { client_id, client_secret: secret.unwrap_or_default(), grant })
}

/// Names the program in the form Reddit asks for.
fn user_agent(contact: Option<&str>) -> String {
    if let Some(own) = variable("REDDIT_USER_AGENT") {
        return own;
    }
    let by = contact.map(|contact| format!(" (by /u/{})", contact.trim_start_matches("/u/")));
    format!("{}:snapset:{}{}", env::consts::OS, env!("CARGO_PKG_VERSION"), by.unwrap_or_default())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells which grant the variables ask for, or which of them are missing.
    fn grant(set: &[&str]) -> Result<&'static str, Vec<&'static str>> {
        let variable = |name: &str| {
            let name = name.strip_prefix("REDDIT_")?;
            set.contains(&name).then(|| format!("the {name}"))
        };
        match credentials_from(variable) {
            Ok(it) => Ok(match it.grant {
                Grant::Application => "application",
                Grant::Installed { .. } => "installed",
                Grant::Password { .. } => "password",
                Grant::Refresh { .. } => "refresh",
            }),
            Err(AccessError::NoCredentials { missing }) => Err(missing),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_variables_that_are_set_choose_the_login() {
        assert_eq!(grant(&["CLIENT_ID", "CLIENT_SECRET"]), Ok("application"));
        assert_eq!(grant(&["CLIENT_ID"]), Ok("installed"));
        let script = ["CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD"];
        assert_eq!(grant(&script), Ok("password"));
        assert_eq!(grant(&["CLIENT_ID", "REFRESH_TOKEN"]), Ok("refresh"));
        assert_eq!(grant(&["CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"]), Ok("refresh"));
    }

    #[test]
    fn what_is_missing_for_a_login_is_named() {
        assert_eq!(grant(&[]), Err(vec!["REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"]));
        assert_eq!(grant(&["CLIENT_SECRET"]), Err(vec!["REDDIT_CLIENT_ID"]));
        let no_name = ["CLIENT_ID", "CLIENT_SECRET", "PASSWORD"];
        assert_eq!(grant(&no_name), Err(vec!["REDDIT_USERNAME"]));
        let no_secret = ["CLIENT_ID", "USERNAME", "PASSWORD"];
        assert_eq!(grant(&no_secret), Err(vec!["REDDIT_CLIENT_SECRET"]));
    }
}
