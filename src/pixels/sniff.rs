//! First bytes → what a file is, whatever its name or the server says.

/// What the first bytes of a file say it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Jpeg,
    Png,
    Gif,
    Webp,
    Bmp,
    Avif,
    Heic,
    Jxl,
    Tiff,
    Ico,
    Svg,
    Html,
    Json,
    Pdf,
    Video,
    Archive,
    Empty,
    Unknown,
}

/// How far into a text file its nature must show.
const TEXT_BYTES: usize = 512;

/// Tells a file's kind from its first bytes.
pub fn kind(bytes: &[u8]) -> Kind {
    match bytes {
        [] => Kind::Empty,
        [0xFF, 0xD8, 0xFF, ..] => Kind::Jpeg,
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Kind::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Kind::Gif,
        [b'R', b'I', b'F', b'F', _, _, _, _, rest @ ..] => riff(rest),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Kind::Bmp,
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Kind::Tiff,
        [0, 0, 1, 0, ..] => Kind::Ico,
        [0xFF, 0x0A, ..] | [0, 0, 0, 0x0C, b'J', b'X', b'L', b' ', ..] => Kind::Jxl,
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, c, d, ..] => brand([*a, *b, *c, *d]),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Kind::Video,
        [b'%', b'P', b'D', b'F', b'-', ..] => Kind::Pdf,
        [b'P', b'K', 3, 4, ..] | [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] => Kind::Archive,
        _ => text(bytes),
    }
}

fn riff(form: &[u8]) -> Kind {
    match form {
        [b'W', b'E', b'B', b'P', ..] => Kind::Webp,
        [b'A', b'V', b'I', b' ', ..] => Kind::Video,
        _ => Kind::Unknown,
    }
}

/// Reads the major brand of an ISO media file, which films and two picture formats share.
fn brand(brand: [u8; 4]) -> Kind {
    match &brand {
        b"avif" | b"avis" => Kind::Avif,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => Kind::Heic,
        _ => Kind::Video,
    }
}

fn text(bytes: &[u8]) -> Kind {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let start = bytes[..bytes.len().min(TEXT_BYTES)].trim_ascii_start().to_ascii_lowercase();
    let has = |word: &[u8]| start.windows(word.len()).any(|window| window == word);
    match start.first() {
        Some(b'<') if has(b"<html") || has(b"<!doctype html") || has(b"<head") => Kind::Html,
        Some(b'<') if has(b"<svg") => Kind::Svg,
        Some(b'{' | b'[') => Kind::Json,
        Some(_) | None => Kind::Unknown,
    }
}

impl Kind {
    /// Returns the name people know the kind by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Bmp => "BMP",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Jxl => "JPEG XL",
            Self::Tiff => "TIFF",
            Self::Ico => "icon",
            Self::Svg => "SVG drawing",
            Self::Html => "web page",
            Self::Json => "JSON text",
            Self::Pdf => "PDF document",
            Self::Video => "video",
            Self::Archive => "archive",
            Self::Empty => "empty file",
            Self::Unknown => "unknown kind of file",
        }
    }

    /// Tells pictures, also those this program has no decoder for, from everything else.
    pub fn is_picture(self) -> bool {
        match self {
            Self::Jpeg
            | Self::Png
            | Self::Gif
            | Self::Webp
            | Self::Bmp
            | Self::Avif
            | Self::Heic
            | Self::Jxl
            | Self::Tiff
            | Self::Ico
            | Self::Svg => true,
            Self::Html
            | Self::Json
            | Self::Pdf
            | Self::Video
            | Self::Archive
            | Self::Empty
            | Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_the_first_bytes() {
        let cases: [(&[u8], Kind); 10] = [
            (b"", Kind::Empty),
            (b"\xFF\xD8\xFF\xE0", Kind::Jpeg),
            (b"GIF89a\0\0", Kind::Gif),
            (b"RIFF\0\0\0\0WEBPVP8 ", Kind::Webp),
            (b"RIFF\0\0\0\0AVI LIST", Kind::Video),
            (b"\0\0\0\x20ftypavif", Kind::Avif),
            (b"\0\0\0\x20ftypisom", Kind::Video),
            (b"\n <!DOCTYPE HTML><title>gone</title>", Kind::Html),
            (b"<?xml version='1.0'?><svg/>", Kind::Svg),
            (b"{\"error\": 404}", Kind::Json),
        ];
        for (bytes, expected) in cases {
            assert_eq!(kind(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_cut_signature_is_no_picture() {
        for bytes in [&b"\xFF\xD8"[..], b"\x89PNG\r\n", b"GIF8", b"BM", b"RIFF"] {
            assert_eq!(kind(bytes), Kind::Unknown, "{}", bytes.escape_ascii());
        }
    }
}
