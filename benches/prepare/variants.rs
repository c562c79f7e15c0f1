//! A folder of photographs → the same pictures in the sizes and layouts that cameras and sites
//! write. Enlarged ones get the grain a sensor of that size would give: without it they would
//! hold far fewer bytes than real ones, and decode too fast.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fast_image_resize::{
    PixelType, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use snapset::pixels::{
    Picture,
    decode::{self, Limits},
};

/// How a variant is written.
struct Variant {
    megapixels: f64,
    quality: u8,
    sampling: SamplingFactor,
    scans: Scans,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scans {
    Plain,
    Progressive,
}

const VARIANTS: [Variant; 7] = [
    variant(2.0, 90, SamplingFactor::F_2_2, Scans::Plain),
    variant(4.0, 75, SamplingFactor::F_1_1, Scans::Plain),
    variant(8.0, 95, SamplingFactor::F_2_2, Scans::Plain),
    variant(12.0, 92, SamplingFactor::F_2_1, Scans::Plain),
    variant(16.0, 85, SamplingFactor::F_2_2, Scans::Progressive),
    variant(24.0, 80, SamplingFactor::F_2_2, Scans::Plain),
    variant(33.0, 88, SamplingFactor::F_2_2, Scans::Plain),
];

const fn variant(megapixels: f64, quality: u8, sampling: SamplingFactor, scans: Scans) -> Variant {
    Variant { megapixels, quality, sampling, scans }
}

/// Writes all variants of all photographs into `scratch`; the photographs themselves come too.
pub(super) fn make(folder: &Path, scratch: &Path) -> Vec<PathBuf> {
    let mut photographs: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    photographs.retain(|path| path.extension().is_some_and(|it| it == "jpg" || it == "jpeg"));
    photographs.sort();
    let mut files = Vec::new();
    for path in photographs {
        let bytes = fs::read(&path).unwrap();
        let Ok(decoded) = decode::decode(&bytes, Limits::default()) else { continue };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        files.push(path);
        for (n, variant) in VARIANTS.iter().enumerate() {
            let file = scratch.join(format!("{name}-{n}.jpg"));
            fs::write(&file, variant.of(&decoded.picture)).unwrap();
            files.push(file);
        }
    }
    files
}

pub(super) fn megapixels(files: &[PathBuf]) -> f64 {
    let of = |path: &PathBuf| {
        let decoded = decode::decode_at_least(&fs::read(path).unwrap(), Limits::default(), 1);
        let decoded = decoded.unwrap();
        f64::from(decoded.width_px) * f64::from(decoded.height_px) / 1e6
    };
    files.iter().map(of).sum()
}

impl Variant {
    fn of(&self, picture: &Picture) -> Vec<u8> {
        let (width, height) = picture.dimensions();
        let scale = (self.megapixels * 1e6 / (f64::from(width) * f64::from(height))).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no side of 33 megapixels is longer than 65,535"
        )]
        let [new_width, new_height] =
            [width, height].map(|px| (f64::from(px) * scale).round() as u16);
        let source = ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3).unwrap();
        let mut target = Image::new(new_width.into(), new_height.into(), PixelType::U8x3);
        Resizer::new().resize(&source, &mut target, &ResizeOptions::new()).unwrap();
        let mut levels = target.into_vec();
        if 1.0 < scale {
            add_grain(&mut levels);
        }
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.quality);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.scans == Scans::Progressive);
        encoder.encode(&levels, new_width, new_height, ColorType::Rgb).unwrap();
        bytes
    }
}

/// Adds the same small number, -4 to 4, to the three levels of each pixel.
fn add_grain(levels: &mut [u8]) {
    let mut state = 1_u64;
    for pixel in levels.as_chunks_mut::<3>().0 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let grain =
            i16::try_from(state >> 33 & 7).unwrap() - i16::try_from(state >> 40 & 7).unwrap();
        for level in pixel {
            *level = level.saturating_add_signed(i8::try_from(grain / 2).unwrap());
        }
    }
}
