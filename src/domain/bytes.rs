//! Raw bytes inside a text record: written as hexadecimal digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that serialise as a string of hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HexBytes(pub Vec<u8>);

/// Writes `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Reads hexadecimal digits; `None` if `text` is anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    pairs(text).map(|pairs| pairs.iter().copied().map(byte).collect())
}

/// Reads the hexadecimal digits of `N` bytes; `None` if `text` is anything else.
pub fn unhex_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let pairs: [[u8; 2]; N] = pairs(text)?.try_into().ok()?;
    Some(pairs.map(byte))
}

fn pairs(text: &str) -> Option<&[[u8; 2]]> {
    // Without a way out of the loop, several digits are looked at by one instruction.
    let are_digits = text.bytes().fold(true, |so_far, it| so_far & it.is_ascii_hexdigit());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    (are_digits && rest.is_empty()).then_some(pairs)
}

fn byte([high, low]: [u8; 2]) -> u8 {
    let value = |digit: u8| (digit & 15) + 9 * (digit >> 6); // Letters have bit 6, and `a` ends in 1.
    value(high) << 4 | value(low)
}

impl std::fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HexBytes({} bytes)", self.0.len())
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unhex(&text).map(Self).ok_or_else(|| de::Error::custom("not a string of hexadecimal pairs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_digits() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    }

    #[test]
    fn an_array_is_read_from_as_many_digits_as_it_has_room_for() {
        assert_eq!(unhex_array("00fF7a"), Some([0x00, 0xFF, 0x7A]));
        assert_eq!(unhex_array::<2>("00ff7a"), None);
        assert_eq!(unhex_array::<4>("00ff7a"), None);
    }

    #[test]
    fn capital_digits_are_read() {
        assert_eq!(unhex("00aFfA9Bc0dE"), Some(vec![0x00, 0xAF, 0xFA, 0x9B, 0xC0, 0xDE]));
    }

    #[test]
    fn half_a_byte_and_foreign_letters_are_refused() {
        let neighbours = ["/0", "0:", "@0", "0G", "`0", "0g", "xy", "\u{e9}", "0\u{660}0"];
        for text in ["abc"].into_iter().chain(neighbours) {
            assert_eq!(unhex(text), None, "{text}");
            assert_eq!(unhex_array::<1>(text), None, "{text}");
        }
    }
}
