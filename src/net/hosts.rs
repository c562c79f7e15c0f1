//! Manners per host: as many requests at a time as it bears, silence while it asks for it, and a
//! door left alone while nobody answers it. Whoever waits here takes nobody else's place.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    breaker::{Breaker, Role, Turn, Word},
    gauge::{Fullness, Gauge, Sign},
};
use crate::domain::traffic::{HostTraffic, Traffic};

/// How long a host is left alone that asks us to wait without saying how long, at first.
const QUIET_MIN: Duration = Duration::from_secs(1);

/// The longest such silence.
const QUIET_MAX: Duration = Duration::from_mins(1);

/// How wide the doors are, and how patient those who wait there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Widths {
    pub(super) per_host: usize,
    pub(super) all: usize,
    pub(super) first_rest: Duration,
}

pub(super) struct Hosts {
    widths: Widths,
    // Held by every picture on its way, until it is dealt with.
    all: Arc<Semaphore>,
    // Held by every request under way: each looks its own host up in it.
    known: Mutex<BTreeMap<String, Host>>,
}

struct Host {
    places: Arc<Semaphore>,
    /// Told whenever the door opens or closes.
    news: Arc<Notify>,
    gauge: Gauge,
    /// Places to be taken away as they are given back.
    debt: usize,
    under_way: u64,
    quiet_until: Option<Instant>,
    /// Wishes to wait since the last good answer.
    throttles: u32,
    breaker: Breaker,
    traffic: HostTraffic,
}

/// Why nobody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A stop was asked for while waiting.
    Stopped,
    /// The host has not answered for so long that waiting is of no use.
    HostDown,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// An answer, be it a refusal.
    Answered,
    Unchanged,
    /// 429, or 503 with a time to wait.
    Throttled {
        wait: Option<Duration>,
    },
    /// 5xx, or a body that ended early: the host is there but not well.
    Unwell,
    /// No connection, or silence.
    Unreachable,
}

impl Hosts {
    pub(super) fn new(widths: Widths) -> Self {
        Self { widths, all: Arc::new(Semaphore::new(widths.all.max(1))), known: Mutex::default() }
    }

    /// Waits for a place at `host`. It is free again when the place is dropped.
    pub(super) async fn enter<'a, S: Future<Output = ()>>(
        &'a self,
        host: &'a str,
        mut stop: Pin<&mut S>,
    ) -> Result<Place<'a>, Refusal> {
        let (places, news) = {
            let mut known = self.known();
            let host = self.host(&mut known, host);
            (Arc::clone(&host.places), Arc::clone(&host.news))
        };
        let of_host = tokio::select! {
            biased;
            permit = places.acquire_owned() => permit.expect("the semaphore is never closed"),
            () = &mut stop => return Err(Refusal::Stopped),
        };
        // From here on every way out gives the place of the host back, less what is owed.
        let mut place = Place {
            hosts: self,
            host,
            of_host: Some(of_host),
            of_all: None,
            is_begun: false,
            stay: None,
        };
        loop {
            let hear = news.notified();
            let (word, now) = (self.word(host), Instant::now());
            match word {
                Word::Go | Word::Try => {
                    let role = if word == Word::Try { Role::Trial } else { Role::Ordinary };
                    place.stay = Some(Stay { role, sent: now, is_told: false });
                    if let Ok(permit) = Arc::clone(&self.all).try_acquire_owned() {
                        place.of_all = Some(permit);
                        place.begin();
                        return Ok(place);
                    }
                    let permit = tokio::select! {
                        biased;
                        permit = Arc::clone(&self.all).acquire_owned() => permit,
                        () = &mut stop => return Err(Refusal::Stopped),
                    };
                    place.of_all = Some(permit.expect("the semaphore is never closed"));
                    // Much may have happened while we stood in line.
                    let word = if role == Role::Trial { Word::Try } else { self.word(host) };
                    if let Word::Go | Word::Try = word {
                        // Whoever is told to find out must do so, or nobody ever does.
                        let role = if word == Word::Try { Role::Trial } else { Role::Ordinary };
                        place.stay = Some(Stay { role, sent: now, is_told: false });
                        place.begin();
                        return Ok(place);
                    }
                    (place.of_all, place.stay) = (None, None);
                }
                Word::WaitUntil(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => (),
                    () = hear => (),
                    () = &mut stop => return Err(Refusal::Stopped),
                },
                Word::WaitForNews => tokio::select! {
                    () = hear => (),
                    // News that came before we listened would be waited for in vain.
                    () = tokio::time::sleep(Duration::from_millis(200)) => (),
                    () = &mut stop => return Err(Refusal::Stopped),
                },
                Word::GiveUp => return Err(Refusal::HostDown),
            }
        }
    }

    /// Returns what was said so far.
    pub(super) fn traffic(&self) -> Traffic {
        let known = self.known();
        let hosts = known.iter().map(|(name, host)| (name.clone(), host.traffic.clone()));
        Traffic { hosts: hosts.collect() }
    }

    fn word(&self, name: &str) -> Word {
        let now = Instant::now();
        let mut known = self.known();
        let host = self.host(&mut known, name);
        match host.quiet_until {
            Some(until) if now < until => Word::WaitUntil(until),
            Some(_) | None => host.breaker.ask(now),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Host>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host<'k>(&self, known: &'k mut BTreeMap<String, Host>, name: &str) -> &'k mut Host {
        if !known.contains_key(name) {
            known.insert(name.to_owned(), Host::new(self.widths));
        }
        known.get_mut(name).expect("the host was put there if it was missing")
    }
}

