//! Reciprocal square root: `y = 1/√x`, `dx = −dy · y³ / 2`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// 1/√x.
#[derive(Clone, Copy, Debug)]
pub struct Rsqrt;

impl Unary for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.sqrt().recip()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        dy * L::splat(-0.5) * y * y.square()
    }
}

impl Tensor {
    /// The reciprocal of the square root of every element; ∞ at 0, NaN below.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([4.0_f32, 0.25]).rsqrt().to_vec::<f32>(), [0.5, 2.0]);
    /// ```
    #[track_caller]
    pub fn rsqrt(&self) -> Tensor {
        unary(Rsqrt, self)
    }
}
