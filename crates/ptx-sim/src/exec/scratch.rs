//! Shared and local memory: bytes that one host thread has for itself.
//!
//! Of shared memory the race detector knows what has been written, so its `Scratch` keeps no marks.

/// Bytes, and which of them have been written.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    data: Vec<u8>,
    written: Vec<u8>,
}

impl Scratch {
    pub fn new(bytes: usize) -> Self {
        Self { data: vec![0; bytes], written: Vec::new() }
    }

    /// With marks of what has been written.
    pub fn marked(bytes: usize) -> Self {
        Self { data: vec![0; bytes], written: vec![0; bytes] }
    }

    /// Nobody has written anything.
    pub fn forget(&mut self) {
        self.written.fill(0);
        self.data.fill(0xFF);
    }

    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    pub fn holds(&self, offset: u64, bytes: usize) -> bool {
        offset.checked_add(bytes as u64).is_some_and(|end| end <= self.data.len() as u64)
    }

    /// Whether all of these bytes have been written, where there are marks.
    pub fn is_written(&self, offset: usize, bytes: usize) -> bool {
        self.written[offset..offset + bytes].iter().all(|&flag| flag != 0)
    }

    /// 1, 2, 4 or 8 bytes.
    #[inline(always)]
    pub fn load(&self, offset: usize, bytes: usize) -> u64 {
        let data = &self.data[offset..offset + bytes];
        match *data {
            [a] => a.into(),
            [a, b] => u16::from_le_bytes([a, b]).into(),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]).into(),
            _ => u64::from_le_bytes(data.try_into().expect("8 bytes")),
        }
    }

    /// `N` words.
    #[inline(always)]
    pub fn words<const N: usize>(&self, offset: usize) -> [u32; N] {
        let data = &self.data[offset..offset + 4 * N];
        std::array::from_fn(|i| u32::from_le_bytes(data[4 * i..4 * i + 4].try_into().expect("4 bytes")))
    }

    #[inline(always)]
    pub fn store(&mut self, offset: usize, bytes: usize, value: u64) {
        self.data[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        if !self.written.is_empty() {
            self.written[offset..offset + bytes].fill(1);
        }
    }
}
