//! Integers and bits.

use super::lane::{File, Lane, Wides, Words};
use super::warp::Warp;
use crate::ins::{CarryOp, Ins, IntOp};
use crate::types::{Class, Type};

/// An integer of any width, wrapping.
trait Integer: Lane + Ord {
    const BITS: u32;
    fn from_bits(bits: u64) -> Self;
    /// The bits, zero-extended.
    fn bits(self) -> u64;
    /// The value.
    fn value(self) -> i128;
    /// The quotient; all ones for a divisor of zero, which is what the hardware's reciprocal gives.
    fn quotient(self, divisor: Self) -> Self;
    /// The remainder; the dividend for a divisor of zero.
    fn remainder(self, divisor: Self) -> Self;
    /// The upper half of the product.
    fn product_high(self, b: Self) -> Self;
    /// Shifted right, filled with the sign.
    fn shifted(self, n: u32) -> Self;
}

macro_rules! integers {
    ($($ty:ty, $unsigned:ty, $wide:ty;)*) => {$(
        impl Integer for $ty {
            const BITS: u32 = <$ty>::BITS;
            #[inline(always)]
            fn from_bits(bits: u64) -> Self {
                bits as $ty
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                (self as $unsigned).into()
            }
            #[inline(always)]
            fn value(self) -> i128 {
                self.into()
            }
            #[inline(always)]
            fn quotient(self, divisor: Self) -> Self {
                if divisor == 0 { !0 } else { self.wrapping_div(divisor) }
            }
            #[inline(always)]
            fn remainder(self, divisor: Self) -> Self {
                if divisor == 0 { self } else { self.wrapping_rem(divisor) }
            }
            #[inline(always)]
            fn product_high(self, b: Self) -> Self {
                (<$wide>::from(self).wrapping_mul(<$wide>::from(b)) >> <$ty>::BITS) as $ty
            }
            #[inline(always)]
            fn shifted(self, n: u32) -> Self {
                // In two steps, since a shift by all bits is none.
                let most = <$ty>::BITS - 1;
                self >> n.min(most) >> u32::from(n > most)
            }
        }
    )*};
}

integers! {
    u16, u16, u32;
    i16, u16, i32;
    u32, u32, u64;
    i32, u32, i64;
    u64, u64, u128;
    i64, u64, i128;
}

/// `d = f(a, b, c)`
pub fn int(warp: &mut Warp, ins: &Ins, mask: u32, op: IntOp, ty: Type) {
    match ty {
        Type::S16 => typed::<i16>(warp, ins, mask, op),
        Type::U16 | Type::U8 | Type::S8 => typed::<u16>(warp, ins, mask, op),
        Type::S32 => typed::<i32>(warp, ins, mask, op),
        Type::S64 => typed::<i64>(warp, ins, mask, op),
        ty if ty.class() == Class::Wide => typed::<u64>(warp, ins, mask, op),
        _ => typed::<u32>(warp, ins, mask, op),
    }
}

