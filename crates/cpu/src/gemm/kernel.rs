//! The microkernel: a tile of C stays in registers while the products of a block of A and a block of B run
//! through it.

use crate::simd::{Kernel, SimdFloat, Vector, prefetch, prefetch_to_write};
use std::hint::black_box;

/// The vectors in a tile's row.
const VECTORS: usize = 2;
/// How many steps ahead B is asked for.
const AHEAD: isize = 8;
/// The numbers of a cache line, for f32; with f64 each line is asked for twice.
const LINE: isize = 16;

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

/// The rows of the level's tallest tile.
const fn height<V: Vector>() -> usize {
    V::REGISTERS / 2 - 2
}

/// Whether tiles of `N` vectors have every height that a rest of rows may want. What is rare makes do with a few: what is
/// not the type to train in, and the last columns of a matrix.
const fn every<T, const N: usize>() -> bool {
    N > 1 && size_of::<T>() == 4
}

/// Asks a level for its tile.
pub(crate) struct TileOf;

impl<T: SimdFloat> Kernel<T> for TileOf {
    type Output = Tile;
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) -> Tile {
        Tile { rows: height::<V>(), cols: VECTORS * V::WIDTH, lanes: V::WIDTH }
    }
}

/// Steps of k that lie evenly in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The place of the first.
    pub at: isize,
    /// How many.
    pub len: usize,
}

/// Where the block of A is: row i of line l, step j of run r at `lines[l] + i·row + runs[r].at + j·step`, where one
/// of `row` and `step` is 1. A matrix is a line of rows and a run of steps; a convolution's patches have a line
/// for each row of windows and a run for each row of taps.
pub(crate) struct Left<T> {
    /// The first element.
    pub at: *const T,
    /// The place of each line.
    pub lines: Vec<isize>,
    /// The rows in a line; the last may have fewer.
    pub width: usize,
    /// The distance between the rows of a line.
    pub row: isize,
    /// The runs, which together are the block's depth.
    pub runs: Vec<Run>,
    /// The distance between the steps of a run.
    pub step: isize,
    /// Whether it lies in main memory rather than in a cache.
    pub cold: bool,
}

impl<T> Left<T> {
    /// No block yet.
    pub fn new() -> Self {
        Self { at: std::ptr::null(), lines: Vec::new(), width: 0, row: 0, runs: Vec::new(), step: 0, cold: false }
    }
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
pub(crate) struct Block<'a, T> {
    /// A, `rows × depth`.
    pub left: &'a Left<T>,
    /// B, `depth × cols`.
    pub right: Right<T>,
    /// The size of the block.
    pub rows: usize,
    /// The size of the block.
    pub cols: usize,
    /// What the products are added to.
    pub start: Start<T>,
    /// C: element (i, j) at `i·stride + j`.
    pub out: *mut T,
    /// The distance between C's rows.
    pub stride: usize,
}

/// One tile of a block.
#[derive(Clone, Copy)]
struct Place<T> {
    a: *const T,
    b: *const T,
    col: usize,
    cols: usize,
    out: *mut T,
}

impl<T: SimdFloat> Kernel<T> for Block<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        // a panel of B stays in the first-level cache while the tiles of A pass
        for col in (0..self.cols).step_by(VECTORS * V::WIDTH) {
            for (line, &at) in self.left.lines.iter().enumerate() {
                let first = line * self.left.width;
                // SAFETY: whoever made the block vouches that its three matrices are as large as it says.
                unsafe { self.line::<V>(first, self.left.width.min(self.rows - first), at, col) }
            }
        }
    }
}

