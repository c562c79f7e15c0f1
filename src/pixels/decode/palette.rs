//! Bytes of a PNG file → whether its palette can be read. The decoder takes its length on trust.

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;

/// Tells whether a palette before the pixels, if there is one, holds whole colours.
pub(super) fn is_whole(png: &[u8]) -> bool {
    let mut rest = png.get(SIGNATURE..).unwrap_or_default();
    while let Some((&[a, b, c, d, ref name @ ..], body)) = rest.split_first_chunk::<8>() {
        let n_bytes = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        match name {
            b"PLTE" => return n_bytes != 0 && n_bytes % 3 == 0,
            b"IDAT" => return true,
            _ => (),
        }
        // A sum of four bytes ends each chunk.
        let Some(next) = n_bytes.checked_add(4).and_then(|end| body.get(end..)) else {
            return true;
        };
        rest = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(palette: &[u8]) -> Vec<u8> {
        let length = u32::try_from(palette.len()).unwrap().to_be_bytes();
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x03\0\0\0\0\0\0\0";
        [&header[..], &length, b"PLTE", palette, b"\0\0\0\0"].concat()
    }

    #[test]
    fn a_palette_is_whole_colours() {
        assert!(is_whole(&png(&[1, 2, 3, 4, 5, 6])));
        assert!(!is_whole(&png(&[1, 2])));
        assert!(!is_whole(&png(&[1, 2, 3, 4])));
        assert!(!is_whole(&png(&[])));
    }

    #[test]
    fn a_file_without_a_palette_is_left_to_the_decoder() {
        let mut vast = png(&[]);
        vast[8..12].fill(0xFF);
        assert!(is_whole(&vast));
        assert!(is_whole(b"\x89PNG"));
    }
}
