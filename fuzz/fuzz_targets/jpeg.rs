//! Bytes after the first marker of a JPEG: the walk over its segments, its scans, its pixels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapset::pixels::decode::{self, Limits};

fuzz_target!(|bytes: &[u8]| {
    let file = [b"\xFF\xD8\xFF", bytes].concat();
    let limits = Limits { pixels_max: 1_000_000 };
    for shorter_px in [1, 16, u32::MAX] {
        if let Ok(decoded) = decode::decode_at_least(&file, limits, shorter_px) {
            let (width, height) = decoded.picture.dimensions();
            let whole = decoded.width_px.min(decoded.height_px);
            assert!(shorter_px.min(whole) <= width.min(height));
        }
    }
});