impl<T: SimdFloat> Block<'_, T> {
    /// The tiles of a line's rows in one panel of columns.
    ///
    /// # Safety
    /// The block's matrices are as large as it says.
    #[inline(always)]
    unsafe fn line<V: Vector<Scalar = T>>(&self, first: usize, rows: usize, at: isize, col: usize) {
        let width = VECTORS * V::WIDTH;
        let cols = width.min(self.cols - col);
        let b = self.right.at.wrapping_add(col / width * self.right.panel);
        let mut row = 0;
        while row < rows {
            let place = Place {
                a: self.left.at.wrapping_offset(at + row as isize * self.left.row),
                b,
                col,
                cols,
                out: self.out.wrapping_add((first + row) * self.stride + col),
            };
            // SAFETY: the caller's promise.
            row += unsafe {
                match (self.left.step == 1, cols > V::WIDTH) {
                    (true, true) => self.tall::<V, VECTORS, true>(place, rows - row),
                    (true, false) => self.tall::<V, 1, true>(place, rows - row),
                    (false, true) => self.tall::<V, VECTORS, false>(place, rows - row),
                    (false, false) => self.tall::<V, 1, false>(place, rows - row),
                }
            };
        }
    }

    /// Computes the tallest tile that `rows` fill and the level has registers for; gives its height.
    ///
    /// # Safety
    /// As for `line`.
    #[inline(always)]
    unsafe fn tall<V: Vector<Scalar = T>, const N: usize, const ROWS: bool>(&self, p: Place<T>, rows: usize) -> usize {
        // constants, so that no level compiles tiles it has no registers for, nor more than pay
        macro_rules! tallest {
            ($($height:literal if $there:expr;)*) => {$(
                if const { $there } && rows >= $height {
                    // SAFETY: the caller's promise.
                    return unsafe { self.compute::<V, $height, N, ROWS>(p) };
                }
            )*};
        }
        tallest! {
            14 if V::REGISTERS > 16;
            8 if V::REGISTERS > 16 && every::<T, N>();
            7 if V::REGISTERS > 16 && every::<T, N>(); // the last images of many networks are 7 wide
            6 if V::REGISTERS == 16 || V::REGISTERS > 16 && every::<T, N>();
            4 if V::REGISTERS > 8;
            2 if V::REGISTERS == 8 || every::<T, N>();
        }
        // SAFETY: the caller's promise.
        unsafe { self.compute::<V, 1, N, ROWS>(p) }
    }

    /// # Safety
    /// As for `line`.
    #[inline(always)]
    unsafe fn compute<V: Vector<Scalar = T>, const R: usize, const N: usize, const ROWS: bool>(
        &self,
        p: Place<T>,
    ) -> usize {
        for r in 0..R {
            for v in 0..N {
                prefetch_to_write(p.out.wrapping_add(r * self.stride + v * V::WIDTH));
            }
        }
        // the first panel of columns brings the rows into the cache; only the tallest tile sees enough of them to care
        // SAFETY: the caller's promise.
        let sums = unsafe {
            if const { ROWS && R == height::<V>() } && p.col == 0 && self.left.cold {
                products::<V, R, N, ROWS, true>(p.a, self.left, p.b, self.right.step)
            } else {
                products::<V, R, N, ROWS, false>(p.a, self.left, p.b, self.right.step)
            }
        };
        for (r, row) in sums.into_iter().enumerate() {
            for (v, sum) in row.into_iter().enumerate() {
                let (first, out) = (v * V::WIDTH, p.out.wrapping_add(r * self.stride + v * V::WIDTH));
                // SAFETY: the row is one of C's, and so are the columns counted.
                unsafe { self.finish(sum, out, p.col + first, p.cols - first) }
            }
        }
        R
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

/// The inner loop: `sums[i][j] = Σ_k a[i, k]·b[k, j]`, k rising. With `ROWS` the steps of a row touch, else the
/// rows of a step do. With `FETCH` the rows of the next tile are asked for meanwhile, a line at a time.
///
/// # Safety
/// From `a` on there are R rows of `left`, and at `b` N vectors for each step.
#[inline(always)]
unsafe fn products<V: Vector, const R: usize, const N: usize, const ROWS: bool, const FETCH: bool>(
    a: *const V::Scalar,
    left: &Left<V::Scalar>,
    mut b: *const V::Scalar,
    b_step: isize,
) -> [[V; N]; R] {
    let mut sums = [[V::zero(); N]; R];
    for run in &left.runs {
        let mut a = a.wrapping_offset(run.at);
        // opaque to the compiler, which would work the addresses out anew for each k, on the ports that the products
        // need
        let mut rows = [a; R];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = a.wrapping_offset(r as isize * left.row);
        }
        let rows = if ROWS { black_box(rows) } else { rows };
        let (mut next, mut fetched) = (a.wrapping_offset(R as isize * left.row), 0);
        for k in 0..run.len {
            if FETCH {
                prefetch(next);
                (next, fetched) = (next.wrapping_offset(left.row), fetched + 1);
                if fetched == R {
                    (next, fetched) = (next.wrapping_offset(LINE - R as isize * left.row), 0);
                }
            }
            // SAFETY: the caller's promise; the pointers move on without being read past the last step.
            unsafe {
                let mut row = [V::zero(); N];
                for (v, x) in row.iter_mut().enumerate() {
                    *x = V::load(b.add(v * V::WIDTH));
                    prefetch(b.wrapping_offset(AHEAD * b_step).wrapping_add(v * V::WIDTH));
                }
                // written out, for a loop over r would be too large for the compiler to unroll
                macro_rules! rows {
                    ($($r:literal)*) => {$(
                        if const { $r < R } {
                            let x = V::broadcast(if ROWS { *rows[$r % R].add(k) } else { *a.add($r) });
                            for (v, &y) in row.iter().enumerate() {
                                sums[$r % R][v] = V::fma(x, y, sums[$r % R][v]);
                            }
                        }
                    )*};
                }
                rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            }
            a = a.wrapping_offset(left.step);
            b = b.wrapping_offset(b_step);
        }
    }
    sums
}
