//! Half precision: IEEE's binary16 and bfloat16, alone and in pairs. Every operation is done in double, where sums and
//! products of halves are exact or rounded to odd, and then rounded once.

use super::float::{Real, sum_to_odd};
use super::lane::Lane;
use crate::ins::Round;

/// IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct F16(pub u16);

/// The upper half of a single: 8 bits of exponent, 7 of fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BF16(pub u16);

/// Two in one register, the first in the lower half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<T>(pub T, pub T);

/// A float of 16 bits.
pub trait Half: Copy {
    fn from_bits(bits: u16) -> Self;
    fn double(self) -> f64;
    fn rounded(x: f64, round: Round) -> Self;
}

impl Half for F16 {
    fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
    #[inline(always)]
    fn double(self) -> f64 {
        let sign = if self.0 >> 15 == 1 { -1.0 } else { 1.0 };
        let (exponent, fraction) = (i32::from(self.0 >> 10 & 31), f64::from(self.0 & 1023));
        sign * match exponent {
            0 => fraction * 2f64.powi(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => f64::from_bits(((exponent - 15 + 1023) as u64) << 52) * (1.0 + fraction / 1024.0),
        }
    }
    fn rounded(x: f64, round: Round) -> Self {
        Self(encode(x, 5, 10, round))
    }
}

impl Half for BF16 {
    fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
    #[inline(always)]
    fn double(self) -> f64 {
        f32::from_bits(u32::from(self.0) << 16).into()
    }
    fn rounded(x: f64, round: Round) -> Self {
        Self(encode(x, 8, 7, round))
    }
}

/// `x` in a format of 16 bits with so many bits of exponent and fraction.
fn encode(x: f64, exponent_bits: u32, fraction_bits: u32, round: Round) -> u16 {
    let sign = u16::from(x.is_sign_negative()) << 15;
    let largest_exponent = (1i32 << (exponent_bits - 1)) - 1;
    let infinity = ((1u16 << exponent_bits) - 1) << fraction_bits;
    if x.is_nan() {
        return 0x7FFF;
    }
    if x.is_infinite() || x == 0.0 {
        return sign | if x == 0.0 { 0 } else { infinity };
    }
    // The last place of the result, in units of which `x` is rounded.
    let exponent = ((x.to_bits() >> 52 & 0x7FF) as i32 - 1023).max(1 - largest_exponent);
    let unit = exponent - fraction_bits as i32;
    let scaled = x.abs() * 2f64.powi(-unit);
    let up = x > 0.0;
    let whole = match round {
        Round::Nearest => scaled.round_ties_even(),
        Round::Away => scaled.round(),
        Round::Zero => scaled.floor(),
        Round::Up => {
            if up {
                scaled.ceil()
            } else {
                scaled.floor()
            }
        }
        Round::Down => {
            if up {
                scaled.floor()
            } else {
                scaled.ceil()
            }
        }
    } as u32;
    // A carry out of the fraction runs into the exponent, as it should.
    let biased = (exponent + largest_exponent - 1) as u32;
    let bits = (biased << fraction_bits) + whole;
    if bits < u32::from(infinity) {
        return sign | bits as u16;
    }
    let inward = matches!((round, up), (Round::Zero, _) | (Round::Up, false) | (Round::Down, true));
    sign | if inward { infinity - 1 } else { infinity }
}

/// `x` as a single, in a double, with any rounding.
pub fn of_double(x: f64, round: Round) -> f64 {
    let nearest = x as f32;
    let error = f64::from(nearest) - x;
    let step = match round {
        Round::Nearest | Round::Away => 0,
        Round::Zero if x > 0.0 && error > 0.0 => -1,
        Round::Zero if x < 0.0 && error < 0.0 => 1,
        Round::Down if error > 0.0 => -1,
        Round::Up if error < 0.0 => 1,
        _ => 0,
    };
    f64::from(match step {
        -1 => nearest.next_down(),
        1 => nearest.next_up(),
        _ => nearest,
    })
}

macro_rules! lanes {
    ($($ty:ty),*) => {$(
        impl Lane for $ty {
            type Raw = u32;
            #[inline(always)]
            fn get(raw: u32) -> Self {
                Self(raw as u16)
            }
            #[inline(always)]
            fn put(self) -> u32 {
                self.0.into()
            }
        }
        impl Real for $ty {
            fn add(self, b: Self) -> Self {
                Self::rounded(sum_to_odd(self.double(), b.double()), Round::Nearest)
            }
            fn mul(self, b: Self) -> Self {
                Self::rounded(self.double() * b.double(), Round::Nearest)
            }
            fn div(self, b: Self) -> Self {
                Self::rounded(self.double() / b.double(), Round::Nearest)
            }
            fn fma(self, b: Self, c: Self) -> Self {
                Self::rounded(sum_to_odd(self.double() * b.double(), c.double()), Round::Nearest)
            }
            fn neg(self) -> Self {
                Self(self.0 ^ 0x8000)
            }
            fn abs(self) -> Self {
                Self(self.0 & 0x7FFF)
            }
            fn min(self, b: Self) -> Self {
                Self::rounded(Real::min(self.double(), b.double()), Round::Nearest)
            }
            fn max(self, b: Self) -> Self {
                Self::rounded(Real::max(self.double(), b.double()), Round::Nearest)
            }
            fn is_nan(self) -> bool {
                self.double().is_nan()
            }
            fn sign_onto(self, b: Self) -> Self {
                Self(b.0 & 0x7FFF | self.0 & 0x8000)
            }
            fn through_double(self, f: impl Fn(f64) -> f64) -> Self {
                Self::rounded(f(self.double()), Round::Nearest)
            }
            fn flush(self) -> Self {
                // A zero exponent: `rounded(1, ..)` has the bits of the smallest ones above it.
                let normal = self.double().abs() >= Self::from_bits(Self::SMALLEST).double();
                if normal || self.is_nan() { self } else { Self(self.0 & 0x8000) }
            }
            fn saturate(self) -> Self {
                Self::rounded(self.double().saturate(), Round::Nearest)
            }
            fn directed(self, b: Self, c: Self, round: Round) -> Self {
                Self::rounded(sum_to_odd(self.double() * b.double(), c.double()), round)
            }
        }
    )*};
}

lanes!(F16, BF16);

impl F16 {
    /// The smallest normal number's bits.
    const SMALLEST: u16 = 1 << 10;
}

impl BF16 {
    const SMALLEST: u16 = 1 << 7;
}

impl<T: Lane<Raw = u32>> Lane for Pair<T> {
    type Raw = u32;
    #[inline(always)]
    fn get(raw: u32) -> Self {
        Self(T::get(raw & 0xFFFF), T::get(raw >> 16))
    }
    #[inline(always)]
    fn put(self) -> u32 {
        self.0.put() | self.1.put() << 16
    }
}

impl<T: Real<Raw = u32>> Real for Pair<T> {
    fn add(self, b: Self) -> Self {
        Self(self.0.add(b.0), self.1.add(b.1))
    }
    fn mul(self, b: Self) -> Self {
        Self(self.0.mul(b.0), self.1.mul(b.1))
    }
    fn div(self, b: Self) -> Self {
        Self(self.0.div(b.0), self.1.div(b.1))
    }
    fn fma(self, b: Self, c: Self) -> Self {
        Self(self.0.fma(b.0, c.0), self.1.fma(b.1, c.1))
    }
    fn neg(self) -> Self {
        Self(self.0.neg(), self.1.neg())
    }
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1.abs())
    }
    fn min(self, b: Self) -> Self {
        Self(self.0.min(b.0), self.1.min(b.1))
    }
    fn max(self, b: Self) -> Self {
        Self(self.0.max(b.0), self.1.max(b.1))
    }
    fn is_nan(self) -> bool {
        self.0.is_nan() || self.1.is_nan()
    }
    fn sign_onto(self, b: Self) -> Self {
        Self(self.0.sign_onto(b.0), self.1.sign_onto(b.1))
    }
    fn through_double(self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.0.through_double(&f), self.1.through_double(&f))
    }
    fn flush(self) -> Self {
        Self(self.0.flush(), self.1.flush())
    }
    fn saturate(self) -> Self {
        Self(self.0.saturate(), self.1.saturate())
    }
    fn directed(self, b: Self, c: Self, round: Round) -> Self {
        Self(self.0.directed(b.0, c.0, round), self.1.directed(b.1, c.1, round))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_a_round_trip() {
        for bits in 0..=u16::MAX {
            let (a, b) = (F16(bits), BF16(bits));
            if !a.is_nan() {
                assert_eq!(F16::rounded(a.double(), Round::Nearest), a);
            }
            if !b.is_nan() {
                assert_eq!(BF16::rounded(b.double(), Round::Zero), b);
            }
        }
    }

    #[test]
    fn rounding_goes_where_it_should() {
        // Between 1 and its successor, exactly in the middle and a little above.
        let (middle, above) = (1.0 + 2f64.powi(-11), 1.0 + 2f64.powi(-11) + 2f64.powi(-40));
        assert_eq!(F16::rounded(middle, Round::Nearest).double(), 1.0);
        assert_eq!(F16::rounded(above, Round::Nearest).double(), 1.0 + 2f64.powi(-10));
        assert_eq!(F16::rounded(above, Round::Zero).double(), 1.0);
        assert_eq!(F16::rounded(-above, Round::Down).double(), -1.0 - 2f64.powi(-10));
        assert_eq!(F16::rounded(65520.0, Round::Nearest).double(), f64::INFINITY);
        assert_eq!(F16::rounded(65519.9, Round::Nearest).double(), 65504.0);
        assert_eq!(F16::rounded(1e9, Round::Zero).double(), 65504.0);
        assert_eq!(F16::rounded(2f64.powi(-25), Round::Nearest).double(), 0.0);
        assert_eq!(F16::rounded(1.5 * 2f64.powi(-24), Round::Nearest).double(), 2f64.powi(-23));
        assert_eq!(BF16::rounded(3.39e38, Round::Nearest).0, 0x7F7F);
        assert!(F16::rounded(f64::NAN, Round::Nearest).is_nan());
    }

    #[test]
    fn a_sum_of_far_apart_numbers_is_rounded_once() {
        // p = 1 + 2^-8 lies in the middle of two bf16; the tiny addend decides.
        let (p, tiny) = (BF16::rounded(1.0, Round::Nearest), 2f64.powi(-100));
        let middle = 1.0 + 2f64.powi(-8);
        assert_eq!(BF16::rounded(middle, Round::Nearest), p, "ties to even");
        assert_eq!(BF16::rounded(sum_to_odd(middle, tiny), Round::Nearest).0, p.0 + 1);
    }

    #[test]
    fn singles_round_in_every_direction() {
        let x = 1.0 + 2f64.powi(-30);
        assert_eq!(of_double(x, Round::Down), 1.0);
        assert_eq!(of_double(x, Round::Up), f64::from(1f32.next_up()));
        assert_eq!(of_double(-x, Round::Zero), -1.0);
        assert_eq!(of_double(-x, Round::Down), f64::from((-1f32).next_down()));
        assert_eq!(of_double(0.1, Round::Nearest), f64::from(0.1f32));
    }
}
