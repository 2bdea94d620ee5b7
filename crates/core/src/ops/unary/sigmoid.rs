//! Logistic function: `y = 1 / (1 + e⁻ˣ)`, `dx = dy · y(1 − y)`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// 1 / (1 + e⁻ˣ).
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;

impl Unary for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.sigmoid()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        dy * y * (L::one() - y)
    }
}

impl Tensor {
    /// The logistic function `1 / (1 + e⁻ˣ)` of every element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 100.0]).sigmoid().to_vec::<f32>(), [0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn sigmoid(&self) -> Tensor {
        unary(Sigmoid, self)
    }
}
