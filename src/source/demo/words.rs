//! Invented people and what they write above their pictures. Nobody here exists.

use super::{dice::Dice, draw::Class};

const FIRST: [&str; 16] = [
    "mossy",
    "quiet",
    "amber",
    "sleepy",
    "northern",
    "paper",
    "copper",
    "misty",
    "tiny",
    "velvet",
    "rusty",
    "lunar",
    "gentle",
    "salty",
    "wandering",
    "plain",
];
const SECOND: [&str; 16] = [
    "lantern", "otter", "harbour", "teacup", "meadow", "sparrow", "compass", "pebble", "kettle",
    "willow", "anchor", "biscuit", "marble", "thicket", "ferry", "button",
];

const BEETLE_TITLES: [&str; 12] = [
    "Found this one on the garden wall",
    "Spots & shine after the rain",
    "What a coat! Any idea which species?",
    "She sat still for exactly one picture",
    "Six legs, no hurry",
    "My first macro \u{2013} be kind",
    "On a fern this morning \u{1f33f}",
    "The \"button\" beetle came back",
    "Smaller than a lentil (<4 mm)",
    "Evening visitor on the window sill",
    "K\u{e4}fer im Moos",
    "Counted the spots twice",
];
const FISH_TITLES: [&str; 12] = [
    "New arrival in the big tank",
    "Stripes & fins, lovely light today",
    "Which one is this? Seen at the reef",
    "He always poses next to the stone",
    "Best of forty blurred attempts",
    "Four months old now \u{1f41f}",
    "The shy one came out at last",
    "Caught, photographed & released",
    "Water was clear for once (>10 m)",
    "My \"zebra\" is growing up",
    "Petit poisson ray\u{e9}",
    "Keeps following the camera",
];
/// What the large subreddit is full of; each word is in about one title of a hundred.
const THINGS: [&str; 96] = [
    "acorn",
    "apron",
    "arch",
    "atlas",
    "badge",
    "balcony",
    "banner",
    "barrel",
    "basket",
    "beacon",
    "bench",
    "bicycle",
    "blanket",
    "bonfire",
    "bottle",
    "bridge",
    "bucket",
    "cabin",
    "candle",
    "canoe",
    "canyon",
    "carpet",
    "castle",
    "cellar",
    "chimney",
    "clock",
    "cloud",
    "coral",
    "cradle",
    "crane",
    "curtain",
    "desert",
    "dome",
    "door",
    "engine",
    "fence",
    "festival",
    "field",
    "flag",
    "forest",
    "fountain",
    "garage",
    "garden",
    "gate",
    "glacier",
    "guitar",
    "hammer",
    "hedge",
    "helmet",
    "hill",
    "island",
    "jacket",
    "jar",
    "kite",
    "ladder",
    "lamp",
    "lighthouse",
    "loom",
    "mantle",
    "market",
    "mill",
    "mirror",
    "mosaic",
    "mountain",
    "orchard",
    "oven",
    "palace",
    "parade",
    "pier",
    "pillow",
    "pocket",
    "puddle",
    "quarry",
    "raft",
    "ribbon",
    "river",
    "roof",
    "saddle",
    "sail",
    "scarf",
    "shelf",
    "sign",
    "staircase",
    "station",
    "statue",
    "stove",
    "street",
    "tapestry",
    "temple",
    "tent",
    "tower",
    "tunnel",
    "umbrella",
    "valley",
    "wagon",
    "window",
];
const COLOURS: [&str; 12] = [
    "Blue", "Red", "Green", "Yellow", "Grey", "Pink", "Orange", "White", "Black", "Purple",
    "Golden", "Pale",
];
/// Common ends of titles: searching for their words finds more than a search shows.
const ENDS: [&str; 3] = ["at dawn", "at dusk, finally", "after the rain"];
/// Titles without a word, as people write them.
const WORDLESS: [&str; 5] = ["\u{1f3a8}", "\u{2728}\u{2728}", "...", "!!!", "\u{1f9f5} \u{1faa1}"];

const FLAIRS: [&str; 4] = ["Photo", "Identification", "OC", "Question"];

/// Names an author; some post more than once.
pub(super) fn author(dice: &mut Dice) -> String {
    let (first, second) = (dice.pick(&FIRST), dice.pick(&SECOND));
    let joint = if dice.happens(0.5) { "_" } else { "-" };
    format!("{first}{joint}{second}")
}

pub(super) fn title(class: Class, dice: &mut Dice) -> &'static str {
    match class {
        Class::Beetles => dice.pick(&BEETLE_TITLES),
        Class::Fish => dice.pick(&FISH_TITLES),
    }
}

pub(super) fn flair(dice: &mut Dice) -> Option<&'static str> {
    dice.happens(0.6).then(|| dice.pick(&FLAIRS))
}

/// Returns the title of a post in the large subreddit.
pub(super) fn long_title(dice: &mut Dice) -> String {
    let (colour, thing) = (dice.pick(&COLOURS), dice.pick(&THINGS));
    format!("{colour} {thing} {}", dice.pick(&ENDS))
}

pub(super) fn wordless_title(dice: &mut Dice) -> &'static str {
    dice.pick(&WORDLESS)
}

/// Draws a flair as a large subreddit has them: one of them on every third post.
pub(super) fn flair_of_many(dice: &mut Dice) -> Option<&'static str> {
    if dice.happens(0.33) { Some(FLAIRS[0]) } else { flair(dice) }
}

pub(super) fn any_flair(dice: &mut Dice) -> &'static str {
    dice.pick(&FLAIRS)
}

/// Returns the words a search knows a text by, in small letters.
pub(super) fn searchable(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}
