//! The microkernel: a tile of C stays in registers while the products of a block of A and a block of B run
//! through it.

use crate::simd::{Kernel, SimdFloat, Vector};

/// The vectors in a tile's row.
const VECTORS: usize = 2;

/// The heights that a tile can have. Rows that are over at the edge of C take the next height up; what is
/// computed too much is not stored.
pub(super) const HEIGHTS: [usize; 7] = [1, 2, 4, 6, 8, 11, 14];

/// The distance between the rows of [`Left::Rows`]. A constant, so that the tile's rows cost no registers for
/// their addresses; an odd number of cache lines, so that they do not compete for the same cache sets.
pub(crate) const STRIDE: usize = super::loops::DEPTH + 16;

/// The size of a tile of C in numbers: what fills the level's registers with accumulators, less one row of B
/// and one number of A.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    /// The most rows.
    pub rows: usize,
    /// The most columns.
    pub cols: usize,
    /// The numbers in one vector.
    pub lanes: usize,
}

impl Tile {
    /// The rows that a tile computes to have `rows` of them.
    pub fn height(self, rows: usize) -> usize {
        HEIGHTS.into_iter().find(|&h| h >= rows).unwrap_or(self.rows)
    }
}

/// Asks a level for its tile.
pub(crate) struct TileOf;

impl<T: SimdFloat> Kernel<T> for TileOf {
    type Output = Tile;
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) -> Tile {
        Tile { rows: V::REGISTERS / 2 - 2, cols: VECTORS * V::WIDTH, lanes: V::WIDTH }
    }
}

/// Where the packed block of A is.
#[derive(Clone, Copy)]
pub(crate) enum Left<T> {
    /// Element (i, k) at `i·STRIDE + k`.
    Rows(*const T),
    /// Element (i, k) of tile t at `t·tile + k·step + i`.
    Columns {
        /// The first element.
        at: *const T,
        /// From tile to tile.
        tile: usize,
        /// From k to k.
        step: usize,
    },
}

/// Where the block of B is: element (k, j) of panel p (as wide as a tile) at `p·panel + k·step + j`.
#[derive(Clone, Copy)]
pub(crate) struct Right<T> {
    /// The first element.
    pub at: *const T,
    /// From panel to panel.
    pub panel: usize,
    /// From k to k.
    pub step: isize,
}

/// What the products are added to.
#[derive(Clone, Copy)]
pub(crate) enum Start<T> {
    /// Nothing.
    Zero,
    /// One number for each column.
    Bias(*const T),
    /// What C holds.
    Out,
}

/// `C = start + A·B` for one block of each: all tiles of the block.
pub(crate) struct Block<T> {
    /// A, `rows × depth`.
    pub left: Left<T>,
    /// B, `depth × cols`.
    pub right: Right<T>,
    /// The size of the block.
    pub rows: usize,
    /// The size of the block.
    pub cols: usize,
    /// The size of the block.
    pub depth: usize,
    /// What the products are added to.
    pub start: Start<T>,
    /// C: element (i, j) at `i·stride + j`.
    pub out: *mut T,
    /// The distance between C's rows.
    pub stride: usize,
}

/// One tile of a block.
struct Place<T> {
    a: *const T,
    a_step: usize,
    b: *const T,
    rows: usize,
    col: usize,
    cols: usize,
    out: *mut T,
}

impl<T: SimdFloat> Kernel<T> for Block<T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let (height, width) = (V::REGISTERS / 2 - 2, VECTORS * V::WIDTH);
        // a panel of B stays in the first-level cache while the tiles of A pass
        for col in (0..self.cols).step_by(width) {
            for row in (0..self.rows).step_by(height) {
                // SAFETY: whoever made the block vouches that its three matrices are as large as it says.
                unsafe { self.tile::<V>(row, col, height, width) }
            }
        }
    }
}

impl<T: SimdFloat> Block<T> {
    /// # Safety
    /// The block's matrices are as large as it says.
    #[inline(always)]
    unsafe fn tile<V: Vector<Scalar = T>>(&self, row: usize, col: usize, height: usize, width: usize) {
        let (a, a_step) = match self.left {
            Left::Rows(at) => (at.wrapping_add(row * STRIDE), 1),
            Left::Columns { at, tile, step } => (at.wrapping_add(row / height * tile), step),
        };
        let place = Place {
            a,
            a_step,
            b: self.right.at.wrapping_add(col / width * self.right.panel),
            rows: height.min(self.rows - row),
            col,
            cols: width.min(self.cols - col),
            out: self.out.wrapping_add(row * self.stride + col),
        };
        let wide = place.cols > V::WIDTH;
        // SAFETY: the caller's promise.
        unsafe {
            match (matches!(self.left, Left::Rows(_)), wide) {
                (true, true) => self.tall::<V, VECTORS, true>(place),
                (true, false) => self.tall::<V, 1, true>(place),
                (false, true) => self.tall::<V, VECTORS, false>(place),
                (false, false) => self.tall::<V, 1, false>(place),
            }
        }
    }

