//! A dataset that grows, split anew by several tools: how many pictures change sides, and how many
//! leak.
//!
//!     cargo bench --profile release --bench split -- [PYTHON]
//!
//! PYTHON (`python3`) should have what `benches/split/requirements.txt` names; what is missing is
//! left out. 1,000 small files of three classes, 300 of them in groups of three that show one thing,
//! are split; then one picture is added, or 100, of which 40 show what earlier ones show; and
//! last, the 100 are added and the folder that is there already is written again.
//!
//! Every tool gets the same files and the same seed, and is asked for 70/15/15; `StratifiedGroupKFold`
//! knows folds alone and cuts sevenths, two of them for val and test: 71.4/14.3/14.3. All but
//! split-folders, which knows groups by file names only, are told the groups. What is read is the folders they leave: a picture has
//! moved if the splits it lies in are others than before, and it leaks if it lies in several
//! splits, or if another one of its group lies in another. The bench fails if any of ours does.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench talks and may give up"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use snapset::{
    domain::{
        dataset::{Funnel, Picture, Provenance},
        datasheet::Answers,
        fingerprint::PerceptualHash,
        id::{BlobId, Label, PostId},
        link::MediaUrl,
        picture::{Crop, FileFormat},
        split::{self, Lock, Member, Placement, Rule, Split},
    },
    stage::export::{Dataset, folder::write_folder},
};

const OURS: &str = "snapset";
const PEERS: [&str; 3] = ["split-folders", "StratifiedGroupKFold", "GroupShuffleSplit"];
const CLASSES: [&str; 3] = ["cats", "dogs", "fish"];
const SEED: u64 = 1337;

/// One file: its bytes are its number.
struct File {
    number: u32,
    label: &'static str,
    group: u32,
}

/// Splits each picture lies in, by its digest.
type Found = BTreeMap<BlobId, BTreeSet<String>>;

/// A tool's folders and, for ours, what the lock holds.
struct Bench {
    scratch: PathBuf,
    python: String,
    lock: Lock,
}

fn main() -> ExitCode {
    let python = env::args().skip(1).find(|it| it != "--bench");
    let scratch = env::temp_dir().join(format!("snapset-split-{}", std::process::id()));
    let mut bench = Bench {
        scratch: scratch.clone(),
        python: python.unwrap_or_else(|| "python3".to_owned()),
        lock: Lock::new(),
    };
    let all = files();
    for (name, n) in [("base", 1000), ("one", 1001), ("tenth", 1100)] {
        write_files(&scratch.join(name), &all[..n]);
    }
    println!("| | one added: moved | leak | 100 added: moved | leak | same folder: moved | leak |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut ours_is_clean = true;
    for tool in [OURS].into_iter().chain(PEERS) {
        match bench.judge(tool, &all) {
            Ok(figures) => {
                ours_is_clean &= tool != OURS || figures == [0; 6];
                println!("| {tool} | {} |", figures.map(|it| it.to_string()).join(" | "));
            }
            Err(reason) => println!("left out: {tool}: {reason}"),
        }
    }
    fs::remove_dir_all(scratch).unwrap();
    if ours_is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files() -> Vec<File> {
    let file = |number: u32| {
        let group = match number {
            0..300 => number / 3,
            // Four of ten that come late show what an early one shows.
            1001.. if number % 10 < 4 => 300 + number * 7 % 600,
            _ => number,
        };
        // A group is of one class, and classes are of unlike sizes.
        let class = match group * 7919 % 10 {
            0..5 => 0,
            5..8 => 1,
            _ => 2,
        };
        File { number, label: CLASSES[class], group }
    };
    (0..1100).map(file).collect()
}

impl File {
    fn name(&self) -> String {
        format!("{:04}.jpg", self.number)
    }

    fn bytes(&self) -> Vec<u8> {
        format!("picture {}", self.number).into_bytes()
    }

    fn blob(&self) -> BlobId {
        BlobId::of(&self.bytes())
    }
}

fn write_files(root: &Path, files: &[File]) {
    let mut listing = String::new();
    for file in files {
        let folder = root.join(file.label);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file.name()), file.bytes()).unwrap();
        writeln!(listing, "{} {} {}", file.name(), file.label, file.group).unwrap();
    }
    fs::write(root.with_extension("txt"), listing).unwrap();
}

