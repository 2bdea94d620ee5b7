//! Element by element over floats: maps, and updates in place.

use crate::Buffer;
use crate::simd::{self, Kernel, SimdFloat, Vector};
use crate::walk::{self, Lanes, MapBlock, OPERANDS, Operand, UpdateBlock};
use cotangent_base::{DType, Lane, Map, Shape, Update, View};
use std::marker::PhantomData;

/// `y = op(x₀, …)`, element by element.
///
/// # Panics
/// If shapes or dtypes differ, or the dtype is not a float.
pub fn map<const N: usize, M: Map<N>>(op: M, x: [View<Buffer>; N]) -> Buffer {
    let mut y = Buffer::uninit(x[0].buffer.dtype(), x[0].shape().count());
    run(op, x.map(Some), &mut y, x[0].shape());
    y
}

/// `y = op(x₀, …)` in y's memory, an operand that is `None` being what y held; `y` is contiguous, of this shape.
///
/// # Panics
/// As [`map`].
pub fn map_over<const N: usize, M: Map<N>>(op: M, x: [Option<View<Buffer>>; N], y: &mut Buffer, shape: Shape) {
    run(op, x, y, shape);
}

fn run<const N: usize, M: Map<N>>(op: M, x: [Option<View<Buffer>>; N], y: &mut Buffer, shape: Shape) {
    const { assert!(N <= OPERANDS) };
    let dtype = y.dtype();
    assert!(x.iter().flatten().all(|x| x.buffer.dtype() == dtype), "[map] dtypes differ");
    let lanes = if M::FAST { Lanes::Padded } else { Lanes::One };
    match dtype {
        DType::F32 => walk::map_to(y, shape, &x, lanes, &Launch::<f32, N, M>::of(op)),
        DType::F64 => walk::map_to(y, shape, &x, lanes, &Launch::<f64, N, M>::of(op)),
        other => panic!("[map] is for floats, not for {other}"),
    }
}

/// `acc += x`, in place; `acc` is contiguous.
///
/// # Panics
/// If counts or dtypes differ, or the dtype is not a float.
pub fn accumulate(acc: &mut Buffer, x: View<Buffer>) {
    update(Accumulate, acc, x, []);
}

#[derive(Clone, Copy)]
struct Accumulate;
impl Update<0> for Accumulate {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, state: [L; 0]) -> (L, [L; 0]) {
        (p + g, state)
    }
}

/// `(p, state) = op(p, g, state)`, in place; `p` and the state are contiguous.
///
/// # Panics
/// If counts or dtypes differ, or the dtype is not a float.
pub fn update<const S: usize, U: Update<S>>(op: U, p: &mut Buffer, g: View<Buffer>, mut state: [&mut Buffer; S]) {
    const { assert!(S <= OPERANDS) };
    match p.dtype() {
        DType::F32 => walk::update(p, g, &mut state, &Launch::<f32, S, U>::of(op)),
        DType::F64 => walk::update(p, g, &mut state, &Launch::<f64, S, U>::of(op)),
        other => panic!("[update] is for floats, not for {other}"),
    }
}

/// The loop of an op of `N` operands or numbers of state, over numbers of type `T`.
struct Launch<T, const N: usize, O> {
    op: O,
    of: PhantomData<T>,
}

impl<T, const N: usize, O> Launch<T, N, O> {
    fn of(op: O) -> Self {
        Self { op, of: PhantomData }
    }
}

/// Chooses the lanes: none for maps that say they are not [`Map::FAST`].
impl<T, const N: usize, M: Map<N>> MapBlock for Launch<T, N, M>
where
    T: SimdFloat + Vector<Scalar = T>,
{
    unsafe fn run(&self, x: &[Operand; OPERANDS], out: *mut u8, len: usize) {
        let mapped = Mapped::<N, M> { op: self.op, x, out, len };
        if const { M::FAST } { simd::run::<T, _>(mapped) } else { Kernel::<T>::run::<T>(mapped) }
    }
}

struct Mapped<'a, const N: usize, M> {
    op: M,
    x: &'a [Operand; OPERANDS],
    out: *mut u8,
    len: usize,
}

impl<T: SimdFloat, const N: usize, M: Map<N>> Kernel<T> for Mapped<'_, N, M> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let mut next = 0;
        while next < self.len {
            // the last register overlaps the one before: the same numbers again, and no second loop to compile
            let at = next.min(self.len - V::WIDTH);
            // SAFETY: `at + WIDTH <= len`, and the operands have `len` elements, or WIDEST with step 0.
            unsafe {
                let mut lanes = [V::zero(); N];
                for (lane, x) in lanes.iter_mut().zip(self.x) {
                    *lane = V::load(x.from.cast::<T>().add(at * x.step));
                }
                self.op.eval(lanes).store(self.out.cast::<T>().add(at));
            }
            next += V::WIDTH;
        }
    }
}

impl<T: SimdFloat, const S: usize, U: Update<S>> UpdateBlock for Launch<T, S, U> {
    unsafe fn run(&self, p: *mut u8, g: *const u8, state: &[*mut u8; OPERANDS], len: usize) {
        simd::run::<T, _>(Step::<S, U> { op: self.op, p, g, state, len });
    }
}

/// A number of an optimizer's state that is smaller becomes 0. The average of a gradient that has become 0 would else end as
/// a subnormal number, and stay one for long: a CPU takes a hundred cycles for a product of such.
const TINY: f64 = f32::MIN_POSITIVE as f64;

struct Step<'a, const S: usize, U> {
    op: U,
    p: *mut u8,
    g: *const u8,
    state: &'a [*mut u8; OPERANDS],
    len: usize,
}

impl<T: SimdFloat, const S: usize, U: Update<S>> Kernel<T> for Step<'_, S, U> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let (p, g) = (self.p.cast::<T>(), self.g.cast::<T>());
        let mut at = 0;
        while at < self.len {
            // SAFETY: parameter, gradient and state have `len` elements, a multiple of WIDTH, and this thread alone has this
            // part of them.
            unsafe {
                let mut state = [V::zero(); S];
                for (lane, from) in state.iter_mut().zip(self.state) {
                    *lane = V::load(from.cast::<T>().add(at));
                }
                let (new, state) = self.op.step(V::load(p.add(at)), V::load(g.add(at)), state);
                new.store(p.add(at));
                for (lane, to) in state.into_iter().zip(self.state) {
                    let tiny = lane.abs().lt(V::splat(TINY));
                    V::select(tiny, V::zero(), lane).store(to.cast::<T>().add(at));
                }
            }
            at += V::WIDTH;
        }
    }
}

#[cfg(test)]
mod tests;
