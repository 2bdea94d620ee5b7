//! Reciprocal: `y = 1/x`, `dx = −dy · y²`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// 1/x.
#[derive(Clone, Copy, Debug)]
pub struct Recip;

impl Unary for Recip {
    const NAME: &'static str = "recip";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.recip()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        -dy * y.square()
    }
}

impl Tensor {
    /// The reciprocal of every element; ±∞ at ±0.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([4.0_f32, -0.5]).recip().to_vec::<f32>(), [0.25, -2.0]);
    /// ```
    #[track_caller]
    pub fn recip(&self) -> Tensor {
        unary(Recip, self)
    }
}