impl Bench {
    /// Returns moved and leaking pictures: with one picture more, with 100 more, and with
    /// those written into the folder that is there already.
    fn judge(&mut self, tool: &str, all: &[File]) -> Result<[usize; 6], String> {
        self.lock = Lock::new();
        let base = self.split(tool, "base", &all[..1000], "first")?;
        let lock = self.lock.clone();
        let one = self.split(tool, "one", &all[..1001], "with-one")?;
        self.lock = lock;
        let tenth = self.split(tool, "tenth", all, "with-tenth")?;
        let again = self.split(tool, "tenth", all, "first")?;
        let moved =
            |now: &Found| base.iter().filter(|(blob, old)| now.get(blob) != Some(old)).count();
        let found = [&one, &tenth, &again].map(|now| [moved(now), leaking(now, all)]);
        Ok([found[0][0], found[0][1], found[1][0], found[1][1], found[2][0], found[2][1]])
    }

    /// Splits `files`, which lie at `root`, into a folder, and looks what is in there.
    fn split(&mut self, tool: &str, root: &str, files: &[File], to: &str) -> Result<Found, String> {
        let root = self.scratch.join(root);
        let out = self.scratch.join(tool).join(to);
        if tool == OURS {
            self.split_by_us(&root, files, &out);
            return Ok(look(&out));
        }
        let mut command = Command::new(&self.python);
        command.args(["-W", "ignore", "-c", include_str!("peers.py"), tool]);
        command.args([&root, &root.with_extension("txt"), &out]);
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(text.lines().last().unwrap_or("it failed silently").to_owned());
        }
        Ok(look(&out))
    }

    fn split_by_us(&mut self, root: &Path, files: &[File], out: &Path) {
        let mut first_of: BTreeMap<u32, BlobId> = BTreeMap::new();
        for file in files {
            let first = first_of.entry(file.group).or_insert(file.blob());
            *first = file.blob().min(*first);
        }
        let label = |file: &File| Label::new(file.label).unwrap();
        let member = |it: &File| (it.blob(), Member::new(first_of[&it.group], Some(label(it))));
        let members = files.iter().map(member).collect();
        let decision = split::decide(&members, &self.lock, &Rule::default(), SEED).unwrap();
        let placed = files.iter().filter_map(|file| match decision.placements[&file.blob()] {
            Placement::In(split) => Some(picture(file, split)),
            Placement::Leak { .. } | Placement::TooFew { .. } => None,
        });
        let paths: BTreeMap<BlobId, PathBuf> =
            files.iter().map(|it| (it.blob(), root.join(it.label).join(it.name()))).collect();
        let dataset = Dataset {
            name: "bench",
            title: "Bench",
            seed: SEED,
            classes: &CLASSES.map(|name| Label::new(name).unwrap()),
            pictures: &placed.collect::<Vec<_>>(),
            funnel: &Funnel::default(),
            removals: &[],
            purity: &BTreeMap::new(),
            transform: "none",
            rebuilding: "",
            license: "other",
            contact: None,
            answers: &Answers::default(),
            crops: &|picture| paths[&picture.blob].clone(),
            blobs: &|blob| paths[blob].clone(),
        };
        write_folder(&dataset, out).unwrap();
        self.lock = decision.lock;
    }
}

fn picture(file: &File, split: Split) -> Picture {
    let bytes = file.bytes();
    Picture {
        blob: file.blob(),
        label: Label::new(file.label).unwrap(),
        split,
        crop: Crop {
            file: file.blob(),
            sha256: String::new(),
            crc32: None,
            size_bytes: u64::try_from(bytes.len()).unwrap(),
            width_px: 1,
            height_px: 1,
            format: FileFormat::Jpeg,
        },
        hash: PerceptualHash([0; 4]),
        source_width_px: 1,
        source_height_px: 1,
        leak_group: file.blob(),
        provenance: Provenance {
            post: PostId(format!("bench:{}", file.number)),
            index: 0,
            place: "bench".to_owned(),
            title: String::new(),
            author: None,
            permalink: String::new(),
            url: MediaUrl(String::new()),
            created_utc: None,
            score: 0,
        },
    }
}

/// Reads in which splits every picture lies.
fn look(out: &Path) -> Found {
    let mut found = Found::new();
    for split in Split::ALL {
        for label in CLASSES {
            let Ok(folder) = fs::read_dir(out.join(split.name()).join(label)) else { continue };
            for entry in folder {
                let bytes = fs::read(entry.unwrap().path()).unwrap();
                found.entry(BlobId::of(&bytes)).or_default().insert(split.name().to_owned());
            }
        }
    }
    found
}

/// Counts the pictures that lie, or whose group lies, in more than one split.
fn leaking(found: &Found, files: &[File]) -> usize {
    let mut splits: BTreeMap<u32, BTreeSet<&String>> = BTreeMap::new();
    for file in files {
        splits.entry(file.group).or_default().extend(found.get(&file.blob()).into_iter().flatten());
    }
    let is_there = |file: &&File| found.contains_key(&file.blob());
    files.iter().filter(is_there).filter(|file| 1 < splits[&file.group].len()).count()
}
