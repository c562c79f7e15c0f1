//! The nouns and the pure rules. Nothing here reads, writes, waits, prints or looks at the clock.

pub mod bytes;
pub mod census;
pub mod classes;
pub mod dataset;
pub mod day;
pub mod deletion;
pub mod fingerprint;
pub mod flaws;
pub mod id;
pub mod kaggle;
pub mod learning;
pub mod link;
pub mod listing;
pub mod outcome;
pub mod outliers;
pub mod pacing;
pub mod picture;
pub mod planner;
pub mod planted;
pub mod post;
pub mod progress;
pub mod quality;
pub mod rules;
pub mod split;
pub mod traffic;
pub mod verdict;
