//! All posts of the demo site. A post depends on a fixed seed, its place in the row and the posts
//! before it, so a site with more posts begins with the same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    address::{self, Address},
    deletion::Deletion,
    dice::Dice,
    draw::{Class, Edit, Motif, Subject, form::File},
    schedule, words,
};
use crate::domain::planted::PlantKind;

/// One post of one subreddit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The site's own name of the post, without `t3_`.
    pub(super) id: String,
    pub(super) subreddit: String,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) flair: Option<&'static str>,
    /// Seconds since 1970-01-01 UTC.
    pub(super) created_utc: u32,
    pub(super) score: u32,
    pub(super) comments: u32,
    pub(super) upvote_percent: u8,
    pub(super) over_18: bool,
    pub(super) plant: Option<PlantKind>,
    pub(super) shows: Shows,
}

/// What a post shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    Picture(Shot),
    /// A copy and the address of what it was made from.
    Copy {
        copy: Shot,
        original: Address,
    },
    Gallery {
        shots: Vec<Shot>,
        failed: Option<String>,
    },
    /// The place of an earlier picture post of the same subreddit.
    Crosspost {
        parent: usize,
        shot: Shot,
    },
    Video {
        id: String,
    },
    Gifv {
        address: Address,
    },
    Removed {
        by: &'static str,
    },
    /// A link, and the pictures that are behind it.
    Elsewhere {
        url: String,
        shots: Vec<Shot>,
    },
}

/// One picture where the site offers it, and how the site behaves when asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    pub(super) address: Address,
    pub(super) subject: Subject,
    pub(super) manner: Manner,
}

/// How a host answers when asked for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Sound,
    /// Redirects to the picture that says a picture was removed.
    Placeholder,
    /// A page under the name and type of a picture.
    Html,
    /// The whole answer is a file that ends early.
    Broken,
    /// The connection breaks halfway, once.
    CutOnce,
    Missing,
    /// 429, once.
    ThrottledOnce,
    /// A few bytes and then nothing, once.
    StalledOnce,
}

impl Manner {
    /// Tells whether this trouble can come to such a file.
    fn suits(self, file: File) -> bool {
        let is_jpeg = file.extension() == "jpg";
        match self {
            Self::Placeholder | Self::Html => is_jpeg,
            Self::Broken => is_jpeg || file == File::Png,
            Self::Sound
            | Self::CutOnce
            | Self::Missing
            | Self::ThrottledOnce
            | Self::StalledOnce => true,
        }
    }
}

/// The first post, and the time between two posts of a subreddit.
const FIRST_POST_UTC: u32 = 1_756_684_800;
const POST_INTERVAL_S: u32 = 6 * 3_600;

/// Conflicts show one of the other subreddit's first pictures, so that the subreddits of a site
/// may end at different posts.
const CONFLICT_ORIGINALS: usize = 150;

const REMOVERS: [&str; 4] = ["moderator", "deleted", "reddit", "automod_filtered"];

/// The posts of both subreddits as they are written, and which pictures are still unrelated.
struct Writer {
    rows: [Vec<Entry>; 2],
    /// Places of plain pictures that nothing else refers to.
    alone: [BTreeSet<usize>; 2],
    deletions: [Deletion; 2],
}

/// The posts of a subreddit of a class before the latest ones; those come after a deletion.
pub(super) const POSTS_USUAL: usize = 300;

fn row(class: Class) -> usize {
    match class {
        Class::Beetles => 0,
        Class::Fish => 1,
    }
}

/// Writes the first `posts` posts of each subreddit.
pub(super) fn write(posts: usize) -> [Vec<Entry>; 2] {
    write_after(&BTreeMap::new(), posts)
}

