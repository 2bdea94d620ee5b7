//! The transcendental functions of every `f32` lane, written once: no tables in memory, and no branches but for rare
//! numbers, so that SIMD lanes compute them at full width.
//!
//! | function | error, in units in the last place |
//! |---|---|
//! | [`exp`], [`ln`] | ≤ 1 |
//! | [`exp_m1`], [`ln_1p`], [`sin`], [`cos`] | ≤ 2 |
//! | [`times_gaussian`] | ≤ 2 |
//! | [`tanh`], [`sigmoid`], [`normal_tail`] | ≤ 3 |
//! | [`erf`], [`gelu`] | ≤ 4 |
//! | [`gelu_slope`] | ≤ 4 units of Φ(−\|x\|) + \|x\|·φ(x) |
//!
//! The bounds hold with and without fused multiply-add; zeros keep their sign, and infinities, NaN, subnormal
//! results and overflow come out as IEEE 754 has them. The polynomials are minimax fits (Remez's exchange), each
//! coefficient rounded to f32 and the rest fitted again.

mod gelu;
mod normal;

pub use gelu::{gelu, gelu_by_tail, gelu_slope, gelu_slope_by_tail};
pub use normal::{normal_tail, times_gaussian};

use crate::Lane;
use std::f64::consts::{LOG2_E, SQRT_2};

/// What the functions need of a lane of `f32` beyond its arithmetic.
pub trait Bits: Lane {
    /// `self · 2ⁿ`, rounded once, for whole `n` of at most 250 in magnitude and `self` in [1/4, 4].
    fn scale(self, n: Self) -> Self;
    /// `(m, e)` with `self = m · 2ᵉ`, m in [√½, √2) and e whole, for positive normal numbers; anything for others.
    fn split(self) -> (Self, Self);
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
}

/// A lane whose numbers can be taken out and looked at, one by one.
pub trait Numbers: Bits {
    /// Whether the mask is true anywhere.
    fn any(mask: Self::Mask) -> bool;
    /// `f` of each number by itself.
    fn each(self, f: impl Fn(f32) -> f32) -> Self;
    /// The entry of the table that the five lowest bits of each number name.
    fn look_up(self, table: &[f32; 32]) -> Self;
}

/// ln 2 in two parts; the first has 15 bits, so that its products with exponents are exact.
const LN_2: [f64; 2] = [0.693145752, 1.42860677e-6];

/// (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2.
const EXP: [f64; 5] = [0.49999994, 0.166665167, 0.0416681021, 0.00836919248, 0.00138389028];

/// (ln(1 + f) − f + f²/2) / f³ for 1 + f in [√½, √2].
const LN: [f64; 9] = [
    0.333333135,
    -0.250001669,
    0.200022221,
    -0.16659373,
    0.14209637,
    -0.125492394,
    0.121078141,
    -0.109187193,
    0.0534224287,
];

/// (tanh x − x) / x³ in x², for |x| ≤ 5/8.
const TANH: [f64; 5] = [-0.333332837, 0.133314833, -0.0537427738, 0.0206480622, -0.00571406353];

/// (erf x − x) / x in x², for |x| ≤ 1.
const ERF: [f64; 7] =
    [0.128379166, -0.376126289, 0.112836182, -0.026855126, 0.00519073335, -0.000803075032, 7.92030332e-5];

/// ln(1 − erf x) for x in [1, 4].
const LN_ERFC: [f64; 7] =
    [-0.000353726849, -1.12704003, -0.638225615, -0.103037499, 0.0218054168, -0.00293964031, 0.000185578174];

/// (sin r − r) / r³ in r², for |r| ≤ π/4.
const SIN: [f64; 3] = [-0.166666552, 0.00833219104, -0.000195186047];

/// (cos r − 1 + r²/2) / r⁴ in r², for |r| ≤ π/4.
const COS: [f64; 3] = [0.0416666456, -0.00138873013, 2.44306702e-5];

/// `c₀ + c₁x + c₂x² + …`, by Horner's rule.
#[inline(always)]
pub fn polynomial<L: Lane, const N: usize>(x: L, c: [f64; N]) -> L {
    let mut y = L::splat(c[N - 1]);
    for k in (0..N - 1).rev() {
        y = y.mul_add(x, L::splat(c[k]));
    }
    y
}

