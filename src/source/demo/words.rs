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
