//! The ways from a file to its crop, ours and others', each in a process of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use snapset::{
    domain::picture::FileFormat,
    pixels::{
        Picture,
        crop::{self, Filter},
        decode::{self, Limits},
        encode,
    },
};

/// The word that makes this program do our part of the work.
pub(super) const WORK: &str = "work";

const OURS: &str = "snapset";

/// Ours again, over all files several times: one pass takes a third of a second, and which core
/// happens to get the last large file would weigh as much as what the second core brings.
pub(super) const ONE_CORE: &str = "snapset, one core";
pub(super) const TWO_CORES: &str = "snapset, two cores";
const PASSES: usize = 10;

const SIDE_PX: u32 = 256;
const QUALITY: u8 = 90;

/// All routes; ours comes first.
pub(super) const ALL: [&str; 10] = [
    OURS,
    "img2dataset",
    "Pillow",
    "Pillow draft, 2x",
    "Pillow draft, 1x",
    "OpenCV",
    "OpenCV reduced",
    "libvips thumbnail",
    "turbojpeg + SIMD, 2x",
    "turbojpeg + SIMD, 1x",
];

const PEERS: &str = include_str!("peers.py");

/// What all routes are given.
pub(super) struct Routes {
    pub(super) python: String,
    pub(super) scratch: PathBuf,
    pub(super) files: Vec<PathBuf>,
}

/// What one pass over all files took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) cpu_s: f64,
    pub(super) wall_s: f64,
    pub(super) peak_mb: f64,
}

impl Routes {
    pub(super) fn cost(&self, route: &str) -> Cost {
        self.run(route, "jpg").unwrap()
    }

    /// Returns the crops of all files before they are encoded with loss.
    pub(super) fn crops(&self, route: &str) -> Result<Vec<Picture>, String> {
        self.run(route, "png")?;
        let read = |at: usize| {
            let bytes = fs::read(self.scratch.join(format!("{at}.png"))).unwrap();
            decode::decode(&bytes, Limits::default()).unwrap().picture
        };
        Ok((0..self.files.len()).map(read).collect())
    }

    fn run(&self, route: &str, kind: &str) -> Result<Cost, String> {
        let listing = self.scratch.join("files.txt");
        let names: Vec<String> = self.files.iter().map(|it| it.display().to_string()).collect();
        fs::write(&listing, names.join("\n")).unwrap();
        let mut command = if [OURS, ONE_CORE, TWO_CORES].contains(&route) {
            let mut command = Command::new(env::current_exe().unwrap());
            command.arg(WORK);
            command
        } else {
            let mut command = Command::new(&self.python);
            command.args(["-W", "ignore", "-c", PEERS]);
            command.env("VIPS_CONCURRENCY", "1").env("NO_ALBUMENTATIONS_UPDATE", "1");
            command
        };
        command.args([route, kind]).args([&self.scratch, &listing]);
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(text.lines().last().unwrap_or("it failed silently").to_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let figures: Vec<f64> =
            text.lines().last().unwrap().split(' ').map(|it| it.parse().unwrap()).collect();
        Ok(Cost { cpu_s: figures[0], wall_s: figures[1], peak_mb: figures[2] })
    }
}

/// Makes all crops in this process, and prints what it took.
pub(super) fn work(arguments: &[String]) {
    let [route, kind, out, listing] = arguments else { return };
    let listing = fs::read_to_string(listing).unwrap();
    let files: Vec<&Path> = listing.lines().map(Path::new).collect();
    let format = if kind == "png" { FileFormat::Png } else { FileFormat::Jpeg };
    let since = Instant::now();
    let cpu_s = if [ONE_CORE, TWO_CORES].contains(&route.as_str()) {
        let next = AtomicUsize::new(0);
        let work = || loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if PASSES * files.len() <= at {
                break;
            }
            assert!(!crop_of(files[at % files.len()], format).is_empty());
        };
        thread::scope(|scope| {
            if route == TWO_CORES {
                scope.spawn(work);
            }
            work();
        });
        0.0
    } else {
        let before = thread_cpu_s();
        let crops: Vec<Vec<u8>> = files.iter().map(|path| crop_of(path, format)).collect();
        let cpu_s = thread_cpu_s() - before;
        if format == FileFormat::Png {
            for (at, crop) in crops.iter().enumerate() {
                fs::write(Path::new(out).join(format!("{at}.png")), crop).unwrap();
            }
        }
        cpu_s
    };
    println!("{cpu_s} {} {}", since.elapsed().as_secs_f64(), peak_mb());
}

fn crop_of(path: &Path, format: FileFormat) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let decoded = decode::decode_at_least(&bytes, Limits::default(), SIDE_PX).unwrap();
    let square = crop::square_of(&decoded, SIDE_PX, Filter::Lanczos3);
    encode::encode(&square, format, QUALITY)
}

/// Returns the processor time of this thread, as Linux counts it.
fn thread_cpu_s() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1e9
}

/// Returns the most memory this process ever held.
fn peak_mb() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes / 1024.0
}