/// `x = n·ln 2 + exact + rest` with n whole and |exact + rest| ≤ ln 2 / 2, for |x| < 2¹⁵; gives the three.
#[inline(always)]
fn reduce<L: Bits>(x: L) -> (L, L, L) {
    // adding this leaves no place for a fraction, so it rounds to the nearest integer
    let whole = L::splat(12_582_912.0);
    let n = x.mul_add(L::splat(LOG2_E), whole) - whole;
    (n, n.mul_add(L::splat(-LN_2[0]), x), n * L::splat(-LN_2[1]))
}

/// eʳ − 1 for r = exact + rest, |r| ≤ ln 2 / 2 and a small rest: only the small term sees the rounding of r.
#[inline(always)]
fn exp_m1_near_0<L: Lane>(exact: L, rest: L) -> L {
    let r = exact + rest;
    exact + (r * r).mul_add(polynomial(r, EXP), rest)
}

/// `x = n·ln 2 + r` with n whole and |r| ≤ ln 2 / 2, for |x| < 2¹⁵; gives `(n, eʳ − 1)`.
#[inline(always)]
fn reduce_exp<L: Bits>(x: L) -> (L, L) {
    let (n, exact, rest) = reduce(x);
    (n, exp_m1_near_0(exact, rest))
}

/// The upper half of the digits of an f32, so that products of two such halves are exact, and so is `x − head(x)`;
/// of |x| below 2¹¹⁵ (Veltkamp's splitting). Of an f64, all but 12 digits.
#[inline(always)]
pub fn head<L: Lane>(x: L) -> L {
    let wide = x * L::splat(4097.0);
    wide - (wide - x)
}

/// `a + b` and what its rounding loses (Knuth).
#[inline(always)]
pub fn two_sum<L: Lane>(a: L, b: L) -> (L, L) {
    let sum = a + b;
    let part = sum - b;
    (sum, (a - part) + (b - (sum - part)))
}

#[inline(always)]
fn clamp<L: Lane>(x: L, low: f64, high: f64) -> L {
    let (low, high) = (L::splat(low), L::splat(high));
    let x = L::select(x.lt(low), low, x);
    L::select(x.gt(high), high, x)
}

/// eˣ.
#[inline(always)]
pub fn exp<L: Bits>(x: L) -> L {
    // beyond these all results are 0 or ∞
    let (n, y) = reduce_exp(clamp(x, -104.0, 89.0));
    (L::one() + y).scale(n)
}

/// eˣ − 1.
#[inline(always)]
pub fn exp_m1<L: Bits>(x: L) -> L {
    // 2ⁿ·eʳ − 1 = 2ⁿ·((1 − 2⁻ⁿ) + (eʳ − 1))
    let (n, y) = reduce_exp(clamp(x, -18.0, 89.0));
    let y = ((L::one() - L::one().scale(-n)) + y).scale(n);
    L::select(x.eq(L::zero()), x, y)
}

/// `ln(m·2ᵉ) + c`, where f = m − 1 and c is small.
#[inline(always)]
fn ln_parts<L: Bits>(f: L, e: L, c: L) -> L {
    // e·ln 2 + f with its rounding error, since the two may cancel
    let large = e * L::splat(LN_2[0]);
    let sum = large + f;
    let error = f - (sum - large);
    let square = f * f;
    let small = e.mul_add(L::splat(LN_2[1]), error + c);
    let cubic = (square * f).mul_add(polynomial(f, LN), small);
    sum + square.mul_add(L::splat(-0.5), cubic)
}

/// ln x.
#[inline(always)]
pub fn ln<L: Bits>(x: L) -> L {
    let (zero, infinity) = (L::zero(), L::splat(f64::INFINITY));
    let subnormal = x.lt(L::splat(f32::MIN_POSITIVE as f64));
    let (m, e) = L::select(subnormal, x * L::splat(8_388_608.0), x).split();
    let e = L::select(subnormal, e - L::splat(23.0), e);
    let y = ln_parts(m - L::one(), e, zero);
    let outside = L::select(x.eq(infinity), x, L::splat(f64::NAN));
    let outside = L::select(x.eq(zero), -infinity, outside);
    L::select(L::and(x.gt(zero), x.lt(infinity)), y, outside)
}

