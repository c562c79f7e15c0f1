//! `demo:NAME`, and `demo:NAME@N` for the site as it was when the subreddit had N posts.

use super::{demo, reddit::Subreddit};

/// How many posts a subreddit of the demo site has unless its place says otherwise.
const POSTS: usize = 300;

/// A subreddit of the demo site at one moment of its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPlace {
    subreddit: &'static str,
    posts: usize,
}

impl DemoPlace {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, posts) = match text.split_once('@') {
            Some((name, posts)) => (name, posts.parse().ok().filter(|n| (1..=1000).contains(n))?),
            None => (text, POSTS),
        };
        let subreddit = demo::classes().iter().find(|class| **class == name)?;
        Some(Self { subreddit, posts })
    }

    pub fn subreddit(&self) -> &'static str {
        self.subreddit
    }

    /// Returns the name as listings are asked for.
    pub fn as_subreddit(&self) -> Subreddit {
        Subreddit::new(self.subreddit).expect("the demo site uses valid names")
    }

    pub fn posts(&self) -> usize {
        self.posts
    }
}
