//! Sine: `y = sin x`, `dx = dy · cos x`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// sin x.
#[derive(Clone, Copy, Debug)]
pub struct Sin;

impl Unary for Sin {
    const NAME: &'static str = "sin";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.sin()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * x.cos()
    }
}

impl Tensor {
    /// The sine of every element, in radians.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32]).sin().item(), 0.0);
    /// ```
    #[track_caller]
    pub fn sin(&self) -> Tensor {
        unary(Sin, self)
    }
}
