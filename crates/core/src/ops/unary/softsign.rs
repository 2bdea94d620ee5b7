//! Softsign: `y = x / (1 + |x|)`, `dx = dy / (1 + |x|)²`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// x / (1 + |x|).
#[derive(Clone, Copy, Debug)]
pub struct Softsign;

impl Unary for Softsign {
    const NAME: &'static str = "softsign";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x / (L::one() + x.abs())
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy / (L::one() + x.abs()).square()
    }
}

impl Tensor {
    /// Softsign, `x / (1 + |x|)`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, -3.0]).softsign().to_vec::<f32>(), [0.5, -0.75]);
    /// ```
    #[track_caller]
    pub fn softsign(&self) -> Tensor {
        unary(Softsign, self)
    }
}
