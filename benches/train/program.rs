//! The program itself on photographs, beside scripts that do the same.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[expect(dead_code, reason = "the bench of fetching also measures a server of its own")]
#[path = "../fetch/gauge.rs"]
mod gauge;

use super::{Figure, Peers, ROUNDS, median, numbers, show, weights};

const SNAPSET: &str = env!("CARGO_BIN_EXE_snapset");

/// How long the usual script trains.
const EPOCHS: &str = "10";

const N_PHOTOGRAPHS: usize = 1000;

/// What all comparisons are given.
pub(super) struct Program<'a> {
    pub(super) shared: &'a Path,
    pub(super) scratch: &'a Path,
    pub(super) peers: &'a Peers,
}

/// Photographs of the shared folder: where they are, and a folder of them for each class.
struct Photographs {
    folder: &'static str,
    classes: &'static [&'static str],
}

const ANIMALS: Photographs =
    Photographs { folder: "raccoon_kangaroo", classes: &["kangaroo", "raccoon"] };

const CLOTHES: Photographs =
    Photographs { folder: "clothing4_cc0", classes: &["dress", "hat", "pants", "shoes"] };

impl Program<'_> {
    pub(super) fn transfer(&self) {
        for photographs in [&ANIMALS, &CLOTHES] {
            self.transfer_of(photographs);
        }
    }

    fn transfer_of(&self, photographs: &Photographs) {
        let [mut whole, mut to_best, mut to_ours] = [const { Vec::new() }; 3];
        let name = photographs.folder;
        for round in 1..=ROUNDS {
            self.prepare(photographs);
            let (pipeline, data) = self.training(photographs);
            let report = self.scratch.join("train.json");
            let mut command = snapset();
            command.arg("--json").arg("--data").arg(&data).arg("train").arg(&pipeline);
            let figure = cost(command.stdout(File::create(&report).unwrap()));
            let accuracy = accuracy_told(&fs::read_to_string(report).unwrap());
            let dataset = data.join("bench/dataset").display().to_string();
            let file = weights(self.shared).display().to_string();
            // Told to a tenth of a percent.
            let wanted = (accuracy - 0.0005).to_string();
            let arguments = ["transfer", &dataset, &file, EPOCHS, &wanted];
            let out = self.scratch.join("peer.txt");
            let mut command = self.peers.command(&arguments);
            let script = cost(command.stdout(File::create(&out).unwrap()));
            let text = fs::read_to_string(out).unwrap();
            let mut said = text.split_whitespace().map(|it| it.parse::<f64>().unwrap());
            let [reached, at_best, best, last] = [(); 4].map(|()| said.next().unwrap());
            println!(
                "{name}, round {round}: test accuracy {accuracy:.3}; PyTorch {last:.3} after the last \
                 epoch, at best {best:.3} after {at_best:.1} s, and ours after {reached:.1} s"
            );
            whole.push([figure, script]);
            to_best.push([figure, Figure { seconds: at_best, ..script }]);
            to_ours.push([figure, Figure { seconds: reached, ..script }]);
        }
        show(&format!("transfer of {name}, the whole script of {EPOCHS} epochs"), &whole);
        show(&format!("transfer of {name}, the script until its own best accuracy"), &to_best);
        // It may never come there.
        if to_ours.iter().all(|it| it[1].seconds.is_finite()) {
            show(&format!("transfer of {name}, the script until it has our accuracy"), &to_ours);
        }
    }

    pub(super) fn predict(&self) {
        let (pipeline, data) = self.training(&ANIMALS);
        self.trained(&pipeline, &data);
        let folder = self.photographs();
        let mut figures = Vec::new();
        for _ in 0..ROUNDS {
            let figure = cost(&mut ask(&pipeline, &data, &folder));
            let path = folder.display().to_string();
            let said = numbers(&mut self.peers.command(&["predict", &path, "2"]));
            // The workers hold memory of their own, which is left out.
            figures.push([figure, Figure { seconds: said[0], peak_mb: said[2] }]);
        }
        show("predict, 1,000 photographs, the start of Python left out", &figures);
        let per_second = 1000.0 / median(figures.iter().map(|it| it[0].seconds));
        println!("{per_second:.1} photographs/s");
    }

    pub(super) fn start(&self) {
        let (pipeline, data) = self.training(&ANIMALS);
        self.trained(&pipeline, &data);
        let one = self.scratch.join("one");
        fs::create_dir_all(&one).unwrap();
        fs::copy(&photographs(self.shared)[0], one.join("0.jpg")).unwrap();
        let mut figures = Vec::new();
        for _ in 0..=ROUNDS {
            let figure = cost(&mut ask(&pipeline, &data, &one));
            let path = one.display().to_string();
            let mut command = self.peers.command(&["predict", &path, "0"]);
            figures.push([figure, cost(command.stdout(Stdio::null()))]);
        }
        // The first pass only brings the files into memory.
        show("one photograph from nothing", &figures[1..]);
    }

    /// Makes the dataset from nothing, without a model.
    fn prepare(&self, photographs: &Photographs) {
        fs::remove_dir_all(self.scratch.join(photographs.folder)).ok(); // None on the first round.
        let (pipeline, data) = self.bare(photographs);
        let mut command = snapset();
        command.arg("--quiet").arg("--data").arg(data).arg("run").arg(pipeline);
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
    }

    fn trained(&self, pipeline: &Path, data: &Path) {
        if !data.join("bench/models").is_dir() {
            self.prepare(&ANIMALS);
            let (again, _) = self.training(&ANIMALS);
            assert_eq!(again, pipeline);
            let mut command = snapset();
            command.arg("--quiet").arg("--data").arg(data).arg("train").arg(pipeline);
            assert!(command.stdout(Stdio::null()).status().unwrap().success());
        }
    }

    /// Writes a pipeline file that makes the dataset, and names the folder of what it makes.
    fn bare(&self, photographs: &Photographs) -> (PathBuf, PathBuf) {
        self.pipeline(photographs, "bare", "")
    }

    /// Does as [`Self::bare`], for a model that is trained on the dataset as well.
    fn training(&self, photographs: &Photographs) -> (PathBuf, PathBuf) {
        let weights = weights(self.shared);
        let keys =
            format!("architecture = \"mobilenet-v2\"\nweights = \"{}\"\n", weights.display());
        self.pipeline(photographs, "train", &format!("[train]\n{keys}"))
    }

    fn pipeline(&self, photographs: &Photographs, folder: &str, table: &str) -> (PathBuf, PathBuf) {
        let Photographs { folder: name, classes } = photographs;
        let lines = classes.iter().map(|class| {
            let from = self.shared.join(name).join(class);
            format!("{class} = [\"folder:{}\"]\n", from.display())
        });
        let lines: String = lines.collect();
        let text = format!("[classes]\n{lines}[prepare]\nsize = 256\n{table}");
        let place = self.scratch.join(name);
        let path = place.join(folder).join("bench.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        (path, place.join("data"))
    }

    /// Fills a folder with photographs, some under several names.
    fn photographs(&self) -> PathBuf {
        let folder = self.scratch.join("photographs");
        fs::create_dir_all(&folder).unwrap();
        let all = photographs(self.shared);
        for (at, path) in all.iter().cycle().take(N_PHOTOGRAPHS).enumerate() {
            fs::copy(path, folder.join(format!("{at:04}.jpg"))).unwrap();
        }
        folder
    }
}

