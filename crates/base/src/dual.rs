//! [`Dual`]: numbers that carry their exact derivative along (forward mode, no step size).

use crate::Lane;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `value + tangent·ε` with ε² = 0. Computing `f` on `variable(x)` leaves f′(x) in the tangent.
///
/// ```
/// use cotangent_base::{Dual, Lane};
/// let y = Dual::variable(0.5_f64).exp().square();
/// assert!((y.tangent - 2.0 * (1.0_f64).exp()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<L> {
    /// f(x).
    pub value: L,
    /// f′(x) times the tangent of x.
    pub tangent: L,
}

impl<L: Lane> Dual<L> {
    /// The variable that is differentiated by: tangent 1.
    #[inline(always)]
    pub fn variable(value: L) -> Self {
        Self { value, tangent: L::one() }
    }

    /// Anything else: tangent 0.
    #[inline(always)]
    pub fn constant(value: L) -> Self {
        Self { value, tangent: L::zero() }
    }

    /// `value` with the tangent of `self` scaled by the derivative `d`: the chain rule. A tangent of 0
    /// stays 0 even where `d` is infinite.
    #[inline(always)]
    fn chain(self, value: L, d: L) -> Self {
        let still = self.tangent.eq(L::zero());
        Self { value, tangent: L::select(still, L::zero(), d * self.tangent) }
    }
}

impl<L: Lane> Add for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Self { value: self.value + o.value, tangent: self.tangent + o.tangent }
    }
}

impl<L: Lane> Sub for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Self { value: self.value - o.value, tangent: self.tangent - o.tangent }
    }
}

impl<L: Lane> Mul for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Self { value: self.value * o.value, tangent: self.tangent * o.value + self.value * o.tangent }
    }
}

impl<L: Lane> Div for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let value = self.value / o.value;
        Self { value, tangent: (self.tangent - value * o.tangent) / o.value }
    }
}

impl<L: Lane> Neg for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { value: -self.value, tangent: -self.tangent }
    }
}

impl<L: Lane> Lane for Dual<L> {
    type Mask = L::Mask;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self::constant(L::splat(x))
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self * b + c
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let y = self.value.sqrt();
        self.chain(y, L::splat(0.5) / y)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::select(self.value.lt(L::zero()), -self, self)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Self::constant(self.value.floor())
    }
    #[inline(always)]
    fn round(self) -> Self {
        Self::constant(self.value.round())
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        let mut y = Self::select(self.value.ge(o.value), self, o);
        y.value = self.value.max(o.value);
        y
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        let mut y = Self::select(self.value.le(o.value), self, o);
        y.value = self.value.min(o.value);
        y
    }
    #[inline(always)]
    fn lt(self, o: Self) -> L::Mask {
        self.value.lt(o.value)
    }
    #[inline(always)]
    fn le(self, o: Self) -> L::Mask {
        self.value.le(o.value)
    }
    #[inline(always)]
    fn eq(self, o: Self) -> L::Mask {
        self.value.eq(o.value)
    }
    #[inline(always)]
    fn and(a: L::Mask, b: L::Mask) -> L::Mask {
        L::and(a, b)
    }
    #[inline(always)]
    fn or(a: L::Mask, b: L::Mask) -> L::Mask {
        L::or(a, b)
    }
    #[inline(always)]
    fn not(a: L::Mask) -> L::Mask {
        L::not(a)
    }
    #[inline(always)]
    fn select(mask: L::Mask, a: Self, b: Self) -> Self {
        Self { value: L::select(mask, a.value, b.value), tangent: L::select(mask, a.tangent, b.tangent) }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let y = self.value.exp();
        self.chain(y, y)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), (L::one() + self.value).recip())
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let y = self.value.tanh();
        self.chain(y, L::one() - y.square())
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let y = self.value.sigmoid();
        self.chain(y, y * (L::one() - y))
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let x = self.value;
        self.chain(x.erf(), L::splat(std::f64::consts::FRAC_2_SQRT_PI) * (-x.square()).exp())
    }
    #[inline(always)]
    fn times_gaussian(self, x: Self) -> Self {
        let y = self.value.times_gaussian(x.value);
        let bend = x.chain(y, -x.value * y);
        Self { value: y, tangent: self.tangent.times_gaussian(x.value) + bend.tangent }
    }
    #[inline(always)]
    fn normal_tail(self) -> Self {
        // 1/√(2π)
        let root = L::splat(0.398_942_280_401_432_7);
        let y = self.value.normal_tail();
        self.chain(y, self.value * y - root)
    }
    #[inline(always)]
    fn powf(self, y: Self) -> Self {
        let (a, b) = (self.value, y.value);
        let value = a.powf(b);
        let base = self.chain(value, b * a.powf(b - L::one()));
        let exponent = y.chain(value, value * a.ln());
        Self { value, tangent: base.tangent + exponent.tangent }
    }
}
