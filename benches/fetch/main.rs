//! Fetching 5,000 pictures from a TLS server, side by side with the tools people use.
//!
//!     cargo bench --profile release --bench fetch -- [--latency 0,50,200] [--rounds 3]
//!         [--peers aria2,curl,img2dataset,gallery-dl] [--pictures 5000] [--snapset PATH]
//!         [--scratch /dev/shm]
//!     cargo bench --profile release --bench fetch -- memory [--posts 10000,1000000] [--snapset PATH]
//!
//! The server is a process on this machine: `latency` milliseconds to the first byte, pictures of
//! 60 KB and 160 KB, two in a hundred in trouble (gone, an error once, cut once, a web page that
//! says it is a JPEG), one line in five of the list a repeat. Within a round the tools take turns,
//! in an order that changes; medians are shown. `tools.rs` holds every tool's settings.
//!
//! Shown are valid pictures per second and processor time per valid picture, hashing included,
//! and the peak of memory; then what a second run fetches and what three times `kill -9` leaves
//! under a finished picture's name. Linux only. A tool that is not there is named and left out.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench talks and may give up"
)]

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

mod corpus;
mod gauge;
mod judge;
mod memory;
mod options;
mod server;
mod table;
mod tools;

use corpus::Corpus;
use gauge::Cost;
use judge::Found;
use options::Options;
use server::{Server, Traffic};
use tools::{Lists, Tool};

/// When a tool is taken to hang.
const PATIENCE: Duration = Duration::from_mins(30);

/// How many of ten pictures were asked for when a tool is killed.
const KILLED_AT_TENTHS: [u32; 3] = [2, 5, 8];

/// Everything one tool did with the list.
#[derive(Clone, Copy, Debug)]
struct Run {
    cost: Cost,
    traffic: Traffic,
    found: Found,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if words.first().is_some_and(|it| it == server::ROLE) {
        return server::serve(Path::new(&words[1]));
    }
    let options = match Options::read(&words) {
        Ok(options) => options,
        Err(usage) => return println!("{usage}"),
    };
    let scratch = tempfile::tempdir_in(&options.scratch).unwrap();
    if options.posts.is_empty() {
        compare(&options, scratch.path());
    } else {
        memory::measure(&options, scratch.path());
    }
}

/// What every measurement needs.
struct Bench<'a> {
    server: Server,
    lists: Lists,
    digests: BTreeMap<[u8; 32], u32>,
    options: &'a Options,
    scratch: &'a Path,
}

fn compare(options: &Options, scratch: &Path) {
    let server = Server::start(scratch);
    let base = server.base("picture");
    let file = |name: &str, heading: &str, lines: &[u32]| {
        let path = scratch.join(name);
        corpus::write_list(&path, heading, &base, lines.iter().copied());
        path
    };
    let all: Vec<u32> = (0..options.pictures).collect();
    let short = options.tools.iter().map(|it| it.pictures(options.pictures)).min().unwrap_or(0);
    let lists = Lists {
        with_repeats: file("list.csv", "url\n", &corpus::list(options.pictures)),
        whole: file("whole.txt", "", &all),
        short: file("short.txt", "", &all[..usize::try_from(short).unwrap()]),
    };
    let digests = Corpus::draw().digests(options.pictures);
    let bench = Bench { server, lists, digests, options, scratch };
    for latency_ms in &options.latencies_ms {
        bench.at(*latency_ms);
    }
    bench.survive_kills();
}

impl Bench<'_> {
    /// Compares all tools at one delay.
    fn at(&self, latency_ms: u64) {
        let tools = &self.options.tools;
        let mut first: Vec<Vec<Run>> = vec![Vec::new(); tools.len()];
        let mut second: Vec<Vec<Run>> = vec![Vec::new(); tools.len()];
        for round in 0..self.options.rounds {
            for turn in 0..tools.len() {
                // Whoever comes first finds the disk idle: it is another one each round.
                let at = (turn + round) % tools.len();
                let folder = self.folder();
                self.server.begin(latency_ms);
                let before = gauge::cpu_seconds_of(&self.server.process);
                let run = self.run(&tools[at], &folder, |_| false);
                let server = gauge::cpu_seconds_of(&self.server.process) - before;
                if run.found.valid == 0 {
                    let log = fs::read_to_string(folder.join("log")).unwrap();
                    println!("{} brought nothing; it says:\n{log}", tools[at].name());
                }
                println!("{}", table::progress(latency_ms, &tools[at], &run, server));
                first[at].push(run);
                self.server.begin(latency_ms);
                second[at].push(self.run(&tools[at], &folder, |_| false));
            }
        }
        println!("\n{}", table::rates(latency_ms, tools, &first));
        println!("{}", table::second_runs(tools, &second));
    }

    /// Kills every tool three times on its way, and lets it finish.
    fn survive_kills(&self) {
        let mut rows = Vec::new();
        for tool in &self.options.tools {
            let folder = self.folder();
            let mut corrupt = Vec::new();
            for tenths in KILLED_AT_TENTHS {
                let until = u64::from(tool.pictures(self.options.pictures) * tenths / 10);
                let held = judge::judge(&tool.place(&folder), &self.digests).valid;
                let left = until.saturating_sub(u64::try_from(held).unwrap());
                self.server.begin(0);
                let run = self.run(tool, &folder, |traffic| left <= traffic.requests);
                corrupt.push(run.found.corrupt);
            }
            self.server.begin(0);
            rows.push((tool.name(), corrupt, self.run(tool, &folder, |_| false).found));
        }
        println!("{}", table::kills(&rows));
    }

    fn run(
        &self,
        tool: &Tool,
        folder: &Path,
        mut is_enough: impl FnMut(Traffic) -> bool + Send,
    ) -> Run {
        let mut command = tool.command(folder, &self.lists, &self.server);
        let cost = gauge::run(&mut command, |passed| {
            PATIENCE < passed || is_enough(self.server.traffic())
        });
        let found = judge::judge(&tool.place(folder), &self.digests);
        Run { cost, traffic: self.server.traffic(), found }
    }

    /// Returns an empty folder, with nothing left to write of what lay in it.
    fn folder(&self) -> std::path::PathBuf {
        let folder = self.scratch.join("work");
        drop(fs::remove_dir_all(&folder)); // The first time there is none.
        fs::create_dir(&folder).unwrap();
        assert!(Command::new("sync").status().unwrap().success());
        folder
    }
}
