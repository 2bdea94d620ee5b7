//! Folding `[outer, n, inner]` over `n` with SIMD, in an order that depends on the sizes alone.
//!
//! `n` is cut into blocks of fixed length; a block is folded by several registers at once, whose chains stay
//! short, and the blocks' results are joined pairwise. The error of a sum so stays below 4·√n·u·Σ|x|
//! (Higham, *Accuracy and Stability of Numerical Algorithms*, §4.2).

use super::block::{columns, narrow, row};
use crate::Buffer;
use crate::par::{self, Shared};
use crate::simd::{self, Kernel, SimdFloat, Vector};
use cotangent_base::Lane;
use std::marker::PhantomData;

/// A float that is also its own vector of one: what the ends of loops run on.
pub(crate) trait Number: SimdFloat + Vector<Scalar = Self> {}
impl<T: SimdFloat + Vector<Scalar = T>> Number for T {}

/// An associative way to join two numbers.
pub(crate) trait Fold: Copy + Send + Sync + 'static {
    /// The result of folding nothing.
    const NEUTRAL: f64;
    /// Whether it is worth compiling for every SIMD level; if not, it runs on single numbers.
    const FAST: bool = true;
    /// Two results into one.
    fn join<L: Lane>(a: L, b: L) -> L;
}

macro_rules! fold {
    ($(#[$doc:meta] $name:ident = $neutral:expr, $(fast $fast:literal,)? |$a:ident, $b:ident| $join:expr;)*) => {$(
        #[$doc]
        #[derive(Clone, Copy)]
        pub(crate) struct $name;
        impl Fold for $name {
            const NEUTRAL: f64 = $neutral;
            $(const FAST: bool = $fast;)?
            #[inline(always)]
            fn join<L: Lane>($a: L, $b: L) -> L { $join }
        }
    )*};
}
fold! {
    /// Σ.
    Sum = 0.0, |a, b| a + b;
    /// Π.
    Prod = 1.0, fast false, |a, b| a * b;
    /// The greatest; NaN wins.
    Max = f64::NEG_INFINITY, |a, b| a.max(b);
}

/// The numbers that are folded, made from what lies at each place of `[outer, n, inner]`.
pub(crate) trait Term<T: SimdFloat>: Copy + Sync {
    /// How many places there are.
    fn count(self) -> usize;

    /// This term for row-wise folding (inner = 1) of row `outer`.
    #[inline(always)]
    fn row(self, _outer: usize) -> Self {
        self
    }

    /// The terms of `WIDTH` neighbours from flat place `at`, which is in column `column`.
    ///
    /// # Safety
    /// All the places are within the extent. Below [`NARROW`] columns, `column` runs on through up to 16 rows:
    /// what is given for each column must be repeated 16 times.
    unsafe fn load<V: Vector<Scalar = T>>(self, at: usize, column: usize) -> V;
}

/// The elements themselves.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a, T>(pub &'a [T]);

impl<T: SimdFloat> Term<T> for Elements<'_, T> {
    fn count(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    unsafe fn load<V: Vector<Scalar = T>>(self, at: usize, _column: usize) -> V {
        debug_assert!(at + V::WIDTH <= self.0.len());
        // SAFETY: the places are within the extent, which is the slice.
        unsafe { V::load(self.0.as_ptr().add(at)) }
    }
}

/// The elements, or their negatives: the greatest of those is the negative of the smallest, so that one fold finds both.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a, T> {
    /// The elements.
    pub x: &'a [T],
    /// 1 or −1.
    pub sign: T,
}

impl<T: SimdFloat> Term<T> for Signed<'_, T> {
    fn count(self) -> usize {
        self.x.len()
    }

    #[inline(always)]
    unsafe fn load<V: Vector<Scalar = T>>(self, at: usize, column: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::broadcast(self.sign) * Elements(self.x).load::<V>(at, column) }
    }
}

/// The sizes `[outer, n, inner]` of a contiguous array that is folded over `n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extent {
    /// How many times.
    pub outer: usize,
    /// The length of what is folded.
    pub n: usize,
    /// The distance between neighbours along `n`.
    pub inner: usize,
}

