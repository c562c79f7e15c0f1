//! A TLS server for pictures, in a process of its own so that its work is counted for nobody.
//!
//! It does as little as it can: a thread per connection, no copy of a picture but the encrypted
//! one, and a delay before the first byte. It keeps connections alive, answers conditional
//! requests with 304, and counts what it sends. Its owner talks to it by lines: `new MILLISECONDS`
//! forgets who was given what and sets the delay, `count` tells requests and body bytes since.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead, BufReader, IoSlice, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

use crate::corpus::{Corpus, Fault, Picture};

/// The word that makes this program a server.
pub(super) const ROLE: &str = "serve";

const HEAD_BYTES_MAX: usize = 16 << 10;
const MODIFIED: &str = "Sun, 01 Jun 2025 12:00:00 GMT";
const WEB_PAGE: &[u8] = b"<!DOCTYPE html><html><body>This picture has moved.</body></html>";
const SMALL_PICTURES: u32 = 1_000;

type Stream = StreamOwned<ServerConnection, TcpStream>;

/// What all connections share.
struct State {
    corpus: Corpus,
    delay_ms: AtomicU64,
    requests: AtomicU64,
    body_bytes: AtomicU64,
    // Held by whichever connection meets a picture that fails only once.
    failed_once: Mutex<BTreeSet<u32>>,
}

/// Serves until its owner closes the line; writes the root certificate to `root` first.
pub(super) fn serve(root: &Path) {
    let config = Arc::new(config(root));
    let state = Arc::new(State {
        corpus: Corpus::draw(),
        delay_ms: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        body_bytes: AtomicU64::new(0),
        failed_once: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let shared = Arc::clone(&state);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, state) = (Arc::clone(&config), Arc::clone(&shared));
            let name = thread::Builder::new().stack_size(512 << 10);
            // A client that leaves is no news, and neither is a body cut on purpose.
            name.spawn(move || drop(converse(stream, config, &state))).unwrap();
        }
    });
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        if let Some(delay) = line.strip_prefix("new ") {
            state.delay_ms.store(delay.parse().unwrap(), Ordering::SeqCst);
            state.requests.store(0, Ordering::SeqCst);
            state.body_bytes.store(0, Ordering::SeqCst);
            state.failed_once.lock().unwrap().clear();
        }
        let requests = state.requests.load(Ordering::SeqCst);
        println!("{requests} {}", state.body_bytes.load(Ordering::SeqCst));
    }
}

fn config(root_path: &Path) -> ServerConfig {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    root.distinguished_name.push(DnType::CommonName, "snapset bench");
    fs::write(root_path, root.self_signed(&root_key).unwrap().pem()).unwrap();

    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned(), "pictures.test".to_owned()];
    let mut leaf = CertificateParams::new(names).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "snapset bench host");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![leaf.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Answers one client's requests, one after the other.
fn converse(stream: TcpStream, config: Arc<ServerConfig>, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    // A whole answer is encrypted at once and leaves in one call.
    connection.set_buffer_limit(Some(256 << 10));
    let mut stream = StreamOwned::new(connection, stream);
    let mut seen = Vec::with_capacity(HEAD_BYTES_MAX);
    while let Some(head) = next_head(&mut stream, &mut seen)? {
        state.requests.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(state.delay_ms.load(Ordering::SeqCst)));
        answer(&mut stream, &head, state)?;
        let head = head.to_ascii_lowercase();
        if head.contains("connection: close") || head.contains(" http/1.0\r\n") {
            break;
        }
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// Reads up to the end of a request's head; requests here have no body.
fn next_head(stream: &mut Stream, seen: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = seen.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = seen.drain(..end + 4).collect();
            return String::from_utf8(head).map(Some).map_err(io::Error::other);
        }
        let mut chunk = [0; 2048];
        let n = stream.read(&mut chunk)?;
        if n == 0 || HEAD_BYTES_MAX < seen.len() {
            return Ok(None);
        }
        seen.extend_from_slice(&chunk[..n]);
    }
}

