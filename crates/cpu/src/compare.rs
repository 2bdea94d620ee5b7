//! Element by element over any dtype: comparisons, choices, integer arithmetic.

use crate::Buffer;
use crate::dispatch::for_dtype;
use crate::memory::{BLOCK, Scratch, blocks};
use crate::strided::Strided;
use cotangent_base::{Compare, DType, Element, IntegerOp, View};
use std::mem::MaybeUninit;

/// Bools: `a op b`. With NaN all are false but [`Compare::Ne`].
///
/// # Panics
/// If shapes or dtypes differ.
pub fn compare(op: Compare, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    assert_eq!(a.shape(), b.shape(), "[compare] shapes differ");
    for_dtype!(a.buffer.dtype(), T => compare_as::<T>(op, a, b))
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
    for_dtype!(a.buffer.dtype(), T => select_as::<T>(mask, a, b))
}

fn select_as<T: Element>(mask: View<Buffer>, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    let mask = Strided::<bool>::new(mask);
    let (a, b) = (Strided::<T>::new(a), Strided::<T>::new(b));
    blocks(a.rows.layout.shape.count(), |start, out: &mut [T]| {
        let mut scratch: (Scratch<bool>, Scratch<T>, Scratch<T>) =
            ([MaybeUninit::uninit(); BLOCK], [MaybeUninit::uninit(); BLOCK], [MaybeUninit::uninit(); BLOCK]);
        let mask = mask.block(start, &mut scratch.0[..out.len()]);
        let a = a.block(start, &mut scratch.1[..out.len()]);
        let b = b.block(start, &mut scratch.2[..out.len()]);
        for ((y, &mask), (&a, &b)) in out.iter_mut().zip(mask).zip(a.iter().zip(b)) {
            *y = if mask { a } else { b };
        }
    })
}

/// `y = op(a, b)` for integers, each result wrapped to the dtype.
///
/// # Panics
/// If shapes or dtypes differ, or the dtype is not u32, i64 or u8.
pub fn map_integers(op: IntegerOp, a: View<Buffer>, b: View<Buffer>) -> Buffer {
    assert_eq!(a.shape(), b.shape(), "[map_integers] shapes differ");
    let apply = |a: i64, b: i64| op.eval(a, b);
    match a.buffer.dtype() {
        DType::U32 => zip::<u32, u32, u32>(a, b, |a, b| apply(a as i64, b as i64) as u32),
        DType::I64 => zip::<i64, i64, i64>(a, b, apply),
        DType::U8 => zip::<u8, u8, u8>(a, b, |a, b| apply(a as i64, b as i64) as u8),
        other => panic!("[map_integers] is for integers, not for {other}"),
    }
}

/// `y = f(a, b)`, element by element.
fn zip<A: Element, B: Element, Y: Element>(a: View<Buffer>, b: View<Buffer>, f: impl Fn(A, B) -> Y + Sync) -> Buffer {
    let (a, b) = (Strided::<A>::new(a), Strided::<B>::new(b));
    blocks(a.rows.layout.shape.count(), |start, out: &mut [Y]| {
        let mut scratch: (Scratch<A>, Scratch<B>) = ([MaybeUninit::uninit(); BLOCK], [MaybeUninit::uninit(); BLOCK]);
        let a = a.block(start, &mut scratch.0[..out.len()]);
        let b = b.block(start, &mut scratch.1[..out.len()]);
        out.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (&a, &b))| *y = f(a, b));
    })
}

#[cfg(test)]
mod tests;
