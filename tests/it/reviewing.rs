//! A review in a real browser, by keyboard alone, against any server of the page: that of the
//! built binary, and that of the bench.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use snapset::{
    domain::review::{Review, Reviews},
    store::reviews,
};

use super::browser::{self, Browser, DOWN, ENTER, ESCAPE, RIGHT};

/// How many pictures are audited.
const AUDITED: usize = 200;

/// The page's word that every decision is saved.
const SENT: &str = "sessionStorage.getItem(Object.keys(sessionStorage)\
    .find((name) => name.startsWith('outbox ') && name != 'outbox another')) == '[]'";

const QUEUES: [&str; 6] = ["conflicts", "twins", "suspects", "leaks", "quality", "audit"];

/// Sizes people look at the page in, and whether it is day.
pub(crate) const LOOKS: [((u32, u32), &str); 4] =
    [((1440, 900), "light"), ((1440, 900), "dark"), ((390, 844), "light"), ((390, 844), "dark")];

/// A page at work and the file it writes to.
pub(crate) struct Page<'a> {
    pub(crate) address: &'a str,
    pub(crate) reviews: &'a Path,
}

/// Reviews in every way there is; ends where anything is not as it should be.
pub(crate) fn scenario(page: &Page<'_>) {
    let browser = Browser::start();
    browser.look((1440, 900), "light");
    browser.go(page.address);
    is_ready(&browser);
    page.decide_in_every_queue(&browser);
    page.press_at_bad_moments(&browser);
    page.audit(&browser);
    page.take_back(&browser);
    page.reload_at_once(&browser);
    page.accept_and_filter(&browser);
    page.two_tabs(&browser);
    page.keep_strangers_out(&browser);
    page.be_accessible(&browser);
    let home = page.address.split("/t/").next().unwrap();
    for request in browser.requests() {
        let is_home = request.starts_with(home) || request.starts_with("http://localhost:");
        assert!(is_home || request.starts_with("about:"), "a request left: {request}");
    }
}

