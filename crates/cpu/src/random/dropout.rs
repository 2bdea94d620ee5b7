//! Dropout: some elements to zero, the others scaled up, so that the mean stays.

use super::words::{WORDS, for_words};
use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::keep::KeepIf;
use crate::par::Shared;
use crate::simd::{self, Kernel, SimdFloat, Vector};
use cotangent_base::{Stream, View};

/// `y = x · mask / (1 − rate)`; mask i is 1 where word i of the stream is at least `rate·2³²`. A dropped element
/// is 0 whatever `x` is, NaN too.
///
/// The mask is a function of the stream and i alone, so the same call on dy is the backward pass. Element i is
/// the i-th in row-major order, whatever the layout.
///
/// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: *Dropout*, JMLR 15, 2014 (here "inverted", as in
/// Keras).
pub fn dropout(x: View<Buffer>, rate: f64, stream: Stream) -> Buffer {
    for_float!("dropout", x.buffer.dtype(), T => drop_out::<T>(&dense(x), rate, stream))
}

fn drop_out<T: KeepIf + SimdFloat>(x: &[T], rate: f64, stream: Stream) -> Buffer {
    if rate == 0.0 {
        return Buffer::from_slice(x);
    }
    // `as` saturates: a rate of 1 keeps one element in 2³²
    let threshold = (rate * (1u64 << 32) as f64) as u32;
    let scale = T::from_f64(1.0 / (1.0 - rate));
    Buffer::build(x.len(), |y: &mut [T]| {
        let shared = Shared::new(y);
        for_words(stream, x.len(), |i, words| {
            let end = (i + WORDS).min(x.len());
            // SAFETY: each call has a part of its own.
            let y = unsafe { shared.part(i, end) };
            simd::run(Apply { x: &x[i..end], words, threshold, scale, y });
        });
    })
}

/// `y = x · scale` where the word is at least the threshold, else 0. A kernel so that it is compiled for each SIMD level.
struct Apply<'a, T> {
    x: &'a [T],
    words: &'a [u32],
    threshold: u32,
    scale: T,
    y: &'a mut [T],
}

impl<T: KeepIf + SimdFloat> Kernel<T> for Apply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        for ((y, &x), &word) in self.y.iter_mut().zip(self.x).zip(self.words) {
            *y = (x * self.scale).keep_if(word >= self.threshold);
        }
    }
}
