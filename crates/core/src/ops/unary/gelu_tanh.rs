//! Gaussian error linear unit, approximated: `y = x·σ(2u)` with `u = √(2/π)·(x + 0.044715x³)` and the logistic
//! function σ, which is `½x(1 + tanh u)` without its cancellation; `dx = dy · (σ + x·σ(1 − σ)·2u′)`.
//! Shape: any → same. Saves `x`.
//!
//! Hendrycks, Gimpel: *Gaussian Error Linear Units (GELUs)*, arXiv:1606.08415.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// 2√(2/π).
const TWICE: f64 = 1.595_769_121_605_730_7;
const CUBIC: f64 = 0.044715;

/// ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
#[derive(Clone, Copy, Debug)]
pub struct GeluTanh;

impl Unary for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x * gate(x)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        // beyond ±30 the gate is 0 or 1, and x³ would overflow where it is multiplied by 0
        let x = x.max(L::splat(-30.0)).min(L::splat(30.0));
        let s = gate(x);
        let slope = L::splat(TWICE) * (L::one() + L::splat(3.0 * CUBIC) * x.square());
        dy * s * (L::one() + x * (L::one() - s) * slope)
    }
}

/// σ(2u).
#[inline(always)]
fn gate<L: Lane>(x: L) -> L {
    (L::splat(TWICE) * x * (L::one() + L::splat(CUBIC) * x.square())).sigmoid()
}

impl Tensor {
    /// Gaussian error linear unit by its `tanh` approximation (Keras's `gelu(approximate=True)`).
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 100.0]).gelu_tanh().to_vec::<f32>(), [0.0, 100.0]);
    /// ```
    #[track_caller]
    pub fn gelu_tanh(&self) -> Tensor {
        unary(GeluTanh, self)
    }
}