impl Page<'_> {
    fn lines(&self) -> Vec<Review> {
        reviews::read(self.reviews).unwrap()
    }

    /// Waits until the file has so many lines.
    #[track_caller]
    fn wait_for(&self, browser: &Browser, n: usize) -> Vec<Review> {
        let since = Instant::now();
        loop {
            let lines = self.lines();
            if lines.len() == n {
                return lines;
            }
            if n < lines.len() || Duration::from_secs(100) < since.elapsed() {
                let told = browser.script(
                    "return [document.getElementById('trouble-text').textContent, \
                     document.getElementById('said').textContent, location.hash, \
                     document.querySelector('dialog[open]')?.id, JSON.stringify(sessionStorage)]",
                );
                panic!("{} lines, not {n}: {told}", lines.len());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Decides a little in each queue that has something, each time with other keys.
    fn decide_in_every_queue(&self, browser: &Browser) {
        for queue in QUEUES {
            go_to(browser, queue);
            mode(browser, "focus");
            let (decided, total) = progress(browser, queue);
            let ways: &[&[&str]] = match queue {
                "twins" | "leaks" => &[&["n"], &[" "], &["d", DOWN, "x", "2"], &["p"]],
                "conflicts" => &[&["1"], &["x", ENTER], &["c", "2", ENTER], &["x", "3"]],
                _ => &[&[" "], &["x", ESCAPE, "2"], &["x", ESCAPE, "x", "0"], &[ENTER]],
            };
            for keys in ways.iter().take((total - decided) / 3) {
                let before = self.lines().len();
                browser.press(keys);
                let lines = self.wait_for(browser, before + 1);
                let written = serde_json::to_value(lines.last().unwrap()).unwrap();
                assert_eq!(written["queue"], queue, "{keys:?}");
                // What was cancelled is not said.
                if keys.contains(&ESCAPE) {
                    let said = if keys.contains(&"2") { "relabel" } else { "reject" };
                    assert_eq!(written["decision"], said, "{keys:?}");
                }
            }
        }
    }

    /// A key before a closed dialog is drawn away, one that is held down, and one behind what was
    /// loaded under a dialog.
    fn press_at_bad_moments(&self, browser: &Browser) {
        go_to(browser, "audit");
        mode(browser, "focus");
        let before = self.lines().len();
        browser.press(&["x"]);
        browser.wait("document.activeElement.closest('#reasons[open]')");
        browser.script(
            "const button = document.activeElement; button.closest('dialog').close(); \
             button.dispatchEvent(new KeyboardEvent('keydown', { key: '2', bubbles: true }))",
        );
        self.wait_for(browser, before + 1);
        browser.wait(SENT);
        let lines = self.wait_for(browser, before + 1);
        let written = serde_json::to_value(lines.last().unwrap()).unwrap();
        assert_eq!(written["decision"], "relabel", "what was cancelled is not said");

        let shown = "return document.querySelector('#items .facts .soft').textContent";
        let asked = browser.script(shown);
        browser.script(
            "window.quick = fetch; window.held = []; window.fetch = (...it) => \
             new Promise((done) => held.push(() => done(quick(...it))))",
        );
        browser.press(&["u", "c"]);
        browser.wait("document.activeElement.closest('#chooser[open]')");
        assert_eq!(browser.script(shown), asked);
        let is_open = browser.script(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', \
             { key: 'Enter', repeat: true, bubbles: true, cancelable: true })); \
             return document.querySelector('#chooser').open",
        );
        assert_eq!(is_open, true, "a key held down answers nothing");
        browser.script("window.fetch = quick; for (const it of held) it()");
        browser.wait(SENT);
        browser
            .wait(&format!("document.querySelector('#items .facts .soft').textContent != {asked}"));
        browser.press(&["2", ENTER]);
        let lines = self.wait_for(browser, before + 3);
        let written = serde_json::to_value(lines.last().unwrap()).unwrap();
        let digits = asked.as_str().unwrap();
        assert!(written["picture"].as_str().unwrap().starts_with(digits), "another was meant");
        browser.press(&["u"]);
        self.wait_for(browser, before + 4);
        browser.wait(SENT);
    }

    /// Looks at many pictures without waiting for anything.
    fn audit(&self, browser: &Browser) {
        go_to(browser, "audit");
        let before = self.lines().len();
        let mut keys = Vec::new();
        for n in 0..AUDITED {
            match n % 20 {
                7 => keys.extend(["x", "4"]),
                13 => keys.push("2"),
                // What a dialog was asked about and did not get does not come back.
                3 | 11 => keys.extend(["x", ESCAPE, "2"]),
                17 => keys.extend(["c", "1", ESCAPE, " "]),
                _ => keys.push(" "),
            }
        }
        browser.press(&keys);
        let lines = self.wait_for(browser, before + AUDITED);
        let seen: BTreeSet<_> = lines.iter().skip(before).map(|line| line.picture).collect();
        assert_eq!(seen.len(), AUDITED, "each picture once");
        let told = "return [...document.querySelectorAll('#purities tr')].map(row => parseInt(row.cells[1].textContent.replace(/,/g, ''))).reduce((a, b) => a + b, 0)";
        browser.wait(SENT);
        let total = u64::try_from(self.audited()).unwrap();
        assert_eq!(browser.script(told).as_u64(), Some(total), "the table counts them all");
        let intervals = browser.script("return [...document.querySelectorAll('#purities tr')].map(row => row.cells[4].textContent)");
        assert!(
            intervals.as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains(" to "))
        );
    }

    /// Counts the pictures the audit spoke of last.
    fn audited(&self) -> usize {
        use snapset::domain::review::purity::Sample;
        let mut sample = Sample::default();
        let lines = self.lines();
        for line in &lines {
            sample.hear(line);
        }
        let pictures: BTreeSet<_> = lines.iter().map(|line| line.picture).collect();
        pictures.iter().filter(|picture| sample.has(picture)).count()
    }

    /// Takes decisions back one by one, also after a reload.
    fn take_back(&self, browser: &Browser) {
        let all = self.lines();
        browser.press(&["u", "u", "u", "u", "u"]);
        let lines = self.wait_for(browser, all.len() + 5);
        assert_eq!(Reviews::of(&lines), Reviews::of(&all[..all.len() - 5]));
        browser.wait(SENT);
        browser.wait("location.hash.endsWith('at=' + document.getElementById('stage').dataset.at)");
        let place = "return document.getElementById('stage').dataset.at + location.hash";
        let before = browser.script(place);
        browser.reload();
        is_ready(browser);
        assert_eq!(browser.script(place), before, "a reload comes back to the place");
        browser.press(&["u"]);
        let lines = self.wait_for(browser, all.len() + 6);
        assert_eq!(Reviews::of(&lines), Reviews::of(&all[..all.len() - 6]));
    }

    /// Reloads while decisions may still be under way.
    fn reload_at_once(&self, browser: &Browser) {
        browser.wait(SENT);
        let before = Reviews::of(&self.lines()).pictures.len();
        // What a page of another dataset left behind at this address is not for this file.
        browser.script(
            "sessionStorage.setItem('outbox another', JSON.stringify([{ kind: 'decide', queue: 'audit', \
             at: 0, words: 'x', said: [{ picture: '00'.repeat(32), decision: 'keep' }] }])); return true",
        );
        browser.press(&[" ", " ", " ", " ", " ", " "]);
        browser.reload();
        is_ready(browser);
        browser.wait(SENT);
        assert_eq!(Reviews::of(&self.lines()).pictures.len(), before + 6, "nothing is lost");
        browser.wait("sessionStorage.getItem('outbox another') != null");
        assert_eq!(browser.script("return document.getElementById('trouble').hidden"), true);
    }

    fn accept_and_filter(&self, browser: &Browser) {
        go_to(browser, "audit");
        mode(browser, "grid");
        let before = self.lines().len();
        let undecided = "return document.querySelectorAll('.cell:not(.done)').length";
        let n = usize::try_from(browser.script(undecided).as_u64().unwrap()).unwrap();
        assert!(0 < n && n <= 30, "{n} on a page");
        let first = browser.script("return document.getElementById('stage').dataset.at");
        browser.press(&[RIGHT, DOWN, ENTER]);
        self.wait_for(browser, before + n);
        browser.wait(&format!(
            "document.getElementById('stage').dataset.at != '{}'",
            first.as_str().unwrap()
        ));
        browser.press(&["u"]);
        let lines = self.wait_for(browser, before + n + n);
        assert_eq!(
            Reviews::of(&lines),
            Reviews::of(&lines[..before]),
            "a page is taken back at once"
        );
        let class = browser
            .script("return document.querySelector('#purities tr:last-child').dataset.class");
        let filter = format!("class:{}", class.as_str().unwrap());
        let letters: Vec<String> = filter.chars().map(String::from).collect();
        browser.press(&["/"]);
        browser.press(&letters.iter().map(String::as_str).collect::<Vec<_>>());
        browser.press(&[ENTER]);
        browser.wait(&format!("location.hash.includes('{}')", filter.replace(':', "%3A")));
        let classes = browser.script(
            "return [...document.querySelectorAll('.cell .what')].map(it => it.textContent)",
        );
        assert!(!classes.as_array().unwrap().is_empty());
        assert!(classes.as_array().unwrap().iter().all(|it| *it == class), "{classes}");
        browser.press(&["/", "\u{e017}", ENTER]);
        browser.wait("!location.hash.includes('filter')");
    }

    fn two_tabs(&self, browser: &Browser) {
        go_to(browser, "audit");
        mode(browser, "focus");
        browser.wait(SENT);
        let before = self.lines().len();
        let tabs = browser.open_tab();
        let [first, second] = tabs.as_slice() else { panic!("two tabs: {tabs:?}") };
        let address = format!("{}#queue=audit&mode=focus", self.address);
        browser.go(&address);
        is_ready(browser);
        for n in 0..5 {
            browser.switch(second);
            browser.press(&[" "]);
            self.wait_for(browser, before + 2 * n + 1);
            browser.switch(first);
            browser.press(&["x", "5"]);
            self.wait_for(browser, before + 2 * n + 2);
        }
        for tab in [first, second] {
            browser.switch(tab);
            browser.wait(SENT);
            let told = browser.later(
                "const done = arguments[arguments.length - 1]; fetch('api/queue/audit?n=1') \
                 .then(it => it.json()).then(it => done(it.progress[5].decided))",
            );
            let told = usize::try_from(told.as_u64().unwrap()).unwrap();
            let since = Instant::now();
            while progress(browser, "audit").0 != told {
                assert!(
                    since.elapsed() < Duration::from_secs(10),
                    "one tab heard nothing of the other"
                );
                thread::sleep(Duration::from_millis(50));
            }
        }
        browser.switch(second);
        browser.close_tab();
        browser.switch(first);
    }

    /// A page of another origin tries what it can, with the token.
    fn keep_strangers_out(&self, browser: &Browser) {
        let before = fs::read(self.reviews).unwrap();
        let picture = self.lines()[0].picture;
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = format!(
            "<!doctype html><title>evil</title><script>
            const to = '{}', body = JSON.stringify({{ name: 'evil', said: [{{ picture: '{picture}', decision: 'keep' }}] }});
            const url = to + 'api/decide/audit?edition=0&lines=0';
            const tries = [
              fetch(url, {{ method: 'POST', mode: 'no-cors', body }}),
              fetch(url, {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body }}),
              fetch(to + 'api/desk').then(it => it.text()),
              new Promise((done, failed) => {{ const it = new Image(); it.onload = done; it.onerror = failed; it.src = to + 'small/{picture}'; }}),
            ];
            Promise.allSettled(tries).then(all => {{ window.results = all.map(it => it.status); }});
            </script>",
            self.address
        );
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(stream.read(&mut [0; 4096]));
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{page}", page.len());
            stream.write_all(answer.as_bytes()).unwrap();
        });
        browser.go(&format!("http://localhost:{port}/"));
        serving.join().unwrap();
        browser.wait("window.results");
        let results = browser.script("return window.results");
        assert_eq!(results, serde_json::json!(vec!["rejected"; 4]));
        assert_eq!(fs::read(self.reviews).unwrap(), before, "what was sent blindly did nothing");

        let (port, path) =
            self.address.strip_prefix("http://127.0.0.1:").unwrap().split_once('/').unwrap();
        let port = port.parse().unwrap();
        let asked = |line: &str| browser::exchange(port, line, &[], "").0;
        assert_eq!((asked("GET /"), asked("GET /t/"), asked("GET /t/0/api/desk")), (403, 403, 403));
        assert_eq!(asked(&format!("GET /{path}api/desk")), 200);
    }

    /// Lets axe-core look at the page where it is at hand.
    fn be_accessible(&self, browser: &Browser) {
        let Some(axe) = axe() else { return };
        for (size, scheme) in LOOKS {
            browser.look(size, scheme);
            for (hash, keys) in [
                ("queue=audit&mode=focus", None),
                ("queue=audit&mode=grid", None),
                ("queue=twins&mode=focus&decided=1", Some("d")),
                ("queue=twins&mode=grid&decided=1", None),
                ("queue=conflicts&mode=focus&decided=1", Some("x")),
                ("queue=quality&mode=grid&decided=1", Some("?")),
                ("queue=quality&mode=focus&decided=1", Some("c")),
            ] {
                browser.go("about:blank");
                browser.go(&format!("{}#{hash}", self.address));
                is_ready(browser);
                if let Some(key) = keys {
                    browser.press(&[key]);
                }
                expect_accessible(browser, &axe, &format!("{size:?} {scheme} {hash}"));
            }
        }
    }
}

