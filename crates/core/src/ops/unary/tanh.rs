//! Hyperbolic tangent: `y = tanh x`, `dx = dy · (1 − y²)`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// tanh x.
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

impl Unary for Tanh {
    const NAME: &'static str = "tanh";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.tanh()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        dy * (L::one() - y) * (L::one() + y)
    }
}

impl Tensor {
    /// The hyperbolic tangent of every element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 100.0]).tanh().to_vec::<f32>(), [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn tanh(&self) -> Tensor {
        unary(Tanh, self)
    }
}
