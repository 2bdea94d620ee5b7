//! Mish: `y = x · tanh s` with `s = ln(1 + eˣ)`, `dx = dy · (tanh s + x(1 − tanh² s)·σ(x))`. Shape: any → same.
//! Saves `x`.
//!
//! Misra: *Mish: A Self Regularized Non-Monotonic Activation Function*, BMVC 2020.

use super::Softplus;
use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// x · tanh(ln(1 + eˣ)).
#[derive(Clone, Copy, Debug)]
pub struct Mish;

impl Unary for Mish {
    const NAME: &'static str = "mish";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x * Softplus.forward(x).tanh()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let t = Softplus.forward(x).tanh();
        dy * (t + x * (L::one() - t) * (L::one() + t) * x.sigmoid())
    }
}

impl Tensor {
    /// Mish, `x · tanh(ln(1 + eˣ))`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 100.0]).mish().to_vec::<f32>(), [0.0, 100.0]);
    /// ```
    #[track_caller]
    pub fn mish(&self) -> Tensor {
        unary(Mish, self)
    }
}
