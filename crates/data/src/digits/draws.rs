//! Random numbers for one example, drawn in order from its own stream.

use cotangent_base::Stream;
use cotangent_base::rng::unit_f32;

/// The words of a stream, one after another.
pub struct Draws {
    stream: Stream,
    words: [u32; 4],
    taken: u64,
}

impl Draws {
    pub fn new(stream: Stream) -> Self {
        Self { stream, words: [0; 4], taken: 0 }
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f32 {
        if self.taken.is_multiple_of(4) {
            self.words = self.stream.block(self.taken / 4);
        }
        self.taken += 1;
        unit_f32(self.words[((self.taken - 1) % 4) as usize])
    }

    /// Uniform in [low, high).
    pub fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f32) as usize
    }

    /// Nearly normal, mean 0 and variance 1, never beyond 2√3: four uniform numbers summed (Irwin and Hall).
    pub fn bell(&mut self) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 3f32.sqrt()
    }
}
