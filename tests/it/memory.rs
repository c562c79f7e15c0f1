//! Memory does not grow with the number of posts.

use std::{fmt::Write as _, fs, process::Stdio, thread, time::Duration};

use super::support::Bench;

/// Runs a list of `n` addresses, none of which may be asked, through collect, resolve and fetch;
/// returns the most memory the process ever had, in MB.
fn peak_mb(n: u32) -> u64 {
    let bench = Bench::with("[classes]\na = [\"urls:list.txt\"]\n");
    let mut list = String::new();
    for number in 0..n {
        // Private addresses are refused without a request.
        writeln!(list, "https://10.0.0.1/{:x}/{number}.jpg", number.wrapping_mul(2_654_435_761))
            .unwrap();
    }
    bench.write("list.txt", &list);
    let mut command = bench.command(&["run", "pipelines/small.toml", "--to", "fetch", "-q"]);
    let mut running = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        peak = kb.map_or(peak, |kb| peak.max(kb / 1024));
        if let Some(ended) = running.try_wait().unwrap() {
            assert_eq!(ended.code(), Some(0));
            return peak;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn ten_times_the_posts_take_hardly_more_memory() {
    let (few, many) = (peak_mb(10_000), peak_mb(100_000));

    assert!(0 < few);
    assert!(many < few + 40, "10,000 posts took {few} MB, 100,000 took {many} MB");
}
