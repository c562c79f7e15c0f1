//! A browser to drive: chromium by chromedriver, over the `WebDriver` protocol, which is JSON over
//! plain HTTP.

use std::{
    env,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long anything on a page is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keys that have no letter, as the protocol names them.
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const RIGHT: &str = "\u{e014}";
pub(crate) const DOWN: &str = "\u{e015}";

/// A running browser; it ends when this is dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// Tells whether there is a browser; where `SNAPSET_BROWSER` is set, there has to be one.
pub(crate) fn is_here() -> bool {
    let asked = Command::new("chromedriver").arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|it| it.success()) || env::var_os("SNAPSET_BROWSER").is_some()
}

impl Browser {
    /// Starts a browser without a screen.
    pub(crate) fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed: apt-get install chromium-driver");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let mut browser = Self { driver, port: port.unwrap(), session: String::new() };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--hide-scrollbars",
        ];
        let wish = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "performance": "ALL" },
        } } });
        let answer = browser.ask("POST", "/session", Some(&wish));
        let session = answer["sessionId"].as_str().unwrap().to_owned();
        browser.session = session;
        browser
    }

    /// Sets the size of the page and whether it is night.
    pub(crate) fn look(&self, (width, height): (u32, u32), scheme: &str) {
        let is_phone = width < 600;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone }),
        );
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    pub(crate) fn go(&self, address: &str) {
        self.command("POST", "/url", &json!({ "url": address }));
    }

    pub(crate) fn reload(&self) {
        self.command("POST", "/refresh", &json!({}));
    }

    /// Presses keys one after the other, as hands do.
    pub(crate) fn press(&self, keys: &[&str]) {
        let actions: Vec<Value> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let hands = json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] });
        self.command("POST", "/actions", &hands);
    }

    /// Runs the body of a function in the page and returns what it returns.
    pub(crate) fn script(&self, body: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// Runs the body of a function that calls its last argument with the answer.
    pub(crate) fn later(&self, body: &str) -> Value {
        self.command("POST", "/execute/async", &json!({ "script": body, "args": [] }))
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub(crate) fn wait(&self, expression: &str) {
        let since = Instant::now();
        while self.script(&format!("return Boolean({expression})")) != true {
            assert!(since.elapsed() < PATIENCE, "waited in vain for {expression}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Opens another tab and goes there; returns the name of each tab, in order.
    pub(crate) fn open_tab(&self) -> Vec<String> {
        let opened = self.command("POST", "/window/new", &json!({ "type": "tab" }));
        let tabs = self.command("GET", "/window/handles", &Value::Null);
        let tabs = tabs.as_array().unwrap().iter().map(|tab| tab.as_str().unwrap().to_owned());
        self.switch(opened["handle"].as_str().unwrap());
        tabs.collect()
    }

    pub(crate) fn switch(&self, tab: &str) {
        self.command("POST", "/window", &json!({ "handle": tab }));
    }

    pub(crate) fn close_tab(&self) {
        self.command("DELETE", "/window", &Value::Null);
    }

    /// Returns the addresses asked for since this was last called.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({ "type": "performance" }));
        let sent = log.as_array().unwrap().iter().filter_map(|entry| {
            let entry: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &entry["message"];
            (message["method"] == "Network.requestWillBeSent")
                .then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        });
        sent.collect()
    }

    fn devtools(&self, name: &str, parameters: &Value) {
        self.command("POST", "/goog/cdp/execute", &json!({ "cmd": name, "params": parameters }));
    }

    /// Asks the driver something about this session.
    pub(crate) fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.ask(method, &path, Some(body).filter(|body| !body.is_null()))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string).unwrap_or_default();
        let (status, text) = exchange(self.port, &format!("{method} {path}"), &[], &body);
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"));
        assert_eq!(status, 200, "{method} {path} {body}: {answer}");
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let path = format!("DELETE /session/{}", self.session);
            exchange(self.port, &path, &[], "");
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// Sends one request to a port of this machine and returns status and body of the answer.
pub(crate) fn exchange(port: u16, line: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut head =
        format!("{line} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|it| it.starts_with("host:")) {
        write!(head, "host: 127.0.0.1:{port}\r\n").unwrap();
    }
    if !headers.iter().any(|it| it.starts_with("content-type:")) {
        head.push_str("content-type: application/json\r\n");
    }
    for header in headers {
        write!(head, "{header}\r\n").unwrap();
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
    let mut length = None;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let mut bytes = Vec::new();
    match length {
        Some(length) => {
            bytes.resize(length, 0);
            reader.read_exact(&mut bytes).unwrap();
        }
        None => drop(reader.read_to_end(&mut bytes)),
    }
    (status, String::from_utf8_lossy(&bytes).into_owned())
}
