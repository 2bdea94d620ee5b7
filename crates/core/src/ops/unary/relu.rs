//! Rectified linear unit: `y = max(x, 0)`, `dx = dy · [x > 0]`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// `max(x, 0)`; the derivative at 0 is 0.
#[derive(Clone, Copy, Debug)]
pub struct Relu;

impl Unary for Relu {
    const NAME: &'static str = "relu";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.max(L::zero())
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        L::select(y.gt(L::zero()), dy, L::zero())
    }
}

impl Tensor {
    /// Rectified linear unit, `max(x, 0)`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([-1.0_f32, 2.0]).relu().to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn relu(&self) -> Tensor {
        unary(Relu, self)
    }
}
