//! Manners per host: a bounded number of requests at a time, and silence while it asks for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

pub(super) struct Hosts {
    per_host: usize,
    // Held by every request under way: each looks its own host up in it.
    known: Mutex<BTreeMap<String, Host>>,
}

#[derive(Clone)]
struct Host {
    places: Arc<Semaphore>,
    quiet_until: Option<Instant>,
}

impl Hosts {
    pub(super) fn new(per_host: usize) -> Self {
        Self { per_host: per_host.max(1), known: Mutex::default() }
    }

    /// Waits for a place at `host`; the place is free again when the permit is dropped.
    pub(super) async fn enter(&self, host: &str) -> OwnedSemaphorePermit {
        let places = self.host(host).places;
        let permit = places.acquire_owned().await.expect("the semaphore is never closed");
        while let Some(until) = self.host(host).quiet_until {
            if until <= Instant::now() {
                break;
            }
            tokio::time::sleep_until(until).await;
        }
        permit
    }

    /// Keeps quiet towards `host` for `wait`.
    pub(super) fn quiet(&self, host: &str, wait: Duration) {
        let until = Instant::now() + wait;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get_mut(host) {
            host.quiet_until = host.quiet_until.max(Some(until));
        }
    }

    fn host(&self, name: &str) -> Host {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Host { places: Arc::new(Semaphore::new(self.per_host)), quiet_until: None };
        known.entry(name.to_owned()).or_insert_with(fresh).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_that_asked_for_silence_is_left_alone_and_others_are_not() {
        let hosts = Hosts::new(2);
        drop(hosts.enter("a").await);
        hosts.quiet("a", Duration::from_millis(300));
        let start = Instant::now();

        drop(hosts.enter("b").await);
        let other = start.elapsed();
        drop(hosts.enter("a").await);

        assert!(
            other < Duration::from_millis(300) && Duration::from_millis(300) <= start.elapsed()
        );
    }
}
