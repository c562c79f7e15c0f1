//! Which lines of a dump are of interest, told from their bytes: parsing all would take ten
//! times as long.

use std::collections::BTreeMap;

use memchr::memmem::Finder;
use serde::Deserialize;

use super::Choice;
use crate::domain::id::Place;

/// The longest name a subreddit has.
const NAME_BYTES_MAX: usize = 21;

pub(super) struct Filter {
    /// By the name in lower case.
    places: BTreeMap<Vec<u8>, Place>,
    subreddit: Finder<'static>,
    permalink: Finder<'static>,
}

/// What the bytes of a line tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Empty,
    NoObject,
    /// A post of a subreddit nobody asked for.
    OfNobody,
    /// Perhaps a post that is asked for: it names the subreddit somewhere.
    Wanted,
}

/// The part of a post that says where it was posted.
#[derive(Deserialize)]
struct Posted<'a> {
    #[serde(default, borrow)]
    subreddit: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, borrow)]
    permalink: Option<std::borrow::Cow<'a, str>>,
}

impl Filter {
    pub(super) fn new(wanted: &[Choice]) -> Self {
        let lower = |it: &Choice| it.subreddit.name().to_ascii_lowercase().into_bytes();
        Self {
            places: wanted.iter().map(|it| (lower(it), it.place.clone())).collect(),
            subreddit: Finder::new(b"\"subreddit\":"),
            permalink: Finder::new(b"\"permalink\":"),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.places.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    pub(super) fn judge(&self, line: &[u8]) -> Judgement {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Judgement::Empty;
        }
        if !line.starts_with(b"{") || !line.ends_with(b"}") {
            return Judgement::NoObject;
        }
        let mut is_named = false;
        // A crosspost names the subreddit of its parent as well, so every mention counts.
        for at in self.subreddit.find_iter(line) {
            if let Some(name) = text_after(&line[at + self.subreddit.needle().len()..]) {
                is_named = true;
                if self.place(name).is_some() {
                    return Judgement::Wanted;
                }
            }
        }
        // For some years posts were dumped without their subreddit; their address still tells.
        let is_mentioned = |at: usize| {
            let name = text_after(&line[at + self.permalink.needle().len()..]);
            name.and_then(subreddit_of).is_some_and(|name| self.place(name).is_some())
        };
        if !is_named && self.permalink.find_iter(line).any(is_mentioned) {
            return Judgement::Wanted;
        }
        Judgement::OfNobody
    }

    /// Returns the place a post itself names; `None` if it is of no interest after all.
    pub(super) fn place_of(&self, line: &[u8]) -> Result<Option<&Place>, serde_json::Error> {
        let posted: Posted<'_> = serde_json::from_slice(line)?;
        let name = posted.subreddit.as_deref().map(str::as_bytes);
        let permalink = posted.permalink.as_deref().map(str::as_bytes);
        let name = name.or_else(|| permalink.and_then(subreddit_of));
        Ok(name.and_then(|name| self.place(name)))
    }

    fn place(&self, name: &[u8]) -> Option<&Place> {
        let mut lower = [0; NAME_BYTES_MAX];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        self.places.get(&*lower)
    }
}

/// Returns the text that follows a key; `None` if something else does.
fn text_after(rest: &[u8]) -> Option<&[u8]> {
    let text = rest.trim_ascii_start().strip_prefix(b"\"")?;
    Some(&text[..memchr::memchr(b'"', text)?])
}

/// Returns the name in `/r/NAME/comments/…`.
fn subreddit_of(permalink: &[u8]) -> Option<&[u8]> {
    let rest = permalink.strip_prefix(b"/r/")?;
    Some(&rest[..memchr::memchr(b'/', rest)?])
}
