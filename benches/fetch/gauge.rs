//! Runs a command and tells what it cost: time, processor time of all its processes, memory.
//!
//! Linux only: both come from `/proc`.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// How often memory is looked at; a single process' own peak is exact all the same.
const GLANCE: Duration = Duration::from_millis(50);

/// Linux counts a process' time in hundredths for everyone who reads it.
const TICKS_PER_SECOND: f64 = 100.0;

const PAGE_BYTES: u64 = 4096;

/// What a command cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
    /// The most that all processes of the command held at one time.
    pub(super) peak_bytes: u64,
}

/// Runs a command to its end, however it ends. When `should_die` says so, the command and all
/// its processes are killed as by `kill -9`.
pub(super) fn run(
    command: &mut Command,
    mut should_die: impl FnMut(Duration) -> bool + Send,
) -> Cost {
    let before = ticks_of_children();
    let since = Instant::now();
    let mut child = command.process_group(0).spawn().unwrap();
    let group = child.id();
    let (ended, end) = mpsc::channel();
    let (seconds, peak_bytes) = thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let mut peak_bytes = 0;
            while end.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                peak_bytes = peak_bytes.max(held_by(group));
                if should_die(since.elapsed()) {
                    kill(group);
                }
            }
            peak_bytes
        });
        child.wait().unwrap();
        let seconds = since.elapsed().as_secs_f64();
        ended.send(()).unwrap();
        (seconds, watch.join().unwrap())
    });
    // Read before the next line starts a child of its own.
    let cpu_seconds = (ticks_of_children() - before) / TICKS_PER_SECOND;
    kill(group); // What the command left behind must not work into the next measurement.
    Cost { seconds, cpu_seconds, peak_bytes }
}

/// Returns the processor time of one process so far.
pub(super) fn cpu_seconds_of(process: &Child) -> f64 {
    let fields = fields(&process.id().to_string()).unwrap();
    (number(&fields, UTIME) + number(&fields, UTIME + 1)) / TICKS_PER_SECOND
}

/// Where the numbers stand in `/proc/PID/stat`, counted from behind the name.
const GROUP: usize = 2;
const UTIME: usize = 11;
const CHILDREN_UTIME: usize = 13;
const RESIDENT_PAGES: usize = 21;

fn ticks_of_children() -> f64 {
    let fields = fields("self").unwrap();
    number(&fields, CHILDREN_UTIME) + number(&fields, CHILDREN_UTIME + 1)
}

fn number(fields: &[String], at: usize) -> f64 {
    fields[at].parse().unwrap()
}

fn fields(process: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, behind_name) = text.rsplit_once(')')?;
    Some(behind_name.split_whitespace().map(str::to_owned).collect())
}

/// Adds up the memory of a group's processes. A process alone in its group counts with the peak
/// it remembers itself.
fn held_by(group: u32) -> u64 {
    let group = group.to_string();
    let all = fs::read_dir("/proc").unwrap().flatten();
    let names = all.filter_map(|it| it.file_name().into_string().ok());
    let members = names.filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    let members: Vec<(String, Vec<String>)> = members
        .filter_map(|it| fields(&it).map(|fields| (it, fields)))
        .filter(|(_, fields)| fields[GROUP] == group)
        .collect();
    let now = members.iter().map(|(_, it)| it[RESIDENT_PAGES].parse::<u64>().unwrap()).sum::<u64>();
    let peaks = members.iter().filter_map(|(process, _)| peak_of(process));
    peaks.max().unwrap_or(0).max(now * PAGE_BYTES)
}

fn peak_of(process: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Ends a group of processes at once; there may be none left.
fn kill(group: u32) {
    let mut command = Command::new("kill");
    command.args(["-9", "--", &format!("-{group}")]).stderr(std::process::Stdio::null());
    command.status().unwrap();
}
