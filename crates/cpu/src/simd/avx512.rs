//! AVX-512 lanes: 512-bit registers, masks of one bit for each place.
//!
//! The methods are safe to call only where the CPU has AVX-512 F, DQ, BW and VL. The lanes are private to `simd`
//! and named by [`run`](super::run) and its kin alone, which have looked.

use super::Vector;
use cotangent_base::Lane;
use cotangent_base::math::{Bits, Numbers, SQRT_HALF};
use std::arch::x86_64::*;
use std::ops::Neg;

/// Evaluates an expression of AVX-512 intrinsics.
macro_rules! avx512 {
    ($e:expr) => {{
        // SAFETY: the CPU has AVX-512, see the head of this file.
        #[allow(unused_unsafe)]
        unsafe {
            $e
        }
    }};
}

/// The rounding modes of `roundscale` for integers: the upper half of the byte counts fraction bits.
const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

macro_rules! avx512_lane {
    (
        $(#[$doc:meta])* $name:ident($register:ident) of $t:ident, $width:literal, mask $mask:ident;
        $set1:ident $load:ident $store:ident $maskload:ident $maskstore:ident
        $add:ident $sub:ident $mul:ident $div:ident $fma:ident $sqrt:ident $abs:ident $round:ident
        $max:ident $min:ident $cmp:ident $blend:ident $xor:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub struct $name($register);

        operators! { $name, $name, |a, b|
            Add add avx512!($add(a, b));
            Sub sub avx512!($sub(a, b));
            Mul mul avx512!($mul(a, b));
            Div div avx512!($div(a, b));
        }

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $name(avx512!($xor(self.0, $set1(-0.0))))
            }
        }

        impl Lane for $name {
            type Mask = $mask;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                $name(avx512!($set1(x as $t)))
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $name(avx512!($fma(self.0, b.0, c.0)))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $name(avx512!($sqrt(self.0)))
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $name(avx512!($abs(self.0)))
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $name(avx512!($round::<DOWN>(self.0)))
            }
            #[inline(always)]
            fn round(self) -> Self {
                $name(avx512!($round::<NEAREST>(self.0)))
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // the instruction gives its second operand if either is NaN
                Self::select(self.is_nan(), self, $name(avx512!($max(self.0, other.0))))
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self::select(self.is_nan(), self, $name(avx512!($min(self.0, other.0))))
            }
            #[inline(always)]
            fn lt(self, other: Self) -> $mask {
                avx512!($cmp::<_CMP_LT_OQ>(self.0, other.0))
            }
            #[inline(always)]
            fn le(self, other: Self) -> $mask {
                avx512!($cmp::<_CMP_LE_OQ>(self.0, other.0))
            }
            #[inline(always)]
            fn eq(self, other: Self) -> $mask {
                avx512!($cmp::<_CMP_EQ_OQ>(self.0, other.0))
            }
            #[inline(always)]
            fn is_nan(self) -> $mask {
                avx512!($cmp::<_CMP_UNORD_Q>(self.0, self.0))
            }
            #[inline(always)]
            fn and(a: $mask, b: $mask) -> $mask {
                a & b
            }
            #[inline(always)]
            fn or(a: $mask, b: $mask) -> $mask {
                a | b
            }
            #[inline(always)]
            fn not(a: $mask) -> $mask {
                !a
            }
            #[inline(always)]
            fn select(mask: $mask, a: Self, b: Self) -> Self {
                $name(avx512!($blend(mask, b.0, a.0)))
            }
            functions!($name, $t, "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma");
        }

        impl $name {
            /// The mask of the first `count.min(WIDTH)` places.
            #[inline(always)]
            fn first(count: usize) -> $mask {
                ((1u32 << count.min($width)) - 1) as $mask
            }
        }

        impl Vector for $name {
            type Scalar = $t;
            const WIDTH: usize = $width;
            const REGISTERS: usize = 32;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                $name(avx512!($load(from)))
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                avx512!($store(to, self.0))
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $t, count: usize) -> Self {
                $name(avx512!($maskload(Self::first(count), from)))
            }
            #[inline(always)]
            unsafe fn store_part(self, to: *mut $t, count: usize) {
                avx512!($maskstore(to, Self::first(count), self.0))
            }
            #[inline(always)]
            fn broadcast(x: $t) -> Self {
                $name(avx512!($set1(x)))
            }
        }
    };
}

avx512_lane! {
    /// Sixteen `f32`.
    F32s(__m512) of f32, 16, mask __mmask16;
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_maskz_loadu_ps _mm512_mask_storeu_ps
    _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_fmadd_ps _mm512_sqrt_ps _mm512_abs_ps
    _mm512_roundscale_ps _mm512_max_ps _mm512_min_ps _mm512_cmp_ps_mask _mm512_mask_blend_ps _mm512_xor_ps
}
avx512_lane! {
    /// Eight `f64`.
    F64s(__m512d) of f64, 8, mask __mmask8;
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_maskz_loadu_pd _mm512_mask_storeu_pd
    _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_fmadd_pd _mm512_sqrt_pd _mm512_abs_pd
    _mm512_roundscale_pd _mm512_max_pd _mm512_min_pd _mm512_cmp_pd_mask _mm512_mask_blend_pd _mm512_xor_pd
}

impl Bits for F32s {
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        F32s(avx512!(_mm512_scalef_ps(self.0, n.0)))
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        avx512!({
            let start = _mm512_set1_epi32(SQRT_HALF);
            let bits = _mm512_sub_epi32(_mm512_castps_si512(self.0), start);
            let mantissa = _mm512_and_si512(bits, _mm512_set1_epi32(0x7f_ffff));
            let mantissa = _mm512_castsi512_ps(_mm512_add_epi32(mantissa, start));
            (F32s(mantissa), F32s(_mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(bits))))
        })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        F32s(avx512!({
            let minus = _mm512_set1_ps(-0.0);
            _mm512_or_ps(_mm512_andnot_ps(minus, self.0), _mm512_and_ps(minus, sign.0))
        }))
    }
}

impl Numbers for F32s {
    #[inline(always)]
    fn any(mask: __mmask16) -> bool {
        mask != 0
    }
    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        Vector::each(self, f)
    }
    #[inline(always)]
    fn look_up(self, table: &[f32; 32]) -> Self {
        F32s(avx512!({
            let (low, high) = (_mm512_loadu_ps(table.as_ptr()), _mm512_loadu_ps(table.as_ptr().add(16)));
            _mm512_permutex2var_ps(low, _mm512_castps_si512(self.0), high)
        }))
    }
}
