//! Every kind of place gives the same pictures: a list, an archive, a dump, the Arctic Shift
//! archive, each run as people run it.

use std::{collections::BTreeMap, io::Write};

use serde_json::json;
use snapset::pixels::encode;

use super::{
    folder::drawn,
    stand_in::{ID_AND_SECRET, StandIn},
    support::{Bench, Ended, put},
};

const TAIL: &str = "[collect]\nlistings = [\"new\"]\ncontact = \"somebody\"\n[fetch]\nstall = 5\n\
                    [prepare]\nsize = 64\n[export.kaggle]\nid = \"snapset/small-demo\"\n\
                    title = \"Small demo\"\n";

fn pipeline(beetles: &str, fish: &str) -> String {
    format!("[classes]\nbeetles = [\"{beetles}\"]\nfish = [\"{fish}\"]\n{TAIL}")
}

fn manifest(bench: &Bench) -> Vec<BTreeMap<String, String>> {
    let text = bench.read("data/small/exports/kaggle/manifest.csv");
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// What a picture is, without where the list of it came from.
fn identity(row: &BTreeMap<String, String>) -> [String; 6] {
    ["sha256", "label", "post_id", "title", "author", "permalink"].map(|name| row[name].clone())
}

async fn run(stand_in: &StandIn, bench: &Bench) -> Ended {
    let ended = stand_in.run(bench, &["run", "pipelines/small.toml"], ID_AND_SECRET).await;
    ended.expect_code(0);
    ended
}

/// Collects from the stand-in's own listings, to be compared with.
async fn live(stand_in: &StandIn) -> Bench {
    let bench = Bench::with(&pipeline("r/beetles", "r/fish"));
    run(stand_in, &bench).await;
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_manifest_is_a_list_that_brings_the_same_dataset_back() {
    let first = Bench::new();
    let stand_in = StandIn::start(first.path("log"), None).await;
    let original = live(&stand_in).await;
    let bench = Bench::with(&pipeline("urls:list.csv#beetles", "urls:list.csv#fish"));
    bench.write("list.csv", &original.read("data/small/exports/kaggle/manifest.csv"));

    run(&stand_in, &bench).await;

    let mut rows: Vec<_> = manifest(&original).iter().map(identity).collect();
    let mut again: Vec<_> = manifest(&bench).iter().map(identity).collect();
    rows.sort();
    again.sort();
    assert_eq!(again, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_and_the_arctic_archive_bring_the_posts_of_the_site() {
    let first = Bench::new();
    let stand_in = StandIn::start(first.path("log"), None).await;
    let original = live(&stand_in).await;
    let rows = manifest(&original);
    let mut dump = zstd::Encoder::new(Vec::new(), 3).unwrap();
    dump.window_log(24).unwrap();
    for (n, row) in rows.iter().enumerate() {
        let post = json!({
            // The pictures of a gallery share their post, and a post of a link has one picture.
            "id": format!("{}{n}", row["post_id"].trim_start_matches("reddit:t3_")),
            "subreddit": row["label"],
            "title": row["title"],
            "author": row["author"],
            "permalink": row["permalink"].trim_start_matches("https://www.reddit.com"),
            "created_utc": row["created_utc"],
            "score": 1,
            "url": row["image_url"],
        });
        writeln!(dump, "{post}").unwrap();
        writeln!(dump, "{{\"subreddit\": \"elsewhere\", \"id\": \"x\"}}").unwrap();
    }
    let from_dump = Bench::with(&pipeline("dump:RS.zst#r/beetles", "dump:RS.zst#r/fish"));
    put(&from_dump.path("RS.zst"), &dump.finish().unwrap());
    let from_arctic = Bench::with(&pipeline("arctic:r/beetles", "arctic:r/fish"));

    run(&stand_in, &from_dump).await;
    run(&stand_in, &from_arctic).await;

    let shown = |bench: &Bench| {
        let mut rows: Vec<_> = manifest(bench)
            .iter()
            .map(|row| [row["sha256"].clone(), row["label"].clone()])
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(shown(&from_dump), shown(&original));
    assert_eq!(shown(&from_arctic), shown(&original));
}

#[test]
fn archives_with_class_folders_fill_classes() {
    let drawn = |n: u8| encode::jpeg(&drawn(n.into()), 90);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for n in 0..12_u8 {
        let class = if n < 6 { "cats" } else { "dogs" };
        zip.start_file(format!("photos/{class}/{n}.jpg"), stored).unwrap();
        zip.write_all(&drawn(n)).unwrap();
        let (bytes, mut header) = (drawn(n + 50), tar::Header::new_gnu());
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{class}/{n}.jpg"), bytes.as_slice()).unwrap();
    }
    let bench = Bench::with(
        "[classes]\ncats = [\"archive:a.zip#cats\", \"archive:b.tar.gz#cats\"]\n\
         dogs = [\"archive:a.zip#dogs\", \"archive:b.tar.gz#dogs\"]\n[prepare]\nsize = 64\n\
         [clean]\nmax_seam = 1000\n",
    );
    put(&bench.path("a.zip"), &zip.finish().unwrap().into_inner());
    put(&bench.path("b.tar.gz"), &tar.into_inner().unwrap().finish().unwrap());

    bench.run();

    let sides = bench.sides();
    let of = |class: &str| sides.values().filter(|side| side.ends_with(class)).count();
    assert_eq!((of("cats"), of("dogs")), (12, 12));
    assert_eq!(crate::support::done(&bench.run()).len(), 0, "a second run is idle");
}