impl Host {
    fn new(widths: Widths) -> Self {
        let gauge = Gauge::new(widths.per_host);
        Self {
            places: Arc::new(Semaphore::new(gauge.limit())),
            news: Arc::default(),
            gauge,
            debt: 0,
            under_way: 0,
            quiet_until: None,
            throttles: 0,
            breaker: Breaker::new(widths.first_rest),
            traffic: HostTraffic::default(),
        }
    }

    fn note(&mut self, ending: Ending, stay: &Stay) {
        let now = Instant::now();
        let is_full = self.places.available_permits() == 0;
        let fullness = if is_full { Fullness::Full } else { Fullness::Spare };
        let sign = match ending {
            Ending::Answered | Ending::Unchanged => Sign::Good,
            Ending::Throttled { .. } => Sign::TooMuch,
            Ending::Unwell | Ending::Unreachable => Sign::Trouble,
        };
        let before = self.gauge.limit();
        self.gauge.note(sign, stay.sent, now, fullness);
        self.resize(before);
        match ending {
            Ending::Answered => self.throttles = 0,
            Ending::Unchanged => {
                self.traffic.unchanged += 1;
                self.throttles = 0;
            }
            Ending::Throttled { wait } => {
                self.traffic.throttled += 1;
                self.quiet(wait, stay.sent, now);
            }
            Ending::Unwell | Ending::Unreachable => self.traffic.troubles += 1,
        }
        if ending == Ending::Unreachable {
            if self.breaker.failed(stay.role, now) == Turn::Opened {
                self.traffic.breaker_openings += 1;
                self.news.notify_waiters();
            }
        } else {
            self.breaker.heard();
            if stay.role == Role::Trial {
                self.news.notify_waiters();
            }
        }
    }

    /// Keeps quiet for `wait`, or for longer and longer where the host does not say.
    fn quiet(&mut self, wait: Option<Duration>, sent: Instant, now: Instant) {
        let is_known = self.quiet_until.is_some_and(|until| sent < until);
        let wait = wait.unwrap_or_else(|| {
            if !is_known {
                self.throttles = self.throttles.saturating_add(1);
            }
            let doublings = self.throttles.saturating_sub(1);
            (QUIET_MIN * 2_u32.saturating_pow(doublings)).min(QUIET_MAX)
        });
        let from = self.quiet_until.map_or(now, |until| until.max(now));
        let until = from.max(now + wait);
        self.traffic.waited_s += (until - from).as_secs_f64();
        self.quiet_until = Some(until);
    }

    /// Hands out new places, or takes away those that are no longer there.
    fn resize(&mut self, before: usize) {
        let after = self.gauge.limit();
        if before < after {
            let new = after - before;
            let paid = new.min(self.debt);
            self.debt -= paid;
            self.places.add_permits(new - paid);
        } else {
            self.debt += before - after;
            self.debt -= self.places.forget_permits(self.debt);
        }
    }
}

/// A place among all, given back when dropped.
#[derive(Debug)]
pub struct Held {
    _permit: OwnedSemaphorePermit,
}

/// A place at a host, and whose it is.
pub(super) struct Place<'a> {
    hosts: &'a Hosts,
    host: &'a str,
    of_host: Option<OwnedSemaphorePermit>,
    of_all: Option<OwnedSemaphorePermit>,
    is_begun: bool,
    stay: Option<Stay>,
}

struct Stay {
    role: Role,
    sent: Instant,
    is_told: bool,
}

impl Place<'_> {
    fn begin(&mut self) {
        self.is_begun = true;
        let mut known = self.hosts.known();
        let host = self.hosts.host(&mut known, self.host);
        host.under_way += 1;
        host.traffic.requests += 1;
        host.traffic.width_reached = host.traffic.width_reached.max(host.under_way);
        if let Some(stay) = &mut self.stay {
            stay.sent = Instant::now();
        }
    }

    /// Takes the place among all along, for as long as what came is not dealt with.
    pub(super) fn held(&mut self) -> Option<Held> {
        self.of_all.take().map(|permit| Held { _permit: permit })
    }

    /// Tells how the request ended.
    pub(super) fn leave(mut self, ending: Ending, received_bytes: u64) {
        if let Some(stay) = &mut self.stay {
            stay.is_told = true;
            let mut known = self.hosts.known();
            let host = self.hosts.host(&mut known, self.host);
            host.traffic.received_bytes += received_bytes;
            host.note(ending, stay);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut known = self.hosts.known();
        let host = self.hosts.host(&mut known, self.host);
        if let Some(stay) = &self.stay {
            if self.is_begun {
                host.under_way -= 1;
            }
            if stay.role == Role::Trial && !stay.is_told {
                host.breaker.trial_dropped(Instant::now());
                host.news.notify_waiters();
            }
        }
        if 0 < host.debt
            && let Some(permit) = self.of_host.take()
        {
            host.debt -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests;
