//! Pure functions on pixels: bytes in, pictures, fingerprints, twins or encoded bytes out.
//! The only room that knows the picture libraries; it never touches files or the store.

pub mod augment;
pub mod compare;
pub mod contact;
pub mod crop;
pub mod decode;
pub mod encode;
pub mod exif;
pub mod fingerprint;
pub mod heat;
pub mod plain_hash;
pub mod process;
pub mod search;
pub mod sniff;
pub mod twins;
pub mod weight;

mod align;
mod area;
mod attention;
mod border;
mod icc;
mod gaussian;
mod hash;
mod jpeg;
mod light;
mod plane;
mod quality;
mod scale;
mod wide;

#[cfg(test)]
mod edits;
#[cfg(test)]
mod shared_data;

/// A decoded picture: eight bits each of red, green and blue, upright, without alpha.
pub type Picture = image::RgbImage;

/// Red, green and blue of one place in a picture.
pub type Pixel = image::Rgb<u8>;
