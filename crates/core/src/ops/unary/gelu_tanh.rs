//! Gaussian error linear unit, approximated: `y = x·σ(2u)` with `u = √(2/π)·(x + 0.044715x³)` and the logistic
//! function σ, which is `½x(1 + tanh u)` without its cancellation; `dx = dy · (σ + x·σ(1 − σ)·2u′)`.
//! Shape: any → same. Saves `x`.
//!
//! Hendrycks, Gimpel: *Gaussian Error Linear Units (GELUs)*, arXiv:1606.08415.

use crate::{Tensor, unary};
use cotangent_base::math::{head, two_sum};
use cotangent_base::{Lane, Saves, Unary};
use std::f64::consts::LN_2;

/// 2√(2/π), and the same rounded to f32.
const TWICE: f64 = 1.595_769_121_605_730_7;
const TWICE_HEAD: f64 = TWICE as f32 as f64;

/// The coefficient of x³, times 2√(2/π), and its upper 12 bits.
const CUBIC: f64 = 0.044715 * TWICE;
const CUBIC_HEAD: f64 = (CUBIC * 32_768.0) as i32 as f64 / 32_768.0;

/// 24·ln 2, and its upper bits, which any f32 of magnitude 43 to 128 takes up without rounding.
const LIFT: f64 = 24.0 * LN_2;
const LIFT_HEAD: f64 = (LIFT * 131_072.0) as i32 as f64 / 131_072.0;

/// ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
#[derive(Clone, Copy, Debug)]
pub struct GeluTanh;

impl Unary for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        let (gate, scale) = gate(within(x));
        x * scale * gate
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let x = within(x);
        let (gate, scale) = gate(x);
        let slope = L::splat(TWICE) + L::splat(3.0 * CUBIC) * x.square();
        dy * scale * gate * (L::one() + x * (L::one() - gate) * slope)
    }
}

/// Beyond ±30 the gate is 0 or 1, and x³ may overflow.
#[inline(always)]
fn within<L: Lane>(x: L) -> L {
    x.max(L::splat(-30.0)).min(L::splat(30.0))
}

/// σ(2u) as a product of two numbers: the second is a power of two, so that the first is never subnormal.
#[inline(always)]
fn gate<L: Lane>(x: L) -> (L, L) {
    let (z, lost) = exponent(x);
    let (zero, one) = (L::zero(), L::one());
    // far left σ(z) is eᶻ
    let far = z.lt(L::splat(-60.0));
    let e = (L::select(far, L::splat(LIFT_HEAD), zero) - z.abs()).exp();
    let lost = L::select(far, lost + L::splat(LIFT - LIFT_HEAD), lost);
    // σ(−|z|); σ(z) is that, or 1 less that, and its derivative σ(1 − σ)
    let q = e / (one + e);
    let top = L::select(z.lt(zero), e, one);
    (top - (top * q - q * (one - q) * lost), L::select(far, L::splat(1.0 / 16_777_216.0), one))
}

/// 2u and what its rounding to f32 loses, since the exponential multiplies that by up to 100. Each product of two
/// upper halves is exact.
#[inline(always)]
fn exponent<L: Lane>(x: L) -> (L, L) {
    let x_head = head(x);
    let x_rest = x - x_head;
    let square = x_head * x_head;
    let square_head = head(square);
    let square_rest = (square - square_head) + x_rest * (x + x_head);
    // w = 2√(2/π)·(1 + 0.044715x²)
    let cubic_rest = L::splat(CUBIC - CUBIC_HEAD) * (square_head + square_rest);
    let (w, lost) = two_sum(L::splat(TWICE_HEAD), L::splat(CUBIC_HEAD) * square_head);
    let lost = lost + (L::splat(TWICE - TWICE_HEAD) + (L::splat(CUBIC_HEAD) * square_rest + cubic_rest));
    let w_head = head(w);
    let w_rest = (w - w_head) + lost;
    let (large, small) = (x_head * w_head, x_head * w_rest + x_rest * (w_head + w_rest));
    let z = large + small;
    (z, small - (z - large))
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
