//! Dropout: some elements to zero, the others scaled up, so that the mean stays.

use super::words::{WORDS, for_words};
use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::keep::KeepIf;
use crate::memory::piece;
use crate::par::{Shared, for_ranges};
use crate::simd::{self, Kernel, SimdFloat, Upcoming, Vector};
use cotangent_base::{DType, Stream, View};

/// `y = x · mask / (1 − rate)` and the mask (bools); mask i is true where word i of the stream is at least `rate·2³²`. A
/// dropped element is 0 whatever `x` is, NaN too.
///
/// The mask is a function of the stream and i alone. The backward pass reads it, which is faster than making it again.
/// Element i is the i-th in row-major order, whatever the layout.
///
/// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: *Dropout*, JMLR 15, 2014 (here "inverted", as in
/// Keras).
pub fn dropout(x: View<Buffer>, rate: f64, stream: Stream) -> (Buffer, Buffer) {
    for_float!("dropout", x.buffer.dtype(), T => drop_out::<T>(&dense(x), rate, stream))
}

/// `y = y · mask / (1 − rate)`, in place.
///
/// # Panics
/// If there are not as many of both, or the dtype is not a float.
pub fn dropout_by(y: &mut Buffer, rate: f64, mask: &Buffer) {
    assert_eq!(y.len(), mask.len(), "[dropout] the mask");
    for_float!("dropout", y.dtype(), T => drop_by::<T>(y.as_mut(), rate, mask.as_slice()))
}

fn drop_out<T: KeepIf + SimdFloat>(x: &[T], rate: f64, stream: Stream) -> (Buffer, Buffer) {
    // `as` saturates: a rate of 1 keeps one element in 2³²
    let threshold = (rate * (1u64 << 32) as f64) as u32;
    let (mut y, mut mask) = (Buffer::uninit(T::DTYPE, x.len()), Buffer::uninit(DType::Bool, x.len()));
    let (to, kept) = (Shared::new(y.as_mut::<T>()), Shared::new(mask.as_mut::<bool>()));
    for_words(stream, x.len(), |i, words| {
        let end = (i + WORDS).min(x.len());
        // what comes next arrives while its words are made
        let next = WORDS.min(x.len() - end);
        Upcoming::of(x.as_ptr().wrapping_add(end), next).to_read();
        Upcoming::of(to.ptr().wrapping_add(end), next).to_write();
        Upcoming::of(kept.ptr().wrapping_add(end), next).to_write();
        // SAFETY: each call has a part of its own.
        let (y, mask) = unsafe { (to.part(i, end), kept.part(i, end)) };
        simd::run(Draw { words, threshold, mask });
        y.copy_from_slice(&x[i..end]);
        simd::run(Apply { mask, scale: scale(rate), y });
    });
    (y, mask)
}

fn drop_by<T: KeepIf + SimdFloat>(y: &mut [T], rate: f64, mask: &[bool]) {
    let count = y.len();
    let y = Shared::new(y);
    for_ranges(count, piece(count), move |start, end| {
        // SAFETY: the pieces do not overlap.
        let y = unsafe { y.part(start, end) };
        simd::run(Apply { mask: &mask[start..end], scale: scale(rate), y });
    });
}

fn scale<T: SimdFloat>(rate: f64) -> T {
    T::from_f64(1.0 / (1.0 - rate))
}

/// Whether each word is at least the threshold. These are kernels so that they are compiled for each SIMD level.
struct Draw<'a> {
    words: &'a [u32],
    threshold: u32,
    mask: &'a mut [bool],
}

impl Kernel<f32> for Draw<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        for (mask, &word) in self.mask.iter_mut().zip(self.words) {
            *mask = word >= self.threshold;
        }
    }
}

/// `y = y · scale` where the mask is true, else 0.
struct Apply<'a, T> {
    mask: &'a [bool],
    scale: T,
    y: &'a mut [T],
}

impl<T: KeepIf + SimdFloat> Kernel<T> for Apply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        for (y, &kept) in self.y.iter_mut().zip(self.mask) {
            *y = (*y * self.scale).keep_if(kept);
        }
    }
}
