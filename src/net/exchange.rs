//! One exchange with a host, from the wait for its turn to the last byte: bounded in time and
//! size, and its ending told to the host's door.

use std::{
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::Response;

use super::{
    Client, NetError,
    buffer::Buffer,
    hosts::{Ending, Held, Place, Refusal},
    watch::{Overdue, Watch},
};

/// The most room made for a body on its host's word alone.
const ROOM_MAX: u64 = 1 << 20;

pub(super) struct Exchange<'a> {
    pub(super) host: &'a str,
    client: &'a Client,
    place: Place<'a>,
    watch: Watch,
    received_bytes: AtomicU64,
}

impl<'a> Exchange<'a> {
    /// Waits until it is our turn at `host`.
    pub(super) async fn begin<S: Future<Output = ()>>(
        client: &'a Client,
        host: &'a str,
        stop: Pin<&mut S>,
    ) -> Result<Self, NetError> {
        let place = client.hosts.enter(host, stop).await.map_err(|refusal| match refusal {
            Refusal::Stopped => NetError::Stopped { host: host.to_owned() },
            Refusal::HostDown => NetError::HostDown { host: host.to_owned() },
        })?;
        let watch = Watch::new(client.options.deadline, client.options.stall);
        Ok(Self { host, client, place, watch, received_bytes: AtomicU64::new(0) })
    }

    /// Lets `work` on this exchange go on as long as there is patience.
    pub(super) async fn over<T>(
        &self,
        work: impl Future<Output = Result<T, NetError>>,
    ) -> Result<T, NetError> {
        let (host, options) = (self.host, &self.client.options);
        self.watch.over(work).await.unwrap_or_else(|overdue| {
            Err(match overdue {
                Overdue::Deadline => {
                    NetError::Deadline { host: host.to_owned(), deadline: options.deadline }
                }
                Overdue::Silence => {
                    NetError::Stalled { host: host.to_owned(), silence: options.stall }
                }
            })
        })
    }

    /// The host was heard.
    pub(super) fn heard(&self) {
        self.watch.heard();
    }

    /// Takes the exchange's place among all along.
    pub(super) fn held(&mut self) -> Option<Held> {
        self.place.held()
    }

    /// Tells the host's door how it went.
    pub(super) fn end(self, ending: Ending) {
        // A host that sends slowly is not well, but it is there.
        let is_slow = ending == Ending::Unreachable && self.watch.has_heard();
        let ending = if is_slow { Ending::Unwell } else { ending };
        self.place.leave(ending, self.received_bytes.into_inner());
    }

    /// Reads a body to its end: `None` if it has more than `limit_bytes`.
    pub(super) async fn body(
        &self,
        mut response: Response,
        limit_bytes: u64,
    ) -> Result<Option<Buffer>, NetError> {
        let announced = response.content_length();
        if announced.is_some_and(|announced| limit_bytes < announced) {
            return Ok(None);
        }
        let room = announced.unwrap_or_default().min(ROOM_MAX);
        let room = usize::try_from(room).expect("room is small");
        let mut bytes = self.client.buffers.take(room);
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk
                .map_err(|source| NetError::Truncated { host: self.host.to_owned(), source })?;
            let Some(chunk) = chunk else { break };
            self.heard();
            self.received_bytes.fetch_add(length(&chunk), Ordering::Relaxed);
            bytes.extend_from_slice(&chunk);
            if limit_bytes < length(&bytes) {
                return Ok(None);
            }
        }
        match announced {
            Some(announced) if length(&bytes) != announced => {
                let host = self.host.to_owned();
                Err(NetError::Short { host, got: length(&bytes), announced })
            }
            Some(_) | None => Ok(Some(self.client.buffers.lend(bytes))),
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}
