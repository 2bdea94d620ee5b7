//! Element by element over floats: maps, and updates in place.

use crate::Buffer;
use crate::memory::{BLOCK, PIECE, Scratch, piece};
use crate::par::{self, Shared};
use crate::simd::{self, Kernel, SimdFloat, Vector};
use crate::strided::Strided;
use crate::transpose;
use cotangent_base::{DType, Lane, Layout, Map, Shape, Update, View};
use std::mem::MaybeUninit;

/// No register is wider than this.
const WIDEST: usize = 16;

/// `y = op(x₀, …)`, element by element.
///
/// # Panics
/// If shapes or dtypes differ, or the dtype is not a float.
pub fn map<const N: usize, M: Map<N>>(op: M, x: [View<Buffer>; N]) -> Buffer {
    let (dtype, count) = (x[0].buffer.dtype(), x[0].shape().count());
    let mut y = Buffer::uninit(dtype, count);
    run(op, x.map(Some), &mut y, x[0].shape());
    y
}

/// `y = op(x₀, …)` in y's memory, an operand that is `None` being what y held; `y` is contiguous, of this shape.
///
/// # Panics
/// As [`map`].
pub fn map_over<const N: usize, M: Map<N>>(op: M, x: [Option<View<Buffer>>; N], y: &mut Buffer, shape: Shape) {
    assert_eq!(y.len(), shape.count(), "[map] the result against its shape");
    run(op, x, y, shape);
}

fn run<const N: usize, M: Map<N>>(op: M, x: [Option<View<Buffer>>; N], y: &mut Buffer, shape: Shape) {
    match y.dtype() {
        DType::F32 => walk::<f32, N>(x, y.as_mut(), shape, M::FAST, &Launch(op)),
        DType::F64 => walk::<f64, N>(x, y.as_mut(), shape, M::FAST, &Launch(op)),
        other => panic!("[map] is for floats, not for {other}"),
    }
}

/// Computes the operands block by block, on all threads. Not generic over the op, so that it is compiled once.
fn walk<T, const N: usize>(
    x: [Option<View<Buffer>>; N],
    y: &mut [T],
    shape: Shape,
    padded: bool,
    launch: &dyn LaunchBlock<T, N>,
) where
    T: SimdFloat + Vector<Scalar = T>,
{
    assert!(x.iter().flatten().all(|x| x.shape() == shape), "[map] shapes differ");
    let over = x.iter().any(Option::is_none);
    let copies = x.map(|x| x.and_then(transpose::untangled));
    let x: [Option<Strided<T>>; N] = std::array::from_fn(|k| x[k].map(|x| in_order(x, &copies[k])));
    let in_place = x.iter().flatten().all(|x| x.rows.is_contiguous() || x.rows.is_constant());
    let block = if in_place { PIECE } else { BLOCK };
    let y = Shared::new(y);
    par::for_ranges(shape.count(), piece(shape.count()), |start, end| {
        let mut scratch: [Scratch<T>; N] = [[MaybeUninit::uninit(); BLOCK]; N];
        for start in (start..end).step_by(block) {
            let end = end.min(start + block);
            let mut spaces = scratch.iter_mut();
            // SAFETY: the pieces do not overlap, and this one lies in y.
            let out = unsafe { y.ptr().add(start) };
            let x = x.map(|x| {
                let space = spaces.next().expect("one for each operand");
                x.map_or(Operand { from: out, step: 1 }, |x| Operand::new(x, start, end, space))
            });
            // where y is an operand no element may be computed twice, so the rest of a register is
            let len = end - start;
            let whole = if !padded || (!over && len >= WIDEST) { len } else { len / WIDEST * WIDEST };
            if whole > 0 {
                launch.launch(Block { x, out, len: whole });
            }
            if whole < len {
                launch_padded(Block { x, out, len }.behind(whole), launch);
            }
        }
    });
}

