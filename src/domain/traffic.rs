//! What fetching cost and what the hosts had to say about it, host by host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The conversations with every host of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    pub hosts: BTreeMap<String, HostTraffic>,
}

/// The conversation with one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostTraffic {
    pub requests: u64,
    /// Bytes of bodies, also of those that ended early.
    pub received_bytes: u64,
    /// Answers that said "not changed since", at the cost of no body.
    pub unchanged: u64,
    /// Answers that asked us to wait.
    pub throttled: u64,
    /// Everything else that went wrong and may go right later.
    pub troubles: u64,
    /// How long the host was left alone because it asked for it.
    pub waited_s: f64,
    /// The most requests that were under way at once.
    pub width_reached: u64,
    /// How often the host was found to be down and left alone for a while.
    pub breaker_openings: u64,
}

impl Traffic {
    /// Adds all hosts up; the width is the widest of any host.
    pub fn total(&self) -> HostTraffic {
        let mut total = HostTraffic::default();
        for host in self.hosts.values() {
            total.requests += host.requests;
            total.received_bytes += host.received_bytes;
            total.unchanged += host.unchanged;
            total.throttled += host.throttled;
            total.troubles += host.troubles;
            total.waited_s += host.waited_s;
            total.width_reached = total.width_reached.max(host.width_reached);
            total.breaker_openings += host.breaker_openings;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_adds_what_is_spent_and_keeps_the_widest() {
        let host = |requests, width_reached| HostTraffic {
            requests,
            width_reached,
            waited_s: 0.5,
            ..HostTraffic::default()
        };
        let hosts = BTreeMap::from([("a".to_owned(), host(3, 9)), ("b".to_owned(), host(4, 2))]);

        let total = Traffic { hosts }.total();

        assert_eq!(total, HostTraffic { waited_s: 1.0, ..host(7, 9) });
    }
}
