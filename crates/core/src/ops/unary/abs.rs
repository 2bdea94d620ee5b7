//! Absolute value: `y = |x|`, `dx = dy · sign x`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// |x|; the derivative at 0 is 0.
#[derive(Clone, Copy, Debug)]
pub struct Abs;

impl Unary for Abs {
    const NAME: &'static str = "abs";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.abs()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let below = L::select(x.lt(L::zero()), -dy, L::zero());
        L::select(x.gt(L::zero()), dy, below)
    }
}

impl Tensor {
    /// The absolute value of every element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([3.0_f32, -2.0]).abs().to_vec::<f32>(), [3.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn abs(&self) -> Tensor {
        unary(Abs, self)
    }
}