#[inline(never)]
fn typed<T: Integer>(warp: &mut Warp, ins: &Ins, mask: u32, op: IntOp)
where
    Warp: File<T::Raw> + File<u32>,
{
    let bits = T::from_bits;
    match op {
        IntOp::Mov => warp.map1(ins, mask, |a: T| a),
        IntOp::Not => warp.map1(ins, mask, |a: T| bits(!a.bits())),
        IntOp::Cnot => warp.map1(ins, mask, |a: T| bits((a.bits() == 0).into())),
        IntOp::Neg => warp.map1(ins, mask, |a: T| bits(a.bits().wrapping_neg())),
        IntOp::Abs => warp.map1(ins, mask, |a: T| bits(a.value().unsigned_abs() as u64)),
        IntOp::Brev => warp.map1(ins, mask, |a: T| bits(a.bits().reverse_bits() >> (64 - T::BITS))),
        IntOp::Popc => warp.map1(ins, mask, |a: T| a.bits().count_ones()),
        IntOp::Clz => warp.map1(ins, mask, |a: T| a.bits().leading_zeros() - (64 - T::BITS)),
        IntOp::Bfind(shift) => warp.map1(ins, mask, |a: T| highest(a, shift)),
        IntOp::Add => warp.map2(ins, mask, |a: T, b| bits(a.bits().wrapping_add(b.bits()))),
        IntOp::Sub => warp.map2(ins, mask, |a: T, b| bits(a.bits().wrapping_sub(b.bits()))),
        IntOp::Mul => warp.map2(ins, mask, |a: T, b| bits(a.bits().wrapping_mul(b.bits()))),
        IntOp::MulHi => warp.map2(ins, mask, T::product_high),
        IntOp::Div => warp.map2(ins, mask, T::quotient),
        IntOp::Rem => warp.map2(ins, mask, T::remainder),
        IntOp::Min => warp.map2(ins, mask, |a: T, b| a.min(b)),
        IntOp::Max => warp.map2(ins, mask, |a: T, b| a.max(b)),
        IntOp::And => warp.map2(ins, mask, |a: T, b| bits(a.bits() & b.bits())),
        IntOp::Or => warp.map2(ins, mask, |a: T, b| bits(a.bits() | b.bits())),
        IntOp::Xor => warp.map2(ins, mask, |a: T, b| bits(a.bits() ^ b.bits())),
        IntOp::Shl => warp.shift(ins, mask, |a: T, n| bits(if n < T::BITS { a.bits() << n } else { 0 })),
        IntOp::Shr => warp.shift(ins, mask, T::shifted),
        IntOp::Mad => warp.map3(ins, mask, |a: T, b, c| bits(a.bits().wrapping_mul(b.bits()).wrapping_add(c.bits()))),
        IntOp::MadHi => {
            warp.map3(ins, mask, |a: T, b, c| bits(a.product_high(b).bits().wrapping_add(c.bits())));
        }
        IntOp::Sad => warp
            .map3(ins, mask, |a: T, b, c| bits(((a.value() - b.value()).unsigned_abs() as u64).wrapping_add(c.bits()))),
        IntOp::Bfe => {
            let (at, count): (Words, Words) = (*warp.read(ins.regs[2]), *warp.read(ins.regs[3]));
            let a: &[T::Raw; 32] = warp.read(ins.regs[1]);
            let result = std::array::from_fn(|l| extract(T::get(a[l]), at[l] & 0xFF, count[l] & 0xFF).put());
            warp.put(ins.regs[0], result, mask);
        }
        IntOp::Bfi => {
            let (at, count): (Words, Words) = (*warp.read(ins.regs[3]), *warp.read(ins.regs[4]));
            let (a, b): (&[T::Raw; 32], &[T::Raw; 32]) = (warp.read(ins.regs[1]), warp.read(ins.regs[2]));
            let result =
                std::array::from_fn(|l| insert(T::get(a[l]), T::get(b[l]), at[l] & 0xFF, count[l] & 0xFF).put());
            warp.put(ins.regs[0], result, mask);
        }
        IntOp::Lop3(table) => warp.map3(ins, mask, |a: T, b, c| bits(lop3(a.bits(), b.bits(), c.bits(), table))),
        IntOp::Prmt => warp.map3(ins, mask, permute),
        IntOp::ShfLeft(clamp) => warp.map3(ins, mask, |low: u32, high: u32, n: u32| {
            let n = if clamp { n.min(32) } else { n % 32 };
            ((u64::from(high) << 32 | u64::from(low)) << n >> 32) as u32
        }),
        IntOp::ShfRight(clamp) => warp.map3(ins, mask, |low: u32, high: u32, n: u32| {
            let n = if clamp { n.min(32) } else { n % 32 };
            ((u64::from(high) << 32 | u64::from(low)) >> n) as u32
        }),
        IntOp::Dp4a(a_signed, b_signed) => warp.map3(ins, mask, |a: u32, b: u32, c: u32| {
            let byte = |x: u32, i: u32, signed: bool| {
                let byte = (x >> (8 * i)) as u8;
                if signed { i32::from(byte as i8) } else { i32::from(byte) }
            };
            (0..4).fold(c, |sum, i| sum.wrapping_add((byte(a, i, a_signed) * byte(b, i, b_signed)) as u32))
        }),
    }
}

/// The place of the highest bit that differs from the sign; all ones if there is none.
fn highest<T: Integer>(a: T, shift: bool) -> u32 {
    let bits = if a.value() < 0 { !(a.value() as u64) } else { a.bits() };
    match bits.checked_ilog2() {
        None => u32::MAX,
        Some(place) if shift => T::BITS - 1 - place,
        Some(place) => place,
    }
}

/// `count` bits from bit `at` on; beyond the top, and above the field of a signed number, its sign.
fn extract<T: Integer>(a: T, at: u32, count: u32) -> T {
    if count == 0 {
        return T::from_bits(0);
    }
    let field = a.value() >> at.min(127);
    if count >= 128 {
        return T::from_bits(field as u64);
    }
    // A signed field takes its sign from its own highest bit, or from the number's if it reaches past that.
    let top = (at + count - 1).min(T::BITS - 1);
    let negative = T::from_bits(u64::MAX).value() < 0 && a.bits() >> top & 1 == 1;
    let low = field & ((1i128 << count) - 1);
    T::from_bits(if negative { (low | -1i128 << count) as u64 } else { low as u64 })
}

