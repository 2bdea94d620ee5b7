//! A tile of C in registers: its size at each level, and one step of its sums.

use super::operands::Right;
use crate::simd::{Kernel, SimdFloat, Vector, prefetch};

/// The vectors in a panel's row.
pub(super) const VECTORS: usize = 2;
/// The vectors in the row of a wide tile, which takes two panels of B side by side.
pub(super) const WIDE: usize = 2 * VECTORS;
/// The rows of a wide tile.
pub(super) const WIDE_ROWS: usize = 6;
/// How many steps ahead B is asked for.
const AHEAD: isize = 8;
/// The size of a tile of C in numbers: what fills the level's registers with accumulators, less one row of B
/// and one number of A.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    /// The most rows.
    pub rows: usize,
    /// The most columns.
    pub cols: usize,
    /// The columns of a wide tile, or 0.
    pub wide: usize,
    /// The numbers in one vector.
    pub lanes: usize,
}

impl Tile {
    /// A block of B that is packed at `at`, so many steps deep.
    pub fn packed<T>(self, at: *const T, depth: usize) -> Right<T> {
        Right { at, panel: self.cols * depth, step: self.cols as isize }
    }
}

/// The rows of the level's tallest tile.
pub(super) const fn height<V: Vector>() -> usize {
    V::REGISTERS / 2 - 2
}

/// Whether the level has wide tiles. With rows of A that do not touch, tall tiles would need more registers for pointers than
/// there are.
pub(super) const fn has_wide<V: Vector>() -> bool {
    V::REGISTERS > 16 && size_of::<V::Scalar>() == 4
}

/// Whether tiles of `N` vectors have every height that a rest of rows may want. What is rare makes do with a few: what is
/// not the type to train in, and the last columns of a matrix.
pub(super) const fn every<T, const N: usize>() -> bool {
    N > 1 && size_of::<T>() == 4
}

/// Asks a level for its tile.
pub(crate) struct TileOf;

impl<T: SimdFloat> Kernel<T> for TileOf {
    type Output = Tile;
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) -> Tile {
        let wide = if has_wide::<V>() { WIDE * V::WIDTH } else { 0 };
        Tile { rows: height::<V>(), cols: VECTORS * V::WIDTH, wide, lanes: V::WIDTH }
    }
}

/// The places of N vectors of a row of B.
#[inline(always)]
pub(super) fn vectors<V: Vector, const N: usize>(b: Right<V::Scalar>) -> impl Iterator<Item = *const V::Scalar> {
    (0..N).map(move |v| b.at.wrapping_add(v / VECTORS * b.panel + v % VECTORS * V::WIDTH))
}

/// A row of B, as wide as a tile.
///
/// # Safety
/// N vectors lie at `b`, in panels.
#[inline(always)]
pub(super) unsafe fn load<V: Vector, const N: usize>(b: Right<V::Scalar>) -> [V; N] {
    let mut row = [V::zero(); N];
    for (x, at) in row.iter_mut().zip(vectors::<V, N>(b)) {
        // SAFETY: the caller's promise.
        *x = unsafe { V::load(at) };
        prefetch(at.wrapping_offset(AHEAD * b.step));
    }
    row
}

/// Step k: `sums[i][j] += a[i, k]·row[j]`.
///
/// # Safety
/// The rows of A have the step.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const R: usize, const N: usize, const APART: bool>(
    sums: &mut [[V; N]; R],
    rows: &[*const V::Scalar; R],
    k: isize,
    row: [V; N],
) {
    // written out, for a loop over r would be too large for the compiler to unroll
    macro_rules! rows {
        ($($r:literal)*) => {$(
            if const { $r < R } {
                // SAFETY: the caller's promise.
                let x = V::broadcast(unsafe { if APART { *rows[$r % R].offset(k) } else { *rows[0].offset(k).add($r) } });
                for (v, &y) in row.iter().enumerate() {
                    sums[$r % R][v] = V::fma(x, y, sums[$r % R][v]);
                }
            }
        )*};
    }
    rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13);
}
