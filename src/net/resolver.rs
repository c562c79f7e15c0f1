//! Names to addresses: public ones only, or all to one door of this machine.

use std::{io, net::SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address;

/// Looks names up as the system does and keeps only public addresses.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> =
                found.filter(|found| address::is_public(found.ip())).collect();
            if public.is_empty() {
                let message = format!("{} leads into a private network", name.as_str());
                return Err(io::Error::other(message).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
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

/// Tells whether the environment names a proxy, which then resolves names itself and may well
/// stand at a private address.
pub(super) fn has_proxy() -> bool {
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
