//! The review page with many pictures: how long it takes to be ready, how long from a key to the
//! next picture, and how much memory the server holds. Driven in chromium by chromedriver.
//!
//! `cargo bench --bench review -- [--pictures N] [--width PX] [--folder DIR] [--serve]
//! [--scenario] [--screenshots DIR]`; with `--serve` it only serves, until it is ended, and with
//! `--scenario` it goes through a whole review as the tests of the binary do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a panic is how a bench fails"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are its output")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use snapset::{
    engine::stop::Stop,
    review::{Desk, DeskInput, Reviewer, Server},
    store::files,
};

use crate::{browser::Browser, made_up::MadeUp, reviewing::Page};

#[path = "../../tests/it/browser.rs"]
mod browser;
mod made_up;
#[path = "../../tests/it/reviewing.rs"]
mod reviewing;

/// How often the key to the next picture is pressed, and how long a hand rests in between.
const PRESSES: usize = 200;
const REST: Duration = Duration::from_millis(120);

struct Options {
    pictures: u32,
    width_px: u32,
    folder: Option<PathBuf>,
    serve: bool,
    scenario: bool,
    screenshots: Option<PathBuf>,
}

fn main() {
    let options = options();
    if !options.serve && !browser::is_here() {
        println!("skipped: no browser to drive; apt-get install chromium-driver brings one");
        return;
    }
    let scratch = std::env::temp_dir().join(format!("snapset-review-{}", std::process::id()));
    let folder = options.folder.clone().unwrap_or_else(|| scratch.clone());
    let made = MadeUp::of(&folder, options.pictures, options.width_px);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (brake, stop) = Stop::channel();
    let since = Instant::now();
    let desk = desk(&made);
    println!("read the store in {:.2} s", since.elapsed().as_secs_f64());
    let reviewer = Reviewer { name: None, clock };
    let server = runtime.block_on(Server::bind(0, desk, reviewer)).unwrap();
    let address = server.address().unwrap();
    println!("{address}\nmemory {}", memory());
    let serving = runtime.spawn(async move { server.run(&stop).await });
    if options.serve {
        runtime.block_on(serving).unwrap().unwrap();
        return;
    }
    if options.scenario {
        reviewing::scenario(&Page { address: &address, reviews: &made.reviews });
        println!("the whole review went as it should");
    } else {
        measure(&address);
    }
    if let Some(folder) = &options.screenshots {
        photograph(&address, folder);
    }
    println!("memory {}", memory());
    brake.pull();
    runtime.block_on(serving).unwrap().unwrap();
    if options.folder.is_none() {
        fs::remove_dir_all(scratch).unwrap();
    }
}

fn options() -> Options {
    let mut options = Options {
        pictures: 100_000,
        width_px: 640,
        folder: None,
        serve: false,
        scenario: false,
        screenshots: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value follows");
        match word.as_str() {
            "--pictures" => options.pictures = value().parse().unwrap(),
            "--width" => options.width_px = value().parse().unwrap(),
            "--folder" => options.folder = Some(value().into()),
            "--screenshots" => options.screenshots = Some(value().into()),
            "--serve" => options.serve = true,
            "--scenario" => options.scenario = true,
            "--bench" => (), // Cargo's own.
            other => panic!("no option `{other}`"),
        }
    }
    options
}

fn desk(made: &MadeUp) -> Desk {
    Desk::read(&DeskInput {
        layout: &made.layout,
        classes: &made.classes,
        title: "Old buildings",
        reviews: made.reviews.clone(),
        seed: 7,
        similarity: made_up::SIMILARITY,
        limits: &made.limits,
    })
    .unwrap()
}

#[expect(clippy::disallowed_methods, reason = "decisions carry the time they were made")]
fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// Reads how much memory this process holds and held at most.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        found.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    format!("{} MB, at most {} MB", line("VmRSS:") / 1024, line("VmHWM:") / 1024)
}

/// Opens the page often, goes on often, and decides often, and prints what the page measured.
fn measure(address: &str) {
    let browser = Browser::start();
    browser.look((1440, 900), "light");
    let mut ready = Vec::new();
    for n in 0..20 {
        browser.go("about:blank");
        browser.go(&format!("{address}#queue=audit&mode=focus&at={}", n * 13));
        browser.wait("performance.getEntriesByName('enter').length");
        let entry =
            "const [it] = performance.getEntriesByName('enter'); return it.startTime + it.duration";
        ready.push(browser.script(entry).as_f64().unwrap());
    }
    print("page with its first picture ready", ready);
    for (words, key) in
        [("key \u{2192} to the next picture", browser::RIGHT), ("keep to the next picture", " ")]
    {
        browser.script("performance.clearMeasures()");
        for n in 1..=PRESSES {
            browser.press(&[key]);
            std::thread::sleep(REST);
            browser.wait(&format!("performance.getEntriesByName('next').length == {n}"));
        }
        print(words, durations(&browser, "next"));
    }
    browser.press(&["g"]);
    browser.script("performance.clearMeasures()");
    for n in 1..=30 {
        browser.press(&["\u{e00f}"]);
        browser.wait(&format!("performance.getEntriesByName('page').length == {n}"));
        browser.wait("[...document.querySelectorAll('.cell img')].every(it => it.complete)");
    }
    print("key to the next page of the grid", durations(&browser, "page"));
}

fn durations(browser: &Browser, name: &str) -> Vec<f64> {
    let found = browser
        .script(&format!("return performance.getEntriesByName('{name}').map(it => it.duration)"));
    found.as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

fn print(words: &str, mut found: Vec<f64>) {
    found.sort_by(f64::total_cmp);
    let at = |percent: usize| found[(found.len() - 1) * percent / 100];
    println!(
        "{words}: median {:.0} ms, 95 % {:.0} ms, longest {:.0} ms (n = {})",
        at(50),
        at(95),
        at(100),
        found.len()
    );
}

/// Takes pictures of the page in both sizes, by day and by night.
fn photograph(address: &str, folder: &Path) {
    let browser = Browser::start();
    for (size, name) in [((1440, 900), "wide"), ((390, 844), "narrow")] {
        for scheme in ["light", "dark"] {
            browser.look(size, scheme);
            for (view, hash) in [
                ("twins", "queue=twins&mode=focus&at=0"),
                ("grid", "queue=quality&mode=grid&at=0"),
                ("pairs", "queue=twins&mode=grid&at=0"),
                ("suspect", "queue=suspects&mode=focus&at=0"),
                ("audit", "queue=audit&mode=focus&at=0"),
                ("conflict", "queue=conflicts&mode=focus&at=0"),
            ] {
                browser.go("about:blank");
                browser.go(&format!("{address}#{hash}"));
                browser.wait("performance.getEntriesByName('enter').length");
                browser.wait("[...document.images].every(it => it.complete)");
                let file = folder.join(format!("{name}-{scheme}-{view}.png"));
                files::write_atomic(&file, &screenshot(&browser)).unwrap();
            }
        }
    }
}

/// Returns a picture of the page as PNG.
fn screenshot(browser: &Browser) -> Vec<u8> {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = browser.command("GET", "/screenshot", &Value::Null);
    let (mut bytes, mut bits, mut n_bits) = (Vec::new(), 0_u32, 0);
    for letter in text.as_str().unwrap().bytes() {
        let Some(six) = BASE64.iter().position(|it| *it == letter) else { break };
        bits = bits << 6 | u32::try_from(six).unwrap();
        n_bits += 6;
        if 8 <= n_bits {
            n_bits -= 8;
            bytes.push(u8::try_from(bits >> n_bits & 255).unwrap());
        }
    }
    bytes
}
