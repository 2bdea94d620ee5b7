//! Square root: `y = √x`, `dx = dy / 2y`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// √x; the derivative at 0 is ∞.
#[derive(Clone, Copy, Debug)]
pub struct Sqrt;

impl Unary for Sqrt {
    const NAME: &'static str = "sqrt";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.sqrt()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        dy * L::splat(0.5) / y
    }
}

impl Tensor {
    /// The square root of every element; NaN below 0.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([4.0_f32, 9.0]).sqrt().to_vec::<f32>(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn sqrt(&self) -> Tensor {
        unary(Sqrt, self)
    }
}
