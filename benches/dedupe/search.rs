//! All pairs of 256-bit hashes within 31 bits, by snapset, faiss and imagededup on the same
//! hashes; new hashes against known ones; and how time and memory grow.
//!
//! Hashes are random but for every tenth, which lies up to 63 bits from an earlier one. Each
//! measurement is a process of its own on all processors; time is that of the search with the
//! building of its index, and what it found is counted. Within a round the tools take turns;
//! medians are shown, as wall time and as processor time, and the largest peak of memory.
//!
//! Needs `python3` with `faiss-cpu` and `imagededup` (`pip install faiss-cpu imagededup`); a peer
//! that is not there is named and left out. faiss finds each pair from both sides, as its exact
//! binary index does it. imagededup's own search takes hashes of 64 bits: it gets the first
//! quarter of each and distance 10, so it does a quarter of the work; beyond 4,000
//! hashes its time is extrapolated with the square of their number, and that of faiss beyond what
//! `--faiss-max` says, a million if nothing else is said.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use snapset::{
    domain::fingerprint::{Distance, PerceptualHash},
    pixels::search::{self, Shelf},
};

const WITHIN: u32 = 31;

/// The distance candidates for a comparison are taken from.
const CANDIDATES_WITHIN: u32 = 90;

const N_NEW: usize = 10_000;

const IMAGEDEDUP_MAX: usize = 4_000;

const FAISS: &str = r"
import sys, time, numpy, faiss
hashes = numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(-1, 32)[:int(sys.argv[3])]
since, used = time.perf_counter(), time.process_time()
index = faiss.IndexBinaryFlat(256)
index.add(hashes)
limits, distances, ids = index.range_search(hashes, int(sys.argv[2]) + 1)
wall, used = time.perf_counter() - since, time.process_time() - used
rows = numpy.repeat(numpy.arange(len(hashes)), numpy.diff(limits).astype(numpy.int64))
print(wall, used, int((rows < ids).sum()))
";

const IMAGEDEDUP: &str = r"
import logging, resource, sys, time, numpy
logging.disable(logging.CRITICAL)
from imagededup.methods import PHash
hashes = numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(-1, 32)[:int(sys.argv[3])]
named = {str(n): bytes(row[:8]).hex() for n, row in enumerate(hashes)}
def used():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(it.ru_utime + it.ru_stime for it in both)
if __name__ == '__main__':
    since, before = time.perf_counter(), used()
    found = PHash(verbose=False).find_duplicates(encoding_map=named, max_distance_threshold=10)
    print(time.perf_counter() - since, used() - before, sum(map(len, found.values())) // 2)
";

/// What one run of one tool took and found.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: Duration,
    processor: Duration,
    peak_mb: u64,
    n_pairs: u64,
}

/// What to measure, and against whom.
struct Options {
    hashes: Vec<usize>,
    rounds: usize,
    peers: Vec<String>,
    python: String,
    faiss_max: usize,
    /// A number of hashes too large for the peers.
    far: usize,
}

pub(crate) fn run(args: &[String]) {
    if args.first().is_some_and(|it| it == "--alone") {
        return alone(&args[1..]);
    }
    let options = Options::read(args);
    let scratch = tempfile::tempdir().unwrap();
    println!(
        "{:>9} {:44} {:>9} {:>9} {:>8} {:>9}",
        "hashes", "", "wall s", "proc. s", "MB", "pairs"
    );
    for &n in &options.hashes {
        let file = scratch.path().join(format!("{n}.hashes"));
        write_hashes(&file, n);
        against_peers(&options, &file, n);
        let new = format!("{N_NEW} new against the others");
        for (words, within) in [("", WITHIN), (", candidates", CANDIDATES_WITHIN)] {
            let costs = (0..options.rounds).map(|_| ours(n, N_NEW.min(n / 2), within));
            row(n, &format!("snapset, {new}{words}"), median(&costs.collect::<Vec<_>>()), None);
        }
        fs::remove_file(file).unwrap();
    }
    if 0 < options.far {
        row(options.far, "snapset", ours(options.far, 0, WITHIN), None);
        let cost = ours(options.far, N_NEW, CANDIDATES_WITHIN);
        row(options.far, &format!("snapset, {N_NEW} new, candidates"), cost, None);
    }
}

fn against_peers(options: &Options, file: &Path, n: usize) {
    let most = |name: &str| match name {
        "faiss" => n.min(options.faiss_max),
        "imagededup" => n.min(IMAGEDEDUP_MAX),
        _ => n,
    };
    let names: Vec<&str> =
        std::iter::once("snapset").chain(options.peers.iter().map(String::as_str)).collect();
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); names.len()];
    for round in 0..options.rounds {
        for turn in 0..names.len() {
            let at = (round + turn) % names.len();
            costs[at].extend(match names[at] {
                "snapset" => Some(ours(n, 0, WITHIN)),
                "faiss" => python(options, FAISS, file, most("faiss")),
                "imagededup" => python(options, IMAGEDEDUP, file, most("imagededup")),
                other => panic!("no peer is called {other}"),
            });
        }
    }
    let mut own = None;
    for (name, costs) in names.into_iter().zip(costs) {
        if costs.is_empty() {
            println!("{n:>9} {name} did not run: is it installed for {}?", options.python);
            continue;
        }
        let mut cost = median(&costs);
        let mut words = name.to_owned();
        if most(name) < n {
            let times = u32::try_from(n * n / most(name).pow(2)).unwrap();
            (cost.wall, cost.processor) = (cost.wall * times, cost.processor * times);
            words = format!("{name}, extrapolated from {}", most(name));
        }
        row(n, &words, cost, own);
        own = own.or(Some(cost));
    }
}

