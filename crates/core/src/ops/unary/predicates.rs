//! Questions about every element, answered with bools: without a derivative.

use crate::autograd::barrier;
use crate::{Tensor, kernels};
use cotangent_base::Compare;

impl Tensor {
    /// Whether each element is NaN.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, f32::NAN]).is_nan().to_vec::<bool>(), [false, true]);
    /// ```
    pub fn is_nan(&self) -> Tensor {
        barrier("is_nan", &[self], || kernels::compare(Compare::Ne, self, self))
    }

    /// Whether each element is neither NaN nor infinite.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, f32::INFINITY]).is_finite().to_vec::<bool>(), [true, false]);
    /// ```
    pub fn is_finite(&self) -> Tensor {
        if !self.dtype().is_float() {
            return self.eq(self);
        }
        barrier("is_finite", &[self], || {
            // x − x is 0 for a finite x, else NaN
            let difference = self.detach().sub(&self.detach());
            kernels::compare(Compare::Eq, &difference, &difference)
        })
    }
}
