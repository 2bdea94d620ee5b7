//! Making buffers and moving elements: upload, download, fill, arange, copy, assign, cast.

use crate::Buffer;
use crate::buffer::{as_numbers, by_words, by_words_to};
use crate::dispatch::{for_dtype, for_number, for_words};
use crate::par::{self, Shared};
use crate::strided::{Rows, Strided};
use crate::transpose;
use crate::walk::{self, Lanes, MapBlock, OPERANDS, Operand};
use cotangent_base::{DType, Element, Layout, View};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// So many elements of work that is bound by memory are a piece for a thread.
pub(crate) const PIECE: usize = 32 * 1024;

/// The elements in a piece of `count` of them: where they are worth several threads there are several pieces for each, so
/// that threads end at about the same time.
pub(crate) fn piece(count: usize) -> usize {
    if count <= PIECE { PIECE } else { (count / 4).clamp(PIECE / 4, PIECE).next_multiple_of(64) }
}

/// Elements that strided operands are gathered into at a time: a few of these fit the first-level cache.
pub(crate) const BLOCK: usize = 1024;

/// `BLOCK` elements on the stack.
pub(crate) type Scratch<T> = [MaybeUninit<T>; BLOCK];

/// A copy of `values`.
pub fn upload<T: Element>(values: &[T]) -> Buffer {
    Buffer::from_slice(values)
}

/// The elements of `x` in row-major order.
pub fn download<T: Element>(x: View<Buffer>) -> Vec<T> {
    let count = x.shape().count();
    let mut out = Vec::with_capacity(count);
    fill_rows(Strided::new(x), Shared::new(&mut out.spare_capacity_mut()[..count]));
    // SAFETY: `fill_rows` has written `count` elements.
    unsafe { out.set_len(count) };
    out
}

/// `count` times `value`, as Rust's `as` makes it of the dtype.
pub fn fill(dtype: DType, count: usize, value: f64) -> Buffer {
    for_dtype!(dtype, T => generate(count, |_| T::from_f64(value)))
}

/// `start + i·step` for i in 0..count, computed in f64.
pub fn arange(dtype: DType, count: usize, start: f64, step: f64) -> Buffer {
    for_dtype!(dtype, T => generate(count, |i| T::from_f64(start + i as f64 * step)))
}

/// Sets all of `x` to 0.
pub(crate) fn zero<T: Element>(x: &mut [T]) {
    let (count, x) = (x.len(), Shared::new(x));
    // SAFETY: the pieces do not overlap.
    par::for_ranges(count, piece(count), move |start, end| unsafe { x.part(start, end) }.fill(T::default()));
}

fn generate<T: Element>(count: usize, element: impl Fn(usize) -> T + Sync) -> Buffer {
    Buffer::build(count, |out: &mut [T]| {
        let out = Shared::new(out);
        par::for_ranges(count, PIECE, |start, end| {
            // SAFETY: the pieces do not overlap.
            let part = unsafe { out.part(start, end) };
            part.iter_mut().enumerate().for_each(|(i, x)| *x = element(start + i));
        });
    })
}

/// The elements of `x` in row-major order without gaps.
pub fn copy(x: View<Buffer>) -> Buffer {
    let gathered = |[x]: [View<Buffer>; 1]| {
        let mut out = Buffer::uninit(x.buffer.dtype(), x.shape().count());
        for_words!(x.buffer.dtype(), W => fill_rows(Strided::new(x), Shared::new(out.as_mut::<W>()).uninit()));
        out
    };
    transpose::untangled(x).unwrap_or_else(|| by_words([x], gathered))
}

/// Writes all elements of `from`, in order.
fn fill_rows<T: Element>(from: Strided<T>, to: Shared<MaybeUninit<T>>) {
    par::for_ranges(from.rows.layout.shape.count(), PIECE, move |start, end| {
        // SAFETY: the pieces do not overlap.
        from.gather(start, unsafe { to.part(start, end) });
    });
}

/// Writes the elements of `x` into the places that `places` names in `out`. Where a place is named more than
/// once, the last element stays.
///
/// # Panics
/// If shapes or dtypes differ.
pub fn assign(out: &mut Buffer, places: Layout, x: View<Buffer>) {
    assert_eq!(places.shape, x.shape(), "[assign] shapes differ");
    by_words_to(out, x, |out, x| for_words!(x.buffer.dtype(), W => assign_as::<W>(out, places, x)));
}

fn assign_as<T: Element>(out: &mut Buffer, places: Layout, x: View<Buffer>) {
    let (rows, x) = (Rows::new(&places, out.len()), Strided::<T>::new(x));
    let out = Shared::new(out.as_mut::<T>());
    let step = rows.step();
    let write = |start: usize, end: usize| {
        let mut scratch: Scratch<T> = [MaybeUninit::uninit(); BLOCK];
        for start in (start..end).step_by(BLOCK) {
            let end = end.min(start + BLOCK);
            let from = x.block(start, &mut scratch[..end - start]);
            rows.for_each(start, end, |place, at, n| {
                for (i, &value) in from[at..at + n].iter().enumerate() {
                    // SAFETY: `Rows::new` checked the places; pieces name different ones, see below.
                    unsafe { out.ptr().offset(place as isize + i as isize * step).write(value) };
                }
            });
        }
    };
    let count = places.shape.count();
    // in order on one thread if some place is named more than once
    let repeats = places.shape.iter().zip(places.strides()).any(|(&n, &stride)| n > 1 && stride == 0);
    if repeats { write(0, count) } else { par::for_ranges(count, PIECE, write) }
}

/// The elements as another dtype, as Rust's `as` does; to bool as `x ≠ 0`.
pub fn cast(x: View<Buffer>, dtype: DType) -> Buffer {
    if x.buffer.dtype() == dtype {
        return copy(x);
    }
    as_numbers([x], |[x]| {
        for_number!("cast", x.buffer.dtype(), S => for_dtype!(dtype, D => match S::DTYPE.is_float() {
            true => convert::<S, D>(x, |x| D::from_f64(x.to_f64())),
            false => convert::<S, D>(x, |x| D::from_i64(x.to_i64())),
        }))
    })
}

fn convert<S: Element, D: Element>(x: View<Buffer>, f: impl Fn(S) -> D + Sync) -> Buffer {
    assert_eq!(x.buffer.dtype(), S::DTYPE);
    walk::map([x], D::DTYPE, Lanes::One, &Convert { f, types: PhantomData })
}

/// `y = f(x)`, element by element.
struct Convert<F, S, D> {
    f: F,
    types: PhantomData<fn(S) -> D>,
}

impl<F: Fn(S) -> D + Sync, S: Element, D: Element> MapBlock for Convert<F, S, D> {
    unsafe fn run(&self, x: &[Operand; OPERANDS], out: *mut u8, len: usize) {
        for i in 0..len {
            // SAFETY: the caller's promise.
            unsafe { out.cast::<D>().add(i).write((self.f)(x[0].from.cast::<S>().add(i).read())) };
        }
    }
}

#[cfg(test)]
mod tests;
