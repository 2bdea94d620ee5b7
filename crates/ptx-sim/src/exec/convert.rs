//! Conversions between types, and registers taken apart and put together.

use super::half::{BF16, F16, Half, of_double};
use super::lane::{File, Wides, Words};
use super::warp::Warp;
use crate::ins::{Convert, Ins, Round};
use crate::types::{Class, Type};

/// A number on its way from one type to another.
#[derive(Clone, Copy)]
enum Number {
    Integer(i128),
    Float(f64),
}

/// `d = (to) a`
#[inline(never)]
pub fn convert(warp: &mut Warp, ins: &Ins, mask: u32, c: Convert) {
    let plain = !c.sat && !c.relu;
    // The frequent ones first.
    match (c.to, c.from) {
        (Type::S64, Type::S32) => return warp.map1(ins, mask, |a: i32| i64::from(a)),
        (Type::U64 | Type::S64, Type::U32) => return warp.map1(ins, mask, |a: u32| u64::from(a)),
        (Type::U32 | Type::S32, Type::U64 | Type::S64) if plain => return warp.map1(ins, mask, |a: u64| a as u32),
        (Type::F32, Type::S32) if c.round == Round::Nearest => return warp.map1(ins, mask, |a: i32| a as f32),
        (Type::F32, Type::U32) if c.round == Round::Nearest => return warp.map1(ins, mask, |a: u32| a as f32),
        (Type::TF32, Type::F32) => return warp.map1(ins, mask, |a: u32| tf32(a, c.round)),
        _ => {}
    }
    let from: Wides = match c.from.class() {
        Class::Wide => *warp.read(ins.regs[1]),
        _ => {
            let words: &Words = warp.read(ins.regs[1]);
            words.map(u64::from)
        }
    };
    let to: Wides = from.map(|bits| one(c, bits));
    match c.to.class() {
        Class::Wide => warp.put(ins.regs[0], to, mask),
        _ => warp.put(ins.regs[0], to.map(|bits| bits as u32), mask),
    }
}

/// The nearest number with 10 bits of fraction.
fn tf32(bits: u32, round: Round) -> u32 {
    if bits & 0x7F80_0000 == 0x7F80_0000 {
        return bits;
    }
    let half = match round {
        Round::Away => 0x1000,
        Round::Zero => 0,
        _ => 0xFFF + (bits >> 13 & 1),
    };
    (bits + half) & 0xFFFF_E000
}

fn one(c: Convert, bits: u64) -> u64 {
    let number = match (read(c.from, bits), c.ftz) {
        (Number::Float(x), true) if c.from == Type::F32 && (x as f32).is_subnormal() => Number::Float(0f64.copysign(x)),
        (number, _) => number,
    };
    if c.to.is_float() { to_float(c, number) } else { to_integer(c, number) }
}

fn read(ty: Type, bits: u64) -> Number {
    match ty {
        Type::U8 => Number::Integer((bits as u8).into()),
        Type::S8 => Number::Integer((bits as i8).into()),
        Type::U16 => Number::Integer((bits as u16).into()),
        Type::S16 => Number::Integer((bits as i16).into()),
        Type::U32 => Number::Integer((bits as u32).into()),
        Type::S32 => Number::Integer((bits as i32).into()),
        Type::S64 => Number::Integer((bits as i64).into()),
        Type::F16 => Number::Float(F16(bits as u16).double()),
        Type::BF16 => Number::Float(BF16(bits as u16).double()),
        Type::F32 => Number::Float(f32::from_bits(bits as u32).into()),
        Type::F64 => Number::Float(f64::from_bits(bits)),
        _ => Number::Integer(bits.into()),
    }
}

fn to_float(c: Convert, number: Number) -> u64 {
    let mut x = match number {
        Number::Integer(x) => return integer_to_float(c, x),
        Number::Float(x) => x,
    };
    if c.integral {
        x = whole(x, c.round);
    }
    if c.sat {
        x = if x > 0.0 { x.min(1.0) } else { 0.0 };
    }
    if c.relu && x < 0.0 {
        x = 0.0;
    }
    narrow(c.to, x, if c.integral { Round::Nearest } else { c.round }, c.ftz)
}