/// Returns the shared photographs; one of them is no whole file, and is left out.
fn photographs(shared: &Path) -> Vec<PathBuf> {
    let kinds = [
        "raccoon_kangaroo/raccoon",
        "raccoon_kangaroo/kangaroo",
        "clothing4_cc0/dress",
        "clothing4_cc0/shoes",
    ];
    let files = kinds.map(|kind| fs::read_dir(shared.join(kind)).unwrap());
    let mut paths: Vec<PathBuf> =
        files.into_iter().flatten().map(|it| it.unwrap().path()).collect();
    paths.retain(|it| {
        it.extension().is_some_and(|it| it == "jpg") && !it.ends_with("kangaroo/00090.jpg")
    });
    paths.sort();
    paths
}

fn snapset() -> Command {
    Command::new(SNAPSET)
}

fn ask(pipeline: &Path, data: &Path, pictures: &Path) -> Command {
    let mut command = snapset();
    command.arg("--json").arg("--data").arg(data).arg("predict").arg(pipeline).arg(pictures);
    command.stdout(Stdio::null());
    command
}

fn cost(command: &mut Command) -> Figure {
    let cost = gauge::run(command, |_| false);
    let megabytes = u32::try_from(cost.peak_bytes >> 20).unwrap();
    Figure { seconds: cost.seconds, peak_mb: megabytes.into() }
}

/// Finds in what `train` tells the share of test pictures it got right.
fn accuracy_told(report: &str) -> f64 {
    let (_, behind) = report.split_once("test accuracy ").expect("a training tells its accuracy");
    let percent: f64 = behind.split(' ').next().unwrap().parse().unwrap();
    percent / 100.0
}
