//! The picture an image host shows for one that was removed: always the same 503 bytes.

use crate::pixels::{Picture, encode};

pub(super) const PATH: &str = "/removed.png";

/// As large as the real one, in pixels and in bytes.
const WIDTH_PX: u32 = 161;
const HEIGHT_PX: u32 = 81;
const SIZE_BYTES: usize = 503;

/// Bytes of a PNG chunk besides its content.
const CHUNK_FRAME_BYTES: usize = 12;

/// Returns the file: a plain dark rectangle.
pub(super) fn png() -> Vec<u8> {
    let mut picture = Picture::new(WIDTH_PX, HEIGHT_PX);
    picture.fill(0x22);
    padded(&encode::png_small(&picture), SIZE_BYTES)
}

/// Lengthens a PNG to `size` bytes by a comment before its last chunk.
fn padded(png: &[u8], size: usize) -> Vec<u8> {
    let (body, end) = png.split_at(png.len() - CHUNK_FRAME_BYTES);
    let mut content = b"tEXtComment\0".to_vec();
    let type_bytes = 4;
    let spare = size.checked_sub(png.len() + CHUNK_FRAME_BYTES);
    content.resize(spare.expect("a plain rectangle takes few bytes") + type_bytes, b' ');
    let length = u32::try_from(content.len() - type_bytes).expect("the picture is small");
    [body, &length.to_be_bytes(), &content, &checksum(&content).to_be_bytes(), end].concat()
}

/// Computes the CRC-32 every PNG chunk ends with.
fn checksum(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholder_is_a_png_of_the_well_known_size() {
        let bytes = png();

        let decoded = image::load_from_memory(&bytes).unwrap();

        assert_eq!(bytes.len(), 503);
        assert_eq!((decoded.width(), decoded.height()), (161, 81));
    }
}
