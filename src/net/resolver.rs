//! Names to addresses: public ones only, or all to one door of this machine.

use std::{collections::BTreeSet, net::SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use url::Url;

use super::{PrivateHosts, address};

/// Looks names up as the system does and keeps only public addresses. The proxy of the
/// environment may well stand at a private one, so its own name is exempt, as are the hosts a
/// person named.
pub(super) struct PublicOnly {
    proxies: BTreeSet<String>,
    private: PrivateHosts,
}

/// A name leads into a private network, so it is not asked for.
#[derive(Debug, thiserror::Error)]
#[error("{name} leads into a private network")]
pub(super) struct LeadsInside {
    name: String,
}

impl PublicOnly {
    pub(super) fn of_environment(private: PrivateHosts) -> Self {
        let names =
            ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let values = names.iter().filter_map(|name| std::env::var(name).ok());
        let host = |value: String| {
            let text = if value.contains("://") { value } else { format!("http://{value}") };
            Url::parse(&text).ok()?.host_str().map(str::to_owned)
        };
        Self { proxies: values.filter_map(host).collect(), private }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_exempt = self.proxies.contains(name.as_str()) || self.private.names(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> =
                found.filter(|found| is_exempt || address::is_public(found.ip())).collect();
            if usable.is_empty() {
                return Err(LeadsInside { name: name.as_str().to_owned() }.into());
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn look_up(name: &str, private: &[&str]) -> Result<usize, String> {
        let private = PrivateHosts(private.iter().map(|host| host.parse().unwrap()).collect());
        let resolver = PublicOnly { proxies: BTreeSet::new(), private };
        let found = resolver.resolve(name.parse().unwrap()).await;
        found.map(Iterator::count).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_unless_a_person_listed_it() {
        let refused = look_up("localhost", &[]).await;
        let listed = look_up("localhost", &["localhost:8443"]).await;

        assert_eq!(refused, Err("localhost leads into a private network".to_owned()));
        assert!(0 < listed.unwrap());
    }
}
