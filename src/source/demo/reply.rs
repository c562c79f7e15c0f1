//! An answer and how it ends: whole, cut, or stalled. Every answer leaves one line in the log.

use std::{
    fs::File,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{Method, Response, StatusCode, header},
};
use futures_util::stream;

/// An answer before it is sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    pub(super) ending: Ending,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    /// The connection breaks after so many bytes of the body.
    Cut {
        after_bytes: usize,
    },
    /// Nothing comes after so many bytes of the body; later the connection breaks.
    Stall {
        after_bytes: usize,
        pause: Duration,
    },
}

/// The request log; shared by the site and all answers on their way.
#[derive(Debug)]
pub(super) struct Log {
    file: Option<Mutex<File>>,
    requests: AtomicU64,
}

/// A line of the log that waits for the number of bytes.
pub(super) struct Line {
    log: Arc<Log>,
    /// Method, host, path and, once known, status.
    text: String,
    is_head: bool,
    bytes: usize,
    is_written: bool,
}

const CHUNK_BYTES: usize = 16 * 1024;

/// How long bytes on their way get before a connection is broken on purpose.
const FLUSH_PAUSE: Duration = Duration::from_millis(25);

impl Reply {
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into(), ending: Ending::Whole }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Tells whether a header has been set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| *known == name)
    }

    /// Turns the answer into a response that writes `line` when it has been sent or cut.
    pub(super) fn into_response(self, mut line: Line) -> Response<Body> {
        line.text = format!("{} {}", line.text, self.status.as_u16());
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_LENGTH, self.body.len())
            .header(header::SERVER, "snapset-demo");
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = if line.is_head { Bytes::new() } else { self.body };
        if body.is_empty() {
            line.write();
        }
        let sending = Sending { body, ending: self.ending, line };
        let body = Body::from_stream(stream::unfold(sending, Sending::next));
        response.body(body).expect("the headers are plain text")
    }
}

/// The connection broke, as planned.
#[derive(Debug, thiserror::Error)]
#[error("the demo site broke off")]
struct BrokeOff;

struct Sending {
    body: Bytes,
    ending: Ending,
    line: Line,
}

impl Sending {
    /// Sends the next piece, or ends as planned.
    async fn next(mut self) -> Option<(Result<Bytes, BrokeOff>, Self)> {
        let sent = self.line.bytes;
        let end = match self.ending {
            Ending::Whole => self.body.len(),
            Ending::Cut { after_bytes } | Ending::Stall { after_bytes, .. } => after_bytes,
        };
        if sent < end {
            let piece = self.body.slice(sent..end.min(sent + CHUNK_BYTES));
            self.line.bytes += piece.len();
            if self.line.bytes == self.body.len() {
                // Before the last piece leaves: who has it all finds it in the log.
                self.line.write();
            }
            return Some((Ok(piece), self));
        }
        let pause = match self.ending {
            Ending::Whole => return None,
            Ending::Cut { .. } => FLUSH_PAUSE,
            Ending::Stall { pause, .. } => pause,
        };
        tokio::time::sleep(pause).await;
        self.line.write();
        Some((Err(BrokeOff), self))
    }
}

impl Log {
    pub(super) fn new(file: Option<File>) -> Arc<Self> {
        Arc::new(Self { file: file.map(Mutex::new), requests: AtomicU64::new(0) })
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Counts a request and begins its line.
    pub(super) fn begin(self: &Arc<Self>, method: &Method, host: &str, path: &str) -> Line {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Line {
            log: Arc::clone(self),
            text: format!("{method} {host} {path}"),
            is_head: *method == Method::HEAD,
            bytes: 0,
            is_written: false,
        }
    }
}

impl Line {
    fn write(&mut self) {
        if std::mem::replace(&mut self.is_written, true) {
            return;
        }
        if let Some(file) = &self.log.file {
            let line = format!("{} {}\n", self.text, self.bytes);
            let mut file = file.lock().expect("nobody panics while writing a line");
            // A full disk must not change what the site answers.
            _ = file.write_all(line.as_bytes());
        }
    }
}

impl Drop for Line {
    /// Writes the line of an answer whose reader went away.
    fn drop(&mut self) {
        self.write();
    }
}
