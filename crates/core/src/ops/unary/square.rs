//! Square: `y = x²`, `dx = 2x · dy`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// x².
#[derive(Clone, Copy, Debug)]
pub struct Square;

impl Unary for Square {
    const NAME: &'static str = "square";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.square()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * (x + x)
    }
}

impl Tensor {
    /// The square of every element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([3.0_f32, -2.0]).square().to_vec::<f32>(), [9.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn square(&self) -> Tensor {
        unary(Square, self)
    }
}
