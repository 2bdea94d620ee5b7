//! Folding one block: along a row, or down some columns.

use super::fold::{Fold, NARROW, Number, Term};
use crate::simd::Vector;
use cotangent_base::Lane;

/// The registers that fold a row side by side.
const CHAINS: usize = 8;
/// The vectors after which these registers are joined.
const CHUNK: usize = 16 * CHAINS;

/// Folds `count` neighbours from place `at`.
///
/// # Safety
/// The places are within the term's extent.
#[inline(always)]
pub(super) unsafe fn row<V: Vector, F: Fold, E: Term<V::Scalar>>(term: E, at: usize, count: usize) -> V::Scalar
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
pub(super) unsafe fn columns<V: Vector, F: Fold, E: Term<V::Scalar>>(
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
pub(super) unsafe fn narrow<V: Vector, F: Fold, E: Term<V::Scalar>>(
    term: E,
    at: usize,
    rows: usize,
    out: &mut [V::Scalar],
) where
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
