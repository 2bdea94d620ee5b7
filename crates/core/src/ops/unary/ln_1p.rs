//! `y = ln(1 + x)`, exact near 0; `dx = dy / (1 + x)`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// ln(1 + x).
#[derive(Clone, Copy, Debug)]
pub struct Ln1p;

impl Unary for Ln1p {
    const NAME: &'static str = "ln_1p";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.ln_1p()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy / (L::one() + x)
    }
}

impl Tensor {
    /// ln(1 + x) of every element, exact near 0; −∞ at −1, NaN below.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1e-9_f32, 0.0]).ln_1p().to_vec::<f32>(), [1e-9, 0.0]);
    /// ```
    #[track_caller]
    pub fn ln_1p(&self) -> Tensor {
        unary(Ln1p, self)
    }
}
