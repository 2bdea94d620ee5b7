//! Gaussian error linear unit: `y = x·Φ(x)`, `dx = dy · (Φ(x) + x·φ(x))`, with Φ the normal distribution and φ its
//! density. Shape: any → same. Saves `x`.
//!
//! Hendrycks, Gimpel: *Gaussian Error Linear Units (GELUs)*, arXiv:1606.08415.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};
use std::f64::consts::FRAC_1_SQRT_2;

/// 1/√(2π).
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// x·Φ(x), by the error function.
#[derive(Clone, Copy, Debug)]
pub struct Gelu;

impl Unary for Gelu {
    const NAME: &'static str = "gelu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x * cdf(x)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let density = L::splat(FRAC_1_SQRT_2PI) * (L::splat(-0.5) * x.square()).exp();
        dy * x.mul_add(density, cdf(x))
    }
}

/// Φ(x) = (1 + erf(x/√2)) / 2.
#[inline(always)]
fn cdf<L: Lane>(x: L) -> L {
    L::splat(0.5) * (L::one() + (L::splat(FRAC_1_SQRT_2) * x).erf())
}

impl Tensor {
    /// Gaussian error linear unit `x·Φ(x)`, by the error function (Keras's `gelu(approximate=False)`).
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 100.0]).gelu().to_vec::<f32>(), [0.0, 100.0]);
    /// ```
    #[track_caller]
    pub fn gelu(&self) -> Tensor {
        unary(Gelu, self)
    }
}
