//! Gaussian error linear unit: `y = x·Φ(x)`, `dx = dy · (Φ(x) + x·φ(x))`, with Φ the normal distribution and φ its
//! density. Shape: any → same. Saves `x`.
//!
//! Left of 0, `½(1 + erf)` would cancel.
//!
//! Hendrycks, Gimpel: *Gaussian Error Linear Units (GELUs)*, arXiv:1606.08415.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// x·Φ(x).
#[derive(Clone, Copy, Debug)]
pub struct Gelu;

impl Unary for Gelu {
    const NAME: &'static str = "gelu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.gelu()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * x.gelu_slope()
    }
}

impl Tensor {
    /// Gaussian error linear unit `x·Φ(x)`, to 4 units in the last place (Keras's `gelu(approximate=False)`).
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
