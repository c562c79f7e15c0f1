//! What is wrong within a picture: the bytes are kept as they came, whatever they turn out to be.

use std::io::Write as _;

use super::{
    server::{Act, picture},
    *,
};
use crate::pixels::decode::{Limits as PixelLimits, decode};

const ADDRESS: &str = "i.redd.it/a.jpg";

/// Fetches bytes, checks that they lie untouched in their file, and decodes that file the way
/// the next room does.
async fn judged(bytes: &[u8]) -> Result<(u32, u32), Reject> {
    let bench = Bench::new([(ADDRESS, vec![Act::Say(picture(bytes))])]).await;
    bench.show(&[ADDRESS]);
    bench.run().await;
    let kept = files::read(&bench.layout.blob(&bench.download(ADDRESS).blob)).unwrap();
    assert!(kept == bytes, "the bytes were changed");
    let decoded = decode(&kept, PixelLimits { pixels_max: 1_000_000 })?;
    Ok((decoded.picture.width(), decoded.picture.height()))
}

/// Computes the checksum every PNG chunk ends with.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

/// A small PNG that claims to be of another size.
fn bomb(width_px: u32, height_px: u32) -> Vec<u8> {
    let mut bytes = png(1);
    (&mut bytes[16..24])
        .write_all(&[width_px.to_be_bytes(), height_px.to_be_bytes()].concat())
        .unwrap();
    let sum = checksum(&bytes[12..29]);
    (&mut bytes[29..33]).write_all(&sum.to_be_bytes()).unwrap();
    bytes
}

#[tokio::test]
async fn a_bomb_is_refused_by_its_claim() {
    let (width_px, height_px) = (50_000, 50_000);

    let end = judged(&bomb(width_px, height_px)).await;

    assert_eq!(end, Err(Reject::TooManyPixels { width_px, height_px }));
}

#[tokio::test]
async fn a_picture_cut_before_it_was_sent_is_told_by_its_decoder() {
    let whole = png(1);

    let end = judged(&whole[..whole.len() / 2]).await;

    assert!(matches!(end, Err(Reject::Undecodable { .. })), "{end:?}");
}

#[tokio::test]
async fn a_format_without_a_decoder_is_recorded_as_broken() {
    let end = judged(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf").await;

    assert!(matches!(end, Err(Reject::Undecodable { .. })), "{end:?}");
}

#[tokio::test]
async fn an_animation_counts_by_its_first_frame() {
    let palette = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff";
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";

    let end = judged(&[&palette[..], frame, frame, b"\x3b"].concat()).await;

    assert_eq!(end, Ok((1, 1)));
}
