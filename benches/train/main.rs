//! Training and asking on the processor, side by side with `PyTorch` on as many threads.
//!
//!     cargo bench --profile release --bench train -- [PYTHON] [SECTION]…
//!
//! PYTHON (`python3`) should have what `requirements.txt` names. Sections, all unless named:
//!
//! - `transfer`: from prepared photographs, of two classes and of four, to a trained classifier on
//!   a frozen MobileNetV2, by the program itself; and by the usual script, ten epochs of altered
//!   pictures: as a whole, until its own best accuracy on the test pictures, and until it first
//!   had ours.
//! - `forward`: 16 pictures through MobileNetV2.
//! - `steps`: steps of training the small network of the usual recipe, 64 pixels, 8 and 32
//!   pictures, unaltered.
//! - `predict`: 1,000 photographs from files to classes, beside a `DataLoader` with two workers.
//! - `start`: one photograph, from nothing.
//!
//! Every figure comes from a process of its own; rounds alternate, medians are shown. Photographs
//! and weights are those beside the repository. Linux only: memory comes from `/proc`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench talks and may give up"
)]

mod ours;
mod program;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const ROUNDS: usize = 3;
const PEERS: &str = include_str!("peers.py");

/// What one side took, and the most memory it held.
#[derive(Clone, Copy, Debug)]
struct Figure {
    seconds: f64,
    peak_mb: f64,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [word, rest @ ..] = arguments.as_slice()
        && word == ours::WORK
    {
        ours::work(rest);
        return;
    }
    let python = arguments.first().map_or("python3", String::as_str).to_owned();
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from).join("data");
    if !shared.is_dir() {
        println!("skipped: the shared photographs are not beside this checkout");
        return;
    }
    let sections = arguments.get(1..).unwrap_or_default();
    let is_wanted = |name: &str| sections.is_empty() || sections.iter().any(|it| it == name);
    let peers = Peers { python };
    if is_wanted("forward") {
        in_process(&peers, "forward, 16 pictures", "forward", &["16", "10"]);
    }
    if is_wanted("steps") {
        in_process(&peers, "step of training, 8 pictures", "steps", &["64", "8", "200"]);
        in_process(&peers, "step of training, 32 pictures", "steps", &["64", "32", "80"]);
    }
    let scratch = env::temp_dir().join("snapset-bench-train");
    let program = program::Program { shared: &shared, scratch: &scratch, peers: &peers };
    if is_wanted("transfer") {
        program.transfer();
    }
    if is_wanted("predict") {
        program.predict();
    }
    if is_wanted("start") {
        program.start();
    }
}

/// The other side.
struct Peers {
    python: String,
}

impl Peers {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-W", "ignore", "-c", PEERS]).args(arguments);
        command
    }
}

/// Compares a task that both sides do again and again in one process.
fn in_process(peers: &Peers, name: &str, task: &str, arguments: &[&str]) {
    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        let mut ours = Command::new(env::current_exe().unwrap());
        ours.args([ours::WORK, task]).args(arguments);
        let mut theirs = peers.command(&[&[task], arguments].concat());
        let pair = [&mut ours, &mut theirs].map(|command| {
            let said = numbers(command);
            Figure { seconds: said[0], peak_mb: said[1] }
        });
        figures.push(pair);
    }
    show(name, &figures);
}

/// Runs a command and reads the figures of its last line.
fn numbers(command: &mut Command) -> Vec<f64> {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or_default();
    last.split(' ').map(|it| it.parse().unwrap()).collect()
}

/// Prints both sides and how many times as fast as theirs ours is.
fn show(name: &str, figures: &[[Figure; 2]]) {
    let seconds = [0, 1].map(|side: usize| median(figures.iter().map(|it| it[side].seconds)));
    let peaks = [0, 1].map(|side: usize| median(figures.iter().map(|it| it[side].peak_mb)));
    let [ours, theirs] = seconds;
    let ratios = figures.iter().map(|[ours, theirs]| theirs.seconds / ours.seconds);
    println!(
        "{name}: {ours:.4} s, PyTorch {theirs:.4} s: {:.2} times as fast; {:.0} MB, PyTorch {:.0} MB",
        median(ratios),
        peaks[0],
        peaks[1]
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The published weights of the comparison.
fn weights(shared: &Path) -> PathBuf {
    shared.join("weights/mobilenet_v2_1.0_224_dequant_f16.safetensors")
}