/// Writes the same posts where authors have deleted so many of theirs, and others post the lost
/// pictures again.
pub(super) fn write_after(deleted: &BTreeMap<String, usize>, posts: usize) -> [Vec<Entry>; 2] {
    let deletions = Class::ALL.map(|class| Deletion {
        count: deleted.get(class.name()).copied().unwrap_or_default(),
        usual: POSTS_USUAL,
    });
    let (rows, alone) = Default::default();
    let mut writer = Writer { rows, alone, deletions };
    for place in 0..posts {
        for class in Class::ALL {
            let entry = writer.entry(class, place);
            writer.rows[row(class)].push(entry);
        }
    }
    writer.rows
}

/// Writes the first `posts` posts of one subreddit.
pub(super) fn of_class(class: Class, posts: usize) -> Vec<Entry> {
    let [beetles, fish] = write(posts);
    match class {
        Class::Beetles => beetles,
        Class::Fish => fish,
    }
}

impl Entry {
    /// Returns the name the interface uses: `t3_` and the id.
    pub(super) fn name(&self) -> String {
        format!("t3_{}", self.id)
    }

    /// Returns all pictures of the post.
    pub(super) fn shots(&self) -> &[Shot] {
        match &self.shows {
            Shows::Picture(shot)
            | Shows::Copy { copy: shot, .. }
            | Shows::Crosspost { shot, .. } => std::slice::from_ref(shot),
            Shows::Gallery { shots, .. } | Shows::Elsewhere { shots, .. } => shots,
            Shows::Video { .. } | Shows::Gifv { .. } | Shows::Removed { .. } => &[],
        }
    }
}

impl Writer {
    fn entry(&mut self, class: Class, place: usize) -> Entry {
        let mut dice = Dice::of(&format!("post {} {place}", class.name()));
        let number = u32::try_from(place).expect("a site is smaller than that");
        let later = u32::try_from(row(class)).expect("it is 0 or 1") * 3 * 3_600;
        let jitter = u32::try_from(dice.below(9_000)).expect("it is below 9,000");
        let luck = u32::try_from(dice.below(40)).expect("it is below 40");
        let plant = schedule::plant(class, place);
        let returned = match plant {
            None => self.deletions[row(class)].returned(&self.rows[row(class)], place),
            Some(_) => None,
        };
        let shows = match returned {
            Some(shows) => shows,
            None => self.shows(class, place, plant, &mut dice),
        };
        let removed = matches!(shows, Shows::Removed { .. });
        let score = if removed { 1 } else { luck * luck };
        Entry {
            id: address::post_id(class, place),
            subreddit: class.name().to_owned(),
            title: words::title(class, &mut dice).to_owned(),
            author: if removed { "[deleted]".to_owned() } else { words::author(&mut dice) },
            flair: words::flair(&mut dice),
            created_utc: FIRST_POST_UTC + number * POST_INTERVAL_S + later + jitter,
            score,
            comments: score / 7,
            upvote_percent: 50 + u8::try_from(dice.below(50)).expect("it is below 50"),
            over_18: false,
            plant,
            shows,
        }
    }

    fn shows(
        &mut self,
        class: Class,
        place: usize,
        plant: Option<PlantKind>,
        dice: &mut Dice,
    ) -> Shows {
        let manner = match plant {
            None => {
                self.alone[row(class)].insert(place);
                Manner::Sound
            }
            Some(PlantKind::ExactRepost) => return self.copy(class, place, Edit::None),
            Some(PlantKind::Reencoded) => return self.copy(class, place, Edit::Reencoded),
            Some(PlantKind::Resized) => return self.copy(class, place, Edit::Resized),
            Some(PlantKind::Cropped) => return self.copy(class, place, Edit::Cropped),
            Some(PlantKind::Watermarked) => return self.copy(class, place, Edit::Watermarked),
            Some(PlantKind::LabelConflict) => return self.conflict(class, place),
            Some(PlantKind::Gallery) => return gallery(class, place, dice),
            Some(PlantKind::Crosspost) => {
                let (parent, shot) = self.take(class, place, place);
                return Shows::Crosspost { parent, shot };
            }
            Some(PlantKind::Video) => return video(class, place),
            Some(PlantKind::Removed) => return Shows::Removed { by: dice.pick(&REMOVERS) },
            Some(PlantKind::Placeholder) => Manner::Placeholder,
            Some(PlantKind::HtmlAsJpeg) => Manner::Html,
            Some(PlantKind::BrokenFile) => Manner::Broken,
            Some(PlantKind::CutBody) => Manner::CutOnce,
            Some(PlantKind::NotFound) => Manner::Missing,
            Some(PlantKind::Throttled) => Manner::ThrottledOnce,
            Some(PlantKind::SlowHost) => Manner::StalledOnce,
        };
        Shows::Picture(shot(class, place, 0, manner))
    }

