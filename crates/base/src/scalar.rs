//! [`Lane`] for one `f32` or `f64`: the reference that every SIMD lane agrees with.

use crate::{Lane, math};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

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

/// The methods from `exp` to `times_gaussian`: for f32 those that its SIMD lanes have, for f64 the standard library's.
macro_rules! scalar_functions {
    (f32) => {
        scalar_functions!(f32, math: exp exp_m1 ln ln_1p sin cos tanh sigmoid erf normal_tail gelu
            gelu_slope);
        scalar_functions!(f32, math, two: times_gaussian);
    };
    (f64) => {
        scalar_functions!(f64, f64: exp exp_m1 ln ln_1p sin cos tanh);
        scalar_functions!(f64, self: sigmoid erf normal_tail);
        scalar_functions!(f64, self, two: times_gaussian);
    };
    ($t:ident, $from:ident: $($name:ident)*) => {$(
        // called, not inlined into every op that uses it: most of the time to compile them would go there
        #[inline(never)]
        fn $name(self) -> Self {
            $from::$name(self)
        }
    )*};
    ($t:ident, $from:ident, two: $name:ident) => {
        #[inline(never)]
        fn $name(self, other: Self) -> Self {
            $from::$name(self, other)
        }
    };
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

/// e^(c·x²) for a power of two c, with the rounding error of x² made good.
fn exp_of_square(c: f64, x: f64) -> f64 {
    let square = x * x;
    let lost = x.mul_add(x, -square);
    (c * square).exp() * (1.0 + c * lost)
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
    FRAC_2_SQRT_PI * exp_of_square(-1.0, x) * (x + x * sum)
}

/// 1 − erf x = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))) for x ≥ 2 (Abramowitz & Stegun 7.1.14).
fn erfc_fraction(x: f64) -> f64 {
    let below = (1..=60).rev().fold(x, |below, k| x + 0.5 * k as f64 / below);
    exp_of_square(-1.0, x) * FRAC_2_SQRT_PI / 2.0 / below
}

/// f·e^(−x²/2).
fn times_gaussian(f: f64, x: f64) -> f64 {
    // beyond ±40 it is 0, and further out x² has no rounding error to make good
    f * exp_of_square(-0.5, x.clamp(-40.0, 40.0))
}

/// Φ(−x)·e^(x²/2) for x ≥ 0.
fn normal_tail(x: f64) -> f64 {
    // 1/√(2π)
    let root = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;
    if x < 1.5 {
        // ½·e^(x²/2) − 1/√(2π) Σ x^(2n+1) / (2n+1)‼ (Abramowitz & Stegun 26.2.11)
        let (mut term, mut sum, mut n) = (x, 0.0, 1.0);
        while term > 1e-18 * x {
            sum += term;
            term *= x * x / (2.0 * n + 1.0);
            n += 1.0;
        }
        return 0.5 * (x * x / 2.0).exp() - root * sum;
    }
    // 1/√(2π) · 1/(x + 1/(x + 2/(x + 3/(x + …)))) (Abramowitz & Stegun 26.2.14), to where its rest is below ε
    let count = 10 + (360.0 / (x * x)) as usize;
    root / (1..=count).rev().fold(x, |below, k| x + k as f64 / below)
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
    fn the_normal_distribution_has_its_known_values() {
        // x, e^(−x²/2), Φ(−x)·e^(x²/2), from an evaluation with 40 digits
        let table = [
            (0.0, 1.0, 0.5),
            (1e-09, 1.0, 0.49999999960105773),
            (0.1, 0.9950124791926823, 0.4624787852875356),
            (0.5, 0.8824969025845955, 0.34961883472039806),
            (1.0, 0.6065306597126334, 0.2615782918651234),
            (1.499, 0.3251396489062334, 0.20587097345670466),
            (1.5, 0.32465246735834974, 0.2057806669773947),
            (2.0, 0.1353352832366127, 0.1681020012231706),
            (3.0, 0.011108996538242306, 0.12151394835556217),
            (5.0, 3.726653172078671e-06, 0.07691930497500629),
            (9.5, 2.5261637809256925e-20, 0.04154328850173355),
            (14.0, 2.7487850079102147e-43, 0.028352660527342942),
            (30.0, 3.693883068487256e-196, 0.013283349353983794),
        ];
        for (x, gaussian, tail) in table {
            for (got, want, most) in [(2f64.times_gaussian(x), 2.0 * gaussian, 3.0), (normal_tail(x), tail, 16.0)] {
                let error = ((got - want) / (want * f64::EPSILON)).abs();
                assert!(error <= most, "at {x}: {got:e} wants {want:e}, {error} ε off");
            }
            assert_eq!(1f64.times_gaussian(-x), 1f64.times_gaussian(x));
        }
        assert_eq!((1f64.times_gaussian(f64::INFINITY), normal_tail(f64::INFINITY)), (0.0, 0.0));
        assert!(1f64.times_gaussian(f64::NAN).is_nan() && normal_tail(f64::NAN).is_nan());
    }

    #[test]
    fn nan_goes_through_max_and_min() {
        assert!(Lane::max(f32::NAN, 0.0).is_nan() && Lane::max(0.0, f32::NAN).is_nan());
        assert!(Lane::min(f32::NAN, 0.0).is_nan() && Lane::min(0.0, f32::NAN).is_nan());
    }
}