/// The elements of `x`, or of its copy in row-major order if there is one.
fn in_order<'a, T: SimdFloat>(x: View<'a, Buffer>, copy: &'a Option<Buffer>) -> Strided<'a, T> {
    let copied = copy.as_ref().map(|buffer| View { buffer, layout: Layout::contiguous(x.shape()) });
    Strided::new(copied.unwrap_or(x))
}

/// One operand of a block: its `i`-th element lies at `from + i·step`.
#[derive(Clone, Copy)]
struct Operand<T> {
    from: *const T,
    /// 1, or 0 for a constant, which is there `WIDEST` times.
    step: usize,
}

impl<T: SimdFloat> Operand<T> {
    /// The elements `start..end` of `x`, in place or gathered into `scratch`.
    #[inline]
    fn new(x: Strided<T>, start: usize, end: usize, scratch: &mut Scratch<T>) -> Self {
        if x.rows.is_constant() && x.rows.layout.shape.count() > 0 {
            scratch[..WIDEST].fill(MaybeUninit::new(x.data()[x.rows.layout.offset]));
            return Self { from: scratch.as_ptr().cast(), step: 0 };
        }
        let from = match x.as_slice() {
            Some(all) => all[start..end].as_ptr(),
            None => x.gather(start, &mut scratch[..end - start]).as_ptr(),
        };
        Self { from, step: 1 }
    }
}

/// Computes a block shorter than a register in padded copies of its operands, so that the loop has full registers only.
fn launch_padded<T, const N: usize>(block: Block<T, N>, launch: &dyn LaunchBlock<T, N>)
where
    T: SimdFloat,
{
    let mut padded = [[T::default(); WIDEST]; N];
    let mut y = [T::default(); WIDEST];
    for (x, padded) in block.x.iter().zip(&mut padded) {
        for (i, to) in padded[..block.len].iter_mut().enumerate() {
            // SAFETY: the operand has as many elements as the block.
            *to = unsafe { *x.from.add(i * x.step) };
        }
    }
    let x = std::array::from_fn(|k| Operand { from: padded[k].as_ptr(), step: 1 });
    launch.launch(Block { x, out: y.as_mut_ptr(), len: WIDEST });
    // SAFETY: the block's result has so many elements, and this thread alone has them.
    unsafe { std::ptr::copy_nonoverlapping(y.as_ptr(), block.out, block.len) };
}

/// A map's loop over one block.
trait LaunchBlock<T, const N: usize>: Sync {
    fn launch(&self, block: Block<T, N>);
}

struct Launch<M>(M);

/// Chooses the lanes: none for maps that say they are not [`Map::FAST`].
impl<T, const N: usize, M: Map<N>> LaunchBlock<T, N> for Launch<M>
where
    T: SimdFloat + Vector<Scalar = T>,
{
    fn launch(&self, block: Block<T, N>) {
        let mapped = Mapped { op: self.0, block };
        if const { M::FAST } { simd::run(mapped) } else { mapped.run::<T>() }
    }
}

/// Operands and result of one call of the loop, which may be an operand too.
struct Block<T, const N: usize> {
    x: [Operand<T>; N],
    out: *mut T,
    /// At least the width of the lanes, and a multiple of it if the result is an operand.
    len: usize,
}

impl<T: Copy, const N: usize> Block<T, N> {
    /// What is behind the first `count` elements.
    fn behind(self, count: usize) -> Self {
        let x = self.x.map(|x| Operand { from: x.from.wrapping_add(count * x.step), ..x });
        Self { x, out: self.out.wrapping_add(count), len: self.len - count }
    }
}

struct Mapped<T, const N: usize, M> {
    op: M,
    block: Block<T, N>,
}

