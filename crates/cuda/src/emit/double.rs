//! The functions of f64, written once: a GPU has no library of them. Each is within a few units in the last place.
//!
//! The series are Taylor's, long enough that what is left out is below the rounding; reductions carry what they round
//! off along.

use super::graph::{Arg, Class, value};
use super::lane::Sym;
use cotangent_base::Lane;
use cotangent_base::math::{WHOLE, polynomial};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, FRAC_2_SQRT_PI, FRAC_PI_2, LOG2_E, SQRT_2};

/// What the functions need of a lane of f64 beyond its arithmetic.
pub trait Double: Lane {
    /// `self · 2ⁿ`, rounded once, for whole `n` of at most 2000 in magnitude and `self` in [1/4, 4].
    fn scale(self, n: Self) -> Self;
    /// `(m, e)` with `self = m · 2ᵉ`, m in [√½, √2) and e whole, for positive normal numbers; anything for others.
    fn split(self) -> (Self, Self);
    /// `self·b + c`, rounded once.
    fn fma(self, b: Self, c: Self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// The lowest two bits of the whole number that [`WHOLE`] was added to.
    fn quadrant(self) -> Self;
}

/// ln 2 in two parts; the first has 32 bits, so that its products with exponents are exact.
const LN_2: [f64; 2] = [0.6931471803691238, 1.9082149292705877e-10];

/// π/2 in three parts.
const HALF_PI: [f64; 3] = [FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];

/// `1 / from!, 1 / (from + step)!, …`, the signs alternating if `step` is 2.
const fn taylor<const N: usize>(from: usize, step: usize) -> [f64; N] {
    let mut out = [0.0; N];
    let mut k = 0;
    while k < N {
        let (mut factorial, mut i) = (1.0, 2);
        while i <= from + k * step {
            factorial *= i as f64;
            i += 1;
        }
        out[k] = if step == 2 && k % 2 == 0 { -1.0 } else { 1.0 } / factorial;
        k += 1;
    }
    out
}

/// (eʳ − 1 − r) / r².
const EXP: [f64; 12] = taylor(2, 1);
/// (sin r − r) / r³ in r².
const SIN: [f64; 8] = taylor(3, 2);
/// −(cos r − 1 + r²/2) / r⁴ in r².
const COS: [f64; 8] = taylor(4, 2);

/// `2/3, 2/5, …`: (ln((1 + s) / (1 − s)) − 2s) / s³ in s².
const ATANH: [f64; 11] = {
    let mut out = [0.0; 11];
    let mut k = 0;
    while k < 11 {
        out[k] = 2.0 / (2 * k + 3) as f64;
        k += 1;
    }
    out
};

fn clamp<L: Lane>(x: L, low: f64, high: f64) -> L {
    let (low, high) = (L::splat(low), L::splat(high));
    let x = L::select(x.lt(low), low, x);
    L::select(x.gt(high), high, x)
}

/// `x = n·ln 2 + r` with n whole; gives `(n, eʳ − 1)`.
fn reduce_exp<L: Double>(x: L) -> (L, L) {
    let n = x.fma(L::splat(LOG2_E), L::splat(WHOLE)) - L::splat(WHOLE);
    let exact = n.fma(L::splat(-LN_2[0]), x);
    let rest = n * L::splat(-LN_2[1]);
    let r = exact + rest;
    (n, exact + (r * r).fma(polynomial(r, EXP), rest))
}

/// eˣ.
pub fn exp<L: Double>(x: L) -> L {
    let (n, y) = reduce_exp(clamp(x, -746.0, 710.0));
    (L::one() + y).scale(n)
}

/// eˣ − 1.
pub fn exp_m1<L: Double>(x: L) -> L {
    let (n, y) = reduce_exp(clamp(x, -40.0, 710.0));
    let y = ((L::one() - L::one().scale(-n)) + y).scale(n);
    L::select(x.eq(L::zero()), x, y)
}

/// `ln(m·2ᵉ) + c`, where f = m − 1 and c is small.
fn ln_parts<L: Double>(f: L, e: L, c: L) -> L {
    // with s = f / (2 + f): ln(1 + f) = f − (f²/2 − s·(f²/2 + s²·(2/3 + …)))
    let s = f / (L::splat(2.0) + f);
    let square = s * s;
    let half = L::splat(0.5) * f * f;
    let small = s.fma(half + square * polynomial(square, ATANH), e.fma(L::splat(LN_2[1]), c));
    e * L::splat(LN_2[0]) - ((half - small) - f)
}

/// A positive number's `(m − 1, e)` for `ln_parts`, subnormal ones too.
fn parts<L: Double>(x: L) -> (L, L) {
    let subnormal = x.lt(L::splat(f64::MIN_POSITIVE));
    let (m, e) = L::select(subnormal, x * L::splat((1u64 << 54) as f64), x).split();
    (m - L::one(), L::select(subnormal, e - L::splat(54.0), e))
}

/// ln x.
pub fn ln<L: Double>(x: L) -> L {
    let (zero, infinity) = (L::zero(), L::splat(f64::INFINITY));
    let (f, e) = parts(x);
    let outside = L::select(x.eq(infinity), x, L::splat(f64::NAN));
    let outside = L::select(x.eq(zero), -infinity, outside);
    L::select(L::and(x.gt(zero), x.lt(infinity)), ln_parts(f, e, zero), outside)
}

/// ln(1 + x).
pub fn ln_1p<L: Double>(x: L) -> L {
    let (zero, one, infinity) = (L::zero(), L::one(), L::splat(f64::INFINITY));
    let u = one + x;
    let (m, e) = u.split();
    let lost = L::select(x.lt(one), x - (u - one), one - (u - x));
    let near = e.eq(zero);
    let y = ln_parts(L::select(near, x, m - one), e, L::select(near, zero, lost / u));
    let outside = L::select(x.eq(infinity), x, L::splat(f64::NAN));
    let outside = L::select(x.eq(-one), -infinity, outside);
    let outside = L::select(x.eq(zero), x, outside);
    let inside = L::and(L::and(x.gt(-one), x.lt(infinity)), L::not(x.eq(zero)));
    L::select(inside, y, outside)
}

/// The sine; NaN beyond 2⁵⁰, where neighbouring numbers are further apart than a quarter.
pub fn sin<L: Double>(x: L) -> L {
    let (quadrant, r, rest) = reduce_angle(x);
    L::select(x.eq(L::zero()), x, sin_of(quadrant, r, rest))
}

/// The cosine; NaN beyond 2⁵⁰.
pub fn cos<L: Double>(x: L) -> L {
    let (quadrant, r, rest) = reduce_angle(x);
    let next = quadrant + L::one();
    sin_of(L::select(next.eq(L::splat(4.0)), L::zero(), next), r, rest)
}

/// The multiple of π/2 that is nearest, modulo 4, and what is left, in two parts.
fn reduce_angle<L: Double>(x: L) -> (L, L, L) {
    let turns = x.fma(L::splat(FRAC_2_PI), L::splat(WHOLE));
    let n = turns - L::splat(WHOLE);
    let exact = n.fma(L::splat(-HALF_PI[0]), x);
    let r = n.fma(L::splat(-HALF_PI[1]), exact);
    let rest = n.fma(L::splat(-HALF_PI[2]), n.fma(L::splat(-HALF_PI[1]), exact - r));
    let inside = x.abs().lt(L::splat((1u64 << 50) as f64));
    (turns.quadrant(), L::select(inside, r, L::splat(f64::NAN)), rest)
}

/// The sine of `r + rest + quadrant·π/2`.
fn sin_of<L: Double>(quadrant: L, r: L, rest: L) -> L {
    let square = r * r;
    let sin = r + (square * r).fma(polynomial(square, SIN), rest);
    let half = L::splat(0.5) * square;
    let whole = L::one() - half;
    // what the rounding of 1 − r²/2 lost
    let lost = (L::one() - whole) - half;
    let cos = whole + (lost - (square * square).fma(polynomial(square, COS), r * rest));
    let odd = L::or(quadrant.eq(L::one()), quadrant.eq(L::splat(3.0)));
    let y = L::select(odd, cos, sin);
    L::select(quadrant.lt(L::splat(2.0)), y, -y)
}

/// The hyperbolic tangent, by t = e²ˣ − 1.
pub fn tanh<L: Double>(x: L) -> L {
    let a = x.abs();
    let t = exp_m1(a + a);
    let two = L::splat(2.0);
    let far = L::one() - two / (t + two);
    L::select(a.lt(L::splat(0.5)), t / (t + two), far).copysign(x)
}

/// The error function: for |x| < 2 the series Σ 2ⁿ x^(2n+1) / (2n+1)‼ (Abramowitz & Stegun 7.1.6), beyond a continued
/// fraction (7.1.14).
pub fn erf<L: Double>(x: L) -> L {
    let a = x.abs();
    let near = clamp(a, 0.0, 2.0);
    let (mut term, mut sum) = (L::one(), L::zero());
    for n in 1..45 {
        term = term * (L::splat(2.0 / (2 * n + 1) as f64) * near * near);
        sum = sum + term;
    }
    let near = L::splat(FRAC_2_SQRT_PI) * exp_minus_square(near) * near.fma(sum, near);
    let far = clamp(a, 2.0, 6.0);
    let below = (1..=60).rev().fold(far, |below, k| far + L::splat(0.5 * k as f64) / below);
    let far = L::one() - exp_minus_square(far) * L::splat(FRAC_2_SQRT_PI / 2.0) / below;
    let y = L::select(a.lt(L::splat(2.0)), near, far);
    L::select(x.is_nan(), x, y.copysign(x))
}

/// e^(−x²), with the rounding error of x² made good.
fn exp_minus_square<L: Double>(x: L) -> L {
    let square = x * x;
    exp(-square) * (L::one() - x.fma(x, -square))
}

/// `f · e^(−x²/2)`, with the rounding error of x² made good.
pub fn times_gaussian<L: Double>(f: L, x: L) -> L {
    // beyond ±40 it is 0
    let x = clamp(x, -40.0, 40.0);
    let (square, half) = (x * x, L::splat(0.5));
    let lost = x.fma(x, -square);
    f * (exp(-half * square) * (L::one() - half * lost))
}

/// Φ(−x)·e^(x²/2) for x ≥ 0: below 1.5 by a series (Abramowitz & Stegun 26.2.11), beyond by a continued fraction (26.2.14).
pub fn normal_tail<L: Double>(x: L) -> L {
    // 1/√(2π)
    let root = L::splat(FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0);
    let near = clamp(x, 0.0, 1.5);
    let (mut term, mut sum, square) = (near, L::zero(), near * near);
    for n in 0..30 {
        sum = sum + term;
        term = term * (square * L::splat(1.0 / (2 * n + 3) as f64));
    }
    let near = L::splat(0.5) * exp(L::splat(0.5) * square) - root * sum;
    let far = L::select(x.lt(L::splat(1.5)), L::splat(1.5), x);
    let below = (1..=170).rev().fold(far, |below, k| far + L::splat(k as f64) / below);
    L::select(x.lt(L::splat(1.5)), near, root / below)
}

/// `x` to the power `y`, as C's `pow`: e^(y·ln|x|) with the logarithm in two parts.
pub fn pow<L: Double>(x: L, y: L) -> L {
    let (zero, one, infinity) = (L::zero(), L::one(), L::splat(f64::INFINITY));
    let size = x.abs();
    let (high, low) = ln_in_two(size);
    let product = y * high;
    let lost = y.fma(high, -product) + y * low;
    let power = exp(product);
    let ordinary = L::and(product.abs().lt(L::splat(746.0)), power.lt(infinity));
    let power = L::select(ordinary, power.fma(lost, power), power);
    // signs and the cases in which the formula is 0·∞
    let whole = y.floor().eq(y);
    let half = L::splat(0.5) * y;
    let odd = L::and(whole, L::not(half.floor().eq(half)));
    let negative = L::one().copysign(x).lt(zero);
    let power = L::select(L::and(negative, odd), -power, power);
    let no_power = L::and(L::and(x.lt(zero), L::not(whole)), size.lt(infinity));
    let power = L::select(no_power, L::splat(f64::NAN), power);
    let power = L::select(L::and(size.eq(one), y.abs().eq(infinity)), one, power);
    L::select(L::or(x.eq(one), y.eq(zero)), one, power)
}

/// ln x for x ≥ 0, and what its rounding lost.
fn ln_in_two<L: Double>(x: L) -> (L, L) {
    let (zero, infinity) = (L::zero(), L::splat(f64::INFINITY));
    let (f, e) = parts(x);
    // 2s, twice f / (2 + f), in two parts
    let below = L::splat(2.0) + f;
    let below_lost = f - (below - L::splat(2.0));
    let s = f / below;
    let s_lost = (-s.fma(below, -f) - s * below_lost) / below;
    let square = s * s;
    let small = (s + s_lost + s_lost) - s + square * s * polynomial(square, ATANH);
    let large = e * L::splat(LN_2[0]);
    let two = s + s;
    let sum = large + two;
    let sum_lost = L::select(e.eq(zero), zero, two - (sum - large));
    let rest = small + e.fma(L::splat(LN_2[1]), sum_lost);
    let high = sum + rest;
    let low = rest - (high - sum);
    let high = L::select(x.eq(infinity), x, L::select(x.eq(zero), -infinity, high));
    (L::select(x.is_nan(), x, high), low)
}

impl Double for Sym<f64> {
    fn scale(self, n: Self) -> Self {
        // in two steps, since 2ⁿ itself may be out of range
        let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
        let n = long("cvt.rzi.s64", "f64", &[n.arg()]);
        let half = long("shr", "s64", &[n, Arg::Int(1)]);
        let rest = long("sub", "s64", &[n, half]);
        let power = |n| {
            let bits = long("shl", "b64", &[long("add", "s64", &[n, Arg::Int(1023)]), Arg::Int(52)]);
            Sym::new(value("mov", "b64", Class::F64, &[bits]))
        };
        self * power(half) * power(rest)
    }
    fn split(self) -> (Self, Self) {
        let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
        let start = Arg::Int(SQRT_HALF);
        let bits = long("sub", "s64", &[long("mov", "b64", &[self.arg()]), start]);
        let mantissa = long("and", "b64", &[bits, Arg::Int((1 << 52) - 1)]);
        let m = value("mov", "b64", Class::F64, &[long("add", "s64", &[mantissa, start])]);
        let exponent = long("shr", "s64", &[bits, Arg::Int(52)]);
        (Sym::new(m), Sym::new(value("cvt.rn.f64", "s64", Class::F64, &[exponent])))
    }
    fn fma(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }
    fn copysign(self, sign: Self) -> Self {
        let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
        let bits = |x: Self| long("mov", "b64", &[x.arg()]);
        let size = long("and", "b64", &[bits(self), Arg::Int(i64::MAX)]);
        let sign = long("and", "b64", &[bits(sign), Arg::Int(i64::MIN)]);
        Sym::new(value("mov", "b64", Class::F64, &[long("or", "b64", &[size, sign])]))
    }
    fn quadrant(self) -> Self {
        let bits = Arg::Value(value("mov", "b64", Class::B64, &[self.arg()]));
        let low = Arg::Value(value("and", "b64", Class::B64, &[bits, Arg::Int(3)]));
        Sym::new(value("cvt.rn.f64", "s64", Class::F64, &[low]))
    }
}

/// The bits of √½: where [`Double::split`] begins a new exponent.
const SQRT_HALF: i64 = (SQRT_2 / 2.0).to_bits() as i64;

#[cfg(test)]
mod tests {
    use super::*;

