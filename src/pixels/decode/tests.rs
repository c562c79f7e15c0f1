use std::collections::BTreeSet;

use image::{ExtendedColorType, ImageEncoder, Rgb, codecs};

use super::*;
use crate::{
    domain::{fingerprint::Distance, picture::FileFormat},
    pixels::{encode, fingerprint, shared_data},
};

/// A picture without two equal pixels in a row.
fn busy(width: u32, height: u32) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        let level = |n: u32| u8::try_from(n % 256).unwrap();
        Rgb([level(x * 37 + y * 11), level(x * 5 + y * 83), level(x * x + y * 3)])
    })
}

fn reject(bytes: &[u8]) -> Reject {
    decode(bytes, Limits::default()).map(|it| it.format).unwrap_err()
}

fn is_truncated(bytes: &[u8]) -> bool {
    matches!(reject(bytes), Reject::Undecodable { cause } if cause.starts_with("truncated"))
}

#[test]
fn what_is_no_picture_is_named() {
    let found = |name: &str| Reject::NotAnImage { found: name.to_owned() };
    assert_eq!(reject(b""), Reject::Empty);
    assert_eq!(reject(b"<!doctype html><title>removed</title>"), found("web page"));
    assert_eq!(reject(b"if you are looking for an image"), found("unknown kind of file"));
}

#[test]
fn a_picture_we_cannot_read_is_broken_and_not_called_something_else() {
    let cause = "no decoder for AVIF".to_owned();
    assert_eq!(reject(b"\0\0\0\x20ftypavif\0\0\0\0"), Reject::Undecodable { cause });
}

#[test]
fn a_picture_past_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let png = encode::encode(&busy(20, 10), FileFormat::Png, 0);

    let at_limit = decode(&png, Limits { pixels_max: 200 });
    let past_limit = decode(&png, Limits { pixels_max: 199 });

    assert_eq!(at_limit.unwrap().picture, busy(20, 10));
    assert_eq!(past_limit.unwrap_err(), Reject::TooManyPixels { width_px: 20, height_px: 10 });
}

#[test]
fn alpha_is_laid_on_white() {
    let mut png = Vec::new();
    let pixels = [10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 51];
    codecs::png::PngEncoder::new(&mut png)
        .write_image(&pixels, 3, 1, ExtendedColorType::Rgba8)
        .unwrap();

    let picture = decode(&png, Limits::default()).unwrap().picture;

    assert_eq!(picture.into_raw(), [10, 20, 30, 255, 255, 255, 204, 204, 204]);
}

#[test]
fn sixteen_bit_grey_becomes_eight_bit_colour() {
    let mut png = Vec::new();
    let levels: Vec<u8> = [0, 0x8080, 0xFFFF_u16].iter().flat_map(|it| it.to_ne_bytes()).collect();
    codecs::png::PngEncoder::new(&mut png)
        .write_image(&levels, 3, 1, ExtendedColorType::L16)
        .unwrap();

    let picture = decode(&png, Limits::default()).unwrap().picture;

    assert_eq!(picture.into_raw(), [0, 0, 0, 128, 128, 128, 255, 255, 255]);
}

#[test]
fn a_jpeg_cut_anywhere_is_truncated_even_with_an_end_marker_put_back() {
    for quality in [50, 95] {
        let whole = encode::encode(&busy(150, 100), FileFormat::Jpeg, quality);
        let n = whole.len();
        assert!(decode(&whole, Limits::default()).is_ok());
        for cut in [n - 2, n - 10, n * 9 / 10, n / 2, n / 3] {
            assert!(is_truncated(&whole[..cut]), "cut at {cut} of {n}");
        }
        for cut in [n * 19 / 20, n / 2, n / 3] {
            let mut mended = whole[..cut].to_vec();
            mended.extend([0xFF, 0xD9]);
            assert!(decode(&mended, Limits::default()).is_err(), "mended at {cut} of {n}");
        }
    }
}

#[test]
fn a_progressive_jpeg_cut_short_is_truncated() {
    let mut whole = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut whole, 90);
    encoder.set_progressive(true);
    encoder.encode(busy(96, 64).as_raw(), 96, 64, jpeg_encoder::ColorType::Rgb).unwrap();

    assert!(decode(&whole, Limits::default()).is_ok());
    assert!(is_truncated(&whole[..whole.len() / 2]));
}

#[test]
fn a_plain_picture_with_restart_markers_is_whole() {
    let plain = Picture::from_pixel(200, 90, Rgb([255, 255, 255]));
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.set_restart_interval(5);
    encoder.encode(plain.as_raw(), 200, 90, jpeg_encoder::ColorType::Rgb).unwrap();

    assert_eq!(decode(&bytes, Limits::default()).unwrap().picture, plain);
}

