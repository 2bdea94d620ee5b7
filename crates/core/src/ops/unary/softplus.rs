//! Softplus: `y = ln(1 + eˣ)`, `dx = dy · σ(x)`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// ln(1 + eˣ).
#[derive(Clone, Copy, Debug)]
pub struct Softplus;

impl Unary for Softplus {
    const NAME: &'static str = "softplus";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        // eˣ would overflow for large x
        x.max(L::zero()) + (-x.abs()).exp().ln_1p()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * x.sigmoid()
    }
}

impl Tensor {
    /// Softplus, `ln(1 + eˣ)`, for numbers of any size.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 1000.0]).softplus().to_vec::<f32>(), [2.0_f32.ln(), 1000.0]);
    /// ```
    #[track_caller]
    pub fn softplus(&self) -> Tensor {
        unary(Softplus, self)
    }
}
