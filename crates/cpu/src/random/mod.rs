//! Random numbers and dropout. Element i is a function of the stream and i alone.

mod dropout;
#[cfg(test)]
mod tests;
mod words;

pub use dropout::{dropout, dropout_by};

use crate::Buffer;
use crate::dispatch::{for_dtype, for_float};
use crate::par::Shared;
use cotangent_base::{DType, Draw, Element, Float, Stream, rng};
use words::{WORDS, for_words};

/// `count` numbers from the distribution. Uniform and normal draws are floats; Bernoulli draws are any dtype.
///
/// Element i of a Bernoulli draw looks at word i of the stream. An f32 element of the others takes one word (24
/// or 32 bits of it), an f64 element two (53 bits); normal elements come in pairs, from the words of both.
///
/// # Panics
/// For a uniform or normal draw of integers or bools.
pub fn random(draw: Draw, dtype: DType, count: usize, stream: Stream) -> Buffer {
    match draw {
        Draw::Uniform { low, high } => for_float!("uniform", dtype, T => uniform::<T>(low, high, count, stream)),
        Draw::Normal { mean, std } => for_float!("normal", dtype, T => normal::<T>(mean, std, count, stream)),
        Draw::Bernoulli { p } => for_dtype!(dtype, T => bernoulli::<T>(p, count, stream)),
    }
}

/// Random floats from random words.
trait Draws: Float {
    /// The words for one element.
    const TAKES: usize;
    /// In [0, 1).
    fn unit(words: &[u32]) -> Self;
    /// In (0, 1], as f64: fit for a logarithm.
    fn positive_unit(words: &[u32]) -> f64;
    /// The next number below.
    fn below(self) -> Self;
}

impl Draws for f32 {
    const TAKES: usize = 1;
    #[inline(always)]
    fn unit(words: &[u32]) -> f32 {
        rng::unit_f32(words[0])
    }
    #[inline(always)]
    fn positive_unit(words: &[u32]) -> f64 {
        (words[0] as f64 + 0.5) / (1u64 << 32) as f64
    }
    fn below(self) -> f32 {
        self.next_down()
    }
}

impl Draws for f64 {
    const TAKES: usize = 2;
    #[inline(always)]
    fn unit(words: &[u32]) -> f64 {
        rng::unit_f64(words[0], words[1])
    }
    #[inline(always)]
    fn positive_unit(words: &[u32]) -> f64 {
        1.0 - rng::unit_f64(words[0], words[1])
    }
    fn below(self) -> f64 {
        self.next_down()
    }
}

fn uniform<T: Draws>(low: f64, high: f64, count: usize, stream: Stream) -> Buffer {
    let (width, low) = (T::from_f64(high - low), T::from_f64(low));
    // rounding may lift a number to `high`, which is outside
    let last = T::from_f64(high).below();
    fill(count, T::TAKES, stream, |words, out: &mut [T]| {
        for (y, words) in out.iter_mut().zip(words.chunks_exact(T::TAKES)) {
            let x = T::unit(words) * width + low;
            *y = if x > last { last } else { x };
        }
    })
}

/// Box, Muller: *A Note on the Generation of Random Normal Deviates*, Annals of Mathematical Statistics 29, 1958.
/// A point with a uniform angle whose squared radius is exponential has two independent normal coordinates.
fn normal<T: Draws>(mean: f64, std: f64, count: usize, stream: Stream) -> Buffer {
    fill(count, T::TAKES, stream, |words, out: &mut [T]| {
        for (pair, words) in out.chunks_mut(2).zip(words.chunks_exact(2 * T::TAKES)) {
            let radius = std * (-2.0 * T::positive_unit(words).ln()).sqrt();
            let angle = std::f64::consts::TAU * T::unit(&words[T::TAKES..]).to_f64();
            for (y, part) in pair.iter_mut().zip([angle.cos(), angle.sin()]) {
                *y = T::from_f64(mean + radius * part);
            }
        }
    })
}

fn bernoulli<T: Element>(p: f64, count: usize, stream: Stream) -> Buffer {
    // 2³² is p = 1: above every word
    let threshold = (p * (1u64 << 32) as f64) as u64;
    let (no, yes) = (T::from_i64(0), T::from_i64(1));
    fill(count, 1, stream, |words, out: &mut [T]| {
        out.iter_mut().zip(words).for_each(|(y, &word)| *y = if (word as u64) < threshold { yes } else { no });
    })
}

/// A buffer of `count` elements, each of which `takes` words: `write(words, out)` fills a part from its words.
fn fill<T: Element>(
    count: usize,
    takes: usize,
    stream: Stream,
    write: impl Fn(&[u32; WORDS], &mut [T]) + Sync,
) -> Buffer {
    Buffer::build(count, |out: &mut [T]| {
        let shared = Shared::new(out);
        for_words(stream, count * takes, |i, words| {
            // SAFETY: each call has a part of its own.
            write(words, unsafe { shared.part(i / takes, (i / takes + WORDS / takes).min(count)) });
        });
    })
}
