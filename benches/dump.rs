//! Dump → the posts of three subreddits, on one core, side by side with what people use.
//!
//!     cargo bench --profile release --bench dump -- [MEGABYTES]
//!
//! Writes a dump of so much text (512 unless told) as Arctic Shift does, one zstd frame with a
//! window of 2^31, then reads it: with snapset, with `zstd -dc | grep`, and with `zstd -dc | python3`
//! that parses every line. Needs `zstd` and `python3`. Megabytes are of text; seconds are of all
//! cores together, so the rates are per core whatever runs beside.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench talks and may give up")]

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write},
    ops::ControlFlow,
    path::Path,
    process::Command,
};

use snapset::{
    domain::id::Place,
    source::{SourceSpec, local::Local},
};
use zstd::zstd_safe::CParameter;

const ROUNDS: usize = 3;
const WANTED: [&str; 3] = ["Fish", "tanks", "CarPorn"];

const PYTHON: &str = "
import json, sys
wanted = {'fish', 'tanks', 'carporn'}
n = 0
for line in sys.stdin.buffer:
    post = json.loads(line)
    if (post.get('subreddit') or '').lower() in wanted:
        n += 1
print(n)
";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", path, megabytes] => write(Path::new(path), megabytes.parse().unwrap()),
        ["read", path] => read(Path::new(path)),
        [] => compare(512),
        [megabytes, ..] => compare(megabytes.parse().unwrap()),
    }
}

fn compare(megabytes: u64) {
    let path = env::temp_dir().join("snapset-bench-dump.zst");
    // In processes of their own: what writing took of memory is not counted as reading's.
    let shown = path.display().to_string();
    let own = |arguments: &[&str]| {
        let done = Command::new(env::current_exe().unwrap()).args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    own(&["write", &shown, &megabytes.to_string()]);
    let size_mb = fs::metadata(&path).unwrap().len() / 1_000_000;
    println!("{megabytes} MB of text, {size_mb} MB packed");
    let script = path.with_extension("py");
    File::create(&script).unwrap().write_all(PYTHON.as_bytes()).unwrap();
    let names = WANTED.map(|name| format!("\"subreddit\":\"{name}\"")).join("\\|");
    let unpack = format!("zstd -dcq --long=31 '{shown}'");
    for round in 1..=ROUNDS {
        println!("round {round}");
        println!("  snapset        {}", own(&["read", &shown]).trim());
        for (name, command) in [
            ("zstd -dc", format!("{unpack} > /dev/null")),
            ("zstd | grep", format!("{unpack} | LC_ALL=C grep -c '{names}'")),
            ("zstd | python3", format!("{unpack} | python3 '{}'", script.display())),
        ] {
            println!("  {name:14} {:.0} MB/s", as_f64(megabytes) / seconds_of(&command));
        }
    }
    fs::remove_file(script).unwrap();
    fs::remove_file(path).unwrap();
}

fn as_f64(megabytes: u64) -> f64 {
    f64::from(u32::try_from(megabytes).unwrap())
}

/// Runs a command and returns the seconds all its processes spent on all cores.
fn seconds_of(command: &str) -> f64 {
    let timed = format!("TIMEFORMAT='%U %S'; time ({command})");
    let done = Command::new("bash").args(["-c", &timed]).output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    let line = text.lines().last().unwrap();
    line.split(' ').map(|it| it.parse::<f64>().unwrap()).sum()
}

fn read(path: &Path) {
    let places = WANTED.map(|name| {
        let place = Place(format!("dump:{}#r/{name}", path.display()));
        let spec = SourceSpec::parse(&place).unwrap();
        (place, spec)
    });
    let all = Local::all(&places);
    let (mut n_posts, mut n_unreadable, mut text_bytes) = (0, 0, 0);
    let since = on_core_ns();
    all[0]
        .list(None, &mut |batch, resume| {
            n_posts += batch.posts.len();
            n_unreadable += batch.unreadable.count;
            text_bytes = resume.unwrap().text_bytes();
            ControlFlow::Continue(())
        })
        .unwrap();
    let rate = text_bytes * 1000 / (on_core_ns() - since);
    assert_eq!((all.len(), n_unreadable), (1, 0));
    println!("{rate} MB/s, {n_posts} posts, {} MB at most in memory", peak_kb() / 1000);
}

/// Returns how long this thread, which does all the reading, has been on a core.
fn on_core_ns() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Writes a dump whose lines have the keys, the sizes and about the redundancy of the real ones;
/// every fiftieth is of a subreddit that is looked for.
fn write(path: &Path, megabytes: u64) {
    let mut encoder = zstd::Encoder::new(BufWriter::new(File::create(path).unwrap()), 3).unwrap();
    encoder.set_parameter(CParameter::WindowLog(31)).unwrap();
    encoder.set_parameter(CParameter::EnableLongDistanceMatching(true)).unwrap();
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        draw
    };
    let (mut n, mut written) = (0_u64, 0);
    let mut line = String::new();
    while written < megabytes * 1_000_000 {
        n += 1;
        line.clear();
        post(&mut line, n, &mut next);
        encoder.write_all(line.as_bytes()).unwrap();
        written += u64::try_from(line.len()).unwrap();
    }
    encoder.finish().unwrap().flush().unwrap();
}

