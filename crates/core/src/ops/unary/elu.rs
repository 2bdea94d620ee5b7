//! Exponential linear unit: `y = x` above 0, else `α(eˣ − 1)`; `dx = dy` above 0, else `α·eˣ·dy`.
//! Shape: any → same. Saves `x`.
//!
//! Clevert, Unterthiner, Hochreiter: *Fast and Accurate Deep Network Learning by Exponential Linear Units*, ICLR 2016.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// `x` above 0, else `α(eˣ − 1)`; the derivative at 0 is α.
#[derive(Clone, Copy, Debug)]
pub struct Elu(pub f64);

impl Unary for Elu {
    const NAME: &'static str = "elu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        L::select(x.gt(L::zero()), x, L::splat(self.0) * x.exp_m1())
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        L::select(x.gt(L::zero()), dy, L::splat(self.0) * x.exp() * dy)
    }
}

impl Tensor {
    /// Exponential linear unit: `x` above 0, else `α(eˣ − 1)`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([2.0_f32, -100.0]).elu(1.0).to_vec::<f32>(), [2.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Tensor {
        unary(Elu(alpha), self)
    }
}
