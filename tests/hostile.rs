//! Hostile files: for each a verdict, no panic, at most 512 MB, at most 5 s.
//!
//! A process of its own, so that its peak of memory is that of decoding. The mutations are the
//! same in every run; `SNAPSET_MUTATIONS` sets how many, 2,000 if unset.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and its files need not survive one"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    panic,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use flate2::{Compression, Crc, write::ZlibEncoder};
use image::{ImageFormat, Rgb, RgbImage};
use snapset::{
    domain::outcome::Reject,
    pixels::decode::{self, Limits},
};

const MEMORY_KB_MAX: u64 = 512 * 1024;
const TIME_MAX: Duration = Duration::from_secs(5);

/// Larger files are decoded as they are, but not mutated: they would take all the time.
const SEED_BYTES_MAX: usize = 100_000;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        usize::try_from(drawn).unwrap() % n.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let level = |n: u32| u8::try_from(n % 256).unwrap();
        Rgb([level(x * 5 + y), level(y * 7), level(x * y / 9)])
    })
}

fn written(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// How the waves of a JPEG follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Sequential,
    Progressive,
}

fn jpeg(picture: &RgbImage, order: Order, restart_units: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.set_progressive(order == Order::Progressive);
    encoder.set_restart_interval(restart_units);
    let (width, height) = picture.dimensions();
    let (width, height) = (width.try_into().unwrap(), height.try_into().unwrap());
    encoder.encode(picture.as_raw(), width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// One small file of each kind, and all shared hostile files where they are.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let small = picture(61, 45);
    let exif =
        b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut turned = jpeg(&small, Order::Sequential, 0);
    turned.splice(2..2, exif.iter().copied());
    let mut seeds = vec![
        ("baseline.jpg".to_owned(), jpeg(&small, Order::Sequential, 0)),
        ("progressive.jpg".to_owned(), jpeg(&small, Order::Progressive, 0)),
        ("restarts.jpg".to_owned(), jpeg(&small, Order::Sequential, 3)),
        ("turned.jpg".to_owned(), turned),
        (
            "arithmetic.jpg".to_owned(),
            include_bytes!("judges/arithmetic/sparse-arithmetic-restarts.jpg").to_vec(),
        ),
        (
            "arithmetic progressive.jpg".to_owned(),
            include_bytes!("judges/arithmetic/sparse-arithmetic-progressive.jpg").to_vec(),
        ),
    ];
    for (suffix, format) in [
        ("png", ImageFormat::Png),
        ("gif", ImageFormat::Gif),
        ("webp", ImageFormat::WebP),
        ("bmp", ImageFormat::Bmp),
        ("tiff", ImageFormat::Tiff),
    ] {
        seeds.push((format!("small.{suffix}"), written(&small, format)));
    }
    seeds.extend(shared("robustness_dedup"));
    seeds
}

#[expect(clippy::print_stderr, reason = "a skipped test must say that it proved nothing")]
fn shared(name: &str) -> Vec<(String, Vec<u8>)> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from);
    let root = root.join("data").join(name);
    if !root.is_dir() {
        eprintln!("skipped: no folder `{name}` in the shared data");
        return Vec::new();
    }
    let (mut found, mut folders) = (Vec::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Returns a changed copy of one seed, and what was done to it.
fn mutation(seeds: &[&(String, Vec<u8>)], dice: &mut Dice) -> (String, Vec<u8>) {
    let (name, bytes) = seeds[dice.below(seeds.len())];
    let mut bytes = bytes.clone();
    let mut done = name.clone();
    for _ in 0..=dice.below(3) {
        let n = bytes.len();
        let at = dice.below(n);
        let what = match dice.below(9) {
            0 => {
                (0..=dice.below(8)).for_each(|_| {
                    let at = dice.below(n);
                    bytes.get_mut(at).into_iter().for_each(|it| *it ^= 1 << dice.below(8));
                });
                "flipped bits"
            }
            1 => {
                bytes.truncate(at);
                "cut"
            }
            2 => {
                let (_, other) = seeds[dice.below(seeds.len())];
                let from = dice.below(other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
                "spliced"
            }
            3 => {
                let extreme = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][dice.below(6)];
                let end = (at + 1 + dice.below(4)).min(n);
                bytes[at..end].fill(extreme);
                "set to an extreme"
            }
            4 => {
                let near = dice.below(n.min(64));
                bytes.get_mut(near).into_iter().for_each(|it| *it = dice.byte());
                "changed a header"
            }
            5 => {
                let end = (at + dice.below(200)).min(n);
                bytes.drain(at..end);
                "took out"
            }
            6 => {
                let part = bytes[at..(at + dice.below(200)).min(n)].to_vec();
                let to = dice.below(n);
                bytes.splice(to..to, part);
                "put in again"
            }
            7 => {
                change_a_length(&mut bytes, dice);
                "changed a length"
            }
            _ => {
                swap_markers(&mut bytes, dice);
                "swapped markers"
            }
        };
        done = format!("{done}, {what} at {at}");
    }
    // Without right sums no PNG decoder would look at what was changed.
    if dice.below(4) != 0 {
        mend_png(&mut bytes);
    }
    (done, bytes)
}

/// Changes a number after something that looks like a marker or the name of a chunk.
fn change_a_length(bytes: &mut [u8], dice: &mut Dice) {
    let marks: Vec<usize> = (0..bytes.len().saturating_sub(8))
        .filter(|&at| {
            let is_name = bytes[at..at + 4].iter().all(u8::is_ascii_alphabetic);
            is_name || (bytes[at] == 0xFF && 0xC0 <= bytes[at + 1])
        })
        .collect();
    if let Some(&mark) = marks.get(dice.below(marks.len())) {
        // Before the name in PNG, after it in RIFF, after the marker in JPEG.
        let at = (mark + [2, 4, 0][dice.below(3)]).saturating_sub([0, 4][dice.below(2)]);
        for byte in &mut bytes[at..at + 2] {
            *byte = dice.byte();
        }
    }
}

/// Gives one JPEG marker the meaning of another.
fn swap_markers(bytes: &mut [u8], dice: &mut Dice) {
    let marks: Vec<usize> = (0..bytes.len().saturating_sub(1))
        .filter(|&at| bytes[at] == 0xFF && 0xC0 <= bytes[at + 1])
        .collect();
    let (Some(&a), Some(&b)) =
        (marks.get(dice.below(marks.len())), marks.get(dice.below(marks.len())))
    else {
        return;
    };
    bytes.swap(a + 1, b + 1);
}

fn mend_png(bytes: &mut [u8]) {
    let mut at = 8;
    while bytes.starts_with(b"\x89PNG") {
        let Some(length) = bytes.get(at..at + 4) else { break };
        let length = usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
        let end = at + 8 + length;
        if bytes.len() < end + 4 {
            break;
        }
        let mut sum = Crc::new();
        sum.update(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
}

/// Files made to take time or memory, with the words their refusal must have; none for those
/// that are sound.
fn bombs() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let png = written(&picture(40, 30), ImageFormat::Png);
    let with = |chunk: Vec<u8>| [&png[..33], &chunk, &png[33..]].concat();
    let zeros = deflated(300 << 20);
    let profile = [&b"p\0\0"[..], &zeros].concat();
    let text = [&b"t\0\0"[..], &zeros].concat();
    let words = [&b"t\0\x01\0\0\0"[..], &zeros].concat();
    let vast = |kind, bits: u8| {
        let size = [&20_000_u32.to_be_bytes()[..], &4_900_u32.to_be_bytes()].concat();
        let header = chunk(b"IHDR", &[&size[..], &[bits, kind, 0, 0, 0]].concat());
        [&png[..8], &header, &chunk(b"IDAT", &zeros), &chunk(b"IEND", b"")].concat()
    };
    let mut gif = written(&picture(40, 30), ImageFormat::Gif);
    let frame = gif.windows(10).rposition(|it| it[..5] == [0x2C, 0, 0, 0, 0]).unwrap();
    gif[frame + 5..frame + 9].fill(0xFF);
    let webp =
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xffVP8 \0\0\0\0".to_vec();
    let many = 4_000;
    vec![
        ("profile of 300 MB", with(chunk(b"iCCP", &profile)), None),
        ("text of 300 MB", with(chunk(b"zTXt", &text)), None),
        ("international text of 300 MB", with(chunk(b"iTXt", &words)), None),
        ("98 megapixels of 16 bits", vast(6, 16), Some("too many pixels")),
        ("98 megapixels of grey", vast(0, 8), None),
        ("frame past its screen", gif, Some("too many pixels")),
        ("canvas of 281 terapixels", webp, Some("")),
        ("4,000 scans", scans(&jpeg(&picture(200, 150), Order::Progressive, 0), many), Some("")),
        (
            "80 scans more of 36 megapixels",
            scans(&jpeg(&plain(6000, 6000), Order::Progressive, 0), 80),
            None,
        ),
        (
            "65,500 x 1,500 in 16-pixel restarts",
            jpeg(&plain(65_500, 1_500), Order::Sequential, 1),
            None,
        ),
    ]
}

fn plain(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb([90, 120, 200]))
}

/// Repeats the last scan of a JPEG until it has `n` more.
fn scans(jpeg: &[u8], n: usize) -> Vec<u8> {
    let last = jpeg.windows(2).rposition(|it| it == [0xFF, 0xDA]).unwrap();
    let (start, scan) = (&jpeg[..last], &jpeg[last..jpeg.len() - 2]);
    [start, &scan.repeat(n), &[0xFF, 0xD9]].concat()
}

fn chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(body);
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], name, body, &sum.sum().to_be_bytes()].concat()
}

