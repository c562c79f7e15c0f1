//! Any bytes: a verdict, and the same one for the whole picture and for a reduced one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapset::pixels::decode::{self, Limits};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { pixels_max: 4_000_000 };
    let whole = decode::decode(bytes, limits).map(|it| (it.width_px, it.height_px));
    let reduced = decode::decode_at_least(bytes, limits, 16).map(|it| (it.width_px, it.height_px));
    assert_eq!(whole, reduced);
});
