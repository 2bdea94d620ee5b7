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

/// Beyond this, e^(−x²/2) is 0 in f32 and in f64.
const FAR: f64 = 40.0;
/// 1/√(2π).
const ROOT: f64 = 0.398_942_280_401_432_7;

impl Unary for Gelu {
    const NAME: &'static str = "gelu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        let a = x.abs();
        // x·Φ(−a), with no infinity right of 0, where it is taken from x
        let tail = (x.min(L::splat(FAR)) * a.normal_tail()).times_gaussian(a);
        L::select(x.gt(L::zero()), x - tail, tail)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let a = x.abs().min(L::splat(FAR));
        // the slope at −a; the slopes at −a and a add up to 1
        let slope = (a.normal_tail() - L::splat(ROOT) * a).times_gaussian(a);
        dy * L::select(x.gt(L::zero()), L::one() - slope, slope)
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
