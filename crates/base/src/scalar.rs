//! [`Lane`] for one `f32` or `f64`: the reference that every SIMD lane agrees with.

use crate::{Lane, math};

macro_rules! scalar_lane {
    ($t:tt) => {
        impl Lane for $t {
            type Mask = bool;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                self * b + c
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                <$t>::floor(self)
            }
            #[inline(always)]
            fn round(self) -> Self {
                <$t>::round_ties_even(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self <= other
            }
            #[inline(always)]
            fn eq(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn and(a: bool, b: bool) -> bool {
                a & b
            }
            #[inline(always)]
            fn or(a: bool, b: bool) -> bool {
                a | b
            }
            #[inline(always)]
            fn not(a: bool) -> bool {
                !a
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
            scalar_functions!($t);
            #[inline(never)]
            fn powf(self, y: Self) -> Self {
                <$t>::powf(self, y)
            }
        }
    };
}

/// The methods from `exp` to `erf`: for f32 those that its SIMD lanes have, for f64 the standard library's.
macro_rules! scalar_functions {
    (f32) => {
        scalar_functions!(f32, math: exp exp_m1 ln ln_1p sin cos tanh sigmoid erf);
    };
    (f64) => {
        scalar_functions!(f64, f64: exp exp_m1 ln ln_1p sin cos tanh);
        scalar_functions!(f64, self: sigmoid erf);
    };
    ($t:ident, $from:ident: $($name:ident)*) => {$(
        // called, not inlined into every op that uses it: most of the time to compile them would go there
        #[inline(never)]
        fn $name(self) -> Self {
            $from::$name(self)
        }
    )*};
}
scalar_lane!(f32);
scalar_lane!(f64);

/// 1 / (1 + e⁻ˣ).
fn sigmoid(x: f64) -> f64 {
    // e^−|x| never overflows, and small results keep all their digits
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// The error function, to a few units in the last place.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    match a {
        0.0..2.0 => erf_series(x),
        2.0..6.0 => (1.0 - erfc_fraction(a)).copysign(x),
        _ if x.is_nan() => x,
        // to the last bit
        _ => 1f64.copysign(x),
    }
}

/// e^(−x²), with the rounding error of x² made good.
fn exp_minus_square(x: f64) -> f64 {
    let square = x * x;
    let lost = x.mul_add(x, -square);
    (-square).exp() * (1.0 - lost)
}

/// erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)‼, whose terms are all of one sign, so nothing cancels
/// (Abramowitz & Stegun 7.1.6).
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 0.0, 1.0);
    // the first term, 1, is added last, so that the small ones are not lost to it one by one
    while term > 1e-18 {
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    std::f64::consts::FRAC_2_SQRT_PI * exp_minus_square(x) * (x + x * sum)
}

/// 1 − erf x = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))) for x ≥ 2 (Abramowitz & Stegun 7.1.14).
fn erfc_fraction(x: f64) -> f64 {
    let below = (1..=60).rev().fold(x, |below, k| x + 0.5 * k as f64 / below);
    exp_minus_square(x) * std::f64::consts::FRAC_2_SQRT_PI / 2.0 / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_its_known_values() {
        // from an evaluation with 60 digits
        let table = [
            (1e-300, 1.1283791670955126e-300),
            (1e-09, 1.1283791670955127e-09),
            (0.1, 0.1124629160182849),
            (0.3, 0.3286267594591274),
            (0.5, 0.5204998778130465),
            (0.75, 0.7111556336535151),
            (1.0, 0.8427007929497149),
            (1.25, 0.9229001282564583),
            (1.5, 0.9661051464753108),
            (1.75, 0.9866716712191824),
            (1.999, 0.9953015566513705),
            (2.0, 0.9953222650189527),
            (2.25, 0.9985372834133188),
            (2.5, 0.999593047982555),
            (3.0, 0.9999779095030014),
            (3.5, 0.9999992569016276),
            (4.0, 0.9999999845827421),
            (4.75, 0.9999999999815149),
            (5.5, 0.9999999999999927),
            (5.9, 0.9999999999999999),
        ];
        for (x, y) in table {
            let error = ((erf(x) - y) / (y * f64::EPSILON)).abs();
            if !(error <= 3.0) {
                panic!("erf {x} = {} wants {y}: {error} ε off", erf(x));
            }
            assert_eq!(erf(-x), -erf(x));
        }
        assert!(erf(-0.0).is_sign_negative());
        assert_eq!(erf(f64::INFINITY), 1.0);
        assert!(erf(f64::NAN).is_nan());
    }

    #[test]
    fn nan_goes_through_max_and_min() {
        assert!(Lane::max(f32::NAN, 0.0).is_nan() && Lane::max(0.0, f32::NAN).is_nan());
        assert!(Lane::min(f32::NAN, 0.0).is_nan() && Lane::min(0.0, f32::NAN).is_nan());
    }
}
