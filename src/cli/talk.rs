//! The two voices of the program: results on stdout, everything else on stderr.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::CommandFactory;
use serde::Serialize;

use super::{Arguments, Complaint, Shared};

/// How to say things, as the arguments and the terminal want it.
pub(crate) struct Talk {
    out: io::Stdout,
    err: io::Stderr,
    is_json: bool,
    loudness: Loudness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
}

impl Talk {
    pub(crate) fn new(shared: &Shared) -> Self {
        let loudness = match (shared.quiet, shared.verbose) {
            (true, _) => Loudness::Quiet,
            (false, 0) => Loudness::Normal,
            (false, _) => Loudness::Verbose,
        };
        Self { out: io::stdout(), err: io::stderr(), is_json: shared.json, loudness }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.loudness == Loudness::Verbose
    }

    /// Tells whether moving bars make sense.
    pub(crate) fn has_bars(&self) -> bool {
        Loudness::Quiet < self.loudness && self.err.is_terminal()
    }

    /// Says a result. A reader that has gone away is no trouble of ours.
    pub(crate) fn result(&self, text: &str) {
        drop(writeln!(self.out.lock(), "{}", text.trim_end()));
    }

    /// Says a result as one JSON document.
    pub(crate) fn json(&self, document: &impl Serialize) {
        let text = serde_json::to_string_pretty(document);
        self.result(&text.expect("documents have string keys"));
    }

    /// Says what is going on, unless nobody wants to know.
    pub(crate) fn aside(&self, text: &str) {
        if Loudness::Quiet < self.loudness {
            drop(writeln!(self.err.lock(), "{text}"));
        }
    }

    pub(crate) fn complain(&self, complaint: &Complaint) -> ExitCode {
        drop(write!(self.err.lock(), "{}", complaint.render()));
        complaint.exit.into()
    }

    pub(crate) fn completions(&self, shell: clap_complete::Shell) {
        let mut command = Arguments::command();
        clap_complete::generate(shell, &mut command, "snapset", &mut self.out.lock());
    }
}

/// Writes a count with a thin mark between thousands: `12,345`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number of things with the right ending: `1 item`, `2 items`.
pub(crate) fn plural(n: u64, thing: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_marked() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }
}