/// Returns axe-core, which looks at pages, where it is at hand.
pub(crate) fn axe() -> Option<String> {
    let path = std::env::var("SNAPSET_AXE");
    if path.is_err() {
        eprintln!("skipped: SNAPSET_AXE names no axe.min.js (npm install axe-core)");
    }
    Some(fs::read_to_string(path.ok()?).unwrap())
}

/// Fails where axe-core finds something serious about what the browser shows.
pub(crate) fn expect_accessible(browser: &Browser, axe: &str, what: &str) {
    browser.script(axe);
    let found = browser.later(
        "const done = arguments[arguments.length - 1]; axe.run().then(it => done(it.violations.map(v => [v.impact, v.id, ...v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary)])))",
    );
    let is_serious = |it: &&Value| it[0] == "serious" || it[0] == "critical";
    let serious: Vec<&Value> = found.as_array().unwrap().iter().filter(is_serious).collect();
    assert!(serious.is_empty(), "{what}: {serious:#?}");
}

fn is_ready(browser: &Browser) {
    browser.wait("document.documentElement.dataset.ready");
}

/// Goes to a queue by the keyboard.
fn go_to(browser: &Browser, name: &str) {
    for _ in QUEUES {
        let now =
            browser.script("return document.querySelector('#queues [aria-current]').dataset.queue");
        if now == name {
            return;
        }
        browser.press(&["]"]);
        browser.wait(&format!(
            "document.querySelector('#queues [aria-current]').dataset.queue != '{}'",
            now.as_str().unwrap()
        ));
    }
    browser.wait(&format!(
        "document.querySelector('#queues [aria-current]').dataset.queue == '{name}'"
    ));
}

fn mode(browser: &Browser, mode: &str) {
    if browser.script("return document.getElementById('stage').dataset.mode") != mode {
        browser.press(&["g"]);
    }
    browser.wait(&format!("document.getElementById('stage').dataset.mode == '{mode}'"));
}

/// Returns how many of a queue are decided, and how many there are.
fn progress(browser: &Browser, queue: &str) -> (usize, usize) {
    let text = browser.script(&format!(
        "return document.querySelector('[data-queue={queue}] .count').textContent"
    ));
    let text = text.as_str().unwrap().replace(',', "");
    let mut numbers = text.split(" of ").map(|it| it.parse().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap_or(0))
}
