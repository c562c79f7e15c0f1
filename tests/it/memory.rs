//! Memory does not grow with the number of posts, nor with the size of photographs.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use image::imageops;
use snapset::{
    domain::{fingerprint::Fingerprint, id::BlobId, outcome::Outcome, quality::Quality},
    pixels::{
        Picture,
        encode::{self, JpegLayout, Scans},
    },
    store::{Digest, Settled, Stamp, Store},
};

use super::{
    folder::drawn,
    support::{Bench, put},
};

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
    peak_mb_of(&mut bench.command(&["run", "pipelines/small.toml", "--to", "fetch", "-q"]))
}

/// Runs a command and returns the most memory it ever had, in MB.
fn peak_mb_of(command: &mut Command) -> u64 {
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
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ten_times_the_posts_take_hardly_more_memory() {
    let (few, many) = (peak_mb(10_000), peak_mb(100_000));

    assert!(0 < few);
    // 35 to 45 MB more were seen: the store's own tables, 0.5 kB a post. All posts held at once
    // would be several times that.
    assert!(many < few + 70, "10,000 posts took {few} MB, 100,000 took {many} MB");
}

/// Puts fingerprints into an empty store and returns the most memory a report of it took, in MB.
fn report_peak_mb(n: u32) -> u64 {
    let bench = Bench::with("[classes]\na = [\"folder:photos\"]\n");
    let stamp = Stamp { revision: 1, recipe: Digest::of(&0), input: Digest::of(&0) };
    let print = |number: u32| {
        let print = Fingerprint {
            width_px: 64,
            height_px: 64,
            format: "jpeg".to_owned(),
            views: Vec::new(),
            thumbnail: number.to_le_bytes().repeat(1024),
            colours: number.to_le_bytes().repeat(192),
            quality: Quality::default(),
        };
        (BlobId::of(&number.to_le_bytes()), Settled { stamp, outcome: Outcome::Made(print) })
    };
    let store = Store::open(&bench.path("data/small/store")).unwrap();
    let numbers: Vec<u32> = (0..n).collect();
    for part in numbers.chunks(1000) {
        let prints: Vec<_> = part.iter().map(|number| print(*number)).collect();
        store.put_all::<Fingerprint>(&prints).unwrap();
    }
    drop(store);
    peak_mb_of(&mut bench.command(&["report", "pipelines/small.toml"]))
}

#[test]
fn thumbnails_that_were_looked_at_are_let_go_of() {
    let (few, many) = (report_peak_mb(4_000), report_peak_mb(40_000));

    assert!(0 < few);
    // The thumbnails alone have 175 MB more.
    assert!(many < few + 90, "4,000 took {few} MB, 40,000 took {many} MB");
}

#[test]
fn files_are_not_read_faster_than_they_are_kept() {
    let bench = Bench::with("[classes]\na = [\"folder:photos\"]\n");
    fs::create_dir_all(bench.path("photos")).unwrap();
    each_large_file(|n, bytes| put(&bench.path(&format!("photos/{n}.jpg")), bytes));

    assert_files_are_kept_as_they_come(&bench);
}

#[test]
fn entries_of_an_archive_are_not_read_faster_than_they_are_kept() {
    let bench = Bench::with("[classes]\na = [\"archive:photos.tar\"]\n");
    let mut tar = tar::Builder::new(fs::File::create(bench.path("photos.tar")).unwrap());
    each_large_file(|n, bytes| {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{n}.jpg"), bytes).unwrap();
    });
    tar.into_inner().unwrap();

    assert_files_are_kept_as_they_come(&bench);
}

/// Draws 40 files of 8 MB for each core, each unlike the others, that begin like a photograph.
fn each_large_file(mut visit: impl FnMut(u64, &[u8])) {
    let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0".repeat((8 << 20) / 11);
    for n in 0..40 * cores() {
        bytes.extend(n.to_le_bytes());
        visit(n, &bytes);
    }
}

fn assert_files_are_kept_as_they_come(bench: &Bench) {
    let run = ["run", "pipelines/small.toml", "--to", "fetch", "-q"];
    let peak = peak_mb_of(&mut bench.command(&run));

    // 48 MB for each core, three times that with what the allocator holds back, and the program.
    // All files together have 320 MB for each core.
    assert!(0 < peak && peak < 100 + 150 * cores(), "{peak} MB");
}

fn cores() -> u64 {
    u64::try_from(thread::available_parallelism().unwrap().get()).unwrap()
}

#[test]
fn photographs_of_many_megapixels_take_little_memory() {
    let bench = Bench::with("[classes]\na = [\"folder:photos\"]\n");
    fs::create_dir_all(bench.path("photos")).unwrap();
    let tile = drawn(7);
    let large = Picture::from_fn(5000, 4000, |x, y| *tile.get_pixel(x / 25, y / 25));
    let turned = imageops::flip_vertical(&large);
    for n in 0..8 {
        let picture = if n % 2 == 0 { &large } else { &turned };
        let scans = if n % 4 < 2 { Scans::Baseline } else { Scans::Progressive };
        let layout = JpegLayout { scans, ..JpegLayout::default() };
        put(&bench.path(&format!("photos/{n}.jpg")), &encode::jpeg_as(picture, 70 + n, layout));
    }

    let run = ["run", "pipelines/small.toml", "--to", "prepare", "-q"];
    let peak = peak_mb_of(&mut bench.command(&run));

    // One such picture alone has 60 MB of levels.
    assert!(0 < peak && peak < 150, "{peak} MB");
}
