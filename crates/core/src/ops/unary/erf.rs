//! Error function: `y = 2/√π ∫₀ˣ e^(−t²) dt`, `dx = dy · 2/√π · e^(−x²)`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};
use std::f64::consts::FRAC_2_SQRT_PI;

/// erf x.
#[derive(Clone, Copy, Debug)]
pub struct Erf;

impl Unary for Erf {
    const NAME: &'static str = "erf";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.erf()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * L::splat(FRAC_2_SQRT_PI) * (-x.square()).exp()
    }
}

impl Tensor {
    /// The error function of every element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 10.0]).erf().to_vec::<f32>(), [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn erf(&self) -> Tensor {
        unary(Erf, self)
    }
}