/// ln(1 + x).
#[inline(always)]
pub fn ln_1p<L: Bits>(x: L) -> L {
    let (zero, one, infinity) = (L::zero(), L::one(), L::splat(f64::INFINITY));
    let u = one + x;
    let (m, e) = u.split();
    // what the rounding of 1 + x lost; near 0 there is no need for 1 + x at all
    let lost = L::select(x.lt(one), x - (u - one), one - (u - x));
    let near = e.eq(zero);
    let y = ln_parts(L::select(near, x, m - one), e, L::select(near, zero, lost / u));
    let outside = L::select(x.eq(infinity), x, L::splat(f64::NAN));
    let outside = L::select(x.eq(-one), -infinity, outside);
    let outside = L::select(x.eq(zero), x, outside);
    let inside = L::and(L::and(x.gt(-one), x.lt(infinity)), L::not(x.eq(zero)));
    L::select(inside, y, outside)
}

/// The hyperbolic tangent: near 0 an odd polynomial, beyond `1 − 2 / (e²ˣ + 1)`.
#[inline(always)]
pub fn tanh<L: Bits>(x: L) -> L {
    let a = x.abs();
    let square = a * a;
    let near = (a * square).mul_add(polynomial(square, TANH), a);
    let far = L::one() - L::splat(2.0) / (exp(a + a) + L::one());
    L::select(a.lt(L::splat(0.625)), near, far).copysign(x)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<L: Bits>(x: L) -> L {
    sigmoid_by(x, exp)
}

/// [`sigmoid`] by this exponential function.
#[inline(always)]
pub fn sigmoid_by<L: Lane>(x: L, exp: impl Fn(L) -> L) -> L {
    // e^−|x| never overflows, and small results keep all their digits
    let e = exp(-x.abs());
    L::select(x.lt(L::zero()), e, L::one()) / (L::one() + e)
}

/// The error function: near 0 an odd polynomial, beyond `1 − e^p(x)`.
#[inline(always)]
pub fn erf<L: Bits>(x: L) -> L {
    let a = x.abs();
    let near = a.mul_add(polynomial(a * a, ERF), a);
    let far = L::one() - exp(polynomial(clamp(a, 1.0, 4.0), LN_ERFC));
    L::select(a.lt(L::one()), near, far).copysign(x)
}

/// The sine.
#[inline(always)]
pub fn sin<L: Numbers>(x: L) -> L {
    let y = sin_of(x.each(remainder), x.each(quadrant));
    // the sign of −0 is lost on the way
    let y = L::select(x.eq(L::zero()), x, y);
    far_away(x, y, f32::sin)
}

/// The cosine.
#[inline(always)]
pub fn cos<L: Numbers>(x: L) -> L {
    far_away(x, cos_of(x.each(remainder), x.each(quadrant)), f32::cos)
}

/// The sine of `r`, at most π/4 in magnitude, plus `quadrant` (0, 1, 2, 3) times π/2.
#[inline(always)]
pub fn sin_of<L: Lane>(r: L, quadrant: L) -> L {
    let square = r * r;
    let sin = (square * r).mul_add(polynomial(square, SIN), r);
    let cos = L::one() - square.mul_add(L::splat(0.5), -(square * square * polynomial(square, COS)));
    let odd = L::or(quadrant.eq(L::one()), quadrant.eq(L::splat(3.0)));
    let y = L::select(odd, cos, sin);
    L::select(quadrant.lt(L::splat(2.0)), y, -y)
}

/// The cosine of what [`sin_of`] gives the sine of: cos x = sin(x + π/2).
#[inline(always)]
pub fn cos_of<L: Lane>(r: L, quadrant: L) -> L {
    let next = quadrant + L::one();
    sin_of(r, L::select(next.eq(L::splat(4.0)), L::zero(), next))
}

/// Beyond this the reduction by π/2 is left to the standard library.
pub const FAR: f32 = 1e6;

/// `y`, or `f(x)` where |x| is beyond [`FAR`].
#[inline(always)]
fn far_away<L: Numbers>(x: L, y: L, f: fn(f32) -> f32) -> L {
    let far = x.abs().gt(L::splat(FAR as f64));
    if L::any(far) { L::select(far, x.each(f), y) } else { y }
}

/// `(2/π·x` rounded to an integer`) + 1.5·2⁵²`: the integer is in the lowest bits.
#[inline(always)]
fn turns(x: f32) -> f64 {
    x as f64 * std::f64::consts::FRAC_2_PI + WHOLE
}

/// 1.5·2⁵²: added to an f64, it leaves no place for a fraction.
pub const WHOLE: f64 = 6_755_399_441_055_744.0;

/// Which multiple of π/2 is nearest to x, modulo 4.
#[inline(always)]
fn quadrant(x: f32) -> f32 {
    (turns(x).to_bits() as i32 & 3) as f32
}

/// π/2 in two parts; the first has 33 bits, so that its products with integers below 2²⁰ are exact.
pub const HALF_PI: [f64; 2] = [1.5707963267341256, 6.077100506506192e-11];

/// What x is beyond the nearest multiple of π/2.
#[inline(always)]
fn remainder(x: f32) -> f32 {
    let n = turns(x) - WHOLE;
    (x as f64 - n * HALF_PI[0] - n * HALF_PI[1]) as f32
}

impl Bits for f32 {
    #[inline(always)]
    fn scale(self, n: f32) -> f32 {
        // in two steps, since 2ⁿ itself may be out of range
        let n = n as i32;
        let power = |n: i32| f32::from_bits(((n + 127) << 23) as u32);
        self * power(n >> 1) * power(n - (n >> 1))
    }
    #[inline(always)]
    fn split(self) -> (f32, f32) {
        let bits = (self.to_bits() as i32).wrapping_sub(SQRT_HALF);
        (f32::from_bits(((bits & 0x7f_ffff) + SQRT_HALF) as u32), (bits >> 23) as f32)
    }
    #[inline(always)]
    fn copysign(self, sign: f32) -> f32 {
        f32::copysign(self, sign)
    }
}

impl Numbers for f32 {
    #[inline(always)]
    fn any(mask: bool) -> bool {
        mask
    }
    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> f32 {
        f(self)
    }
    #[inline(always)]
    fn look_up(self, table: &[f32; 32]) -> f32 {
        table[(self.to_bits() & 31) as usize]
    }
}

/// The bits of √½: where [`Bits::split`] begins a new exponent.
pub const SQRT_HALF: i32 = (SQRT_2 as f32 / 2.0).to_bits() as i32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_values_are_those_of_ieee_754() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        type Case<'a> = (fn(f32) -> f32, &'a [(f32, f32)]);
        let cases: [Case; 11] = [
            (exp, &[(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (89.0, inf), (-104.0, 0.0), (3e38, inf)]),
            (exp_m1, &[(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0), (1e-42, 1e-42), (-1e30, -1.0)]),
            (ln, &[(1.0, 0.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1.0, nan), (-inf, nan), (-1e-42, nan)]),
            (ln_1p, &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -inf), (inf, inf), (-1.5, nan), (-inf, nan), (1e-42, 1e-42)]),
            (tanh, &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (1e-42, 1e-42), (-3e38, -1.0)]),
            (sigmoid, &[(0.0, 0.5), (inf, 1.0), (-inf, 0.0), (-200.0, 0.0), (3e38, 1.0)]),
            (erf, &[(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (1e30, 1.0), (-4.0, -1.0)]),
            (|x| times_gaussian(1.0, x), &[(0.0, 1.0), (inf, 0.0), (-inf, 0.0), (3e38, 0.0), (-15.0, 0.0)]),
            (normal_tail, &[(0.0, 0.5), (inf, 0.0), (1e30, 3.989423e-31)]),
            (sin, &[(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan), (1e-42, 1e-42)]),
            (cos, &[(0.0, 1.0), (-0.0, 1.0), (inf, nan), (-inf, nan)]),
        ];
        for (i, (f, table)) in cases.into_iter().enumerate() {
            assert!(f(nan).is_nan());
            for &(x, y) in table {
                let got = f(x);
                let same = got.to_bits() == y.to_bits() || (got.is_nan() && y.is_nan());
                assert!(same, "function {i} of {x:e} is {got:e}, wants {y:e}");
            }
        }
    }

    #[test]
    fn parts_make_the_number_again() {
        for x in [1.0f32, 0.707, 0.7072, 1.414, 1.415, 3e38, f32::MIN_POSITIVE, 1e-30] {
            let (m, e) = x.split();
            assert!(m * m >= 0.4999999 && m * m < 2.0000001, "{x}: {m}");
            assert_eq!(m.scale(e), x);
        }
    }
}
