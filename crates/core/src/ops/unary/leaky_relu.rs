//! Leaky rectified linear unit: `y = x` above 0, else `slope·x`; `dx = dy` above 0, else `slope·dy`.
//! Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// `x` above 0, else `slope·x`; the derivative at 0 is `slope`.
#[derive(Clone, Copy, Debug)]
pub struct LeakyRelu(pub f64);

impl Unary for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        L::select(x.gt(L::zero()), x, L::splat(self.0) * x)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        L::select(x.gt(L::zero()), dy, L::splat(self.0) * dy)
    }
}

impl Tensor {
    /// Leaky rectified linear unit: `x` above 0, else `slope·x`. Keras's default slope is 0.3, PyTorch's 0.01.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([2.0_f32, -2.0]).leaky_relu(0.5).to_vec::<f32>(), [2.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, slope: f64) -> Tensor {
        unary(LeakyRelu(slope), self)
    }
}
