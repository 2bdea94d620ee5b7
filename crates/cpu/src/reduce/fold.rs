//! Folding `[outer, n, inner]` over `n` with SIMD, in an order that depends on the sizes alone.
//!
//! `n` is cut into blocks of fixed length; a block is folded by several registers at once, whose chains stay
//! short, and the blocks' results are joined pairwise. The error of a sum so stays below 4·√n·u·Σ|x|
//! (Higham, *Accuracy and Stability of Numerical Algorithms*, §4.2).

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
    /// Two results into one.
    fn join<L: Lane>(a: L, b: L) -> L;
}

macro_rules! fold {
    ($(#[$doc:meta] $name:ident = $neutral:expr, |$a:ident, $b:ident| $join:expr;)*) => {$(
        #[$doc]
        #[derive(Clone, Copy)]
        pub(crate) struct $name;
        impl Fold for $name {
            const NEUTRAL: f64 = $neutral;
            #[inline(always)]
            fn join<L: Lane>($a: L, $b: L) -> L { $join }
        }
    )*};
}
fold! {
    /// Σ.
    Sum = 0.0, |a, b| a + b;
    /// Π.
    Prod = 1.0, |a, b| a * b;
    /// The greatest; NaN wins.
    Max = f64::NEG_INFINITY, |a, b| a.max(b);
    /// The smallest; NaN wins.
    Min = f64::INFINITY, |a, b| a.min(b);
}

