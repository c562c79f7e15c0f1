use super::*;
use crate::pixels::{
    decode::{self, Limits},
    edits,
    encode::{self, Colour, JpegLayout, Scans},
    shared_data,
};

const ALL: Ask = Ask { pixels_max: 100_000_000, bytes_max: 400 << 20, shorter_px: u32::MAX };

fn reduced(bytes: &[u8], shorter_px: u32) -> Result<Photo<'_>, Refusal> {
    decode(bytes, Ask { shorter_px, ..ALL })
}

/// Encodes as the library does that has all the layouts.
fn encoded(picture: &Picture, sampling: jpeg_encoder::SamplingFactor, scans: Scans) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(scans == Scans::Progressive);
    let [width, height] = [width, height].map(|px| u16::try_from(px).unwrap());
    encoder.encode(picture.as_raw(), width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// Returns the largest and the mean difference of levels.
fn difference(one: &Picture, other: &Picture) -> (u8, f64) {
    assert_eq!(one.dimensions(), other.dimensions());
    let each = one.as_raw().iter().zip(other.as_raw()).map(|(&one, &other)| one.abs_diff(other));
    let sum: u64 = each.clone().map(u64::from).sum();
    #[expect(clippy::cast_precision_loss, reason = "a mean of levels needs few digits")]
    let mean = sum as f64 / one.as_raw().len() as f64;
    (each.max().unwrap(), mean)
}

fn library(bytes: &[u8]) -> Picture {
    image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg).unwrap().into_rgb8()
}

#[test]
fn every_layout_gives_the_pixels_another_decoder_gives() {
    use jpeg_encoder::SamplingFactor as Factor;
    let picture = edits::drawn(3, 203, 149);
    for sampling in [Factor::F_1_1, Factor::F_2_1, Factor::F_1_2, Factor::F_2_2, Factor::F_4_1] {
        for scans in [Scans::Baseline, Scans::Progressive] {
            let bytes = encoded(&picture, sampling, scans);

            let ours = reduced(&bytes, u32::MAX).unwrap().picture;

            let (_, mean) = difference(&ours, &library(&bytes));
            assert!(mean < 1.0, "{sampling:?} {scans:?}: differs by {mean}");
        }
    }
}

#[test]
fn both_kinds_of_scans_give_the_same_pixels_at_every_size() {
    use jpeg_encoder::SamplingFactor as Factor;
    let picture = edits::drawn(5, 331, 253);
    for sampling in [Factor::F_1_1, Factor::F_2_1, Factor::F_2_2] {
        let plain = encoded(&picture, sampling, Scans::Baseline);
        let progressive = encoded(&picture, sampling, Scans::Progressive);
        for (shorter_px, width_px) in [(31, 42), (62, 83), (124, 166), (125, 331)] {
            let plain = reduced(&plain, shorter_px).unwrap().picture;
            let progressive = reduced(&progressive, shorter_px).unwrap().picture;

            assert_eq!(plain.width(), width_px);
            assert_eq!(plain, progressive, "{sampling:?} at {shorter_px}");
        }
    }
}

#[test]
fn a_pixel_of_a_reduced_picture_is_near_the_mean_of_those_it_stands_for() {
    let picture = edits::drawn(7, 256, 192);
    let bytes = encoded(&picture, jpeg_encoder::SamplingFactor::F_1_1, Scans::Baseline);
    let whole = reduced(&bytes, u32::MAX).unwrap().picture;
    for side in [2_u32, 4, 8] {
        let small = reduced(&bytes, 192 / side).unwrap().picture;
        let means = Picture::from_fn(256 / side, 192 / side, |x, y| {
            let mut sums = [0_u32; 3];
            for n in 0..side * side {
                let pixel = whole.get_pixel(x * side + n % side, y * side + n / side);
                for (sum, &level) in sums.iter_mut().zip(&pixel.0) {
                    *sum += u32::from(level);
                }
            }
            image::Rgb(sums.map(|sum| u8::try_from(sum / (side * side)).unwrap()))
        });

        let (_, mean) = difference(&small, &means);

        assert!(mean < 2.0, "1/{side} differs by {mean}");
    }
}

#[test]
fn a_grey_file_gives_grey_pixels() {
    let layout = JpegLayout { colour: Colour::Grey, ..JpegLayout::default() };
    let bytes = encode::jpeg_as(&edits::drawn(2, 90, 70), 95, layout);

    let photo = reduced(&bytes, 16).unwrap();

    assert_eq!((photo.ink, photo.picture.dimensions()), (Ink::Grey, (23, 18)));
    assert!(photo.picture.pixels().all(|it| it.0[0] == it.0[1] && it.0[1] == it.0[2]));
}

