//! Any bytes as the colour profile of a small PNG, in colour and in grey: a picture of the same size.
#![no_main]

use std::io::Write as _;

use flate2::{Compression, Crc, write::ZlibEncoder};
use libfuzzer_sys::fuzz_target;
use snapset::pixels::decode::{self, Limits};

fuzz_target!(|profile: &[u8]| {
    for (kind, row) in [(2, &[0, 10, 20, 30, 200, 100, 50][..]), (0, &[0, 10, 200])] {
        let file = [
            &b"\x89PNG\r\n\x1a\n"[..],
            &chunk(b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 1, 8, kind, 0, 0, 0]),
            &chunk(b"iCCP", &[b"p\0\0", &deflated(profile)[..]].concat()),
            &chunk(b"IDAT", &deflated(row)),
            &chunk(b"IEND", b""),
        ]
        .concat();
        let decoded = decode::decode(&file, Limits::default()).expect("only the profile is odd");
        assert_eq!(decoded.picture.dimensions(), (2, 1));
    }
});

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes what it is given");
    encoder.finish().expect("memory takes what it is given")
}

fn chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(body);
    let length = u32::try_from(body.len()).expect("a small chunk").to_be_bytes();
    [&length[..], name, body, &sum.sum().to_be_bytes()].concat()
}