/// The numbers that are folded, made from what lies at each place of `[outer, n, inner]`.
pub(crate) trait Term<T: SimdFloat>: Copy + Sync {
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
    #[inline(always)]
    unsafe fn load<V: Vector<Scalar = T>>(self, at: usize, _column: usize) -> V {
        debug_assert!(at + V::WIDTH <= self.0.len());
        // SAFETY: the places are within the extent, which is the slice.
        unsafe { V::load(self.0.as_ptr().add(at)) }
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
/// The registers that fold a row side by side.
const CHAINS: usize = 8;
/// The vectors after which these registers are joined.
const CHUNK: usize = 16 * CHAINS;

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
    if n == 0 || outer * inner == 0 {
        return Buffer::build(outer * inner, |out: &mut [T]| out.fill(Lane::splat(F::NEUTRAL)));
    }
    let (blocks, strips) = (n.div_ceil(extent.block()), inner.div_ceil(STRIP));
    let cost = n.min(extent.block()) * inner.min(STRIP);
    let mut partial = Buffer::build(outer * blocks * inner, |out: &mut [T]| {
        let out = Shared::new(out);
        let grain = (par::GRAIN / cost.max(1)).max(1);
        par::for_ranges(outer * blocks * strips, grain, |start, end| {
            simd::run(Units::<T, F, E> { term, extent, blocks, strips, start, end, out, fold: PhantomData })
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

/// Folds `count` neighbours from place `at`.
///
/// # Safety
/// The places are within the term's extent.
#[inline(always)]
pub(crate) unsafe fn row<V: Vector, F: Fold, E: Term<V::Scalar>>(term: E, at: usize, count: usize) -> V::Scalar
where
    V::Scalar: Number,
{
    let neutral = V::splat(F::NEUTRAL);
    let vectors = count / V::WIDTH;
    let mut total = neutral;
    let mut i = 0;
    while i < vectors {
        let end = (i + CHUNK).min(vectors);
        let mut chain = [neutral; CHAINS];
        while i + CHAINS <= end {
            for (k, c) in chain.iter_mut().enumerate() {
                // SAFETY: vector i + k ends within `count`.
                *c = F::join(*c, unsafe { term.load(at + (i + k) * V::WIDTH, 0) });
            }
            i += CHAINS;
        }
        while i < end {
            // SAFETY: as above.
            chain[0] = F::join(chain[0], unsafe { term.load(at + i * V::WIDTH, 0) });
            i += 1;
        }
        total = F::join(total, tree::<V, F>(chain));
    }
    let mut rest = <V::Scalar as Lane>::splat(F::NEUTRAL);
    for j in vectors * V::WIDTH..count {
        // SAFETY: place j is within `count`.
        rest = F::join(rest, unsafe { term.load(at + j, 0) });
    }
    if vectors == 0 { rest } else { F::join(total.fold(F::join), rest) }
}

/// Eight into one, pairwise.
#[inline(always)]
fn tree<V: Vector, F: Fold>(x: [V; CHAINS]) -> V {
    let [a, b, c, d, e, f, g, h] = x;
    F::join(F::join(F::join(a, b), F::join(c, d)), F::join(F::join(e, f), F::join(g, h)))
}

/// Folds columns `start..` of `rows` rows into `out`, one number for each column.
///
/// # Safety
/// The places are within the term's extent; `at` is the place of column 0 in the first row.
#[inline(always)]
unsafe fn columns<V: Vector, F: Fold, E: Term<V::Scalar>>(
    term: E,
    at: usize,
    rows: usize,
    inner: usize,
    start: usize,
    out: &mut [V::Scalar],
) where
    V::Scalar: Number,
{
    out.fill(Lane::splat(F::NEUTRAL));
    let whole = out.len() / V::WIDTH * V::WIDTH;
    let mut r = 0;
    while r < rows {
        let next = if r + CHAINS <= rows { r + CHAINS } else { r + 1 };
        // SAFETY: rows r..next and the strip's columns are within the extent.
        unsafe {
            let (vectors, rest) = out.split_at_mut(whole);
            step::<V, F, E>(term, at + r * inner, next - r, inner, start, vectors);
            step::<V::Scalar, F, E>(term, at + r * inner, next - r, inner, start + whole, rest);
        }
        r = next;
    }
}

/// Joins eight rows, or one, to `out`, whose length is a multiple of the vectors' width.
///
/// # Safety
/// As for [`columns`].
#[inline(always)]
unsafe fn step<V: Vector, F: Fold, E: Term<V::Scalar>>(
    term: E,
    at: usize,
    rows: usize,
    inner: usize,
    start: usize,
    out: &mut [V::Scalar],
) {
    for (j, out) in out.chunks_exact_mut(V::WIDTH).enumerate() {
        let column = start + j * V::WIDTH;
        // SAFETY: the caller's promise; `out` is one vector long.
        unsafe {
            let mut new = [V::splat(F::NEUTRAL); CHAINS];
            if rows == CHAINS {
                for (r, new) in new.iter_mut().enumerate() {
                    *new = term.load(at + r * inner + column, column);
                }
                new[0] = tree::<V, F>(new);
            } else {
                new[0] = term.load(at + column, column);
            }
            F::join(V::load(out.as_ptr()), new[0]).store(out.as_mut_ptr());
        }
    }
}

/// Folds `rows` rows of fewer than [`NARROW`] columns: `WIDTH` rows are as many whole vectors as there are
/// columns.
///
/// # Safety
/// The places are within the term's extent; `at` is the place of the first row.
#[inline(always)]
unsafe fn narrow<V: Vector, F: Fold, E: Term<V::Scalar>>(term: E, at: usize, rows: usize, out: &mut [V::Scalar])
where
    V::Scalar: Number,
{
    let inner = out.len();
    out.fill(Lane::splat(F::NEUTRAL));
    let mut chain = [V::splat(F::NEUTRAL); NARROW];
    let groups = rows / V::WIDTH;
    for g in 0..groups {
        for (k, c) in chain[..inner].iter_mut().enumerate() {
            // SAFETY: group g of rows ends within the extent.
            *c = F::join(*c, unsafe { term.load(at + (g * inner + k) * V::WIDTH, k * V::WIDTH) });
        }
    }
    if groups > 0 {
        let mut flat = [V::Scalar::default(); 16 * NARROW];
        for (c, to) in chain[..inner].iter().zip(flat.chunks_exact_mut(V::WIDTH)) {
            // SAFETY: `to` is one vector long.
            unsafe { c.store(to.as_mut_ptr()) };
        }
        for r in flat[..inner * V::WIDTH].chunks_exact(inner) {
            out.iter_mut().zip(r).for_each(|(y, &x)| *y = F::join(*y, x));
        }
    }
    for r in groups * V::WIDTH..rows {
        for (c, y) in out.iter_mut().enumerate() {
            // SAFETY: row r and column c are within the extent.
            *y = F::join(*y, unsafe { term.load(at + r * inner + c, c) });
        }
    }
}
