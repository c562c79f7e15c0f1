//! Bytes of a JPEG file → the segments before its first scan, and the colour profile in them.

/// What a profile's segments begin with; the number of this one and of all follow.
const PROFILE: &[u8] = b"ICC_PROFILE\0";
const PROFILE_MARKER: u8 = 0xE2;
const SCAN: u8 = 0xDA;

/// One segment: its marker and what it holds.
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    pub(super) body: &'a [u8],
}

/// Returns the segments before the first scan, as far as the bytes go.
pub(super) fn headers(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        while let [0xFF, 0xFF, ..] = rest {
            rest = &rest[1..];
        }
        let &[0xFF, marker, high, low, ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let body = rest.get(4..2 + length).filter(|_| marker != SCAN)?;
        rest = &rest[2 + length..];
        Some(Segment { marker, body })
    })
}

/// Returns the colour profile, put together from its parts; `None` if one of them is missing.
pub(super) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<(u8, u8, &[u8])> = headers(bytes)
        .filter(|segment| segment.marker == PROFILE_MARKER)
        .filter_map(|segment| segment.body.strip_prefix(PROFILE))
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

        assert_eq!(profile(&file(&[two.clone(), one.clone()])).unwrap(), b"first second");
        assert_eq!(profile(&file(&[part(1, 1, b"only")])).unwrap(), b"only");
        assert_eq!(profile(&file(&[])), None);
        assert_eq!(profile(&file(&[two])), None);
        assert_eq!(profile(&file(&[one.clone(), one])), None);
    }

    #[test]
    fn a_header_cut_anywhere_has_no_segment_past_the_cut() {
        let whole = file(&[part(1, 1, b"only")]);
        for cut in 0..whole.len() - 4 {
            assert_eq!(profile(&whole[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_segment_shorter_than_its_own_length_ends_the_headers() {
        assert_eq!(headers(b"\xFF\xD8\xFF\xE0\0\x01\xFF\xE1\0\x02").count(), 0);
    }
}
