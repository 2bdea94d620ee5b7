//! Philox 4×32-10, the counter-based generator: random number `i` of a stream is a pure function of
//! `(seed, stream, i)`, so any thread or device can make any part of it, and dropout makes its mask again
//! in the backward pass instead of keeping it.
//!
//! Salmon, Moraes, Dror, Shaw: *Parallel Random Numbers: As Easy as 1, 2, 3*, SC 2011.

/// What a round multiplies by.
pub const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What each half of the key grows by from round to round.
pub const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four random words for the counter under the key: ten rounds of multiply and exchange.
#[inline(always)]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = counter[0] as u64 * MULTIPLIERS[0] as u64;
        let b = counter[2] as u64 * MULTIPLIERS[1] as u64;
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// One stream of random words: `seed` chooses the universe, `stream` one sequence in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The user's seed.
    pub seed: u64,
    /// Which of the seed's sequences.
    pub stream: u64,
}

impl Stream {
    /// The words `4·block .. 4·block + 4`.
    #[inline(always)]
    pub fn block(self, block: u64) -> [u32; 4] {
        philox(
            [block as u32, (block >> 32) as u32, self.stream as u32, (self.stream >> 32) as u32],
            [self.seed as u32, (self.seed >> 32) as u32],
        )
    }

    /// The `i`-th word.
    pub fn word(self, i: u64) -> u32 {
        self.block(i / 4)[(i % 4) as usize]
    }
}

/// The top 24 bits of a word as a float in [0, 1): every value a multiple of 2⁻²⁴.
#[inline(always)]
pub fn unit_f32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// 53 bits of two words as a float in [0, 1).
#[inline(always)]
pub fn unit_f64(high: u32, low: u32) -> f64 {
    (((high as u64) << 32 | low as u64) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A seed and the number of the next stream: each random op takes a stream of its own with
/// [`next_stream`](Rng::next_stream). Plain data, so a checkpoint can hold it.
///
/// ```
/// use cotangent_base::Rng;
/// let (mut a, mut b) = (Rng::new(7), Rng::new(7));
/// assert_eq!(a.permutation(5), b.permutation(5));
/// assert_ne!(a.permutation(100), a.permutation(100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rng {
    /// The user's seed.
    pub seed: u64,
    /// The number of the stream that the next op takes.
    pub next: u64,
}

impl Rng {
    /// The generator of `seed`, at its first stream.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// An independent generator: the same seed, streams that this one does not reach.
    pub fn fork(&self, branch: u32) -> Self {
        Self { seed: self.seed, next: (branch as u64 + 1) << 40 }
    }

    /// A stream that nobody else has.
    pub fn next_stream(&mut self) -> Stream {
        let stream = Stream { seed: self.seed, stream: self.next };
        self.next += 1;
        stream
    }

    /// The numbers `0..n` in random order (Fisher and Yates), each order equally likely.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let stream = self.next_stream();
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            let w = stream.block(i as u64);
            // 64 random bits times (i + 1), upper half: bias below 2⁻³²
            let wide = ((w[0] as u64) << 32 | w[1] as u64) as u128;
            order.swap(i, ((wide * (i as u128 + 1)) >> 64) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer vectors of the paper's reference implementation (Random123).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        assert_eq!(
            philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut p = Rng::new(1).permutation(1000);
        p.sort_unstable();
        assert!(p.into_iter().eq(0..1000));
    }

    #[test]
    fn units_stay_below_one() {
        assert!(unit_f32(u32::MAX) < 1.0 && unit_f64(u32::MAX, u32::MAX) < 1.0);
    }
}