/// An integer may have more bits than a double holds: what is cut off must still tell up from down.
fn integer_to_float(c: Convert, x: i128) -> u64 {
    let near = x as f64;
    if c.to == Type::F64 {
        let error = near as i128 - x;
        let step_down = error > 0 && (c.round == Round::Down || c.round == Round::Zero && x > 0);
        let step_up = error < 0 && (c.round == Round::Up || c.round == Round::Zero && x < 0);
        let rounded = if step_down {
            near.next_down()
        } else if step_up {
            near.next_up()
        } else {
            near
        };
        return rounded.to_bits();
    }
    let error = x - near as i128;
    let odd = if error == 0 || near.to_bits() & 1 == 1 {
        near
    } else if (error > 0) == (near > 0.0) {
        f64::from_bits(near.to_bits() + 1)
    } else {
        f64::from_bits(near.to_bits() - 1)
    };
    narrow(c.to, odd, c.round, false)
}

fn narrow(to: Type, x: f64, round: Round, ftz: bool) -> u64 {
    match to {
        Type::F16 => F16::rounded(x, round).0.into(),
        Type::BF16 => BF16::rounded(x, round).0.into(),
        Type::F64 => x.to_bits(),
        _ => {
            let single = of_double(x, round) as f32;
            let flushed = if ftz && single.is_subnormal() { 0f32.copysign(single) } else { single };
            flushed.to_bits().into()
        }
    }
}

fn whole(x: f64, round: Round) -> f64 {
    match round {
        Round::Nearest => x.round_ties_even(),
        Round::Away => x.round(),
        Round::Zero => x.trunc(),
        Round::Down => x.floor(),
        Round::Up => x.ceil(),
    }
}

fn to_integer(c: Convert, number: Number) -> u64 {
    let bits = 8 * c.to.size() as u32;
    let (least, most) =
        if c.to.is_signed() { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    match number {
        Number::Integer(x) if c.sat => x.clamp(least, most) as u64,
        Number::Integer(x) if c.to.is_signed() => (x << (128 - bits) >> (128 - bits)) as u64,
        Number::Integer(x) => (x & most) as u64,
        // NaN becomes zero, or in 64 bits the highest bit alone.
        Number::Float(x) if x.is_nan() => {
            if bits == 64 || c.from == Type::F64 {
                1 << (bits - 1)
            } else {
                0
            }
        }
        Number::Float(x) => (whole(x, c.round) as i128).clamp(least, most) as u64,
    }
}

/// Two singles to halves in one register, the first in the upper part.
pub fn convert_pair(warp: &mut Warp, ins: &Ins, mask: u32, to: Type, relu: bool) {
    warp.map2(ins, mask, |high: u32, low: u32| {
        let half = |bits: u32| {
            let x = f64::from(f32::from_bits(bits));
            let x = if relu && x < 0.0 { 0.0 } else { x };
            match to {
                Type::BF16x2 => u32::from(BF16::rounded(x, Round::Nearest).0),
                _ => u32::from(F16::rounded(x, Round::Nearest).0),
            }
        };
        half(high) << 16 | half(low)
    });
}

/// `d = {a, b, …}`, the first lowest.
pub fn pack(warp: &mut Warp, ins: &Ins, mask: u32, class: Class, bits: u32, parts: u8) {
    let mut whole = [0u64; 32];
    for part in 0..u32::from(parts) {
        let words: &Words = warp.read(ins.regs[1 + part as usize]);
        let field = (1u64 << bits) - 1;
        for l in 0..32 {
            whole[l] |= (u64::from(words[l]) & field) << (part * bits);
        }
    }
    match class {
        Class::Wide => warp.put(ins.regs[0], whole, mask),
        _ => warp.put(ins.regs[0], whole.map(|bits| bits as u32), mask),
    }
}

/// `{d, e, …} = a`
pub fn unpack(warp: &mut Warp, ins: &Ins, mask: u32, class: Class, bits: u32, parts: u8) {
    let source = ins.regs[usize::from(parts)];
    let whole: Wides = match class {
        Class::Wide => *warp.read(source),
        _ => {
            let words: &Words = warp.read(source);
            words.map(u64::from)
        }
    };
    let field = (1u64 << bits) - 1;
    for part in 0..u32::from(parts) {
        let values: Words = whole.map(|whole| (whole >> (part * bits) & field) as u32);
        warp.put(ins.regs[part as usize], values, mask);
    }
}
