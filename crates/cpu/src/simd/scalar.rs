//! Vectors of one number: the reference for the others, and what maps that are not worth SIMD run on.

use super::Vector;

macro_rules! one {
    ($t:ty) => {
        impl Vector for $t {
            type Scalar = $t;
            const WIDTH: usize = 1;
            const REGISTERS: usize = 16;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise.
                unsafe { from.read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { to.write_unaligned(self) }
            }
            #[inline(always)]
            fn broadcast(x: $t) -> Self {
                x
            }
        }
    };
}
one!(f32);
one!(f64);