/// What a request is answered with.
enum Answer<'a> {
    Whole(Picture<'a>),
    Half(Picture<'a>),
    WebPage,
    Unchanged,
    Gone,
    ServerError,
}

fn answer(stream: &mut Stream, head: &str, state: &State) -> io::Result<()> {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let answer = choose(path, head, state);
    let (status, body) = match &answer {
        Answer::Whole(picture) | Answer::Half(picture) => ("200 OK", picture.slices()),
        Answer::WebPage => ("200 OK", [WEB_PAGE, &[], &[]]),
        Answer::Unchanged => ("304 Not Modified", [&[][..]; 3]),
        Answer::Gone => ("404 Not Found", [&[][..]; 3]),
        Answer::ServerError => ("500 Internal Server Error", [&[][..]; 3]),
    };
    let n_bytes: usize = body.iter().map(|it| it.len()).sum();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: image/jpeg\r\ncontent-length: {n_bytes}\r\n\
         last-modified: {MODIFIED}\r\netag: \"{path}\"\r\n\r\n"
    );
    let is_half = matches!(answer, Answer::Half(_));
    let mut left = match method {
        "HEAD" => 0,
        _ if is_half => n_bytes / 2,
        _ => n_bytes,
    };
    state.body_bytes.fetch_add(u64::try_from(left).unwrap(), Ordering::SeqCst);
    let mut slices = vec![IoSlice::new(head.as_bytes())];
    for piece in body {
        let sent = &piece[..left.min(piece.len())];
        left -= sent.len();
        slices.push(IoSlice::new(sent));
    }
    let n_meant: usize = slices.iter().map(|it| it.len()).sum();
    let n_taken = stream.conn.writer().write_vectored(&slices)?;
    assert_eq!(n_taken, n_meant, "the connection has room for an answer");
    stream.flush()?;
    if is_half {
        stream.sock.shutdown(Shutdown::Both)?;
    }
    Ok(())
}

fn choose<'a>(path: &str, head: &str, state: &'a State) -> Answer<'a> {
    let number = |folder: &str| -> Option<u32> {
        path.strip_prefix(folder)?.strip_suffix(".jpg")?.parse().ok()
    };
    if let Some(small) = number("/small/") {
        return Answer::Whole(state.corpus.small(small % SMALL_PICTURES));
    }
    let Some(picture) = number("/picture/") else { return Answer::Gone };
    let is_first = || state.failed_once.lock().unwrap().insert(picture);
    match Fault::of(picture) {
        Some(Fault::Gone) => return Answer::Gone,
        Some(Fault::WebPage) => return Answer::WebPage,
        Some(Fault::ServerErrorOnce) if is_first() => return Answer::ServerError,
        Some(Fault::CutOnce) if is_first() => return Answer::Half(state.corpus.picture(picture)),
        Some(Fault::ServerErrorOnce | Fault::CutOnce) | None => (),
    }
    let is_known = head.lines().skip(1).filter_map(|it| it.split_once(':')).any(|(name, value)| {
        (name.eq_ignore_ascii_case("if-none-match") && value.trim() == format!("\"{path}\""))
            || (name.eq_ignore_ascii_case("if-modified-since") && value.trim() == MODIFIED)
    });
    if is_known { Answer::Unchanged } else { Answer::Whole(state.corpus.picture(picture)) }
}

/// What the server did since it was last told to forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) requests: u64,
    pub(super) body_bytes: u64,
}

/// The server as its owner sees it; it ends with its owner.
pub(super) struct Server {
    // Held by whoever waits for a client and by whoever watches the traffic meanwhile.
    line: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    pub(super) process: Child,
    pub(super) port: u16,
    pub(super) root: PathBuf,
}

impl Server {
    pub(super) fn start(folder: &Path) -> Self {
        let root = folder.join("root.pem");
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(ROLE)
            .arg(&root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut stdout = BufReader::new(stdout);
        let mut port = String::new();
        stdout.read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap();
        Self { line: Mutex::new((stdin, stdout)), process, port, root }
    }

    /// Forgets all clients and answers after `delay_ms` from now on.
    pub(super) fn begin(&self, delay_ms: u64) {
        self.ask(&format!("new {delay_ms}"));
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.ask("count")
    }

    /// Returns the address of a folder of pictures.
    pub(super) fn base(&self, folder: &str) -> String {
        format!("https://127.0.0.1:{}/{folder}/", self.port)
    }

    fn ask(&self, line: &str) -> Traffic {
        let mut guard = self.line.lock().unwrap();
        let (stdin, stdout) = &mut *guard;
        writeln!(stdin, "{line}").unwrap();
        let mut reply = String::new();
        stdout.read_line(&mut reply).unwrap();
        let (requests, body_bytes) = reply.trim().split_once(' ').unwrap();
        Traffic { requests: requests.parse().unwrap(), body_bytes: body_bytes.parse().unwrap() }
    }
}
