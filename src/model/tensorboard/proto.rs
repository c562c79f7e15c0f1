//! The encoding of protocol buffers, as far as event files need it.

/// A message; fields are written in the order in which they are given.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How the bytes of a field are to be read.
#[derive(Clone, Copy, Debug)]
enum Wire {
    Varint,
    Fixed64,
    Length,
    Fixed32,
}

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn number(mut self, field: u32, value: u64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, Wire::Fixed64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Writes a number in single precision.
    #[expect(clippy::cast_possible_truncation, reason = "the field holds seven digits")]
    pub(super) fn float(mut self, field: u32, value: f64) -> Self {
        self.key(field, Wire::Fixed32);
        self.0.extend_from_slice(&(value as f32).to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.key(field, Wire::Length);
        self.varint(u64::try_from(value.len()).expect("a length fits 64 bits"));
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// Writes a packed list.
    pub(super) fn doubles(self, field: u32, values: &[f64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.bytes(field, &bytes)
    }

    fn key(&mut self, field: u32, wire: Wire) {
        let wire = match wire {
            Wire::Varint => 0,
            Wire::Fixed64 => 1,
            Wire::Length => 2,
            Wire::Fixed32 => 5,
        };
        self.varint(u64::from(field) << 3 | wire);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                self.0.push(low & 0x7f);
                return;
            }
            self.0.push(low | 0x80);
        }
    }
}