#[test]
fn a_png_cut_short_is_refused() {
    let whole = encode::encode(&busy(64, 64), FileFormat::Png, 0);

    assert!(decode(&whole[..whole.len() / 2], Limits::default()).is_err());
}

#[test]
fn of_all_photographs_only_the_cut_one_is_refused() {
    for folder in ["raccoon_kangaroo", "clothing4_cc0", "robustness_dedup/big_photos_cc0"] {
        let mut refused = BTreeSet::new();
        for (name, bytes) in shared_data::files(folder) {
            if name.rsplit('.').next() == Some("txt") {
                continue;
            }
            if let Err(reject) = decode(&bytes, Limits::default()) {
                refused.insert(format!("{name}: {reject}"));
            }
        }
        let cut = "kangaroo/00090.jpg: broken file (truncated: the file ends before the picture)";
        let expected: &[&str] =
            if folder == "raccoon_kangaroo" && !refused.is_empty() { &[cut] } else { &[] };
        assert_eq!(refused.iter().collect::<Vec<_>>(), expected, "{folder}");
    }
}

#[test]
fn hostile_files_are_refused_by_their_headers_or_their_ends() {
    let truncated = "broken file (truncated: the file ends before the picture)";
    let expected = [
        ("max_size.jpg", "too many pixels (65535\u{d7}65535)"),
        ("truncated_end_chunk.png", truncated),
        ("truncated_image.png", truncated),
        ("truncated_jpeg.jpg", truncated),
        ("decompression_bomb.ico", "broken file (no decoder for icon)"),
    ];
    let mut accepted = Vec::new();
    for (name, bytes) in shared_data::files("robustness_dedup/bombs_and_truncated") {
        match decode(&bytes, Limits::default()) {
            Ok(decoded) => accepted.push((name, decoded.picture.dimensions())),
            Err(reject) => {
                let wanted = expected.iter().find(|(file, _)| *file == name);
                assert!(
                    wanted.is_none_or(|(_, text)| *text == reject.to_string()),
                    "{name}: {reject}"
                );
            }
        }
    }
    // An EXIF block, a second frame and a note of Adobe's are bad; the pictures are not.
    let sound = ["broken_exif_dpi.jpg", "decompression_bomb_extents.gif", "truncated_app14.jpg"];
    let accepted: Vec<&str> = accepted.iter().map(|(name, _)| name.as_str()).collect();
    assert!(accepted.is_empty() || accepted == sound, "{accepted:?}");
}

#[test]
fn all_eight_exif_orientations_give_one_upright_picture() {
    let mut upright = None;
    for (name, bytes) in shared_data::files("robustness_dedup/exif_orientation") {
        if name.rsplit('.').next() == Some("jpg") {
            let decoded = decode(&bytes, Limits::default()).unwrap();
            let print = fingerprint::fingerprint(&decoded);
            // The first hash is that of the picture as it lies: a turned one would be far.
            let found = (decoded.picture.dimensions(), print.views[0].hash);
            let (size, hash) = *upright.get_or_insert(found);
            assert_eq!(found.0, size, "{name}");
            assert!(found.1.distance(hash) <= Distance(40), "{name}: {}", found.1.distance(hash));
        }
    }
}

#[test]
fn one_picture_in_five_pixel_modes_stays_one_picture() {
    let modes = shared_data::files("robustness_dedup/pixel_modes");
    let prints: Vec<_> = modes
        .iter()
        .map(|(_, bytes)| fingerprint::fingerprint(&decode(bytes, Limits::default()).unwrap()))
        .collect();
    for ((name, _), print) in modes.iter().zip(&prints) {
        let brightness = print.quality.brightness.abs_diff(prints[0].quality.brightness);
        assert!(print.distance(&prints[0]) <= Distance(4) && brightness <= 2, "{name}");
    }
}

#[test]
fn of_the_png_suite_exactly_the_broken_files_are_refused() {
    for (name, bytes) in shared_data::files("robustness_dedup/pngsuite") {
        if name.rsplit('.').next() == Some("png") {
            let refused = decode(&bytes, Limits::default()).is_err();
            assert_eq!(refused, name.starts_with('x'), "{name}");
        }
    }
}