    /// Takes a picture among the first `end` of a subreddit that nothing else refers to.
    fn take(&mut self, class: Class, end: usize, place: usize) -> (usize, Shot) {
        let alone = &mut self.alone[row(class)];
        let places: Vec<usize> = alone.range(..end).copied().collect();
        let taken = Dice::of(&format!("original {} {place}", class.name())).pick(&places);
        alone.remove(&taken);
        match &self.rows[row(class)][taken].shows {
            Shows::Picture(shot) => (taken, shot.clone()),
            Shows::Copy { .. }
            | Shows::Gallery { .. }
            | Shows::Crosspost { .. }
            | Shows::Video { .. }
            | Shows::Gifv { .. }
            | Shows::Removed { .. }
            | Shows::Elsewhere { .. } => unreachable!("only plain pictures are alone"),
        }
    }

    fn copy(&mut self, class: Class, place: usize, edit: Edit) -> Shows {
        let (_, original) = self.take(class, place, place);
        copy_of(&original, edit, &format!("{} {place} copy", class.name()))
    }

    /// Shows a picture of the other subreddit: the same bytes and new ones by turns.
    fn conflict(&mut self, class: Class, place: usize) -> Shows {
        let (taken, original) = self.take(class.other(), place.min(CONFLICT_ORIGINALS), place);
        let edit = if schedule::turn(class, place) == 0 { Edit::None } else { Edit::Reencoded };
        copy_of(&original, edit, &format!("{} {place} shows {taken}", class.name()))
    }
}

/// Shows an edited copy of a picture under an address of its own.
pub(super) fn copy_of(original: &Shot, edit: Edit, name: &str) -> Shows {
    let subject = Subject { edit, ..original.subject.clone() };
    let address = Address::of_picture(name, &subject, Manner::Sound);
    let copy = Shot { address, subject, manner: Manner::Sound };
    Shows::Copy { copy, original: original.address.clone() }
}

/// Makes a new picture, number `item` of its post.
fn shot(class: Class, place: usize, item: usize, manner: Manner) -> Shot {
    let subject = (0..1_000)
        .map(|attempt| format!("{}/{place}/{item}/{attempt}", class.name()))
        .map(|key| Subject { motif: Motif::Figure(class), key, edit: Edit::None })
        .find(|subject| manner.suits(subject.form().file))
        .expect("every kind of file turns up sooner or later");
    Shot { address: Address::of_picture(&subject.key, &subject, manner), subject, manner }
}

fn gallery(class: Class, place: usize, dice: &mut Dice) -> Shows {
    let count = 2 + dice.below(3);
    let shots = (0..count).map(|item| shot(class, place, item, Manner::Sound)).collect();
    let has_failed = schedule::turn(class, place) == 0 && schedule::is_first(class, place);
    let failed = has_failed.then(|| address::letters(&format!("failed {} {place}", class.name())));
    Shows::Gallery { shots, failed }
}

/// The first video of a block is an animation on another host.
fn video(class: Class, place: usize) -> Shows {
    let name = format!("video {} {place}", class.name());
    if schedule::is_first(class, place) {
        Shows::Gifv { address: Address::of_animation(&name) }
    } else {
        Shows::Video { id: address::letters(&name) }
    }
}

#[cfg(test)]
mod tests;
