//! The hosts of the user's own network that may be asked although their addresses are private.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// One named host: `nas.local`, `192.168.0.7`, `127.0.0.1:8443`, `[::1]:8443`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PrivateHost {
    host: String,
    /// All of the host's ports where none is named.
    port: Option<u16>,
}

/// The text is not the name of a host with or without a port.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host: write a name or an address, and `:PORT` where only one is meant")]
pub struct NotAHost(String);

impl FromStr for PrivateHost {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let wrong = || NotAHost(text.to_owned());
        // What an address would make of it is what it is compared with later.
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| wrong())?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host_str().filter(|_| is_bare).ok_or_else(wrong)?.to_owned();
        // The default port of a scheme would be left out; here it means that port alone.
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Ok(Self { host, port })
    }
}

impl TryFrom<String> for PrivateHost {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        text.parse()
    }
}

impl From<PrivateHost> for String {
    fn from(host: PrivateHost) -> Self {
        host.to_string()
    }
}

impl fmt::Display for PrivateHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateHosts(pub BTreeSet<PrivateHost>);

impl PrivateHosts {
    /// Tells whether `url` leads to one of them.
    pub(super) fn lists(&self, url: &Url) -> bool {
        let (host, port) = (url.host_str(), url.port_or_known_default());
        self.0
            .iter()
            .any(|it| Some(it.host.as_str()) == host && it.port.is_none_or(|own| Some(own) == port))
    }

    /// Tells whether a name that is being looked up belongs to one of them.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|it| it.host == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(texts: &[&str]) -> PrivateHosts {
        PrivateHosts(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_host_with_a_port_is_that_port_and_without_one_every_port() {
        let hosts = hosts(&["NAS.local", "127.0.0.1:8443", "[::1]:443"]);
        let lists = |text: &str| hosts.lists(&Url::parse(text).unwrap());

        let listed = ["http://nas.local:81/x", "https://127.0.0.1:8443/x", "https://[::1]/x"];
        let others = ["https://nas.locals/x", "https://127.0.0.1/x", "http://[::1]/x"];

        assert_eq!(listed.map(lists), [true; 3]);
        assert_eq!(others.map(lists), [false; 3]);
    }

    #[test]
    fn what_is_no_host_is_refused_and_what_is_one_is_written_as_it_was_read() {
        for text in ["", "a b", "host/path", "user@host", "host?x", "host:99999", "https://host"] {
            assert_eq!(text.parse::<PrivateHost>(), Err(NotAHost(text.to_owned())), "{text}");
        }
        for text in ["nas.local", "127.0.0.1:8443", "[::1]:443", "host:443"] {
            assert_eq!(text.parse::<PrivateHost>().unwrap().to_string(), text);
        }
    }
}
