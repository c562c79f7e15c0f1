//! An EXIF block → which way up its picture is. Reads that one entry and nothing else; whatever
//! the block holds, it never fails: a broken one says nothing.

const ORIENTATION: u16 = 0x0112;

/// The type of an entry of one 16-bit number.
const SHORT: u16 = 3;

/// Bytes of an entry: tag, type, count, value.
const ENTRY_BYTES: usize = 12;

/// How the numbers of a block are written.
#[derive(Clone, Copy)]
enum Order {
    LittleEndian,
    BigEndian,
}

/// Returns the orientation a block states: 1 for upright, up to 8.
pub fn orientation(block: &[u8]) -> Option<u8> {
    // JPEG files put this name before the block; some writers of WebP and PNG keep it.
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let order = match block.get(..4)? {
        b"II*\0" => Order::LittleEndian,
        b"MM\0*" => Order::BigEndian,
        _ => return None,
    };
    let start = usize::try_from(order.u32_at(block, 4)?).ok()?;
    let n_entries = usize::from(order.u16_at(block, start)?);
    let entries = block.get(start + 2..)?.chunks_exact(ENTRY_BYTES).take(n_entries);
    let stated = entries
        .filter(|entry| order.u16_at(entry, 0) == Some(ORIENTATION))
        .find(|entry| order.u16_at(entry, 2) == Some(SHORT))
        .and_then(|entry| order.u16_at(entry, 8))?;
    u8::try_from(stated).ok().filter(|stated| (1..=8).contains(stated))
}

impl Order {
    fn u16_at(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::LittleEndian => u16::from_le_bytes(bytes),
            Self::BigEndian => u16::from_be_bytes(bytes),
        })
    }

    fn u32_at(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::LittleEndian => u32::from_le_bytes(bytes),
            Self::BigEndian => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LITTLE: &[u8] = b"II*\0\x08\0\0\0\x02\0\
        \x0f\x01\x02\0\x04\0\0\0abc\0\
        \x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
    const BIG: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";

    #[test]
    fn orientation_is_read_in_both_byte_orders_with_and_without_the_name() {
        assert_eq!(orientation(LITTLE), Some(6));
        assert_eq!(orientation(BIG), Some(8));
        assert_eq!(orientation(&[b"Exif\0\0", BIG].concat()), Some(8));
    }

    #[test]
    fn a_block_cut_anywhere_before_its_value_says_nothing() {
        for cut in 0..BIG.len() - 2 {
            assert_eq!(orientation(&BIG[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_number_that_is_no_orientation_says_nothing() {
        for stated in [0, 9, 255] {
            let mut block = BIG.to_vec();
            block[19] = stated;
            assert_eq!(orientation(&block), None, "{stated}");
        }
    }

    #[test]
    fn a_table_past_the_end_says_nothing() {
        let mut block = LITTLE.to_vec();
        block[4..8].fill(0xFF);
        assert_eq!(orientation(&block), None);
    }
}
