//! Elements as another dtype, as Rust's `as` does it.

use super::elementwise::class;
use super::graph::{Arg, Class, value};
use cotangent_base::DType;

/// How PTX calls a dtype's register: bytes and bools are widened to words when they are loaded.
fn register(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::I64 => "s64",
        DType::U32 | DType::U8 | DType::Bool => "u32",
    }
}

/// 0, as an operand of this dtype.
fn zero(dtype: DType) -> Arg {
    match dtype {
        DType::F32 => Arg::F32(0),
        DType::F64 => Arg::F64(0),
        _ => Arg::Int(0),
    }
}

/// Whether `x` is not 0; NaN is not.
pub fn is_true(x: Arg, dtype: DType) -> Arg {
    let op = if dtype.is_float() { "setp.neu" } else { "setp.ne" };
    Arg::Value(value(op, register(dtype), Class::Pred, &[x, zero(dtype)]))
}

/// A truth value as a bool's byte.
pub fn from_truth(truth: Arg) -> Arg {
    Arg::Value(value("selp", "u32", Class::B32, &[Arg::Int(1), Arg::Int(0), truth]))
}

/// `x` of dtype `from` as dtype `to`. Bytes come out as words whose upper bits are anything.
pub fn cast(x: Arg, from: DType, to: DType) -> Arg {
    use DType::*;
    let convert = |op, ty| Arg::Value(value(op, ty, class(to), &[x]));
    match (from, to) {
        _ if from == to => x,
        (_, Bool) => from_truth(is_true(x, from)),
        (F32, F64) => convert("cvt.f64", "f32"),
        (F64, F32) => convert("cvt.rn.f32", "f64"),
        (F32 | F64, _) => from_float(x, from, to),
        (_, F32) => convert("cvt.rn.f32", register(from)),
        (_, F64) => convert("cvt.rn.f64", register(from)),
        (I64, _) => convert("cvt.u32", "u64"),
        (_, I64) => convert("cvt.s64", "u32"),
        _ => x,
    }
}

/// Cut to a whole number within the dtype's range; NaN becomes 0.
fn from_float(x: Arg, from: DType, to: DType) -> Arg {
    let op = if to == DType::I64 { "cvt.rzi.s64" } else { "cvt.rzi.u32" };
    let mut y = Arg::Value(value(op, register(from), class(to), &[x]));
    if to == DType::U8 {
        y = Arg::Value(value("min", "u32", Class::B32, &[y, Arg::Int(255)]));
    }
    let is_nan = Arg::Value(value("setp.neu", register(from), Class::Pred, &[x, x]));
    let ty = if to == DType::I64 { "b64" } else { "b32" };
    Arg::Value(value("selp", ty, class(to), &[Arg::Int(0), y, is_nan]))
}
