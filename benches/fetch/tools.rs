//! The programs compared, each with the settings its own documentation recommends for many
//! small files, scripted as a person would who wants every picture once, hashed and recorded.
//!
//! In favour of the peers: their list comes without repeats (`sort -u`, off the clock), whether a
//! file is the picture it should be is checked by the harness (off the clock), and nobody but
//! snapset syncs what it wrote. Where a tool does not hash, `sha256sum` follows on all cores.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::server::Server;

/// A program of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// The program at this path, with a pipeline file of one class from one list.
    Snapset(PathBuf),
    Peer(&'static Peer),
}

/// A program of others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    pub(super) install: &'static str,
    /// Run by `sh` in a folder of its own with `LIST`, `ROOT` (the certificate to trust) and
    /// `CORES` set; pictures go to `out`.
    script: &'static str,
    /// Slow ones get the first so many pictures: their rate does not depend on the number.
    pub(super) pictures_max: u32,
}

/// Shards are small enough to keep all processes busy; more threads than 128 bring no more.
macro_rules! img2dataset {
    ($keep:literal) => {
        concat!(
            r#"
NO_ALBUMENTATIONS_UPDATE=1 SSL_CERT_FILE="$ROOT" img2dataset --url_list="$LIST" \
    --output_folder=out --output_format=files --input_format=txt --processes_count="$CORES" \
    --thread_count=128 --number_sample_per_shard=500 --retries=2 --resize_mode=no \
    --extract_exif=False "#,
            $keep
        )
    };
}

pub(super) static PEERS: [Peer; 5] = [
    Peer {
        name: "aria2",
        program: "aria2c",
        install: "apt-get install aria2",
        // `--conditional-get` asks again only for what changed. No splitting below 20 MB.
        script: r#"
aria2c --input-file="$LIST" --dir=out -j64 --max-tries=4 --file-allocation=none --quiet=true \
    --ca-certificate="$ROOT" --conditional-get=true --allow-overwrite=true --remote-time=true \
    --auto-file-renaming=false --disable-ipv6=true --no-conf=true
find out -name '*.jpg' -print0 | xargs -0 -r -n 500 -P "$CORES" sha256sum > SHA256SUMS
"#,
        pictures_max: u32::MAX,
    },
    Peer {
        name: "curl -Z",
        program: "curl",
        install: "apt-get install curl",
        // curl would fetch again what is there: what is missing is listed first.
        script: r#"
mkdir -p out
ls out | sort > have
sed 's|.*/||' "$LIST" | sort | comm -23 - have | while read -r file; do
    printf 'url = "%s%s"\noutput = "out/%s"\n' "$BASE" "$file" "$file"
done > config
test -s config && curl --parallel --parallel-immediate --parallel-max 64 --fail --retry 3 \
    --remove-on-error --cacert "$ROOT" --silent --config config
find out -name '*.jpg' -print0 | xargs -0 -r -n 500 -P "$CORES" sha256sum > SHA256SUMS
"#,
        pictures_max: u32::MAX,
    },
    Peer {
        name: "img2dataset",
        program: "img2dataset",
        install: "pip install img2dataset",
        // The fastest there is: whatever came is kept. It hashes (SHA-256) and records itself.
        script: img2dataset!("--disable_all_reencoding=True"),
        pictures_max: u32::MAX,
    },
    Peer {
        name: "img2dataset checking",
        program: "img2dataset",
        install: "pip install img2dataset",
        // Decodes every picture to see that it is one, and keeps its bytes as they came.
        script: img2dataset!("--skip_reencode=True"),
        pictures_max: u32::MAX,
    },
    Peer {
        name: "gallery-dl",
        program: "gallery-dl",
        install: "pip install gallery-dl",
        // The archive is what its documentation offers against fetching twice.
        script: r#"
REQUESTS_CA_BUNDLE="$ROOT" gallery-dl --config-ignore --quiet --directory out --retries 4 \
    --download-archive archive.sqlite3 --input-file "$LIST"
find out -name '*.jpg' -print0 | xargs -0 -r -n 500 -P "$CORES" sha256sum > SHA256SUMS
"#,
        pictures_max: 500,
    },
];

impl Tool {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Snapset(_) => "snapset",
            Self::Peer(peer) => peer.name,
        }
    }

    pub(super) fn pictures(&self, pictures: u32) -> u32 {
        match self {
            Self::Snapset(_) => pictures,
            Self::Peer(peer) => pictures.min(peer.pictures_max),
        }
    }

    /// Tells whether the program can be started.
    pub(super) fn is_installed(&self) -> bool {
        match self {
            Self::Snapset(path) => path.is_file(),
            Self::Peer(peer) => std::env::var_os("PATH").is_some_and(|all| {
                std::env::split_paths(&all).any(|it| it.join(peer.program).is_file())
            }),
        }
    }

    /// Makes the command that fetches the list in `folder`; to be run as often as one likes.
    pub(super) fn command(&self, folder: &Path, lists: &Lists, server: &Server) -> Command {
        let mut command = match self {
            Self::Snapset(program) => snapset(program, folder, &lists.with_repeats, server),
            Self::Peer(peer) => {
                let mut command = Command::new("sh");
                let list = if peer.pictures_max == u32::MAX { &lists.whole } else { &lists.short };
                command.args(["-c", peer.script]).env("LIST", list);
                command.env("ROOT", &server.root).env("BASE", server.base("picture"));
                let cores = std::thread::available_parallelism().unwrap();
                command.env("CORES", cores.to_string()).env("LC_ALL", "C");
                command
            }
        };
        for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(proxy).env_remove(proxy.to_uppercase());
        }
        command.current_dir(folder).stdin(Stdio::null());
        keep_words(&mut command, folder);
        command
    }

    /// Returns the folder where finished pictures lie.
    pub(super) fn place(&self, folder: &Path) -> PathBuf {
        match self {
            Self::Snapset(_) => folder.join("data/fetch/blobs"),
            Self::Peer(_) => folder.join("out"),
        }
    }
}

/// The lists of addresses, as files.
pub(super) struct Lists {
    /// What snapset gets: a table whose repeats are its own affair.
    pub(super) with_repeats: PathBuf,
    pub(super) whole: PathBuf,
    pub(super) short: PathBuf,
}

/// Sends what a command says to `log` in `folder`.
pub(super) fn keep_words(command: &mut Command, folder: &Path) {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
}

/// Makes the command of snapset: a pipeline file whose one class is a list. More pictures at a time
/// than 384 bring no more.
pub(super) fn snapset(program: &Path, folder: &Path, list: &Path, server: &Server) -> Command {
    let pipeline = folder.join("fetch.toml");
    let text = format!(
        "title = \"Fetch\"\n\n[classes]\npictures = [\"urls:{}\"]\n\n[fetch]\n\
         private_hosts = [\"127.0.0.1:{}\"]\nconcurrency = 384\nper_host = 384\n",
        list.display(),
        server.port
    );
    fs::write(&pipeline, text).unwrap();
    let mut command = Command::new(program);
    command.arg("--data").arg(folder.join("data")).arg("run").arg(pipeline);
    command.args(["--to", "fetch", "--quiet"]).env("SSL_CERT_FILE", &server.root);
    command
}
