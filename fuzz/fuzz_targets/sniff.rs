//! Any bytes: a kind with a name, and the same kind whatever comes after 4 KB.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapset::pixels::sniff;

fuzz_target!(|bytes: &[u8]| {
    let kind = sniff::kind(bytes);
    assert!(!kind.name().is_empty());
    assert_eq!(kind, sniff::kind(&bytes[..bytes.len().min(4096)]));
});