fn deflated(n_zeros: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..n_zeros >> 20).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap()
}

/// Decodes a file whole and reduced; says what was wrong with that, if anything.
fn decoded(bytes: &[u8]) -> (Result<(), Reject>, Option<String>) {
    let start = Clock::start();
    let both = panic::catch_unwind(|| {
        let whole = decode::decode(bytes, Limits::default()).map(|it| (it.width_px, it.height_px));
        let reduced = decode::decode_at_least(bytes, Limits::default(), 16)
            .map(|it| (it.width_px, it.height_px));
        (whole, reduced)
    });
    let took = start.elapsed() / 2;
    let Ok((whole, reduced)) = both else {
        return (Err(Reject::Empty), Some("a panic".to_owned()));
    };
    let panicked = |it: &Reject| it.to_string().contains("panicked");
    let complaint = if whole.as_ref().is_err_and(panicked) {
        Some("a panic, contained".to_owned())
    } else if whole != reduced {
        Some(format!("whole {whole:?}, reduced {reduced:?}"))
    } else if TIME_MAX < took {
        Some(format!("{took:?}"))
    } else {
        None
    };
    (whole.map(|_| ()), complaint)
}

/// Measures how long this thread works: on a busy machine others must not count.
struct Clock(Instant, Option<Duration>);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), Self::worked())
    }

    fn elapsed(&self) -> Duration {
        let worked = self.1.zip(Self::worked()).map(|(before, now)| now.saturating_sub(before));
        worked.unwrap_or_else(|| self.0.elapsed())
    }

    /// The time this thread ever worked; `None` where the system does not say.
    fn worked() -> Option<Duration> {
        let line = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        line.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }
}

