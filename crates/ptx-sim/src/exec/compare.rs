//! Comparisons, selections and predicates.

use super::half::Half;
use super::half::{BF16, F16};
use super::lane::{File, Lane, Wides, Words, mask_of};
use super::warp::Warp;
use crate::ins::{Cmp, FloatKind, Ins, LogicOp, Relation};
use crate::types::{Class, Type};

/// What a comparison is combined with.
#[derive(Clone, Copy)]
pub struct Combine {
    pub op: Option<LogicOp>,
    pub negate: bool,
}

/// `p = (a ? b) ∘ c, q = !(a ? b) ∘ c`
pub fn setp(warp: &mut Warp, ins: &Ins, mask: u32, cmp: Cmp, ty: Type, combine: Combine, ftz: bool) {
    let holds = compare(warp, [ins.regs[2], ins.regs[3]], cmp, ty, ftz);
    let with = warp.predicate(ins.regs[4], combine.negate);
    warp.put_predicate(ins.regs[0], combined(combine.op, holds, with), mask);
    warp.put_predicate(ins.regs[1], combined(combine.op, !holds, with), mask);
}

/// The same as a number: all ones or 1.0 where it holds.
#[allow(clippy::too_many_arguments)]
pub fn set(warp: &mut Warp, ins: &Ins, mask: u32, cmp: Cmp, ty: Type, to: Type, combine: Combine, ftz: bool) {
    let holds = compare(warp, [ins.regs[1], ins.regs[2]], cmp, ty, ftz);
    let holds = combined(combine.op, holds, warp.predicate(ins.regs[3], combine.negate));
    let one = match to {
        Type::F32 => 1f32.to_bits(),
        Type::F16 => 0x3C00,
        Type::BF16 => 0x3F80,
        _ => u32::MAX,
    };
    warp.put(ins.regs[0], std::array::from_fn(|l| if holds >> l & 1 == 1 { one } else { 0 }), mask);
}

fn combined(op: Option<LogicOp>, a: u32, b: u32) -> u32 {
    match op {
        None | Some(LogicOp::Mov | LogicOp::Not) => a,
        Some(LogicOp::And) => a & b,
        Some(LogicOp::Or) => a | b,
        Some(LogicOp::Xor) => a ^ b,
    }
}

/// The lanes where it holds.
fn compare(warp: &Warp, [a, b]: [u16; 2], cmp: Cmp, ty: Type, ftz: bool) -> u32 {
    match ty {
        Type::S16 | Type::S8 => typed::<i16>(warp, a, b, cmp),
        Type::U16 | Type::U8 => typed::<u16>(warp, a, b, cmp),
        Type::S32 => typed::<i32>(warp, a, b, cmp),
        Type::U64 => typed::<u64>(warp, a, b, cmp),
        Type::S64 => typed::<i64>(warp, a, b, cmp),
        Type::F64 => typed::<f64>(warp, a, b, cmp),
        Type::F32 if ftz => typed::<Flushed>(warp, a, b, cmp),
        Type::F32 => typed::<f32>(warp, a, b, cmp),
        Type::F16 => typed::<F16>(warp, a, b, cmp),
        Type::BF16 => typed::<BF16>(warp, a, b, cmp),
        _ => typed::<u32>(warp, a, b, cmp),
    }
}

/// A single whose subnormal values count as zero.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Flushed(f32);

impl Lane for Flushed {
    type Raw = u32;
    fn get(raw: u32) -> Self {
        let x = f32::from_bits(raw);
        Self(if x.is_subnormal() { 0.0 } else { x })
    }
    fn put(self) -> u32 {
        self.0.to_bits()
    }
}

impl PartialOrd for F16 {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.double().partial_cmp(&other.double())
    }
}

impl PartialOrd for BF16 {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.double().partial_cmp(&other.double())
    }
}

#[inline(never)]
fn typed<T: Lane + PartialOrd>(warp: &Warp, a: u16, b: u16, cmp: Cmp) -> u32
where
    Warp: File<T::Raw>,
{
    let (a, b): (&[T::Raw; 32], &[T::Raw; 32]) = (warp.read(a), warp.read(b));
    let test = |f: fn(&T, &T) -> bool| mask_of(|l| f(&T::get(a[l]), &T::get(b[l])));
    let unordered = || test(|a, b| a.partial_cmp(b).is_none());
    let holds = match cmp.relation {
        Relation::Eq => mask_of(|l| T::get(a[l]) == T::get(b[l])),
        Relation::Ne => mask_of(|l| T::get(a[l]) < T::get(b[l]) || T::get(a[l]) > T::get(b[l])),
        Relation::Lt => mask_of(|l| T::get(a[l]) < T::get(b[l])),
        Relation::Le => mask_of(|l| T::get(a[l]) <= T::get(b[l])),
        Relation::Gt => mask_of(|l| T::get(a[l]) > T::get(b[l])),
        Relation::Ge => mask_of(|l| T::get(a[l]) >= T::get(b[l])),
        Relation::Num => !unordered(),
        Relation::Nan => 0,
    };
    if cmp.unordered { holds | unordered() } else { holds }
}

/// `d = p ? a : b`
pub fn select(warp: &mut Warp, ins: &Ins, mask: u32, class: Class) {
    let p = warp.predicate(ins.regs[3], false);
    if class == Class::Wide {
        let (a, b): (&Wides, &Wides) = (warp.read(ins.regs[1]), warp.read(ins.regs[2]));
        warp.put(ins.regs[0], std::array::from_fn(|l| if p >> l & 1 == 1 { a[l] } else { b[l] }), mask);
    } else {
        let (a, b): (&Words, &Words) = (warp.read(ins.regs[1]), warp.read(ins.regs[2]));
        warp.put(ins.regs[0], std::array::from_fn(|l| if p >> l & 1 == 1 { a[l] } else { b[l] }), mask);
    }
}

/// On predicates.
pub fn logic(warp: &mut Warp, ins: &Ins, mask: u32, op: LogicOp) {
    let (a, b) = (warp.predicate(ins.regs[1], false), warp.predicate(ins.regs[2], false));
    let value = match op {
        LogicOp::Mov => a,
        LogicOp::Not => !a,
        LogicOp::And => a & b,
        LogicOp::Or => a | b,
        LogicOp::Xor => a ^ b,
    };
    warp.put_predicate(ins.regs[0], value, mask);
}

/// Which kind of float it is.
pub fn testp(warp: &mut Warp, ins: &Ins, mask: u32, kind: FloatKind, ty: Type) {
    use std::num::FpCategory::*;
    let holds = |category| match kind {
        FloatKind::Finite => !matches!(category, Nan | Infinite),
        FloatKind::Infinite => category == Infinite,
        FloatKind::Number => category != Nan,
        FloatKind::NotANumber => category == Nan,
        FloatKind::Normal => category == Normal,
        FloatKind::Subnormal => category == Subnormal,
    };
    let value = if ty == Type::F64 {
        let a: &Wides = warp.read(ins.regs[1]);
        mask_of(|l| holds(f64::from_bits(a[l]).classify()))
    } else {
        let a: &Words = warp.read(ins.regs[1]);
        mask_of(|l| holds(f32::from_bits(a[l]).classify()))
    };
    warp.put_predicate(ins.regs[0], value, mask);
}
