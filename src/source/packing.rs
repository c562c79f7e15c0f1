//! What a file is packed in, by its name, and the bytes within.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;

/// The largest window of zstd that is unpacked, as a power of two: what the dumps use.
pub(super) const WINDOW_LOG_MAX: u32 = 31;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Tells what a file is packed in, and the extension, lower-cased, of what is within; empty if the
/// name tells nothing but the packing.
pub(super) fn of(path: &Path) -> (Packing, String) {
    let (packing, name) = parted(path);
    let extension = Path::new(&name).extension().and_then(|it| it.to_str()).map(str::to_owned);
    (packing, extension.unwrap_or_default())
}

fn parted(path: &Path) -> (Packing, String) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let cut = |suffix: &str| name.strip_suffix(suffix).map(str::to_owned);
    if let Some(name) = cut(".tgz") {
        (Packing::Gzip, format!("{name}.tar"))
    } else if let Some(name) = cut(".gz") {
        (Packing::Gzip, name)
    } else if let Some(name) = cut(".tzst") {
        (Packing::Zstd, format!("{name}.tar"))
    } else if let Some(name) = cut(".zst") {
        (Packing::Zstd, name)
    } else {
        (Packing::Plain, name)
    }
}

/// Opens a file for the bytes it holds once unpacked.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    Ok(match of(path).0 {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
        Packing::Zstd => {
            let mut unpacked = zstd::stream::read::Decoder::new(file)?;
            unpacked.window_log_max(WINDOW_LOG_MAX)?;
            Box::new(unpacked)
        }
    })
}
