//! A message of Protocol Buffers in the making: fields by number, in the order they are added.
//! After <https://protobuf.dev/programming-guides/encoding>.

/// The bytes of the fields so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How the value of a field is written, in the lower bits of its tag.
const VARINT: u64 = 0;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl Message {
    pub(super) fn int(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | VARINT);
        self.varint(value);
    }

    pub(super) fn size(&mut self, field: u64, value: usize) {
        self.int(field, wide(value));
    }

    pub(super) fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | FOUR_BYTES);
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn text(&mut self, field: u64, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    pub(super) fn message(&mut self, field: u64, value: &Self) {
        self.bytes(field, &value.0);
    }

    pub(super) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | LENGTH);
        self.varint(wide(value.len()));
        self.0.extend_from_slice(value);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while let [low, ..] = value.to_le_bytes()
            && 0x80 <= value
        {
            self.0.push(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.0.push(low);
    }
}

fn wide(value: usize) -> u64 {
    u64::try_from(value).expect("a usize has at most 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the guide to the encoding.
    #[test]
    fn fields_are_written_as_the_guide_says() {
        let mut number = Message::default();
        number.int(1, 150);
        assert_eq!(number.0, [0x08, 0x96, 0x01]);
        let mut text = Message::default();
        text.text(2, "testing");
        assert_eq!(text.0, [0x12, 7, b't', b'e', b's', b't', b'i', b'n', b'g']);
        let mut inside = Message::default();
        inside.message(3, &number);
        inside.float(4, 1.0);
        assert_eq!(inside.0, [0x1a, 3, 0x08, 0x96, 0x01, 0x25, 0, 0, 0x80, 0x3f]);
    }
}
