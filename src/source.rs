//! Where posts come from. A new kind of place is one file here, one variant of [`SourceSpec`]
//! and the match arms the compiler then asks for.

use std::fmt;

use serde::Serialize;

use crate::domain::{
    id::{Place, PostId},
    planted::Planted,
    post::Post,
};

pub mod access;
pub mod demo;
pub mod demo_place;
pub mod folder;
pub mod reddit;

/// One place of the pipeline file, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    Reddit(reddit::Subreddit),
    Demo(demo_place::DemoPlace),
    Folder(folder::Folder),
}

/// A place the program cannot make sense of.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error(
        "`{place}` is no place to collect from: write r/NAME for a subreddit, folder:PATH for \
         pictures on this machine, or demo:NAME for the built-in demo site"
    )]
    UnknownKind { place: String },
    #[error(
        "`{place}`: a subreddit's name has 2 to 21 letters, digits and `_`, and begins with a \
         letter or digit"
    )]
    Subreddit { place: String },
    #[error("`{place}`: the demo site knows {}", known.join(", "))]
    Demo { place: String, known: Vec<String> },
    #[error("`{place}`: the folder's path is missing")]
    Folder { place: String },
}

impl SourceSpec {
    /// Reads a place as the pipeline file writes it.
    pub fn parse(place: &Place) -> Result<Self, PlaceError> {
        let text = place.0.trim();
        if let Some(name) = text.strip_prefix("r/") {
            return reddit::Subreddit::new(name)
                .map(Self::Reddit)
                .ok_or_else(|| PlaceError::Subreddit { place: text.to_owned() });
        }
        match text.split_once(':') {
            Some(("demo", name)) => {
                demo_place::DemoPlace::parse(name).map(Self::Demo).ok_or_else(|| PlaceError::Demo {
                    place: text.to_owned(),
                    known: demo::shown().map(|name| format!("demo:{name}")).collect(),
                })
            }
            Some(("folder", path)) if !path.trim().is_empty() => {
                Ok(Self::Folder(folder::Folder::at(path.trim().as_ref())))
            }
            Some(("folder", _)) => Err(PlaceError::Folder { place: text.to_owned() }),
            Some(_) | None => Err(PlaceError::UnknownKind { place: text.to_owned() }),
        }
    }

    /// Returns the one name of the place, however it was spelled: posts are known by it.
    pub fn identity(&self) -> Place {
        Place(match self {
            Self::Reddit(subreddit) => format!("r/{}", subreddit.name().to_lowercase()),
            Self::Demo(place) => format!("demo:{}", place.subreddit()),
            Self::Folder(folder) => format!("folder:{}", folder.path().display()),
        })
    }

    /// Returns the truth about a place of the demo site; other places do not know it.
    pub fn planted(&self) -> Option<Planted> {
        match self {
            Self::Demo(place) => Some(place.planted()),
            Self::Reddit(_) | Self::Folder(_) => None,
        }
    }
}

/// Which listings of a subreddit are read, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    New,
    Hot,
    Rising,
    Top,
    Controversial,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Hot => "hot",
            Self::Rising => "rising",
            Self::Top => "top",
            Self::Controversial => "controversial",
        })
    }
}

/// Some posts of a place, and where the next ones begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub posts: Vec<(PostId, Post)>,
    /// Why single entries could not be read; the rest of the page is good.
    pub unreadable: Vec<String>,
    /// The site's own bookmark; `None` at the end.
    pub next: Option<String>,
}
