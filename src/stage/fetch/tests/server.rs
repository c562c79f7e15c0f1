//! A server on this machine that does to its clients, byte by byte, what it is told to.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_rustls::server::TlsStream;

use crate::source::demo::Door;

/// The hosts the server's certificate is for. A name besides these fails in the handshake.
pub(super) const HOSTS: [&str; 6] =
    ["i.redd.it", "preview.redd.it", "i.imgur.com", "busy.test", "good.test", "127.0.0.1"];

/// What happens to one request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// These bytes and nothing else; the conversation goes on.
    Say(Vec<u8>),
    /// These bytes, and the line goes dead without a goodbye.
    Cut(Vec<u8>),
    /// These bytes, then one more now and then, for ever.
    Drip(Vec<u8>),
    /// These bytes, then as many as the client takes, for ever.
    Pour(Vec<u8>),
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Host and path: `i.redd.it/a.jpg?x=1`.
    pub(super) address: String,
    pub(super) head: String,
}

type Plan = BTreeMap<String, Vec<Act>>;

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) root_pem: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _conversations: JoinSet<()>,
}

impl Server {
    /// Answers the first request for an address with its first act, and so on; the last act
    /// stands for all later ones.
    pub(super) async fn start(plan: Plan) -> Self {
        let door = Door::new(&HOSTS).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (plan, told) = (Arc::new(plan), Arc::clone(&seen));
        let mut outer = JoinSet::new();
        outer.spawn(async move {
            let mut inner = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, plan, told) =
                    (door.acceptor.clone(), Arc::clone(&plan), Arc::clone(&told));
                inner.spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, &plan, &told).await;
                    }
                });
            }
        });
        Self { address, root_pem: door.root_pem, seen, _conversations: outer }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Counts the requests for one address.
    pub(super) fn times(&self, address: &str) -> usize {
        self.seen().iter().filter(|seen| seen.address == address).count()
    }
}

async fn converse(mut stream: TlsStream<TcpStream>, plan: &Plan, told: &Mutex<Vec<Seen>>) {
    while let Some(seen) = hear(&mut stream).await {
        let times = {
            let mut told = told.lock().unwrap();
            told.push(seen.clone());
            told.iter().filter(|it| it.address == seen.address).count()
        };
        let acts = plan.get(&seen.address).map_or(&[][..], Vec::as_slice);
        let act = acts.get(times - 1).or(acts.last()).cloned();
        let act = act.unwrap_or_else(|| Act::Say(status("404 Not Found")));
        // A client that leaves is what some acts are about.
        if perform(&mut stream, act).await.is_err() {
            return;
        }
    }
}

/// Does one act; an error ends the conversation.
async fn perform(stream: &mut TlsStream<TcpStream>, act: Act) -> std::io::Result<()> {
    match act {
        Act::Say(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await
        }
        Act::Cut(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        Act::Drip(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(b"x").await?;
                stream.flush().await?;
                sleep(Duration::from_millis(100)).await;
            }
        }
        Act::Pour(bytes) => {
            stream.write_all(&bytes).await?;
            let chunk = [&b"4000\r\n"[..], &[b'x'; 0x4000], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Act::Silence => {
            sleep(Duration::from_hours(1)).await;
            Ok(())
        }
    }
}

async fn hear(stream: &mut TlsStream<TcpStream>) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = plain(&String::from_utf8(head).unwrap());
    let path = head.split(' ').nth(1).unwrap();
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    Some(Seen { address: format!("{host}{path}"), head })
}

/// Writes header names in small letters, whatever the client prefers.
fn plain(head: &str) -> String {
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    };
    head.lines().map(line).collect::<Vec<_>>().join("\r\n")
}

/// An answer with nothing but a status.
pub(super) fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// An answer with a status, headers, and no body.
pub(super) fn bare(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// A good answer with further headers, each ending in a line break.
pub(super) fn with(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(super) fn picture(body: &[u8]) -> Vec<u8> {
    with("content-type: image/jpeg\r\n", body)
}

/// The front of a body that comes in pieces.
pub(super) fn chunked(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n"].concat()
}

/// The front of a body announced to be of `length` bytes.
pub(super) fn announced(length: u64, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
