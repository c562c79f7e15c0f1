//! What the command line asks for.

use std::path::PathBuf;

use crate::{
    corpus::PICTURES,
    tools::{PEERS, Tool},
};

const USAGE: &str = "\
usage: cargo bench --profile release --bench fetch -- [memory] [--latency 0,50,200] [--rounds 3]
           [--peers aria2,curl,img2dataset,gallery-dl] [--pictures 5000] [--posts 10000,1000000]
           [--snapset PATH] [--scratch FOLDER]";

pub(super) struct Options {
    pub(super) latencies_ms: Vec<u64>,
    pub(super) rounds: usize,
    pub(super) tools: Vec<Tool>,
    pub(super) pictures: u32,
    /// Where everything is written.
    pub(super) scratch: PathBuf,
    /// Numbers of posts to measure memory with; empty for the comparison.
    pub(super) posts: Vec<u32>,
}

impl Options {
    /// Reads the words of the command line; the error is what to print instead of working.
    pub(super) fn read(words: &[String]) -> Result<Self, String> {
        let mut options = Self {
            latencies_ms: vec![0, 50, 200],
            rounds: 3,
            tools: Vec::new(),
            pictures: PICTURES,
            scratch: scratch(),
            posts: Vec::new(),
        };
        let mut snapset = option_env!("CARGO_BIN_EXE_snapset").map(PathBuf::from);
        let mut peers: Vec<String> = PEERS.iter().map(|it| it.name.to_owned()).collect();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "memory" {
                options.posts = vec![10_000, 1_000_000];
                peers.clear();
                continue;
            }
            let value = words.next().ok_or(USAGE)?;
            match word.as_str() {
                "--latency" => options.latencies_ms = numbers(value)?,
                "--rounds" => options.rounds = value.parse().map_err(|_| USAGE)?,
                "--pictures" => options.pictures = value.parse().map_err(|_| USAGE)?,
                "--posts" => options.posts = numbers(value)?,
                "--peers" => peers = value.split(',').map(str::to_owned).collect(),
                "--scratch" => options.scratch = PathBuf::from(value),
                "--snapset" => snapset = Some(PathBuf::from(value)),
                _ => return Err(USAGE.to_owned()),
            }
        }
        if let Some(path) = snapset {
            let path = path.canonicalize().map_err(|_| format!("no `{}`", path.display()))?;
            options.tools.push(Tool::Snapset(path));
        }
        for peer in &PEERS {
            let is_meant = |it: &String| !it.is_empty() && peer.name.starts_with(it.as_str());
            let tool = Tool::Peer(peer);
            if !peers.iter().any(is_meant) {
                continue;
            }
            if tool.is_installed() {
                options.tools.push(tool);
            } else {
                println!("{}: not installed; {}", peer.name, peer.install);
            }
        }
        if options.tools.is_empty() || options.rounds == 0 {
            return Err(USAGE.to_owned());
        }
        Ok(options)
    }
}

/// Memory rather than a disk, where there is such a folder: a busy disk differs from itself more
/// than one tool from another.
fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn numbers<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, String> {
    text.split(',').map(|it| it.trim().parse().map_err(|_| USAGE.to_owned())).collect()
}
