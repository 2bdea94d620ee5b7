//! What the functions of f32 need of a lane beyond its arithmetic: its bits.

use super::graph::{Arg, Class, value};
use super::lane::Sym;
use cotangent_base::Lane;
use cotangent_base::math::{self, Bits, SQRT_HALF};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// A 32-bit integer operation.
fn word(op: &'static str, ty: &'static str, args: &[Arg]) -> Arg {
    Arg::Value(value(op, ty, Class::B32, args))
}

/// A 64-bit integer operation.
fn long(op: &'static str, ty: &'static str, args: &[Arg]) -> Arg {
    Arg::Value(value(op, ty, Class::B64, args))
}

fn float(bits: Arg) -> Sym<f32> {
    Sym::new(value("mov", "b32", Class::F32, &[bits]))
}

fn test(op: &'static str, ty: &'static str, args: &[Arg]) -> Arg {
    Arg::Value(value(op, ty, Class::Pred, args))
}

impl Sym<f32> {
    fn bits(self) -> Arg {
        word("mov", "b32", &[self.arg()])
    }
}

impl Bits for Sym<f32> {
    fn scale(self, n: Self) -> Self {
        // in two steps, since 2ⁿ itself may be out of range
        let n = word("cvt.rzi.s32", "f32", &[n.arg()]);
        let half = word("shr", "s32", &[n, Arg::Int(1)]);
        let rest = word("sub", "s32", &[n, half]);
        let power = |n| float(word("shl", "b32", &[word("add", "s32", &[n, Arg::Int(127)]), Arg::Int(23)]));
        self * power(half) * power(rest)
    }
    fn split(self) -> (Self, Self) {
        let start = Arg::Int(SQRT_HALF as i64);
        let bits = word("sub", "s32", &[self.bits(), start]);
        let mantissa = word("and", "b32", &[bits, Arg::Int(0x7f_ffff)]);
        let exponent = word("shr", "s32", &[bits, Arg::Int(23)]);
        let exponent = Sym::new(value("cvt.rn.f32", "s32", Class::F32, &[exponent]));
        (float(word("add", "s32", &[mantissa, start])), exponent)
    }
    fn copysign(self, sign: Self) -> Self {
        let size = word("and", "b32", &[self.bits(), Arg::Int(0x7fff_ffff)]);
        let sign = word("and", "b32", &[sign.bits(), Arg::Int(0x8000_0000)]);
        float(word("or", "b32", &[size, sign]))
    }
}

/// The sine.
pub fn sin(x: Sym<f32>) -> Sym<f32> {
    let (quadrant, r) = reduce(x);
    // the sign of −0 is lost on the way
    Lane::select(x.eq(Lane::zero()), x, math::sin_of(r, quadrant))
}

/// The cosine.
pub fn cos(x: Sym<f32>) -> Sym<f32> {
    let (quadrant, r) = reduce(x);
    math::cos_of(r, quadrant)
}

/// The multiple of π/2 that is nearest to `x`, modulo 4, and what is left.
fn reduce(x: Sym<f32>) -> (Sym<f32>, Sym<f32>) {
    let (near, far) = (reduce_near(x), reduce_far(x));
    let is_far = x.abs().gt(Sym::splat(math::FAR as f64));
    (Lane::select(is_far, far.0, near.0), Lane::select(is_far, far.1, near.1))
}

/// In f64, as the CPU does it.
fn reduce_near(x: Sym<f32>) -> (Sym<f32>, Sym<f32>) {
    let wide = x.widen();
    let turns = wide * Sym::splat(FRAC_2_PI) + Sym::splat(math::WHOLE);
    let low = word("cvt.u32", "u64", &[long("mov", "b64", &[turns.arg()])]);
    let n = turns - Sym::splat(math::WHOLE);
    let r = wide - n * Sym::splat(math::HALF_PI[0]) - n * Sym::splat(math::HALF_PI[1]);
    (quadrant(low), r.narrow())
}