    impl Double for f64 {
        fn scale(self, n: f64) -> f64 {
            let n = n as i64;
            let power = |n: i64| f64::from_bits(((n + 1023) << 52) as u64);
            self * power(n >> 1) * power(n - (n >> 1))
        }
        fn split(self) -> (f64, f64) {
            let bits = (self.to_bits() as i64).wrapping_sub(SQRT_HALF);
            (f64::from_bits(((bits & ((1 << 52) - 1)) + SQRT_HALF) as u64), (bits >> 52) as f64)
        }
        fn fma(self, b: f64, c: f64) -> f64 {
            f64::mul_add(self, b, c)
        }
        fn copysign(self, sign: f64) -> f64 {
            f64::copysign(self, sign)
        }
        fn quadrant(self) -> f64 {
            (self.to_bits() & 3) as f64
        }
    }

    /// In units in the last place.
    fn error(got: f64, want: f64) -> f64 {
        if got == want || (got.is_nan() && want.is_nan()) {
            return 0.0;
        }
        ((got - want) / (want.abs().max(f64::MIN_POSITIVE) * f64::EPSILON)).abs()
    }

    /// From −high to high, dense near 0.
    fn points(high: f64) -> impl Iterator<Item = f64> {
        (-4000..=4000).map(move |i| {
            let t = i as f64 / 4000.0;
            high * t * t * t
        })
    }