impl<T: SimdFloat, const N: usize, M: Map<N>> Kernel<T> for Mapped<T, N, M> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Block { x, out, len } = self.block;
        let mut next = 0;
        while next < len {
            // the last register overlaps the one before: the same numbers again, and no second loop to compile
            let at = next.min(len - V::WIDTH);
            // SAFETY: `at + WIDTH <= len`, and the operands have `len` elements, or WIDEST with step 0.
            unsafe {
                let mut lanes = [V::zero(); N];
                for (lane, x) in lanes.iter_mut().zip(&x) {
                    *lane = V::load(x.from.add(at * x.step));
                }
                self.op.eval(lanes).store(out.add(at));
            }
            next += V::WIDTH;
        }
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
pub fn update<const S: usize, U: Update<S>>(op: U, p: &mut Buffer, g: View<Buffer>, state: [&mut Buffer; S]) {
    match p.dtype() {
        DType::F32 => update_as::<f32, S, U>(op, p.as_mut(), g, state.map(|s| s.as_mut())),
        DType::F64 => update_as::<f64, S, U>(op, p.as_mut(), g, state.map(|s| s.as_mut())),
        other => panic!("[update] is for floats, not for {other}"),
    }
}

fn update_as<T, const S: usize, U: Update<S>>(op: U, p: &mut [T], g: View<Buffer>, state: [&mut [T]; S])
where
    T: SimdFloat + Vector<Scalar = T>,
{
    let count = p.len();
    assert!(g.shape().count() == count && state.iter().all(|s| s.len() == count), "[update] counts differ");
    let (p, state) = (Shared::new(p), state.map(Shared::new));
    for_blocks(g, &|start, g: &[T]| {
        // SAFETY: `start` is within the buffers.
        let at = |s: Shared<T>| unsafe { s.ptr().add(start) };
        let step = Step { op, p: at(p), g: g.as_ptr(), state: state.map(at), len: g.len() };
        simd::run(step);
    });
}

/// Calls `body(start, elements)` for the blocks of `g`, on all threads. Not generic over the op, so that it is compiled
/// once.
fn for_blocks<T: SimdFloat>(g: View<Buffer>, body: &(dyn Fn(usize, &[T]) + Sync)) {
    let copy = transpose::untangled(g);
    let g = in_order(g, &copy);
    let block = if g.rows.is_contiguous() { PIECE } else { BLOCK };
    let count = g.rows.layout.shape.count();
    par::for_ranges(count, piece(count), |start, end| {
        let mut scratch: Scratch<T> = [MaybeUninit::uninit(); BLOCK];
        for start in (start..end).step_by(block) {
            let len = block.min(end - start);
            body(
                start,
                match g.as_slice() {
                    Some(all) => &all[start..start + len],
                    None => g.gather(start, &mut scratch[..len]),
                },
            );
        }
    });
}

/// A number of an optimizer's state that is smaller becomes 0. The average of a gradient that has become 0 would else end as
/// a subnormal number, and stay one for long: a CPU takes a hundred cycles for a product of such.
const TINY: f64 = f32::MIN_POSITIVE as f64;

struct Step<T, const S: usize, U> {
    op: U,
    p: *mut T,
    g: *const T,
    state: [*mut T; S],
    len: usize,
}

impl<T: SimdFloat, const S: usize, U: Update<S>> Kernel<T> for Step<T, S, U> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        for at in (0..self.len).step_by(V::WIDTH) {
            let n = self.len - at;
            // SAFETY: parameter, gradient and state have `len` elements, and this thread alone has this part of them.
            unsafe {
                let mut state = [V::zero(); S];
                for (lane, &from) in state.iter_mut().zip(&self.state) {
                    *lane = V::load_next(from.add(at), n);
                }
                let [p, g] = [self.p.cast_const(), self.g].map(|from| V::load_next(from.add(at), n));
                let (p, state) = self.op.step(p, g, state);
                p.store_next(self.p.add(at), n);
                for (&to, x) in self.state.iter().zip(state) {
                    let tiny = x.abs().lt(V::splat(TINY));
                    V::select(tiny, V::zero(), x).store_next(to.add(at), n);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