fn quadrant(turns: Arg) -> Sym<f32> {
    Sym::new(value("cvt.rn.f32", "u32", Class::F32, &[word("and", "b32", &[turns, Arg::Int(3)])]))
}

/// The digits of 2/π in base 2³², after eight zero bits.
const TWO_OVER_PI: [u32; 7] =
    [0x00A2_F983, 0x6E4E_4415, 0x29FC_2757, 0xD1F5_34DD, 0xC0DB_6295, 0x993C_4390, 0x41FE_5163];

/// Payne and Hanek: `x = m·2ᵉ` with a whole m of 24 bits, and only those bits of 2/π count whose product with it is
/// below 4. For |x| ≥ 2¹⁹; NaN and infinities give NaN.
fn reduce_far(x: Sym<f32>) -> (Sym<f32>, Sym<f32>) {
    let bits = x.bits();
    let biased = word("and", "b32", &[word("shr", "u32", &[bits, Arg::Int(23)]), Arg::Int(255)]);
    let m = word("or", "b32", &[word("and", "b32", &[bits, Arg::Int(0x7f_ffff)]), Arg::Int(1 << 23)]);
    // the window of 96 bits begins where the digits are worth 2: bit e + 6 of the table, e being the exponent of m's unit
    let at = word("add", "s32", &[biased, Arg::Int(6 - 150)]);
    let (high, low) = window(at);
    let low = long("mul.wide", "u32", &[m, low]);
    let product = long("mul.lo", "u64", &[long("cvt.u64", "u32", &[m]), high]);
    let product = long("add", "u64", &[product, long("shr", "u64", &[low, Arg::Int(32)])]);
    // the upper two bits are the quadrant; rounded to the nearest one, the rest is signed
    let turns = long("add", "u64", &[product, Arg::Int(1 << 61)]);
    let turns = word("cvt.u32", "u64", &[long("shr", "u64", &[turns, Arg::Int(62)])]);
    let rest = long("shl", "b64", &[product, Arg::Int(2)]);
    let rest = Sym::<f64>::new(value("cvt.rn.f64", "s64", Class::F64, &[rest]));
    let size = (rest * Sym::splat(FRAC_PI_2 / 18_446_744_073_709_551_616.0)).narrow();
    // mirrored for negative x, and NaN where x is not finite
    let negative = test("setp.lt", "s32", &[bits, Arg::Int(0)]);
    let mirrored = word("sub", "s32", &[Arg::Int(0), turns]);
    let turns = word("selp", "b32", &[mirrored, turns, negative]);
    let r = Sym::<f32>::new(value("selp", "f32", Class::F32, &[(-size).arg(), size.arg(), negative]));
    let finite = x.abs().lt(Sym::splat(f64::INFINITY));
    (quadrant(turns), Lane::select(finite, r, Sym::splat(f64::NAN)))
}

/// 64 bits and 32 more of the table from bit `at`, which is at most 127.
fn window(at: Arg) -> (Arg, Arg) {
    let index = word("shr", "u32", &[at, Arg::Int(5)]);
    let shift = word("and", "b32", &[at, Arg::Int(31)]);
    let pair = |i: usize| Arg::Int(((TWO_OVER_PI[i] as u64) << 32 | TWO_OVER_PI[i + 1] as u64) as i64);
    let pick = |first: usize| {
        (1..4).fold(long("mov", "b64", &[pair(first)]), |chosen, k| {
            let here = test("setp.eq", "s32", &[index, Arg::Int(k as i64)]);
            long("selp", "b64", &[pair(first + k), chosen, here])
        })
    };
    let (upper, lower) = (pick(0), pick(2));
    let back = word("sub", "s32", &[Arg::Int(64), shift]);
    let high = long("or", "b64", &[long("shl", "b64", &[upper, shift]), long("shr", "u64", &[lower, back])]);
    let low = long("shr", "u64", &[long("shl", "b64", &[lower, shift]), Arg::Int(32)]);
    (high, word("cvt.u32", "u64", &[low]))
}
