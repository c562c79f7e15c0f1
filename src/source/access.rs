//! The doors to the outside, opened when first needed: the live net, and the demo site. A run
//! with nothing to ask for opens none.

use std::{env, path::PathBuf};

use tokio::sync::OnceCell;

use super::{
    demo::{DemoError, Site, SiteOptions},
    demo_place::DemoPlace,
    reddit::{self, Credentials},
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
            user: None,
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

/// Tells which variables are missing before anything is asked for.
pub fn credentials() -> Result<Credentials, AccessError> {
    let (id, secret) = (variable("REDDIT_CLIENT_ID"), variable("REDDIT_CLIENT_SECRET"));
    let (Some(client_id), Some(client_secret)) = (&id, &secret) else {
        let missing = [("REDDIT_CLIENT_ID", &id), ("REDDIT_CLIENT_SECRET", &secret)];
        let missing = missing.into_iter().filter(|(_, it)| it.is_none()).map(|(name, _)| name);
        return Err(AccessError::NoCredentials { missing: missing.collect() });
    };
    let user = variable("REDDIT_USERNAME")
        .zip(variable("REDDIT_PASSWORD"))
        .map(|(name, password)| reddit::User { name, password });
    let (client_id, client_secret) = (client_id.clone(), client_secret.clone());
    Ok(Credentials { client_id, client_secret, user })
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
