//! Bytes of a JPEG file → the colour profile its segments hold.

use crate::pixels::jpeg;

/// What a profile's segments begin with; the number of this one and of all follow.
const PROFILE: &[u8] = b"ICC_PROFILE\0";
const PROFILE_MARKER: u8 = 0xE2;

/// Returns the colour profile, put together from its parts; `None` if one of them is missing.
pub(super) fn of_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<(u8, u8, &[u8])> = jpeg::headers(bytes)
        .filter(|&(marker, _)| marker == PROFILE_MARKER)
        .filter_map(|(_, body)| body.strip_prefix(PROFILE))
        .filter_map(|part| part.split_first_chunk())
        .map(|(&[number, n], part)| (number, n, part))
        .collect();
    parts.sort_by_key(|part| part.0);
    let &(_, n, _) = parts.first()?;
    let is_whole = parts.len() == usize::from(n)
        && parts.iter().zip(1..=n).all(|(part, number)| (part.0, part.1) == (number, n));
    is_whole.then(|| parts.iter().flat_map(|part| part.2).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u8, n: u8, text: &[u8]) -> Vec<u8> {
        let length = u8::try_from(2 + PROFILE.len() + 2 + text.len()).unwrap();
        [&[0xFF, 0xE2, 0, length], PROFILE, &[number, n], text].concat()
    }

    fn file(parts: &[Vec<u8>]) -> Vec<u8> {
        [&b"\xFF\xD8\xFF\xE0\0\x04JF"[..], &parts.concat(), b"\xFF\xDA\0\x02"].concat()
    }

    #[test]
    fn a_profile_is_put_together_in_the_order_of_its_numbers() {
        let (one, two) = (part(1, 2, b"first "), part(2, 2, b"second"));

        assert_eq!(of_jpeg(&file(&[two.clone(), one.clone()])).unwrap(), b"first second");
        assert_eq!(of_jpeg(&file(&[part(1, 1, b"only")])).unwrap(), b"only");
        assert_eq!(of_jpeg(&file(&[])), None);
        assert_eq!(of_jpeg(&file(&[two])), None);
        assert_eq!(of_jpeg(&file(&[one.clone(), one])), None);
    }

    #[test]
    fn a_header_cut_anywhere_has_no_segment_past_the_cut() {
        let whole = file(&[part(1, 1, b"only")]);
        for cut in 0..whole.len() - 4 {
            assert_eq!(of_jpeg(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