#[test]
fn a_first_frame_beyond_its_screen_enlarges_it_and_leaves_holes() {
    let screen = b"GIF89a\x02\0\x01\0\x80\0\0\x0a\x14\x1e\xff\0\0";
    // One pixel of the first colour, at the third place of the second row.
    let frame = b",\x02\0\x01\0\x01\0\x01\0\0\x02\x02\x44\x01\0;";

    let decoded = decode(&[&screen[..], frame].concat(), Limits::default()).unwrap();

    let (white, colour) = ([255; 3], [10, 20, 30]);
    assert_eq!((decoded.width_px, decoded.height_px), (3, 2));
    assert_eq!(decoded.picture.into_raw(), [white, white, white, white, white, colour].concat());
}

#[test]
fn a_gif_cut_within_its_frame_is_truncated() {
    let mut whole = Vec::new();
    DynamicImage::from(busy(50, 40))
        .write_to(&mut Cursor::new(&mut whole), ImageFormat::Gif)
        .unwrap();

    assert!(decode(&whole, Limits::default()).is_ok());
    assert!(is_truncated(&whole[..whole.len() / 2]));
}

#[test]
fn the_profile_of_a_photograph_counts_whole_or_reduced() {
    let plain = Picture::from_pixel(80, 64, Rgb([100, 150, 200]));
    let profile = moxcms::ColorProfile::new_adobe_rgb().encode().unwrap();
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 100);
    encoder.add_icc_profile(&profile).unwrap();
    encoder.encode(plain.as_raw(), 80, 64, jpeg_encoder::ColorType::Rgb).unwrap();

    let whole = decode(&bytes, Limits::default()).unwrap();
    let reduced = decode_at_least(&bytes, Limits::default(), 8).unwrap();

    assert_eq!(whole.picture.dimensions(), (80, 64));
    assert!(reduced.picture.width() < 80);
    for picture in [whole.picture, reduced.picture] {
        let found = picture.get_pixel(5, 5).0;
        let apart = found.iter().zip([66_u8, 151, 203]).map(|(a, b)| a.abs_diff(b)).max();
        assert!(apart <= Some(3), "{found:?}");
    }
}

#[test]
fn pictures_of_every_kind_are_turned_as_their_exif_says() {
    let lying = busy(5, 3);
    let block = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
    let (mut png, mut webp) = (Vec::new(), Vec::new());
    let mut encoder = codecs::png::PngEncoder::new(&mut png);
    encoder.set_exif_metadata(block.clone()).unwrap();
    encoder.write_image(lying.as_raw(), 5, 3, ExtendedColorType::Rgb8).unwrap();
    let mut encoder = codecs::webp::WebPEncoder::new_lossless(&mut webp);
    encoder.set_exif_metadata(block).unwrap();
    encoder.write_image(lying.as_raw(), 5, 3, ExtendedColorType::Rgb8).unwrap();

    let upright = image::imageops::rotate90(&lying);
    assert_eq!(decode(&png, Limits::default()).unwrap().picture, upright);
    assert_eq!(decode(&webp, Limits::default()).unwrap().picture, upright);
}

#[test]
fn a_background_shows_through_and_is_white_unless_stated() {
    let mut png = Vec::new();
    codecs::png::PngEncoder::new(&mut png)
        .write_image(&[9, 9, 9, 0], 1, 1, ExtendedColorType::Rgba8)
        .unwrap();
    let background = Background { levels: [1, 2, 3] };

    let stated = take(&png, Taking { background, ..Taking::default() }).unwrap();

    assert_eq!(stated.picture.into_raw(), [1, 2, 3]);
    assert_eq!(decode(&png, Limits::default()).unwrap().picture.into_raw(), [255; 3]);
}

#[test]
fn a_header_that_asks_for_more_memory_than_its_pixels_may_take_is_refused() {
    // Of 20 megapixels each may take 4.5 bytes. A sequential picture takes 3, a progressive one
    // its coefficients too.
    let frame = |marker| {
        let start = [&b"\xFF\xD8\xFF"[..], &[marker], b"\0\x11\x08\x10\0\x13\x12\x03"].concat();
        [&start[..], b"\x01\x11\0\x02\x11\0\x03\x11\0\xFF\xD9"].concat()
    };
    let limits = Limits { pixels_max: 20_000_000 };
    let refusal = |marker| decode(&frame(marker), limits).map(|it| it.format).unwrap_err();
    let too_many = Reject::TooManyPixels { width_px: 0x1312, height_px: 0x1000 };

    assert_eq!([refusal(0xC2), refusal(0xCA)], [too_many.clone(), too_many.clone()]);
    assert_ne!(refusal(0xC0), too_many);
    assert_ne!(refusal(0xC9), too_many);
}
