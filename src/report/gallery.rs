//! Stored pictures → small pictures inside the page. A picture that is gone leaves a note in
//! its place, never a broken page.

use std::path::Path;

use maud::{Markup, html};

use crate::{
    domain::{id::BlobId, picture::Crop},
    pixels::{
        Picture, contact,
        decode::{self, Limits},
    },
    store::{files, layout::Layout},
};

const QUALITY: u8 = 76;

/// The longer side of a picture in a row of many, of one to be looked at, and of one that has a
/// page for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
    Whole,
}

pub(super) struct Gallery<'a> {
    pub layout: &'a Layout,
}

impl Size {
    fn side_px(self) -> u32 {
        match self {
            Self::Small => 144,
            Self::Large => 300,
            Self::Whole => 1200,
        }
    }
}

impl Gallery<'_> {
    /// Shows a prepared picture.
    pub(super) fn crop(&self, crop: &Crop, size: Size, alt: &str) -> Markup {
        image(&self.layout.crop(crop), size, alt)
    }

    /// Reads a picture as it was fetched, if it is still there.
    pub(super) fn picture(&self, blob: &BlobId) -> Option<Picture> {
        read(&self.layout.blob(blob))
    }

    /// Shows the picture in a file, where there is one.
    pub(super) fn if_any(path: &Path, size: Size, alt: &str) -> Option<Markup> {
        path.exists().then(|| image(path, size, alt))
    }

    /// Shows a picture as it was fetched.
    pub(super) fn original(&self, blob: &BlobId, size: Size, alt: &str) -> Markup {
        image(&self.layout.blob(blob), size, alt)
    }
}

fn image(path: &Path, size: Size, alt: &str) -> Markup {
    let Some(picture) = read(path) else {
        return html! { span.gone role="img" aria-label=(alt) { "no longer on disk" } };
    };
    let jpeg = contact::thumbnail_jpeg(&picture, size.side_px(), QUALITY);
    let uri = format!("data:image/jpeg;base64,{}", base64(&jpeg));
    html! { img src=(uri) alt=(alt); }
}

fn read(path: &Path) -> Option<Picture> {
    // Why a picture cannot be shown is the business of `verify`; the report goes on without.
    let bytes = files::read(path).ok()?;
    decode::decode(&bytes, Limits::default()).ok().map(|decoded| decoded.picture)
}

/// Writes bytes in the alphabet of RFC 4648, padded.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place)) & 63;
            let letter = ALPHABET[usize::try_from(six).expect("six bits are an index")];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_standard_says() {
        let words = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let written = words.map(|word| base64(word.as_bytes()));
        assert_eq!(written, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }
}
