//! Names and addresses as the real hosts make them: letters and digits that tell nothing.

use std::fmt;

use super::{
    catalogue::Manner,
    dice::Dice,
    draw::{Class, Subject},
};

/// Where a host offers one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: &'static str,
    /// Begins with a slash.
    pub(super) path: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.host, self.path)
    }
}

/// The host that stalls.
pub(super) const SLOW: &str = "i.ibb.co";
pub(super) const REDDIT: &str = "i.redd.it";
pub(super) const IMGUR: &str = "i.imgur.com";
pub(super) const WIKIMEDIA: &str = "upload.wikimedia.org";
/// Where Reddit keeps its own small copies of pictures on other hosts.
pub(super) const EXTERNAL: &str = "external-preview.redd.it";

const LOWER: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Address {
    /// Finds a place for a picture: most on the site's own host, some on others.
    pub(super) fn of_picture(name: &str, subject: &Subject, manner: Manner) -> Self {
        let mut dice = Dice::of(&format!("address of {name}"));
        let host = match manner {
            Manner::Placeholder => IMGUR,
            Manner::StalledOnce => SLOW,
            Manner::Sound if dice.happens(0.06) => IMGUR,
            Manner::Sound
            | Manner::Html
            | Manner::Broken
            | Manner::CutOnce
            | Manner::Missing
            | Manner::ThrottledOnce => REDDIT,
        };
        let extension = subject.form().file.extension();
        let path = match host {
            REDDIT => format!("/{}.{extension}", letters(name)),
            SLOW => format!("/{}/shot.{extension}", spell(&mut dice, MIXED, 7)),
            _ => format!("/{}.{extension}", spell(&mut dice, MIXED, 7)),
        };
        Self { host, path }
    }

    pub(super) fn of_animation(name: &str) -> Self {
        let mut dice = Dice::of(&format!("address of {name}"));
        Self { host: IMGUR, path: format!("/{}.gifv", spell(&mut dice, MIXED, 7)) }
    }

    /// Returns the file's name without its folder and extension.
    pub(super) fn stem(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        file.split('.').next().unwrap_or(file)
    }

    /// Returns the file's name.
    pub(super) fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Spells the 13 letters and digits that name a picture or a video.
pub(super) fn letters(name: &str) -> String {
    spell(&mut Dice::of(&format!("letters of {name}")), LOWER, 13)
}

fn spell(dice: &mut Dice, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(dice.pick(alphabet))).collect()
}

/// Names a post: a number that grows with time, in digits and letters.
pub(super) fn post_id(class: Class, place: usize) -> String {
    let step = place * 2 + usize::from(class == Class::Fish);
    let number = u64::try_from(step).expect("a site is smaller than that");
    base_36(3_700_000_000 + number * 977)
}

/// Names a post of a subreddit that only tests visit.
pub(super) fn special_post_id(subreddit: &str, place: usize) -> String {
    let number = u64::try_from(place).expect("a subreddit is smaller than that");
    base_36(3_600_000_000 + Dice::of(subreddit).word() % 50_000_000 + number)
}

/// Names a post of the large subreddit.
pub(super) fn big_post_id(place: usize) -> String {
    let number = u64::try_from(place).expect("a site is smaller than that");
    base_36(3_900_000_000 + number * 613)
}

fn base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while 0 < number {
        let digit = usize::try_from(number % 36).expect("it is below 36");
        digits.push(char::from(LOWER[digit]));
        number /= 36;
    }
    digits.iter().rev().collect()
}
