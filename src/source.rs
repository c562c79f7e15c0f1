//! Where posts come from. A new kind of place is one file here, one variant of [`SourceSpec`]
//! and the match arms the compiler then asks for.

use crate::domain::{
    id::{Place, PostId},
    planted::Planted,
    post::Post,
};

pub mod access;
pub mod archive;
mod archived;
pub mod arctic;
pub mod batch;
pub mod demo;
pub mod demo_place;
pub mod dump;
pub mod folder;
pub mod glance;
mod lines;
pub mod local;
mod packing;
pub mod reddit;
pub mod urls;

/// One place of the pipeline file, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    Reddit(reddit::Subreddit),
    Demo(demo_place::DemoPlace),
    Folder(folder::Folder),
    Urls(urls::List),
    Archive(archive::Archive),
    Dump(dump::Dump),
    /// A subreddit as the Arctic Shift archive keeps it.
    Arctic(reddit::Subreddit),
}

/// A place the program cannot make sense of.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error(
        "`{place}` is no place to collect from: write r/NAME for a subreddit, folder:PATH, \
         archive:PATH or urls:PATH for pictures on this machine, in an archive or in a list of \
         addresses, dump:PATH#r/NAME or arctic:r/NAME for a subreddit out of a dump or the Arctic \
         Shift archive, or demo:NAME for the built-in demo site"
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
    #[error(
        "`{place}`: a list of addresses ends in .csv, .tsv, .txt, .jsonl, .ndjson or .parquet, \
         text also in .gz or .zst after that; #LABEL chooses rows: urls:list.csv#cats"
    )]
    Urls { place: String },
    #[error(
        "`{place}`: an archive ends in .zip, .tar, .tar.gz, .tgz or .tar.zst; #FOLDER chooses a \
         folder of it: archive:photos.zip#cats"
    )]
    Archive { place: String },
    #[error(
        "`{place}`: a dump ends in .zst, .ndjson, .jsonl or .gz, and a subreddit of it follows: \
         dump:RS_2024-01.zst#r/cats"
    )]
    Dump { place: String },
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
            Some(("urls", list)) => urls::List::parse(list.trim())
                .map(Self::Urls)
                .ok_or_else(|| PlaceError::Urls { place: text.to_owned() }),
            Some(("archive", archive)) => archive::Archive::parse(archive.trim())
                .map(Self::Archive)
                .ok_or_else(|| PlaceError::Archive { place: text.to_owned() }),
            Some(("dump", dump)) => dump::Dump::parse(dump.trim())
                .map(Self::Dump)
                .ok_or_else(|| PlaceError::Dump { place: text.to_owned() }),
            Some(("arctic", subreddit)) => subreddit
                .trim()
                .strip_prefix("r/")
                .and_then(reddit::Subreddit::new)
                .map(Self::Arctic)
                .ok_or_else(|| PlaceError::Subreddit { place: text.to_owned() }),
            Some(_) | None => Err(PlaceError::UnknownKind { place: text.to_owned() }),
        }
    }

    /// Returns the one name of the place, however it was spelled: posts are known by it.
    pub fn identity(&self) -> Place {
        Place(match self {
            Self::Reddit(subreddit) => format!("r/{}", subreddit.name().to_lowercase()),
            Self::Demo(place) => format!("demo:{}", place.subreddit()),
            Self::Folder(folder) => format!("folder:{}", folder.path().display()),
            Self::Urls(list) => list.identity(),
            Self::Archive(archive) => archive.identity(),
            Self::Dump(dump) => dump.identity(),
            Self::Arctic(subreddit) => format!("arctic:r/{}", subreddit.name().to_lowercase()),
        })
    }

    /// Returns the truth about a place of the demo site; other places do not know it.
    pub fn planted(&self) -> Option<Planted> {
        match self {
            Self::Demo(place) => Some(place.planted()),
            Self::Reddit(_)
            | Self::Folder(_)
            | Self::Urls(_)
            | Self::Archive(_)
            | Self::Dump(_)
            | Self::Arctic(_) => None,
        }
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
