//! [`Lane`]: the arithmetic that a pointwise formula is written in.
//!
//! One text over `Lane` becomes the scalar loop (`f32`, `f64`), the SIMD loops (the lanes of the crate
//! `cotangent-cpu`), and the exact derivative ([`Dual`](crate::Dual)).

use crate::math;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One or several floating-point numbers, computed on side by side.
///
/// The comparisons give a [`Mask`](Lane::Mask) with one truth value for each number; there is no branching,
/// only [`select`](Lane::select). Comparisons with NaN are false, and `ne` is true, as in IEEE 754.
pub trait Lane:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// One truth value for each number.
    type Mask: Copy;

    /// The same constant in every place, rounded to the lane's precision.
    fn splat(x: f64) -> Self;

    /// `self·b + c`, fused where the hardware does that at no cost.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The greatest integer that is not above.
    fn floor(self) -> Self;
    /// The nearest integer, halves to even.
    fn round(self) -> Self;
    /// The greater; NaN if either is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller; NaN if either is NaN.
    fn min(self, other: Self) -> Self;

    /// `self < other`.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`.
    fn le(self, other: Self) -> Self::Mask;
    /// `self == other`.
    fn eq(self, other: Self) -> Self::Mask;
    /// `self > other`.
    #[inline(always)]
    fn gt(self, other: Self) -> Self::Mask {
        other.lt(self)
    }
    /// `self >= other`.
    #[inline(always)]
    fn ge(self, other: Self) -> Self::Mask {
        other.le(self)
    }
    /// Whether it is NaN.
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        Self::not(self.eq(self))
    }

    /// Both.
    fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Either.
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// The opposite.
    fn not(a: Self::Mask) -> Self::Mask;
    /// `a` where the mask is true, `b` elsewhere.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1, exact near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm; NaN below 0, −∞ at 0.
    fn ln(self) -> Self;
    /// ln(1 + x), exact near 0.
    fn ln_1p(self) -> Self;
    /// The sine (radians).
    fn sin(self) -> Self;
    /// The cosine (radians).
    fn cos(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The logistic function 1 / (1 + e⁻ˣ).
    fn sigmoid(self) -> Self;
    /// The error function 2/√π ∫₀ˣ e^(−t²) dt.
    fn erf(self) -> Self;
    /// `self · e^(−x²/2)`.
    fn times_gaussian(self, x: Self) -> Self;
    /// Φ(−x)·e^(x²/2) for x ≥ 0: the tail of the normal distribution Φ, over its exponential.
    fn normal_tail(self) -> Self;
    /// `self` to the power `y`, as C's `pow`.
    fn powf(self, y: Self) -> Self;
    /// x·Φ(x), Φ the normal distribution: the Gaussian error linear unit.
    #[inline(always)]
    fn gelu(self) -> Self {
        math::gelu_by_tail(self)
    }
    /// Φ(x) + x·φ(x), its slope; φ is the density.
    #[inline(always)]
    fn gelu_slope(self) -> Self {
        math::gelu_slope_by_tail(self)
    }

    /// 0.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }
    /// 1.
    #[inline(always)]
    fn one() -> Self {
        Self::splat(1.0)
    }
    /// 1/x.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::one() / self
    }
    /// x².
    #[inline(always)]
    fn square(self) -> Self {
        self * self
    }
}

/// A pointwise computation: `N` operands in, one result out, element by element.
///
/// All kernels that a [`Unary`](crate::Unary) or [`Binary`](crate::Binary) op gives rise to (forward, backward,
/// second order) have this form.
pub trait Map<const N: usize>: Copy + Send + Sync + 'static {
    /// Whether SIMD versions are worth their compile time: not for second derivatives.
    const FAST: bool = true;
    /// The result for one set of operands.
    fn eval<L: Lane>(self, x: [L; N]) -> L;
}

/// The rule of an optimizer with `S` numbers of state for each parameter, element by element.
///
/// What changes from step to step (the learning rate, Adam's bias correction) is part of `self`.
pub trait Update<const S: usize>: Copy + Send + Sync + 'static {
    /// The new parameter and state from the parameter `p`, its gradient `g` and the state.
    fn step<L: Lane>(self, p: L, g: L, state: [L; S]) -> (L, [L; S]);
}
