//! Segments of a JPEG file → the colour profile they hold. A profile longer than a segment comes
//! in numbered parts; if one is missing there is none.

const NAME: &[u8] = b"ICC_PROFILE\0";

/// The parts found so far.
#[derive(Default)]
pub(super) struct Profile<'a> {
    /// Number, out of how many, and bytes.
    parts: Vec<(u8, u8, &'a [u8])>,
}

impl<'a> Profile<'a> {
    pub(super) fn add(&mut self, body: &'a [u8]) {
        if let Some([number, n, bytes @ ..]) = body.strip_prefix(NAME) {
            self.parts.push((*number, *n, bytes));
        }
    }

    /// Puts the parts together.
    pub(super) fn whole(mut self) -> Option<Vec<u8>> {
        self.parts.sort_by_key(|&(number, ..)| number);
        let &(_, n, _) = self.parts.first()?;
        let numbers = self.parts.iter().map(|&(number, n, _)| (number, n));
        numbers
            .eq((1..=n).map(|number| (number, n)))
            .then(|| self.parts.iter().flat_map(|(.., bytes)| bytes.iter().copied()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bodies: &[&[u8]]) -> Option<Vec<u8>> {
        let mut profile = Profile::default();
        for body in bodies {
            profile.add(body);
        }
        profile.whole()
    }

    #[test]
    fn parts_come_in_any_order_and_none_may_be_missing() {
        let (first, second) = (b"ICC_PROFILE\0\x01\x02ab", b"ICC_PROFILE\0\x02\x02cd");

        assert_eq!(whole(&[second, b"MPF\0", first]), Some(b"abcd".to_vec()));
        assert_eq!(whole(&[second]), None);
        assert_eq!(whole(&[first, first, second]), None);
        assert_eq!(whole(&[b"MPF\0"]), None);
    }
}