/// Searches in a process of its own, so that its memory is its own.
fn ours(n: usize, n_new: usize, within: u32) -> Cost {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["search", "--alone"]);
    command.args([n.to_string(), n_new.to_string(), within.to_string()]);
    measured(&mut command).expect("the bench can start itself")
}

fn python(options: &Options, program: &str, file: &Path, n: usize) -> Option<Cost> {
    let mut command = Command::new(&options.python);
    command.args(["-c", program]).arg(file).args([WITHIN.to_string(), n.to_string()]);
    measured(&mut command)
}

/// Runs a program that prints its wall time, its processor time and how many pairs it found.
fn measured(command: &mut Command) -> Option<Cost> {
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .ok()?;
    let mut peak_kb = 0;
    while child.try_wait().ok()?.is_none() {
        peak_kb = peak_kb.max(peak_of(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let numbers: Vec<f64> =
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [wall, processor, n_pairs] = numbers.try_into().ok()?;
    let (wall, processor) = (Duration::from_secs_f64(wall), Duration::from_secs_f64(processor));
    Some(Cost {
        wall,
        processor,
        peak_mb: peak_kb / 1024,
        n_pairs: format!("{n_pairs}").parse().ok()?,
    })
}

/// Reads the peak of a process's memory so far, in KiB.
fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Takes the median of each time; ends and peaks are the largest.
fn median(costs: &[Cost]) -> Cost {
    let middle = |of: fn(&Cost) -> Duration| {
        let mut times: Vec<Duration> = costs.iter().map(of).collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    Cost {
        wall: middle(|cost| cost.wall),
        processor: middle(|cost| cost.processor),
        peak_mb: costs.iter().map(|cost| cost.peak_mb).max().unwrap(),
        n_pairs: costs[0].n_pairs,
    }
}

fn row(n: usize, words: &str, cost: Cost, own: Option<Cost>) {
    let (wall, processor) = (cost.wall.as_secs_f64(), cost.processor.as_secs_f64());
    print!(
        "{n:>9} {words:34} {wall:>9.3} {processor:>9.3} {:>8} {:>9}",
        cost.peak_mb, cost.n_pairs
    );
    match own {
        None => println!(),
        Some(own) => println!(
            "   {:.1} \u{d7} our wall, {:.1} \u{d7} our processor time",
            wall / own.wall.as_secs_f64(),
            processor / own.processor.as_secs_f64()
        ),
    }
}

/// The search itself: `n` hashes, of which the last `n_new` meet the others, or all of them each
/// other if that is 0.
fn alone(args: &[String]) {
    let numbers: Vec<usize> = args.iter().map(|it| it.parse().unwrap()).collect();
    let (n, n_new, within) = (numbers[0], numbers[1], Distance(u32::try_from(numbers[2]).unwrap()));
    let mut all = hashes(n).into_iter().map(PerceptualHash).enumerate();
    let (mut known, mut new) = (Shelf::default(), Shelf::default());
    known.extend(all.by_ref().take(n - n_new));
    new.extend(all);
    let (since, used) = (Instant::now(), processor_time());
    let pairs = if n_new == 0 {
        search::pairs(&known, &known, within)
    } else {
        search::pairs(&known, &new, within)
    };
    let wall = since.elapsed().as_secs_f64();
    println!("{wall} {} {}", processor_time().saturating_sub(used).as_secs_f64(), pairs.len());
}

/// Reads how long all threads of this process ran, in hundredths of a second.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

fn write_hashes(file: &Path, n: usize) {
    let mut writer = std::io::BufWriter::new(fs::File::create(file).unwrap());
    for word in hashes(n).into_iter().flatten() {
        writer.write_all(&word.to_le_bytes()).unwrap();
    }
    writer.flush().unwrap();
}

/// Makes the same hashes every time; every tenth lies up to 63 bits from an earlier one.
fn hashes(n: usize) -> Vec<[u64; 4]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut hashes: Vec<[u64; 4]> = Vec::with_capacity(n);
    while hashes.len() < n {
        let mut hash = std::array::from_fn(|_| roll());
        if hashes.len() % 10 == 9 {
            let earlier = roll() % u64::try_from(hashes.len()).unwrap();
            hash = hashes[usize::try_from(earlier).unwrap()];
            for _ in 0..roll() % 64 {
                let bit = roll() % 256;
                hash[usize::try_from(bit / 64).unwrap()] ^= 1 << (bit % 64);
            }
        }
        hashes.push(hash);
    }
    hashes
}

impl Options {
    fn read(args: &[String]) -> Self {
        let mut options = Self {
            hashes: vec![10_000, 100_000, 1_000_000],
            rounds: 3,
            peers: vec!["faiss".to_owned(), "imagededup".to_owned()],
            python: "python3".to_owned(),
            faiss_max: 1_000_000,
            far: 10_000_000,
        };
        for pair in args.chunks(2) {
            let [name, value] = pair else { panic!("{pair:?} has no value") };
            match name.as_str() {
                "--hashes" => {
                    options.hashes = value.split(',').map(|it| it.parse().unwrap()).collect();
                }
                "--rounds" => options.rounds = value.parse().unwrap(),
                "--peers" => {
                    let peers = value.split(',').filter(|it| !it.is_empty());
                    options.peers = peers.map(str::to_owned).collect();
                }
                "--python" => options.python.clone_from(value),
                "--faiss-max" => options.faiss_max = value.parse().unwrap(),
                "--far" => options.far = value.parse().unwrap(),
                other => panic!("no option is called {other}"),
            }
        }
        options
    }
}
