//! Random words in bulk: sixteen Philox counters side by side.

use crate::par;
use crate::simd::{self, Kernel, Vector};
use cotangent_base::Stream;
use cotangent_base::rng::{MULTIPLIERS, WEYL};

/// The counters that are worked on side by side.
const COUNTERS: usize = 16;
/// The words that they give.
const CHUNK: usize = 4 * COUNTERS;
/// The words that are made before they are used: they stay in the nearest cache.
pub(super) const WORDS: usize = 16 * CHUNK;

/// Calls `take(i, words)` with the words `i .. i + WORDS` of the stream for each multiple `i` of [`WORDS`] below
/// `count`, on all threads.
pub(super) fn for_words(stream: Stream, count: usize, take: impl Fn(usize, &[u32; WORDS]) + Sync) {
    par::for_ranges(count.div_ceil(WORDS), par::GRAIN / (4 * WORDS), |start, end| {
        let mut words = [0; WORDS];
        for unit in start..end {
            simd::run(Fill { stream, first: (unit * WORDS / 4) as u64, words: &mut words });
            take(unit * WORDS, &words);
        }
    });
}

/// Fills `words` from the stream's block `first` on. As a kernel it is compiled for each SIMD level, though it
/// names no vector: the compiler makes vectors of its loops.
struct Fill<'a> {
    stream: Stream,
    first: u64,
    words: &'a mut [u32; WORDS],
}

impl Kernel<f32> for Fill<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        for (i, chunk) in self.words.chunks_exact_mut(CHUNK).enumerate() {
            chunk.copy_from_slice(&words(self.stream, self.first + (i * COUNTERS) as u64));
        }
    }
}

/// The words of [`COUNTERS`] blocks from `first`: [`philox`](cotangent_base::rng::philox), with each step done on
/// all counters before the next, so that the compiler sees loops to make vectors of. A word lives in the lower
/// half of 64 bits, where the product needs it; the upper half may hold anything.
#[inline(always)]
fn words(stream: Stream, first: u64) -> [u32; CHUNK] {
    let mut a: [u64; COUNTERS] = std::array::from_fn(|i| first + i as u64);
    let mut b: [u64; COUNTERS] = std::array::from_fn(|i| (first + i as u64) >> 32);
    let mut c = [stream.stream; COUNTERS];
    let mut d = [stream.stream >> 32; COUNTERS];
    let mut key = [stream.seed as u32, (stream.seed >> 32) as u32];
    for _ in 0..10 {
        for i in 0..COUNTERS {
            let x = a[i] as u32 as u64 * MULTIPLIERS[0] as u64;
            let y = c[i] as u32 as u64 * MULTIPLIERS[1] as u64;
            a[i] = y >> 32 ^ b[i] ^ key[0] as u64;
            b[i] = y;
            c[i] = x >> 32 ^ d[i] ^ key[1] as u64;
            d[i] = x;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    let mut out = [0; CHUNK];
    for i in 0..COUNTERS {
        out[4 * i..4 * i + 4].copy_from_slice(&[a[i] as u32, b[i] as u32, c[i] as u32, d[i] as u32]);
    }
    out
}
