//! [`KeepIf`]: a choice without a branch.

use cotangent_base::Float;

/// A choice that the compiler makes vectors of at every SIMD level, where an `if` would stay a branch.
pub(crate) trait KeepIf: Float {
    /// `self` if `yes`, else 0.
    fn keep_if(self, yes: bool) -> Self;
}

impl KeepIf for f32 {
    #[inline(always)]
    fn keep_if(self, yes: bool) -> f32 {
        f32::from_bits(self.to_bits() & (yes as u32).wrapping_neg())
    }
}

impl KeepIf for f64 {
    #[inline(always)]
    fn keep_if(self, yes: bool) -> f64 {
        f64::from_bits(self.to_bits() & (yes as u64).wrapping_neg())
    }
}
