//! Names to addresses: public ones only, or all to one door of this machine.

use std::{collections::BTreeSet, io, net::SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use url::Url;

use super::address;

/// Looks names up as the system does and keeps only public addresses. The proxy of the
/// environment may well stand at a private one, so its own name is exempt.
pub(super) struct PublicOnly {
    proxies: BTreeSet<String>,
}

impl PublicOnly {
    pub(super) fn of_environment() -> Self {
        let names =
            ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let values = names.iter().filter_map(|name| std::env::var(name).ok());
        let host = |value: String| {
            let text = if value.contains("://") { value } else { format!("http://{value}") };
            Url::parse(&text).ok()?.host_str().map(str::to_owned)
        };
        Self { proxies: values.filter_map(host).collect() }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxies.contains(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> =
                found.filter(|found| is_proxy || address::is_public(found.ip())).collect();
            if usable.is_empty() {
                let message = format!("{} leads into a private network", name.as_str());
                return Err(io::Error::other(message).into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Sends every name to one address; its port stands in for the port the name would have.
pub(super) struct AllTo(pub(super) SocketAddr);

impl Resolve for AllTo {
    fn resolve(&self, _name: Name) -> Resolving {
        let address = self.0;
        Box::pin(async move { Ok(Box::new([address].into_iter()) as Addrs) })
    }
}
