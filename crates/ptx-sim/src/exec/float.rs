//! Floats of every width.

use super::half::{BF16, F16, Pair, of_double};
use super::lane::{File, Lane, Words};
use super::warp::Warp;
use crate::ins::{FloatOp, Ins, Mode, Round};
use crate::types::Type;

/// A float, or two of them in one register.
pub trait Real: Lane {
    fn add(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    /// `self·b + c`, rounded once.
    fn fma(self, b: Self, c: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn min(self, b: Self) -> Self;
    fn max(self, b: Self) -> Self;
    fn is_nan(self) -> bool;
    /// The magnitude of `b` with the sign of `self`, as PTX orders them.
    fn sign_onto(self, b: Self) -> Self;
    /// A function computed in double.
    fn through_double(self, f: impl Fn(f64) -> f64) -> Self;
    /// Subnormal numbers become zero.
    fn flush(self) -> Self;
    /// Clamped to [0, 1]; NaN becomes 0.
    fn saturate(self) -> Self;
    /// `self·b + c` with a rounding other than to nearest.
    fn directed(self, b: Self, c: Self, round: Round) -> Self;
}

macro_rules! reals {
    ($($ty:ty),*) => {$(
        impl Real for $ty {
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self + b
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                self / b
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                self.mul_add(b, c)
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$ty>::abs(self)
            }
            /// Of two zeros the negative one; of a number and a NaN the number.
            #[inline(always)]
            fn min(self, b: Self) -> Self {
                if self == b { if self.is_sign_negative() { self } else { b } } else { <$ty>::min(self, b) }
            }
            #[inline(always)]
            fn max(self, b: Self) -> Self {
                if self == b { if self.is_sign_negative() { b } else { self } } else { <$ty>::max(self, b) }
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                <$ty>::is_nan(self)
            }
            #[inline(always)]
            fn sign_onto(self, b: Self) -> Self {
                b.copysign(self)
            }
            #[inline(always)]
            fn through_double(self, f: impl Fn(f64) -> f64) -> Self {
                f(self.into()) as $ty
            }
            #[inline(always)]
            fn flush(self) -> Self {
                if self.is_subnormal() { (0.0 as $ty).copysign(self) } else { self }
            }
            #[inline(always)]
            fn saturate(self) -> Self {
                if self > 0.0 { <$ty>::min(self, 1.0) } else { 0.0 }
            }
            fn directed(self, b: Self, c: Self, round: Round) -> Self {
                of_double(sum_to_odd(f64::from(self) * f64::from(b), c.into()), round) as $ty
            }
        }
    )*};
}

reals!(f32, f64);

/// `a + b` rounded to odd: rounded again to at most half the bits, the result is as if rounded once.
pub fn sum_to_odd(a: f64, b: f64) -> f64 {
    let sum = a + b;
    let b_part = sum - a;
    let error = (a - (sum - b_part)) + (b - b_part);
    if error == 0.0 || !error.is_finite() || sum.to_bits() & 1 == 1 {
        return sum;
    }
    if (error > 0.0) == (sum > 0.0) { f64::from_bits(sum.to_bits() + 1) } else { f64::from_bits(sum.to_bits() - 1) }
}

/// `d = f(a, b, c)`
pub fn float(warp: &mut Warp, ins: &Ins, mask: u32, op: FloatOp, ty: Type, mode: Mode) {
    match ty {
        Type::F64 => typed::<f64>(warp, ins, mask, op, mode),
        Type::F16 => typed::<F16>(warp, ins, mask, op, mode),
        Type::BF16 => typed::<BF16>(warp, ins, mask, op, mode),
        Type::F16x2 => typed::<Pair<F16>>(warp, ins, mask, op, mode),
        Type::BF16x2 => typed::<Pair<BF16>>(warp, ins, mask, op, mode),
        _ => typed::<f32>(warp, ins, mask, op, mode),
    }
}

#[inline(never)]
fn typed<T: Real>(warp: &mut Warp, ins: &Ins, mask: u32, op: FloatOp, mode: Mode)
where
    Warp: File<T::Raw>,
{
    let plain = !mode.ftz && !mode.sat;
    if mode.round != Round::Nearest {
        return directed::<T>(warp, ins, mask, op, mode);
    }
    match op {
        FloatOp::Add if plain => warp.map2(ins, mask, T::add),
        FloatOp::Mul if plain => warp.map2(ins, mask, T::mul),
        FloatOp::Sub if plain => warp.map2(ins, mask, |a: T, b: T| a.add(b.neg())),
        FloatOp::Max if plain => warp.map2(ins, mask, T::max),
        FloatOp::Min if plain => warp.map2(ins, mask, T::min),
        FloatOp::Add => warp.map2(ins, mask, |a: T, b| mode.after(mode.before(a).add(mode.before(b)))),
        FloatOp::Sub => warp.map2(ins, mask, |a: T, b: T| mode.after(mode.before(a).add(mode.before(b).neg()))),
        FloatOp::Mul => warp.map2(ins, mask, |a: T, b| mode.after(mode.before(a).mul(mode.before(b)))),
        FloatOp::Div => warp.map2(ins, mask, |a: T, b| mode.after(mode.before(a).div(mode.before(b)))),
        FloatOp::Fma => {
            warp.map3(ins, mask, |a: T, b, c| mode.after(mode.before(a).fma(mode.before(b), mode.before(c))));
        }
        FloatOp::Min => warp.map2(ins, mask, |a: T, b| mode.before(a).min(mode.before(b))),
        FloatOp::Max => warp.map2(ins, mask, |a: T, b| mode.before(a).max(mode.before(b))),
        FloatOp::MinNan => warp.map2(ins, mask, |a: T, b| nan_or(a, b, T::min)),
        FloatOp::MaxNan => warp.map2(ins, mask, |a: T, b| nan_or(a, b, T::max)),
        FloatOp::CopySign => warp.map2(ins, mask, T::sign_onto),
        FloatOp::Neg => warp.map1(ins, mask, |a: T| mode.before(a).neg()),
        FloatOp::Abs => warp.map1(ins, mask, |a: T| mode.before(a).abs()),
        FloatOp::Sqrt => through(warp, ins, mask, mode, f64::sqrt, T::through_double),
        FloatOp::Rsqrt => through(warp, ins, mask, mode, |x| 1.0 / x.sqrt(), T::through_double),
        FloatOp::Rcp => through(warp, ins, mask, mode, f64::recip, T::through_double),
        FloatOp::Ex2 => through(warp, ins, mask, mode, f64::exp2, T::through_double),
        FloatOp::Lg2 => through(warp, ins, mask, mode, f64::log2, T::through_double),
        FloatOp::Sin => through(warp, ins, mask, mode, f64::sin, T::through_double),
        FloatOp::Cos => through(warp, ins, mask, mode, f64::cos, T::through_double),
        FloatOp::Tanh => through(warp, ins, mask, mode, f64::tanh, T::through_double),
    }
}

/// `d = f(a)`, in double.
fn through<T: Real>(
    warp: &mut Warp,
    ins: &Ins,
    mask: u32,
    mode: Mode,
    f: fn(f64) -> f64,
    apply: impl Fn(T, fn(f64) -> f64) -> T,
) where
    Warp: File<T::Raw>,
{
    warp.map1(ins, mask, |a: T| mode.after(apply(mode.before(a), f)));
}

fn nan_or<T: Real>(a: T, b: T, f: impl Fn(T, T) -> T) -> T {
    match (a.is_nan(), b.is_nan()) {
        (true, _) => a,
        (_, true) => b,
        _ => f(a, b),
    }
}

/// Roundings other than to nearest, for sums and products: all are one `a·b + c`.
fn directed<T: Real>(warp: &mut Warp, ins: &Ins, mask: u32, op: FloatOp, mode: Mode)
where
    Warp: File<T::Raw>,
{
    let one = |x: T| x.through_double(|_| 1.0);
    let run = |a: T, b: T, c: T| mode.after(mode.before(a).directed(mode.before(b), mode.before(c), mode.round));
    match op {
        FloatOp::Add => warp.map2(ins, mask, |a: T, b| run(a, one(a), b)),
        FloatOp::Sub => warp.map2(ins, mask, |a: T, b: T| run(a, one(a), b.neg())),
        // A zero of the product's sign, so that the sum keeps it.
        FloatOp::Mul => warp.map2(ins, mask, |a: T, b| {
            let product = a.mul(b);
            run(a, b, product.through_double(|x| 0f64.copysign(x)))
        }),
        _ => warp.map3(ins, mask, run),
    }
}

impl Mode {
    fn before<T: Real>(self, x: T) -> T {
        if self.ftz { x.flush() } else { x }
    }

    fn after<T: Real>(self, x: T) -> T {
        let x = if self.ftz { x.flush() } else { x };
        if self.sat { x.saturate() } else { x }
    }
}

/// `d = a·b + c` on singles, the most frequent instruction: through the processor's own where it has one.
#[inline(always)]
pub fn fma32(warp: &mut Warp, ins: &Ins, mask: u32) {
    let (a, b, c): (&Words, &Words, &Words) = (warp.read(ins.regs[1]), warp.read(ins.regs[2]), warp.read(ins.regs[3]));
    let mut result = [0; 32];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features, as just asked.
        unsafe { fma_fused(a, b, c, &mut result) };
        return warp.put(ins.regs[0], result, mask);
    }
    fma_lanes(a, b, c, &mut result);
    warp.put(ins.regs[0], result, mask);
}

#[inline(always)]
fn fma_lanes(a: &Words, b: &Words, c: &Words, result: &mut Words) {
    for l in 0..32 {
        result[l] = f32::from_bits(a[l]).mul_add(f32::from_bits(b[l]), f32::from_bits(c[l])).to_bits();
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fma_fused(a: &Words, b: &Words, c: &Words, result: &mut Words) {
    fma_lanes(a, b, c, result);
}
