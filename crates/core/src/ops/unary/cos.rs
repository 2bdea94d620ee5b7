//! Cosine: `y = cos x`, `dx = −dy · sin x`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// cos x.
#[derive(Clone, Copy, Debug)]
pub struct Cos;

impl Unary for Cos {
    const NAME: &'static str = "cos";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.cos()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        -dy * x.sin()
    }
}

impl Tensor {
    /// The cosine of every element, in radians.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32]).cos().item(), 1.0);
    /// ```
    #[track_caller]
    pub fn cos(&self) -> Tensor {
        unary(Cos, self)
    }
}
