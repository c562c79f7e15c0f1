//! Any bytes as an EXIF block: an orientation or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapset::pixels::exif;

fuzz_target!(|bytes: &[u8]| {
    assert!(exif::orientation(bytes).is_none_or(|it| (1..=8).contains(&it)));
});
