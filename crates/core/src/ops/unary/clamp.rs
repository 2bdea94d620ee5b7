//! Limits: `y = min(max(x, low), high)`, `dx = dy` within `[low, high]`, else 0. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, ShapeError, Unary};

/// min(max(x, low), high); the derivative at both limits is 1.
#[derive(Clone, Copy, Debug)]
pub struct Clamp {
    /// The least result.
    pub low: f64,
    /// The greatest result.
    pub high: f64,
}

impl Unary for Clamp {
    const NAME: &'static str = "clamp";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.max(L::splat(self.low)).min(L::splat(self.high))
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let inside = L::and(x.ge(L::splat(self.low)), x.le(L::splat(self.high)));
        L::select(inside, dy, L::zero())
    }
}

impl Tensor {
    /// Every element within `[low, high]`; NaN stays. A limit may be infinite.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([3.0_f32, -2.0]).clamp(-1.0, 1.0).to_vec::<f32>(), [1.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// If `low` is above `high` or either is NaN.
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Tensor {
        let ordered = low <= high;
        if !ordered {
            ShapeError::new("clamp", format!("the limits {low} and {high} are not in order")).panic();
        }
        unary(Clamp { low, high }, self)
    }
}
