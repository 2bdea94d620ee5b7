//! Power with a fixed exponent: `y = xᶜ`, `dx = dy · c·xᶜ⁻¹`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// xᶜ; with c = 0 the derivative is 0 everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Powf(pub f64);

impl Unary for Powf {
    const NAME: &'static str = "powf";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.powf(L::splat(self.0))
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        if self.0 == 0.0 {
            return L::zero() * dy;
        }
        dy * L::splat(self.0) * x.powf(L::splat(self.0 - 1.0))
    }
}

impl Tensor {
    /// Every element to the power `c`; NaN below 0 unless `c` is a whole number.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([3.0_f32, -2.0]).powf(3.0).to_vec::<f32>(), [27.0, -8.0]);
    /// ```
    #[track_caller]
    pub fn powf(&self, c: f64) -> Tensor {
        unary(Powf(c), self)
    }
}
