//! The lanes of the crate `wide`, which picks its instructions when it is compiled: SSE2, NEON, simd128 or none.

use super::Vector;
use cotangent_base::Lane;
use cotangent_base::math::{Bits, Numbers, SQRT_HALF};
use std::ops::Neg;
// comparisons are methods of the types since 1.5
#[allow(deprecated, unused_imports)]
use wide::{CmpEq, CmpLe, CmpLt};
use wide::{f32x8, f64x4, i32x8};

/// A lane here spans several registers of the baseline (16 bytes each).
const REGISTERS: usize = if cfg!(target_arch = "aarch64") || cfg!(target_feature = "avx") { 16 } else { 8 };

macro_rules! portable {
    ($(#[$doc:meta])* $name:ident($wide:ident) of $t:ident, $width:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name($wide);

        operators! { $name, $name, |a, b| Add add a + b; Sub sub a - b; Mul mul a * b; Div div a / b; }

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $name(-self.0)
            }
        }

        impl Lane for $name {
            type Mask = $wide;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                $name($wide::splat(x as $t))
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $name(self.0.mul_add(b.0, c.0))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $name(self.0.sqrt())
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $name(self.0.abs())
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $name(self.0.floor())
            }
            #[inline(always)]
            fn round(self) -> Self {
                // beyond 1/ε all numbers are integers; below, adding it leaves no place for a fraction
                let (size, whole) = (self.abs(), Self::splat(1.0 / $t::EPSILON as f64));
                let rounded = size + whole - whole;
                let signed = $name(rounded.0 | (self.0 & $wide::splat(-0.0)));
                Self::select(size.lt(whole), signed, self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self::select(self.gt(other) | self.is_nan(), self, other)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self::select(self.lt(other) | self.is_nan(), self, other)
            }
            #[inline(always)]
            fn lt(self, other: Self) -> $wide {
                self.0.simd_lt(other.0)
            }
            #[inline(always)]
            fn le(self, other: Self) -> $wide {
                self.0.simd_le(other.0)
            }
            #[inline(always)]
            fn eq(self, other: Self) -> $wide {
                self.0.simd_eq(other.0)
            }
            #[inline(always)]
            fn and(a: $wide, b: $wide) -> $wide {
                a & b
            }
            #[inline(always)]
            fn or(a: $wide, b: $wide) -> $wide {
                a | b
            }
            #[inline(always)]
            fn not(a: $wide) -> $wide {
                !a
            }
            #[inline(always)]
            fn select(mask: $wide, a: Self, b: Self) -> Self {
                $name((mask & a.0) | (!mask & b.0))
            }
            functions!($name, $t);
        }

        impl Vector for $name {
            type Scalar = $t;
            const WIDTH: usize = $width;
            const REGISTERS: usize = REGISTERS;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise.
                $name($wide::new(unsafe { from.cast::<[$t; $width]>().read_unaligned() }))
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { to.cast::<[$t; $width]>().write_unaligned(self.0.to_array()) }
            }
            #[inline(always)]
            fn broadcast(x: $t) -> Self {
                $name($wide::splat(x))
            }
        }
    };
}

portable! {
    /// Eight `f32`.
    F32s(f32x8) of f32, 8
}
portable! {
    /// Four `f64`.
    F64s(f64x4) of f64, 4
}

impl F32s {
    /// The bits of each number.
    #[inline(always)]
    fn bits(self) -> i32x8 {
        // SAFETY: both are eight words without padding, and any bits are values of either.
        unsafe { std::mem::transmute(self.0) }
    }

    /// The numbers of these bits.
    #[inline(always)]
    fn from_bits(bits: i32x8) -> Self {
        // SAFETY: as above.
        F32s(unsafe { std::mem::transmute::<i32x8, f32x8>(bits) })
    }
}

impl Bits for F32s {
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        // adding 1.5·2²³ leaves the integer in the lowest bits
        let whole = Self::splat(12_582_912.0);
        let n = (n + whole).bits() - whole.bits();
        let power = |n: i32x8| Self::from_bits((n + i32x8::splat(127)) << 23);
        let half: i32x8 = n >> 1;
        self * power(half) * power(n - half)
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let start = i32x8::splat(SQRT_HALF);
        let bits = self.bits() - start;
        let exponent: i32x8 = bits >> 23;
        let mantissa = (bits & i32x8::splat(0x7f_ffff)) + start;
        (Self::from_bits(mantissa), F32s(f32x8::from_i32x8(exponent)))
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        let minus = f32x8::splat(-0.0);
        F32s((minus & sign.0) | (!minus & self.0))
    }
}

impl Numbers for F32s {
    #[inline(always)]
    fn any(mask: f32x8) -> bool {
        mask.any()
    }
    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        Vector::each(self, f)
    }
    #[inline(always)]
    fn look_up(self, table: &[f32; 32]) -> Self {
        F32s(f32x8::new(self.bits().to_array().map(|bits| table[(bits & 31) as usize])))
    }
}
