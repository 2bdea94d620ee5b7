//! Element by element over any dtype: comparisons, choices, integer arithmetic.

use crate::Buffer;
use crate::buffer::{as_numbers, by_words};
use crate::dispatch::{for_number, for_words};
use crate::walk::{self, Lanes, MapBlock, OPERANDS, Operand};
use cotangent_base::{Compare, DType, Element, IntegerOp, View};
use std::marker::PhantomData;

/// Bools: `a op b`. With NaN all are false but [`Compare::Ne`].
///
/// # Panics
/// If shapes or dtypes differ.
pub fn compare(op: Compare, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    assert_eq!(a.shape(), b.shape(), "[compare] shapes differ");
    as_numbers([a, b], |[a, b]| for_number!("compare", a.buffer.dtype(), T => compare_as::<T>(op, a, b)))
}

fn compare_as<T: Element>(op: Compare, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    match op {
        Compare::Eq => zip(a, b, |a: T, b: T| a == b),
        Compare::Ne => zip(a, b, |a: T, b: T| a != b),
        Compare::Lt => zip(a, b, |a: T, b: T| a < b),
        Compare::Le => zip(a, b, |a: T, b: T| a <= b),
        Compare::Gt => compare_as::<T>(Compare::Lt, b, a),
        Compare::Ge => compare_as::<T>(Compare::Le, b, a),
    }
}

/// `mask ? a : b`; the mask is of dtype bool.
///
/// # Panics
/// If shapes differ, or the dtypes of `a` and `b`.
pub fn select(mask: View<Buffer>, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    assert!(mask.shape() == a.shape() && a.shape() == b.shape(), "[select] shapes differ");
    by_words([a, b], |[a, b]| for_words!(a.buffer.dtype(), W => select_as::<W>(mask, a, b)))
}

fn select_as<W: Element>(mask: View<Buffer>, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    assert_eq!(mask.buffer.dtype(), DType::Bool, "[select] a mask is of bools");
    walk::map([mask, a, b], W::DTYPE, Lanes::One, &Select::<W>(PhantomData))
}

struct Select<W>(PhantomData<fn(W)>);

impl<W: Element> MapBlock for Select<W> {
    unsafe fn run(&self, [mask, a, b, ..]: &[Operand; OPERANDS], out: *mut u8, len: usize) {
        for i in 0..len {
            // SAFETY: the caller's promise.
            unsafe {
                let (a, b) = (a.from.cast::<W>().add(i).read(), b.from.cast::<W>().add(i).read());
                out.cast::<W>().add(i).write(if mask.from.cast::<bool>().add(i).read() { a } else { b });
            }
        }
    }
}

/// `y = op(a, b)` for integers, each result wrapped to the dtype.
///
/// # Panics
/// If shapes or dtypes differ, or the dtype is not u32, i64 or u8.
pub fn map_integers(op: IntegerOp, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    assert_eq!(a.shape(), b.shape(), "[map_integers] shapes differ");
    let apply = |a: i64, b: i64| op.eval(a, b);
    match a.buffer.dtype() {
        DType::U32 => zip::<u32, u32>(a, b, |a, b| apply(a as i64, b as i64) as u32),
        DType::I64 => zip::<i64, i64>(a, b, apply),
        DType::U8 => zip::<u8, u8>(a, b, |a, b| apply(a as i64, b as i64) as u8),
        other => panic!("[map_integers] is for integers, not for {other}"),
    }
}

fn zip<X: Element, Y: Element>(a: View<Buffer>, b: View<Buffer>, f: impl Fn(X, X) -> Y + Sync) -> Buffer {
    assert!([a, b].iter().all(|x| x.buffer.dtype() == X::DTYPE), "a kernel got elements of different dtypes");
    walk::map([a, b], Y::DTYPE, Lanes::One, &Zip { f, types: PhantomData })
}

/// `y = f(a, b)`, element by element.
struct Zip<F, X, Y> {
    f: F,
    types: PhantomData<fn(X) -> Y>,
}

impl<F: Fn(X, X) -> Y + Sync, X: Element, Y: Element> MapBlock for Zip<F, X, Y> {
    unsafe fn run(&self, [a, b, ..]: &[Operand; OPERANDS], out: *mut u8, len: usize) {
        for i in 0..len {
            // SAFETY: the caller's promise.
            unsafe {
                let (a, b) = (a.from.cast::<X>().add(i).read(), b.from.cast::<X>().add(i).read());
                out.cast::<Y>().add(i).write((self.f)(a, b));
            }
        }
    }
}

#[cfg(test)]
mod tests;
