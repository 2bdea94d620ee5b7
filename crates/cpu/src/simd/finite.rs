//! Whether numbers are finite.

use super::{Kernel, Vector};

/// Whether all of these numbers are finite.
pub(crate) struct Finite<'a>(pub &'a [f32]);

impl Kernel<f32> for Finite<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> bool {
        let mut zeros = [V::zero(); 4]; // they stay 0 while all numbers are finite
        let chunks = self.0.chunks_exact(4 * V::WIDTH);
        let rest = chunks.remainder();
        for numbers in chunks {
            for (v, zero) in zeros.iter_mut().enumerate() {
                // SAFETY: the vector lies in the chunk.
                *zero = V::fma(unsafe { V::load(numbers.as_ptr().add(v * V::WIDTH)) }, V::zero(), *zero);
            }
        }
        let [a, b, c, d] = zeros;
        ((a + b) + (c + d)).sum() == 0.0 && rest.iter().all(|x| x.is_finite())
    }
}
