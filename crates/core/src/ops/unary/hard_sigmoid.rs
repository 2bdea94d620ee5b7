//! Hard sigmoid: `y = min(max(x + 3, 0), 6) / 6`, `dx = dy / 6` within (−3, 3), else 0. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// min(max(x + 3, 0), 6) / 6; the derivative at ±3 is 0.
#[derive(Clone, Copy, Debug)]
pub struct HardSigmoid;

impl Unary for HardSigmoid {
    const NAME: &'static str = "hard_sigmoid";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        (x + L::splat(3.0)).max(L::zero()).min(L::splat(6.0)) / L::splat(6.0)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        L::select(x.abs().lt(L::splat(3.0)), dy / L::splat(6.0), L::zero())
    }
}

impl Tensor {
    /// Hard sigmoid as Keras 3 has it: `min(max(x + 3, 0), 6) / 6`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, -4.0]).hard_sigmoid().to_vec::<f32>(), [0.5, 0.0]);
    /// ```
    #[track_caller]
    pub fn hard_sigmoid(&self) -> Tensor {
        unary(HardSigmoid, self)
    }
}
