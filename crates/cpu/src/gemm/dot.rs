//! A matrix times a vector: every number of the matrix is used once, so there is nothing to pack or to reuse.
//!
//! However the matrix lies, the sum over each [`DEPTH`] steps of k is folded in halves from as many partial sums as a
//! vector has lanes, each the sum of a[k]·x[k] over the k of one remainder, and a result adds those up in order. So the
//! strides never change a bit, and few rows have work for several threads if they are long.
//!
//! Steps at which x is 0 need not be read where rows touch and all of the matrix is known to be finite: a term of 0 changes no
//! sum, but for the sign of a zero that came of underflow.

use super::pack::Strided;
use crate::Buffer;
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{Kernel, Level, SimdFloat, Vector, run_at};
use std::array::from_fn;

/// The most rows that are computed side by side, so that their sums do not wait for each other.
const ROWS: usize = 8;
/// The least rows of a piece where rows touch; its partial sums fit the first-level cache.
const ACROSS: usize = 256;
/// The steps of k that are summed by themselves.
const DEPTH: usize = 512;
/// Below these rows and steps, zeros are not looked for.
const LEAST: [usize; 2] = [32, 128];
/// The first so many of each [`DEPTH`] numbers of x are looked at to tell whether zeros are worth being skipped.
const LOOK: usize = 64;

/// How the matrix is gone through.
#[derive(Clone, Copy)]
struct Way {
    /// Whether the work may be spread over the threads.
    spread: bool,
    /// Whether steps at which x is 0 are left out.
    skip: bool,
}

/// `y[i] = Σ_k a[i, k]·x[k]`, the rows of a being its lanes, which lies in `of`.
pub(super) fn product<T: SimdFloat>(level: Level, a: Strided<T>, of: &Buffer, x: &[T], y: &mut [T], spread: bool) {
    if !a.steps_touch() && a.lanes_touch() {
        let large = y.len() >= LEAST[0] && x.len() >= LEAST[1];
        let skip = large && has_zeros(x) && of.is_finite();
        return across(level, a, x, y, Way { spread, skip });
    }
    let (count, depth) = (y.len(), x.len());
    let y = Shared::new(y);
    let grain = if spread { (4 * GRAIN / depth.max(1)).next_multiple_of(ROWS) } else { count };
    for_ranges(count, grain.max(ROWS), move |start, end| {
        // SAFETY: each piece has its own part of y.
        let y = unsafe { y.part(start, end) };
        match a.steps_touch() {
            true => run_at(level, AlongRows { a, start, x, y }),
            false => copied(level, &a, start, x, y),
        }
    });
}

/// Whether a quarter of the numbers that are looked at is 0.
fn has_zeros<T: SimdFloat>(x: &[T]) -> bool {
    let seen = x.chunks(DEPTH).flat_map(|x| &x[..x.len().min(LOOK)]);
    let (zeros, count) = seen.fold((0, 0), |(zeros, count), &x| (zeros + usize::from(x == T::default()), count + 1));
    4 * zeros >= count
}

/// Where rows touch, a piece has enough of them for each step to be a long run, and [`DEPTH`] steps.
fn across<T: SimdFloat>(level: Level, a: Strided<T>, x: &[T], y: &mut [T], Way { spread, skip }: Way) {
    let (count, across) = (y.len(), y.len().div_ceil(ACROSS));
    let parts = x.len().div_ceil(DEPTH).max(1);
    let mut sums = Buffer::uninit(T::DTYPE, count * parts);
    let to = Shared::new(sums.as_mut::<T>());
    let each = count.min(ACROSS) * x.len().min(DEPTH);
    let grain = if spread { 2 * GRAIN / each.max(1) } else { parts * across };
    for_ranges(parts * across, grain, move |start, end| {
        for (part, rows) in (start..end).map(|i| (i / across, i % across * ACROSS)) {
            let (first, size) = (part * count + rows, ACROSS.min(count - rows));
            // SAFETY: each piece has its own part of the sums.
            let y = unsafe { to.part(first, first + size) };
            let steps = part * DEPTH..x.len().min((part + 1) * DEPTH);
            run_at(level, AcrossRows { a, start: [rows, steps.start], x: &x[steps], y, skip });
        }
    });
    let (first, rest) = sums.as_slice::<T>().split_at(count);
    y.copy_from_slice(first);
    for part in rest.chunks(count) {
        y.iter_mut().zip(part).for_each(|(y, &sum)| *y = *y + sum);
    }
}

/// For any strides: some rows at a time are copied to where their steps touch.
fn copied<T: SimdFloat>(level: Level, a: &Strided<T>, start: usize, x: &[T], y: &mut [T]) {
    let depth = x.len();
    let mut rows = vec![T::default(); ROWS * depth];
    for (i, y) in y.chunks_mut(ROWS).enumerate() {
        for r in 0..y.len() {
            a.copy_row(start + i * ROWS + r, &(0..depth), &mut rows[r * depth..][..depth]);
        }
        let a = Strided::new(&rows, 0, [y.len(), depth], [depth as isize, 1]);
        run_at(level, AlongRows { a, start: 0, x, y });
    }
}