    /// Picks the height. The guards keep heights that the level has no registers for out of its code.
    ///
    /// # Safety
    /// As for `tile`.
    #[inline(always)]
    unsafe fn tall<V: Vector<Scalar = T>, const N: usize, const ROWS: bool>(&self, p: Place<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            match p.rows {
                0..=1 => self.compute::<V, 1, N, ROWS>(p),
                2 => self.compute::<V, 2, N, ROWS>(p),
                3..=4 if V::REGISTERS > 8 => self.compute::<V, 4, N, ROWS>(p),
                5..=6 if V::REGISTERS > 8 => self.compute::<V, 6, N, ROWS>(p),
                7..=8 if V::REGISTERS > 16 => self.compute::<V, 8, N, ROWS>(p),
                9..=11 if V::REGISTERS > 16 => self.compute::<V, 11, N, ROWS>(p),
                _ if V::REGISTERS > 16 => self.compute::<V, 14, N, ROWS>(p),
                _ => unreachable!("a tile is no taller than the level's registers allow"),
            }
        }
    }

    /// # Safety
    /// As for `tile`.
    #[inline(always)]
    unsafe fn compute<V: Vector<Scalar = T>, const R: usize, const N: usize, const ROWS: bool>(&self, p: Place<T>) {
        // SAFETY: the caller's promise.
        let sums = unsafe { products::<V, R, N, ROWS>(p.a, p.a_step, p.b, self.right.step, self.depth) };
        for (r, row) in sums.into_iter().enumerate() {
            if r == p.rows {
                break;
            }
            for (v, sum) in row.into_iter().enumerate() {
                let (first, out) = (v * V::WIDTH, p.out.wrapping_add(r * self.stride + v * V::WIDTH));
                // SAFETY: the row is one of C's, and so are the columns counted.
                unsafe { self.finish(sum, out, p.col + first, p.cols - first) }
            }
        }
    }

    /// Adds the start to the sum and writes it.
    ///
    /// # Safety
    /// `out` and the bias from `col` on are valid for `count` numbers or a whole vector.
    #[inline(always)]
    unsafe fn finish<V: Vector<Scalar = T>>(&self, sum: V, out: *mut T, col: usize, count: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if count >= V::WIDTH {
                let sum = match self.start {
                    Start::Zero => sum,
                    Start::Bias(bias) => sum + V::load(bias.add(col)),
                    Start::Out => sum + V::load(out),
                };
                sum.store(out);
            } else {
                let sum = match self.start {
                    Start::Zero => sum,
                    Start::Bias(bias) => sum + V::load_part(bias.add(col), count),
                    Start::Out => sum + V::load_part(out, count),
                };
                sum.store_part(out, count);
            }
        }
    }
}

/// The inner loop: `sums[i][j] = Σ_k a[i, k]·b[k, j]`, k rising.
///
/// # Safety
/// `a` holds R rows and `b` N vectors for each of `depth` steps.
#[inline(always)]
unsafe fn products<V: Vector, const R: usize, const N: usize, const ROWS: bool>(
    mut a: *const V::Scalar,
    a_step: usize,
    mut b: *const V::Scalar,
    b_step: isize,
    depth: usize,
) -> [[V; N]; R] {
    let mut sums = [[V::zero(); N]; R];
    for _ in 0..depth {
        // SAFETY: the caller's promise; the pointers move on without being read past the last step.
        unsafe {
            let mut row = [V::zero(); N];
            for (v, x) in row.iter_mut().enumerate() {
                *x = V::load(b.add(v * V::WIDTH));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = V::broadcast(*a.add(if ROWS { r * STRIDE } else { r }));
                for (sum, &y) in sums.iter_mut().zip(&row) {
                    *sum = V::fma(x, y, *sum);
                }
            }
            a = a.wrapping_add(if ROWS { 1 } else { a_step });
            b = b.wrapping_offset(b_step);
        }
    }
    sums
}
