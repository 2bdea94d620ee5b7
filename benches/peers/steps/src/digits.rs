//! The digits to train on.

/// Numbers of an image.
pub const PIXELS: usize = 28 * 28;

/// Images as bytes, and their labels.
pub struct Digits {
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Digits {
    pub fn read(file: &str) -> Self {
        let bytes = std::fs::read(file).expect("the digits can be read");
        let rows = bytes.chunks_exact(PIXELS + 1);
        Self {
            images: rows.clone().flat_map(|row| &row[..PIXELS]).copied().collect(),
            labels: rows.map(|row| row[PIXELS]).collect(),
        }
    }

    /// Batches of `size`, endlessly.
    pub fn batches(self, size: usize) -> Batches {
        Batches { digits: self, size, next: 1 }
    }
}

/// Draws batches: pixels from 0 to 255 as f32, and labels.
pub struct Batches {
    digits: Digits,
    pub size: usize,
    next: usize,
}

impl Batches {
    pub fn next<T: From<u8>>(&mut self) -> (Vec<f32>, Vec<T>) {
        let (mut images, mut labels) = (Vec::with_capacity(self.size * PIXELS), Vec::with_capacity(self.size));
        for _ in 0..self.size {
            // a step that is no divisor of their number visits all digits, far from where the last one was
            self.next = (self.next + 7_919) % self.digits.labels.len();
            images.extend(self.digits.images[self.next * PIXELS..][..PIXELS].iter().map(|&byte| byte as f32));
            labels.push(T::from(self.digits.labels[self.next]));
        }
        (images, labels)
    }
}