    #[test]
    fn functions_agree_with_the_standard_librarys() {
        type Case = (&'static str, fn(f64) -> f64, fn(f64) -> f64, f64, f64);
        let cases: [Case; 11] = [
            ("normal_tail", |x| normal_tail(x.abs()), |x| Lane::normal_tail(x.abs()), 40.0, 16.0),
            ("gaussian", |x| times_gaussian(2.0, x), |x| 2f64.times_gaussian(x), 39.0, 4.0),
            ("exp", exp, f64::exp, 750.0, 2.0),
            ("exp_m1", exp_m1, f64::exp_m1, 720.0, 3.0),
            ("ln", ln, f64::ln, 1e300, 2.0),
            ("ln_1p", ln_1p, f64::ln_1p, 1e10, 3.0),
            ("sin", sin, f64::sin, 1e6, 2.0),
            ("cos", cos, f64::cos, 1e6, 2.0),
            ("tanh", tanh, f64::tanh, 30.0, 4.0),
            ("erf", erf, <f64 as Lane>::erf, 8.0, 6.0),
            ("sigmoid", |x| cotangent_base::math::sigmoid_by(x, exp), <f64 as Lane>::sigmoid, 800.0, 4.0),
        ];
        for (name, ours, theirs, high, bound) in cases {
            for x in points(high).chain(points(4.0)) {
                let (got, want) = (ours(x), theirs(x));
                if !(error(got, want) <= bound) {
                    panic!("{name}({x}) = {got}, wants {want}: {} ulp off", error(got, want));
                }
            }
        }
    }

    #[test]
    fn special_values_are_those_of_ieee_754() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for x in [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, -5e-324, f64::MAX, f64::MIN] {
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            assert!(same(exp(x), f64::exp(x)), "exp {x}");
            assert!(same(exp_m1(x), f64::exp_m1(x)), "exp_m1 {x}: {}", exp_m1(x));
            assert!(error(ln(x), f64::ln(x)) <= 1.0, "ln {x}: {}", ln(x));
            assert!(error(ln_1p(x), f64::ln_1p(x)) <= 1.0, "ln_1p {x}: {}", ln_1p(x));
            assert!(same(tanh(x), f64::tanh(x)) || x.abs() == 1.0, "tanh {x}: {}", tanh(x));
            assert_eq!(sin(x).is_nan(), !(x.abs() < 1e15), "sin {x}");
        }
    }

    #[test]
    fn powers_are_those_of_c() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let values = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, -2.5, 1e-310, 1e300, inf, -inf, nan];
        for x in values {
            for y in values {
                let (got, want) = (pow(x, y), f64::powf(x, y));
                assert!(error(got, want) <= 4.0, "{x} ^ {y} = {got}, wants {want}");
                assert_eq!(
                    got.is_sign_negative() && !got.is_nan(),
                    want.is_sign_negative() && !want.is_nan(),
                    "{x} ^ {y}"
                );
            }
        }
        for x in points(40.0).filter(|x| *x > 0.0).step_by(7) {
            for y in points(50.0).step_by(31) {
                let (got, want) = (pow(x, y), f64::powf(x, y));
                assert!(error(got, want) <= 8.0, "{x} ^ {y} = {got}, wants {want}: {}", error(got, want));
            }
        }
    }
}