#[test]
fn a_damaged_stretch_between_restart_markers_spoils_no_other() {
    let picture = edits::drawn(4, 160, 120);
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_restart_interval(10);
    encoder.encode(picture.as_raw(), 160, 120, jpeg_encoder::ColorType::Rgb).unwrap();
    let whole = reduced(&bytes, u32::MAX).unwrap().picture;
    let restart = bytes.windows(2).position(|pair| pair == [0xFF, 0xD3]).unwrap();
    bytes.drain(restart - 30..restart);

    let damaged = reduced(&bytes, u32::MAX).unwrap().picture;

    // Ten units are a row of 16 pixels, here the fourth; halved colours reach one pixel further.
    let rows = |picture: &Picture, from: usize, to: usize| {
        picture.as_raw()[160 * 3 * from..160 * 3 * to].to_vec()
    };
    assert!(rows(&damaged, 0, 47) == rows(&whole, 0, 47), "it spoiled what lies before");
    assert!(rows(&damaged, 48, 64) != rows(&whole, 48, 64), "the damage does not show");
    assert!(rows(&damaged, 65, 120) == rows(&whole, 65, 120), "it spoiled what follows");
}

#[test]
fn a_file_cut_anywhere_has_the_same_verdict_at_every_size() {
    for scans in [Scans::Baseline, Scans::Progressive] {
        let picture = edits::drawn(6, 120, 100);
        let whole = encoded(&picture, jpeg_encoder::SamplingFactor::F_2_2, scans);
        for cut in (0..whole.len()).step_by(7) {
            let mut mended = whole[..cut].to_vec();
            mended.extend([0xFF, 0xD9]);

            let verdicts =
                [1, 25, 50, u32::MAX].map(|px| reduced(&mended, px).map(|it| it.width_px).err());

            assert_eq!(verdicts, [verdicts[0]; 4], "cut at {cut} of {}", whole.len());
            assert!(scans == Scans::Progressive || verdicts[0].is_some(), "cut at {cut}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic_and_have_the_same_verdict_at_every_size() {
    let mut dice = edits::Dice(9);
    for scans in [Scans::Baseline, Scans::Progressive] {
        let whole = encoded(&edits::drawn(8, 97, 61), jpeg_encoder::SamplingFactor::F_2_2, scans);
        for _ in 0..1_000 {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                let at = usize::try_from(dice.below(u32::try_from(bytes.len()).unwrap())).unwrap();
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }

            let verdicts =
                [1, 15, 30, u32::MAX].map(|px| reduced(&bytes, px).map(|it| it.width_px).err());

            assert_eq!(verdicts, [verdicts[0]; 4]);
        }
    }
}

#[test]
fn what_takes_more_memory_than_allowed_is_left_to_another() {
    let bytes = encoded(
        &edits::drawn(1, 400, 300),
        jpeg_encoder::SamplingFactor::F_1_1,
        Scans::Progressive,
    );
    let ask = |bytes_max| Ask { bytes_max, ..ALL };

    // Three planes, and three coefficients of two bytes for each pixel, and eight for a block.
    let needed = 400 * 304 * 3 + 3 * 50 * 38 * (64 * 2 + 8);
    assert!(decode(&bytes, ask(needed)).is_ok());
    assert_eq!(decode(&bytes, ask(needed - 1)).map(|it| it.ink), Err(Refusal::Foreign));
}

#[test]
fn real_photographs_are_read_here_and_look_as_another_decoder_has_them() {
    let mut n_read = 0;
    for folder in ["raccoon_kangaroo", "robustness_dedup/big_photos_cc0"] {
        for (name, bytes) in shared_data::files(folder) {
            if !bytes.starts_with(&[0xFF, 0xD8]) || name == "kangaroo/00090.jpg" {
                continue;
            }
            let photo = decode(&bytes, ALL).unwrap();
            let (_, mean) = difference(&photo.picture, &library(&bytes));
            assert!(mean < 1.0, "{name} differs by {mean}");
            n_read += 1;
        }
    }
    assert!(n_read == 0 || 300 < n_read, "only {n_read} read");
}

#[test]
fn asking_for_less_never_changes_the_size_or_the_verdict() {
    for (name, bytes) in shared_data::files("robustness_dedup") {
        let verdict = |shorter_px| {
            let decoded = decode::decode_at_least(&bytes, Limits::default(), shorter_px);
            decoded.map(|it| (it.width_px, it.height_px, it.format))
        };
        assert_eq!(verdict(256), verdict(u32::MAX), "{name}");
        assert_eq!(verdict(1), verdict(u32::MAX), "{name}");
    }
}

/// Huffman-coded files, and files with the same coefficients in other codes.
const TWINS: [(&[u8], &[&[u8]]); 4] = [
    (
        include_bytes!("../../../tests/judges/arithmetic/sparse-huffman.jpg"),
        &[
            include_bytes!("../../../tests/judges/arithmetic/sparse-huffman-progressive.jpg"),
            include_bytes!("../../../tests/judges/arithmetic/sparse-arithmetic.jpg"),
            include_bytes!("../../../tests/judges/arithmetic/sparse-arithmetic-progressive.jpg"),
            include_bytes!("../../../tests/judges/arithmetic/sparse-arithmetic-restarts.jpg"),
            include_bytes!("../../../tests/judges/arithmetic/sparse-arithmetic-conditioned.jpg"),
        ],
    ),
    (
        include_bytes!("../../../tests/judges/arithmetic/dense-huffman.jpg"),
        &[
            include_bytes!("../../../tests/judges/arithmetic/dense-arithmetic.jpg"),
            include_bytes!(
                "../../../tests/judges/arithmetic/dense-arithmetic-progressive-restarts.jpg"
            ),
        ],
    ),
    (
        include_bytes!("../../../tests/judges/arithmetic/grey-huffman.jpg"),
        &[include_bytes!("../../../tests/judges/arithmetic/grey-arithmetic-progressive.jpg")],
    ),
    // Nearly all white: the last decisions are likely, and are coded as nothing.
    (
        include_bytes!("../../../tests/judges/arithmetic/plain-huffman.jpg"),
        &[
            include_bytes!("../../../tests/judges/arithmetic/plain-arithmetic.jpg"),
            include_bytes!("../../../tests/judges/arithmetic/plain-arithmetic-progressive.jpg"),
        ],
    ),
];

#[test]
fn the_code_of_a_file_never_shows_in_its_pixels() {
    for (n, (huffman, others)) in TWINS.iter().enumerate() {
        for shorter_px in [7, 14, 28, u32::MAX] {
            let expected = reduced(huffman, shorter_px).unwrap().picture;
            for (m, other) in others.iter().enumerate() {
                let ours = reduced(other, shorter_px).unwrap().picture;
                assert!(ours == expected, "twin {m} of {n} at {shorter_px}");
            }
        }
    }
}

#[test]
fn a_cut_arithmetic_file_has_the_same_verdict_at_every_size() {
    for (_, others) in TWINS {
        for (n, whole) in others.iter().enumerate() {
            let mut n_taken = 0;
            for cut in 0..whole.len() {
                let mut mended = whole[..cut].to_vec();
                mended.extend([0xFF, 0xD9]);

                let verdicts = [1, 14, 28, u32::MAX]
                    .map(|px| reduced(&mended, px).map(|it| it.width_px).err());

                assert_eq!(verdicts, [verdicts[0]; 4], "{n} cut at {cut} of {}", whole.len());
                n_taken += usize::from(verdicts[0].is_none());
                assert!(reduced(&whole[..cut], u32::MAX).is_err(), "{n} cut at {cut}");
            }
            // Progressive files are whole with their means. Of the others, a few cuts leave what
            // other blocks would be coded as.
            let is_sequential = whole.windows(2).any(|pair| pair == [0xFF, 0xC9]);
            assert!(!is_sequential || n_taken * 50 < whole.len(), "{n}: {n_taken} cuts taken");
        }
    }
}

#[test]
fn damaged_arithmetic_bytes_never_panic_and_have_the_same_verdict_at_every_size() {
    let mut dice = edits::Dice(11);
    for whole in TWINS.iter().flat_map(|(_, others)| *others) {
        for _ in 0..300 {
            let mut bytes = whole.to_vec();
            for _ in 0..3 {
                let at = usize::try_from(dice.below(u32::try_from(bytes.len()).unwrap())).unwrap();
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }

            let verdicts =
                [1, 14, 28, u32::MAX].map(|px| reduced(&bytes, px).map(|it| it.width_px).err());

            assert_eq!(verdicts, [verdicts[0]; 4]);
        }
    }
}