/// Fewer columns than this are folded several rows at a time.
pub(crate) const NARROW: usize = 16;
/// How many columns are folded at a time: their rows and results stay in the nearest cache.
const STRIP: usize = 512;

impl Extent {
    /// The length that `n` is cut into.
    fn block(self) -> usize {
        match self.inner {
            1 => 1 << 16,
            inner if inner < NARROW => 128,
            _ => 512,
        }
    }
}

/// The fold of `term` over the extent's `n`: `[outer, inner]`.
pub(crate) fn fold<T: Number, F: Fold, E: Term<T>>(_: F, term: E, extent: Extent) -> Buffer {
    let Extent { outer, n, inner } = extent;
    assert_eq!(term.count(), outer * n * inner, "a fold is over all of an array");
    if n == 0 || outer * inner == 0 {
        return Buffer::build(outer * inner, |out: &mut [T]| out.fill(Lane::splat(F::NEUTRAL)));
    }
    let (blocks, strips) = (n.div_ceil(extent.block()), inner.div_ceil(STRIP));
    let cost = n.min(extent.block()) * inner.min(STRIP);
    let mut partial = Buffer::build(outer * blocks * inner, |out: &mut [T]| {
        let out = Shared::new(out);
        let grain = (par::GRAIN / cost.max(1)).max(1);
        par::for_ranges(outer * blocks * strips, grain, move |start, end| {
            let units = Units::<T, F, E> { term, extent, blocks, strips, start, end, out, fold: PhantomData };
            if const { F::FAST } { simd::run(units) } else { units.run::<T>() }
        });
    });
    if blocks > 1 {
        partial = join_blocks::<T, F>(partial, outer, blocks, inner);
    }
    partial
}

/// Joins `[outer, blocks, inner]` pairwise to `[outer, inner]`.
fn join_blocks<T: Number, F: Fold>(mut partial: Buffer, outer: usize, blocks: usize, inner: usize) -> Buffer {
    Buffer::build(outer * inner, |out: &mut [T]| {
        let all = partial.as_mut::<T>();
        for (part, out) in all.chunks_mut(blocks * inner).zip(out.chunks_mut(inner)) {
            let mut step = 1;
            while step < blocks {
                for i in (0..blocks - step).step_by(2 * step) {
                    let (left, right) = part.split_at_mut((i + step) * inner);
                    for (a, &b) in left[i * inner..][..inner].iter_mut().zip(&right[..inner]) {
                        *a = F::join(*a, b);
                    }
                }
                step *= 2;
            }
            out.copy_from_slice(&part[..inner]);
        }
    })
}

/// The units `start..end` of the work: unit (outer, block, strip) writes its strip of the partial result.
struct Units<T, F, E> {
    term: E,
    extent: Extent,
    blocks: usize,
    strips: usize,
    start: usize,
    end: usize,
    out: Shared<T>,
    fold: PhantomData<F>,
}

impl<T: Number, F: Fold, E: Term<T>> Kernel<T> for Units<T, F, E> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Extent { n, inner, .. } = self.extent;
        for unit in self.start..self.end {
            let (part, strip) = if self.strips == 1 { (unit, 0) } else { (unit / self.strips, unit % self.strips) };
            let (outer, block) = if self.blocks == 1 { (part, 0) } else { (part / self.blocks, part % self.blocks) };
            let first = block * self.extent.block();
            let rows = (n - first).min(self.extent.block());
            let at = (outer * n + first) * inner;
            // SAFETY: the unit's rows and columns are within the extent, and its part of `out` is its own.
            unsafe {
                if inner == 1 {
                    self.out.ptr().add(part).write(row::<V, F, E>(self.term.row(outer), at, rows));
                } else {
                    let (start, end) = (strip * STRIP, ((strip + 1) * STRIP).min(inner));
                    let out = self.out.part(part * inner + start, part * inner + end);
                    if inner < NARROW {
                        narrow::<V, F, E>(self.term, at, rows, out);
                    } else {
                        columns::<V, F, E>(self.term, at, rows, inner, start, out);
                    }
                }
            }
        }
    }
}