/// `b` with `count` bits of `a` from bit `at` on.
fn insert<T: Integer>(a: T, b: T, at: u32, count: u32) -> T {
    if at >= T::BITS || count == 0 {
        return b;
    }
    let field = if count >= 64 { u64::MAX } else { (1 << count) - 1 };
    T::from_bits(b.bits() & !(field << at) | (a.bits() & field) << at)
}

/// For each bit, the bit of `table` that the bits of a, b and c number.
fn lop3(a: u64, b: u64, c: u64, table: u8) -> u64 {
    let term = |i: u8| {
        let pick = |x: u64, bit: u8| if i & bit != 0 { x } else { !x };
        if table >> i & 1 == 1 { pick(a, 4) & pick(b, 2) & pick(c, 1) } else { 0 }
    };
    (0..8).fold(0, |bits, i| bits | term(i))
}

/// Four bytes picked from eight by the nibbles of the selector; a nibble's top bit asks for the byte's sign.
fn permute(a: u32, b: u32, selector: u32) -> u32 {
    let bytes = (u64::from(b) << 32 | u64::from(a)).to_le_bytes();
    (0..4).fold(0, |result, i| {
        let nibble = selector >> (4 * i) & 0xF;
        let byte = bytes[nibble as usize & 7];
        let byte = if nibble & 8 != 0 { (byte as i8 >> 7) as u8 } else { byte };
        result | u32::from(byte) << (8 * i)
    })
}

/// `d = a·b`, and `+ c` where `add`, with twice the width.
pub fn wide(warp: &mut Warp, ins: &Ins, mask: u32, ty: Type, add: bool) {
    let (a, b): (Words, Words) = (*warp.read(ins.regs[1]), *warp.read(ins.regs[2]));
    match ty {
        Type::U32 | Type::S32 => {
            let product = |l: usize| match ty {
                Type::S32 => (i64::from(a[l] as i32) * i64::from(b[l] as i32)) as u64,
                _ => u64::from(a[l]) * u64::from(b[l]),
            };
            let c: Wides = if add { *warp.read(ins.regs[3]) } else { [0; 32] };
            warp.put(ins.regs[0], std::array::from_fn(|l| product(l).wrapping_add(c[l])), mask);
        }
        _ => {
            let product = |l: usize| match ty {
                Type::S16 => (i32::from(a[l] as i16) * i32::from(b[l] as i16)) as u32,
                _ => (a[l] & 0xFFFF) * (b[l] & 0xFFFF),
            };
            let c: Words = if add { *warp.read(ins.regs[3]) } else { [0; 32] };
            warp.put(ins.regs[0], std::array::from_fn(|l| product(l).wrapping_add(c[l])), mask);
        }
    }
}

/// Arithmetic that takes a carry (or a borrow), leaves one, or both.
pub fn carry(warp: &mut Warp, ins: &Ins, mask: u32, op: CarryOp, ty: Type, takes: bool, leaves: bool) {
    if ty.class() == Class::Wide {
        carry_typed::<u64, i64>(warp, ins, mask, op, ty, takes, leaves);
    } else {
        carry_typed::<u32, i32>(warp, ins, mask, op, ty, takes, leaves);
    }
}

#[inline(never)]
fn carry_typed<T: Integer, S: Integer<Raw = T::Raw>>(
    warp: &mut Warp,
    ins: &Ins,
    mask: u32,
    op: CarryOp,
    ty: Type,
    takes: bool,
    leaves: bool,
) where
    Warp: File<T::Raw>,
{
    let mut carries = 0;
    let (a, b): (&[T::Raw; 32], &[T::Raw; 32]) = (warp.read(ins.regs[1]), warp.read(ins.regs[2]));
    let c: &[T::Raw; 32] = warp.read(ins.regs[3]);
    let taken = if takes { warp.carry } else { 0 };
    let result = std::array::from_fn(|l| {
        let (x, y, carry) = (T::get(a[l]).value(), T::get(b[l]).value(), i128::from(taken >> l & 1));
        let product = || T::from_bits(x.wrapping_mul(y) as u64).value();
        let high = || match ty.is_signed() {
            true => T::from_bits(S::get(a[l]).product_high(S::get(b[l])).bits()).value(),
            false => T::get(a[l]).product_high(T::get(b[l])).value(),
        };
        let sum = match op {
            CarryOp::Add => x + y + carry,
            CarryOp::Sub => x - y - carry,
            CarryOp::MadLo => product() + T::get(c[l]).value() + carry,
            CarryOp::MadHi => high() + T::get(c[l]).value() + carry,
        };
        carries |= u32::from(sum < 0 || sum >> T::BITS != 0) << l;
        T::from_bits(sum as u64).put()
    });
    warp.put(ins.regs[0], result, mask);
    if leaves {
        warp.carry = warp.carry & !mask | carries & mask;
    }
}
