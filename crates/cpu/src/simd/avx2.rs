//! AVX2 and FMA lanes: 256-bit registers, masks that are registers too.
//!
//! The methods are safe to call only where the CPU has AVX2 and FMA. The lanes are private to `simd` and named
//! by [`run`](super::run) and its kin alone, which have looked.

use super::Vector;
use cotangent_base::Lane;
use cotangent_base::math::{Bits, Numbers, SQRT_HALF};
use std::arch::x86_64::*;
use std::ops::Neg;

/// Eight or four words, all ones in the first `count` of them: a sliding window over this table.
static WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Evaluates an expression of AVX2 intrinsics.
macro_rules! avx2 {
    ($e:expr) => {{
        // SAFETY: the CPU has AVX2 and FMA, see the head of this file.
        #[allow(unused_unsafe)]
        unsafe {
            $e
        }
    }};
}

macro_rules! avx2_lane {
    (
        $(#[$doc:meta])* $name:ident($register:ident) of $t:ident, $width:literal, words $words:literal;
        $set1:ident $load:ident $store:ident $maskload:ident $maskstore:ident
        $add:ident $sub:ident $mul:ident $div:ident $fma:ident $sqrt:ident $floor:ident $round:ident
        $max:ident $min:ident $cmp:ident $blend:ident $and:ident $or:ident $xor:ident $andnot:ident $ones:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub struct $name($register);

        operators! { $name, $name, |a, b|
            Add add avx2!($add(a, b));
            Sub sub avx2!($sub(a, b));
            Mul mul avx2!($mul(a, b));
            Div div avx2!($div(a, b));
        }

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $name(avx2!($xor(self.0, $set1(-0.0))))
            }
        }

        impl Lane for $name {
            type Mask = $register;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                $name(avx2!($set1(x as $t)))
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $name(avx2!($fma(self.0, b.0, c.0)))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $name(avx2!($sqrt(self.0)))
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $name(avx2!($andnot($set1(-0.0), self.0)))
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $name(avx2!($floor(self.0)))
            }
            #[inline(always)]
            fn round(self) -> Self {
                $name(avx2!($round::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)))
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // the instruction gives its second operand if either is NaN
                Self::select(self.is_nan(), self, $name(avx2!($max(self.0, other.0))))
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self::select(self.is_nan(), self, $name(avx2!($min(self.0, other.0))))
            }
            #[inline(always)]
            fn lt(self, other: Self) -> $register {
                avx2!($cmp::<_CMP_LT_OQ>(self.0, other.0))
            }
            #[inline(always)]
            fn le(self, other: Self) -> $register {
                avx2!($cmp::<_CMP_LE_OQ>(self.0, other.0))
            }
            #[inline(always)]
            fn eq(self, other: Self) -> $register {
                avx2!($cmp::<_CMP_EQ_OQ>(self.0, other.0))
            }
            #[inline(always)]
            fn is_nan(self) -> $register {
                avx2!($cmp::<_CMP_UNORD_Q>(self.0, self.0))
            }
            #[inline(always)]
            fn and(a: $register, b: $register) -> $register {
                avx2!($and(a, b))
            }
            #[inline(always)]
            fn or(a: $register, b: $register) -> $register {
                avx2!($or(a, b))
            }
            #[inline(always)]
            fn not(a: $register) -> $register {
                avx2!($xor(a, $ones(_mm256_set1_epi32(-1))))
            }
            #[inline(always)]
            fn select(mask: $register, a: Self, b: Self) -> Self {
                $name(avx2!($blend(b.0, a.0, mask)))
            }
            functions!($name, $t, "avx2,fma");
        }

        impl $name {
            /// The mask of the first `count.min(WIDTH)` places, as masked moves want it.
            #[inline(always)]
            fn first(count: usize) -> __m256i {
                let skip = 8 - $words * count.min($width);
                avx2!(_mm256_loadu_si256(WINDOW.as_ptr().add(skip).cast()))
            }
        }

        impl Vector for $name {
            type Scalar = $t;
            const WIDTH: usize = $width;
            const REGISTERS: usize = 16;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                $name(avx2!($load(from)))
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                avx2!($store(to, self.0))
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $t, count: usize) -> Self {
                $name(avx2!($maskload(from, Self::first(count))))
            }
            #[inline(always)]
            unsafe fn store_part(self, to: *mut $t, count: usize) {
                avx2!($maskstore(to, Self::first(count), self.0))
            }
            #[inline(always)]
            fn broadcast(x: $t) -> Self {
                $name(avx2!($set1(x)))
            }
        }
    };
}

avx2_lane! {
    /// Eight `f32`.
    F32s(__m256) of f32, 8, words 1;
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_maskload_ps _mm256_maskstore_ps
    _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_fmadd_ps _mm256_sqrt_ps _mm256_floor_ps
    _mm256_round_ps _mm256_max_ps _mm256_min_ps _mm256_cmp_ps _mm256_blendv_ps
    _mm256_and_ps _mm256_or_ps _mm256_xor_ps _mm256_andnot_ps _mm256_castsi256_ps
}
avx2_lane! {
    /// Four `f64`.
    F64s(__m256d) of f64, 4, words 2;
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_maskload_pd _mm256_maskstore_pd
    _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_fmadd_pd _mm256_sqrt_pd _mm256_floor_pd
    _mm256_round_pd _mm256_max_pd _mm256_min_pd _mm256_cmp_pd _mm256_blendv_pd
    _mm256_and_pd _mm256_or_pd _mm256_xor_pd _mm256_andnot_pd _mm256_castsi256_pd
}

impl Bits for F32s {
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        F32s(avx2!({
            // in two steps, since 2ⁿ itself may be out of range
            let n = _mm256_cvtps_epi32(n.0);
            let half = _mm256_srai_epi32::<1>(n);
            let power = |n| _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(n, _mm256_set1_epi32(127))));
            _mm256_mul_ps(_mm256_mul_ps(self.0, power(half)), power(_mm256_sub_epi32(n, half)))
        }))
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        avx2!({
            let start = _mm256_set1_epi32(SQRT_HALF);
            let bits = _mm256_sub_epi32(_mm256_castps_si256(self.0), start);
            let mantissa = _mm256_and_si256(bits, _mm256_set1_epi32(0x7f_ffff));
            let mantissa = _mm256_castsi256_ps(_mm256_add_epi32(mantissa, start));
            (F32s(mantissa), F32s(_mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(bits))))
        })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        F32s(avx2!({
            let minus = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(minus, self.0), _mm256_and_ps(minus, sign.0))
        }))
    }
}

impl Numbers for F32s {
    #[inline(always)]
    fn any(mask: __m256) -> bool {
        avx2!(_mm256_movemask_ps(mask)) != 0
    }
    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        Vector::each(self, f)
    }
    #[inline(always)]
    fn look_up(self, table: &[f32; 32]) -> Self {
        F32s(avx2!({
            let place = _mm256_and_si256(_mm256_castps_si256(self.0), _mm256_set1_epi32(31));
            _mm256_i32gather_ps::<4>(table.as_ptr(), place)
        }))
    }
}
