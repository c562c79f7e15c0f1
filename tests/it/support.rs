//! A folder to work in, the binary to run there, and ways to look at what it made.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// A small demo: enough of everything, and a training that takes a second.
pub(crate) const SMALL: &str = r#"
title = "Small demo"
seed = 7

[classes]
beetles = ["demo:beetles@60"]
fish = ["demo:fish@60"]

[collect]
listings = ["new"]
refresh = "never"

[fetch]
stall = 5
concurrency = 16

[prepare]
size = 64

[export.kaggle]
id = "snapset/small-demo"
title = "Small demo"

[train]
image_size = 32
epochs = 1
"#;

/// A folder of its own, where the binary is run.
pub(crate) struct Bench {
    dir: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Makes a bench with the pipeline `pipelines/small.toml`.
    pub(crate) fn with(pipeline: &str) -> Self {
        let bench = Self::new();
        bench.write("pipelines/small.toml", pipeline);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        put(&path, text.as_bytes());
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Returns the command with an environment that says nothing of the machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snapset"));
        command.current_dir(self.dir.path()).args(arguments).env_clear();
        command
    }

    pub(crate) fn snapset(&self, arguments: &[&str]) -> Ended {
        Ended(self.command(arguments).output().unwrap())
    }

    /// Runs the small pipeline to its end and returns what it says of it.
    pub(crate) fn run(&self) -> Value {
        let ended = self.snapset(&["run", "pipelines/small.toml", "--json"]);
        ended.expect_code(0);
        ended.json()
    }

    /// Returns the bytes of every file below `name`, by path.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(name);
        let mut files = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let inner = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    files.insert(inner, fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    /// Returns the side and class of every picture of the dataset, by the picture's name.
    pub(crate) fn sides(&self) -> BTreeMap<String, String> {
        let files = self.files("data/small/dataset").into_keys();
        let pictures = files.filter(|path| path.rsplit('.').next() == Some("jpg"));
        let split = |path: String| {
            let (side, name) = path.rsplit_once('/').unwrap();
            (name.to_owned(), side.to_owned())
        };
        pictures.map(split).collect()
    }

    /// Returns the addresses the demo site gave whole pictures for, once per answer.
    pub(crate) fn pictures_given(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("data/small/site.log")).unwrap_or_default();
        let given = log.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let (method, host, path) = (words.next()?, words.next()?, words.next()?);
            let (status, size): (&str, usize) = (words.next()?, words.next()?.parse().ok()?);
            let is_api = host.ends_with("reddit.com");
            // A body that was cut or stalled was not given; those are short.
            (method == "GET" && !is_api && status == "200" && 0 < size)
                .then(|| format!("{host}{path}"))
        });
        given.collect()
    }

    pub(crate) fn n_requests(&self) -> usize {
        let log = fs::read_to_string(self.path("data/small/site.log")).unwrap_or_default();
        log.lines().count()
    }
}

/// How a command ended.
pub(crate) struct Ended(pub(crate) Output);

impl Ended {
    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.out(), self.err());
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}\n{}", self.out(), self.err()))
    }
}

/// How many items each stage worked on.
pub(crate) fn done(ran: &Value) -> BTreeMap<String, u64> {
    let tallies = ran["run"]["tallies"].as_object().unwrap();
    let number = |it: &Value, name: &str| it[name].as_u64().unwrap();
    tallies
        .iter()
        .map(|(stage, it)| {
            let n = ["made", "rejected", "failed"].map(|name| number(it, name)).iter().sum();
            (stage.clone(), n)
        })
        .filter(|(_, n)| *n != 0)
        .collect()
}

/// Returns the folder of real photographs beside this checkout, saying so where it is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: the shared photographs are not beside this checkout");
        return None;
    }
    Some(path)
}

#[expect(clippy::disallowed_methods, reason = "test files need not survive a crash")]
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}