/// The most memory this process ever held; `None` where the system does not say.
fn peak_kb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
#[expect(clippy::print_stderr, reason = "how much was tried is part of what this test says")]
fn every_hostile_file_gets_a_verdict_in_bounded_time_and_memory() {
    let mut complaints = Vec::new();
    let bombs = bombs();
    // Making them took memory too: from here on counts. Where this cannot be told, all does.
    _ = fs::write("/proc/self/clear_refs", "5");
    let before_kb = peak_kb();
    for (name, bytes, refusal) in &bombs {
        let (verdict, complaint) = decoded(bytes);
        complaints.extend(complaint.map(|it| format!("{name}: {it}")));
        let said = verdict.as_ref().map_or_else(Reject::to_string, |()| "sound".to_owned());
        let is_as_told =
            refusal.map_or(verdict.is_ok(), |it| verdict.is_err() && said.contains(it));
        if !is_as_told {
            complaints.push(format!("{name}: {said}"));
        }
    }
    drop(bombs);

    let seeds = seeds();
    for (name, bytes) in &seeds {
        complaints.extend(decoded(bytes).1.map(|it| format!("{name}: {it}")));
    }
    let small: Vec<_> =
        seeds.iter().filter(|it| (1..SEED_BYTES_MAX).contains(&it.1.len())).collect();
    let n = env::var("SNAPSET_MUTATIONS").map_or(2_000, |it| it.parse().unwrap());
    let (mut dice, mut tally, mut slowest) =
        (Dice(0x5EED), BTreeMap::new(), (Duration::ZERO, String::new()));
    for number in 0..n {
        let (done, bytes) = mutation(&small, &mut dice);
        let start = Clock::start();
        let (verdict, complaint) = decoded(&bytes);
        slowest = slowest.max((start.elapsed() / 2, done.clone()));
        let kind = if verdict.is_ok() { "decoded" } else { "refused" };
        *tally.entry(kind).or_insert(0) += 1;
        if let Some(complaint) = complaint {
            complaints.push(format!("mutation {number} ({done}): {complaint}"));
            if let Some(folder) = env::var_os("SNAPSET_FOUND") {
                fs::write(Path::new(&folder).join(format!("{number}.bin")), bytes).unwrap();
            }
        }
    }

    eprintln!("{n} mutations of {} files: {tally:?}, slowest {slowest:?}", small.len());
    eprintln!("memory in KB: {before_kb:?} before, {:?} at most", peak_kb());
    if let Some(peak) = peak_kb().filter(|peak| MEMORY_KB_MAX < *peak) {
        complaints.push(format!("{} MB of memory", peak / 1024));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