fn post(line: &mut String, n: u64, next: &mut impl FnMut() -> u64) {
    let id = format!("{:x}", 0x1_9abc_def0 + n);
    let subreddit = if n.is_multiple_of(50) {
        WANTED[usize::try_from(n / 50 % 3).unwrap()].to_owned()
    } else {
        format!("Sub{}", next() % 40_000)
    };
    let mut words = |n_words: u64| {
        let mut text = String::new();
        for _ in 0..n_words {
            write!(text, "{:x} ", next() % 50_000).unwrap();
        }
        text
    };
    let (title, body) = (words(12), words(if n.is_multiple_of(3) { 160 } else { 0 }));
    let (author, created) = (words(2).replace(' ', "_"), 1_700_000_000 + n / 20);
    writeln!(
        line,
        "{{\"_meta\":{{\"is_edited\":false,\"retrieved_2nd_on\":{created}}},\"all_awardings\":[],\
         \"allow_live_comments\":false,\"approved_at_utc\":null,\"approved_by\":null,\"archived\":false,\
         \"author\":\"{author}\",\"author_flair_background_color\":null,\"author_flair_css_class\":null,\
         \"author_flair_richtext\":[],\"author_flair_template_id\":null,\"author_flair_text\":null,\
         \"author_flair_type\":\"text\",\"author_fullname\":\"t2_{id}\",\"author_is_blocked\":false,\
         \"author_patreon_flair\":false,\"author_premium\":false,\"awarders\":[],\"banned_at_utc\":null,\
         \"can_gild\":false,\"can_mod_post\":false,\"category\":null,\"clicked\":false,\
         \"content_categories\":null,\"contest_mode\":false,\"created\":{created},\"created_utc\":{created},\
         \"discussion_type\":null,\"distinguished\":null,\"domain\":\"i.redd.it\",\"downs\":0,\
         \"edited\":false,\"gilded\":0,\"gildings\":{{}},\"hidden\":false,\"hide_score\":false,\"id\":\"{id}\",\
         \"is_created_from_ads_ui\":false,\"is_crosspostable\":true,\"is_meta\":false,\
         \"is_original_content\":false,\"is_reddit_media_domain\":true,\"is_robot_indexable\":true,\
         \"is_self\":false,\"is_video\":false,\"likes\":null,\"link_flair_background_color\":\"\",\
         \"link_flair_css_class\":null,\"link_flair_richtext\":[],\"link_flair_text\":null,\
         \"link_flair_text_color\":\"dark\",\"link_flair_type\":\"text\",\"locked\":false,\"media\":null,\
         \"media_embed\":{{}},\"media_only\":false,\"mod_note\":null,\"name\":\"t3_{id}\",\"no_follow\":true,\
         \"num_comments\":3,\"num_crossposts\":0,\"over_18\":false,\"permalink\":\"/r/{subreddit}/comments/{id}/x/\",\
         \"pinned\":false,\"post_hint\":\"image\",\"preview\":{{\"enabled\":true,\"images\":[{{\"id\":\"{id}\",\
         \"resolutions\":[{{\"height\":81,\"url\":\"https://preview.redd.it/{id}.jpg?width=108&amp;s={author}\",\
         \"width\":108}}],\"source\":{{\"height\":900,\"url\":\"https://preview.redd.it/{id}.jpg?s={author}\",\
         \"width\":1200}},\"variants\":{{}}}}]}},\"quarantine\":false,\"removed_by_category\":null,\
         \"retrieved_on\":{created},\"saved\":false,\"score\":7,\"selftext\":\"{body}\",\"send_replies\":true,\
         \"spoiler\":false,\"stickied\":false,\"subreddit\":\"{subreddit}\",\"subreddit_id\":\"t5_{author}\",\
         \"subreddit_name_prefixed\":\"r/{subreddit}\",\"subreddit_subscribers\":{n},\
         \"subreddit_type\":\"public\",\"suggested_sort\":null,\"thumbnail\":\"https://b.thumbs.redditmedia.com/{author}.jpg\",\
         \"thumbnail_height\":105,\"thumbnail_width\":140,\"title\":\"{title}\",\"total_awards_received\":0,\
         \"treatment_tags\":[],\"upvote_ratio\":0.87,\"ups\":7,\"url\":\"https://i.redd.it/{id}.jpg\",\
         \"view_count\":null,\"visited\":false,\"wls\":6}}"
    )
    .unwrap();
}