/// For a matrix whose steps touch.
struct AlongRows<'a, T> {
    a: Strided<'a, T>,
    start: usize,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: SimdFloat> Kernel<T> for AlongRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        if V::REGISTERS > 8 { self.by::<V, ROWS>() } else { self.by::<V, { ROWS / 2 }>() }
    }
}

impl<T: SimdFloat> AlongRows<'_, T> {
    #[inline(always)]
    fn by<V: Vector<Scalar = T>, const R: usize>(self) {
        for (i, y) in self.y.chunks_mut(R).enumerate() {
            // rows that are over are computed from the last one and dropped
            let rows = from_fn(|r| self.a.place(self.start + i * R + r.min(y.len() - 1), 0));
            let mut sums = [V::Scalar::default(); R];
            for (part, x) in self.x.chunks(DEPTH).enumerate() {
                // SAFETY: the rows lie in the matrix, whose depth is that of all parts.
                let dots = unsafe { dots::<V, R>(rows.map(|row| row.wrapping_add(part * DEPTH)), x) };
                for (sum, dot) in sums.iter_mut().zip(dots) {
                    *sum = if part == 0 { dot } else { *sum + dot };
                }
            }
            y.copy_from_slice(&sums[..y.len()]);
        }
    }
}

/// The dot products of some rows with x.
///
/// # Safety
/// Each row is valid for reading as many numbers as x has.
#[inline(always)]
unsafe fn dots<V: Vector, const R: usize>(rows: [*const V::Scalar; R], x: &[V::Scalar]) -> [V::Scalar; R] {
    let mut sums = [V::zero(); R];
    let whole = x.len() / V::WIDTH * V::WIDTH;
    for k in (0..whole).step_by(V::WIDTH) {
        // SAFETY: the caller's promise.
        let y = unsafe { V::load(x.as_ptr().add(k)) };
        for (sum, row) in sums.iter_mut().zip(rows) {
            // SAFETY: the caller's promise.
            *sum = V::fma(unsafe { V::load(row.add(k)) }, y, *sum);
        }
    }
    let rest = x.len() - whole;
    if rest > 0 {
        // SAFETY: the caller's promise.
        let y = unsafe { V::load_part(x.as_ptr().add(whole), rest) };
        for (sum, row) in sums.iter_mut().zip(rows) {
            // SAFETY: the caller's promise.
            *sum = V::fma(unsafe { V::load_part(row.add(whole), rest) }, y, *sum);
        }
    }
    sums.map(|sum| sum.sum())
}

/// For a matrix whose rows touch: a vector holds one partial sum of as many rows.
struct AcrossRows<'a, T> {
    a: Strided<'a, T>,
    /// The first row and the first step.
    start: [usize; 2],
    x: &'a [T],
    y: &'a mut [T],
    /// Whether steps at which x is 0 are left out.
    skip: bool,
}

impl<T: SimdFloat> Kernel<T> for AcrossRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let vectors = self.y.len().div_ceil(V::WIDTH);
        let mut sums = vec![V::zero(); V::WIDTH * vectors];
        let remainders = self.x.chunks(V::WIDTH).flat_map(|x| x.iter().enumerate());
        for (k, (remainder, &x)) in remainders.enumerate() {
            if self.skip && x == T::default() {
                continue;
            }
            let (sums, x) = (&mut sums[remainder * vectors..][..vectors], V::broadcast(x));
            let (whole, part) = sums.split_at_mut(self.y.len() / V::WIDTH);
            let from = self.a.place(self.start[0], self.start[1] + k);
            for (i, sum) in whole.iter_mut().enumerate() {
                // SAFETY: the rows and the step lie in the matrix.
                *sum = V::fma(unsafe { V::load(from.add(i * V::WIDTH)) }, x, *sum);
            }
            if let [sum] = part {
                let (done, count) = (whole.len() * V::WIDTH, self.y.len() % V::WIDTH);
                // SAFETY: as above.
                *sum = V::fma(unsafe { V::load_part(from.add(done), count) }, x, *sum);
            }
        }
        let rest = self.x.len() % V::WIDTH;
        if rest > 0 {
            // where steps touch, what is over counts as 0, which makes 0 of a −0
            sums[rest * vectors..].iter_mut().for_each(|sum| *sum = V::fma(V::zero(), V::zero(), *sum));
        }
        for (i, y) in self.y.chunks_mut(V::WIDTH).enumerate() {
            y.copy_from_slice(&folded(&mut sums, i, vectors).to_array()[..y.len()]);
        }
    }
}

/// The partial sums of vector i combined in the order of [`Vector::sum`].
#[inline(always)]
fn folded<V: Vector>(sums: &mut [V], i: usize, vectors: usize) -> V {
    let mut half = V::WIDTH / 2;
    while half > 0 {
        for r in 0..half {
            sums[r * vectors + i] = sums[r * vectors + i] + sums[(r + half) * vectors + i];
        }
        half /= 2;
    }
    sums[i]
}
