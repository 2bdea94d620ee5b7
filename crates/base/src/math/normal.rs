//! The normal distribution, in f32 to a few units in the last place even where e^(−x²/2) multiplies every rounding of x.

use super::{Bits, clamp, exp_m1_near_0, head, polynomial, reduce, two_sum};

/// `f·e^(−x²/2)`.
#[inline(always)]
pub fn times_gaussian<L: Bits>(f: L, x: L) -> L {
    // beyond ±15 the exponential is 0 even before it is rounded
    let a = clamp(x.abs(), 0.0, 15.0);
    let (high, half) = (head(a), L::splat(-0.5));
    let (square, rest) = (half * (high * high), half * ((a - high) * (a + high)));
    let exponent = square + rest;
    let lost = rest - (exponent - square);
    let (n, exact, rest) = reduce(exponent);
    // f comes in before the exponent does, so that no factor is subnormal where the product is not
    f.mul_add(exp_m1_near_0(exact, rest + lost), f).scale(n)
}

/// 1/√(2π).
const ROOT: f64 = 0.398_942_280_401_432_7;

/// Where the variable of [`TAIL`] is 0.
const MIDDLE: f64 = 1.5;

/// (x + c)·Φ(−x)·e^(x²/2) in t = (x − c) / (x + c), for c = [`MIDDLE`] and x ≥ 0: what multiplies t, t², …
const TAIL: [f64; 13] = [
    -0.19509952,
    -0.05749499,
    0.017897982,
    0.017631048,
    0.003972433,
    -0.002372479,
    -0.0026346794,
    -0.0012190861,
    6.602394e-5,
    0.0006961763,
    0.00037232784,
    -0.000111521,
    -0.00010343092,
];

/// The same at t = 0, and what rounding that to f32 loses.
const TAIL_0: [f64; 2] = [0.617342, 1.232049e-9];

/// Φ(−x)·e^(x²/2), for x ≥ 0.
#[inline(always)]
pub fn normal_tail<L: Bits>(x: L) -> L {
    let middle = L::splat(MIDDLE);
    let (sum, lost) = two_sum(x, middle);
    // (x − c) / (x + c) = 1 − 2c / (x + c)
    let t = sum.recip().mul_add(L::splat(-2.0 * MIDDLE), L::one());
    let (leading, rest) = (L::splat(TAIL_0[0]), polynomial(t, TAIL).mul_add(t, L::splat(TAIL_0[1])));
    // the derivative of the result y is x·y − 1/√(2π)
    let rest = rest - lost * (L::splat(ROOT) * sum - x * (leading + rest));
    // further out only 1/(x√(2π)) is left
    L::select(x.gt(L::splat(1e4)), L::splat(ROOT) / x, (leading + rest) / sum)
}
