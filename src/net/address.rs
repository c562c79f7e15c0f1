//! Which addresses may be asked for: web addresses of public hosts, never this machine or the
//! network it stands in, so that no post can make us knock on private doors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::PrivateHosts;

/// Tells whether `url` may be asked for as far as its text can tell. Hosts in `private` may,
/// wherever they stand.
pub(super) fn is_allowed(url: &Url, private: &PrivateHosts) -> bool {
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
        return false;
    }
    // A listed host is open at the ports that were listed, and at no other.
    if url.host_str().is_some_and(|host| private.names(host)) {
        return private.lists(url);
    }
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.contains('.') && name != "localhost" && !name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
        None => false,
    }
}

/// Tells whether an address belongs to the public net (RFC 6890).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_public_v6(v6), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_benchmark = first == 198 && (18..20).contains(&second);
    let is_protocol = address.octets()[..3] == [192, 0, 0];
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || first == 0
        || 240 <= first
        || is_protocol
        || is_shared
        || is_benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Addresses that carry an address of the other kind lead where that one leads: 6to4, NAT64,
    // and the old compatible form. None of them is a host of the public net by itself.
    let carries_v4 = match address.segments() {
        [0x2002, ..] | [0x64, 0xff9b, ..] | [0, 0, 0, 0, 0, 0, ..] => true,
        [first, ..] => first & 0xffc0 == 0xfec0,
    };
    !(carries_v4
        || address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_doors_are_not_knocked_on() {
        let none = PrivateHosts::default();
        let refused = [
            "http://127.0.0.1/x.jpg",
            "http://[::1]/x.jpg",
            "http://169.254.169.254/latest",
            "http://192.0.0.192/opc",
            "https://[64:ff9b::a00:1]/x.jpg",
            "https://[2002:7f00:1::]/x.jpg",
            "https://[::127.0.0.1]/x.jpg",
            "https://10.0.0.1/",
            "https://[::ffff:192.168.0.1]/",
            "https://localhost/x.jpg",
            "https://localhost./x.jpg",
            "https://intranet/x.jpg",
            "https://100.64.3.4/",
            "file:///etc/passwd",
            "ftp://example.com/x.jpg",
            "https://user@example.com/x.jpg",
            "http://0x7f.1/x.jpg",
        ];
        for text in refused {
            assert!(!is_allowed(&Url::parse(text).unwrap(), &none), "{text}");
        }
        for text in ["https://i.redd.it/x.jpg", "http://i.imgur.com/x.png", "https://1.1.1.1/x"] {
            assert!(is_allowed(&Url::parse(text).unwrap(), &none), "{text}");
        }
    }

    #[test]
    fn a_listed_host_is_the_users_own_and_only_over_http() {
        let listed = ["nas", "127.0.0.1:8443"].map(|host| host.parse().unwrap());
        let listed = PrivateHosts(listed.into());
        let is_allowed = |text: &str| is_allowed(&Url::parse(text).unwrap(), &listed);

        assert_eq!(["https://nas/x", "https://127.0.0.1:8443/x"].map(is_allowed), [true; 2]);
        assert_eq!(["ftp://nas/x", "https://127.0.0.1/x"].map(is_allowed), [false; 2]);
    }
}
