//! The microkernel: a tile of C stays in registers while the products of a block of A and a block of B run
//! through it.

use crate::simd::{Kernel, SimdFloat, Vector, prefetch, prefetch_far, prefetch_to_write};
use std::borrow::Cow;
use std::ops::Range;

/// The vectors in a tile's row.
const VECTORS: usize = 2;
/// How many steps ahead B is asked for.
const AHEAD: isize = 8;
/// So many steps are computed between two times that what is needed later is asked for: those of a cache line, for f32.
const STRETCH: usize = 16;
/// With so many steps to go C is asked for: early enough, and late enough for it to stay in the first-level cache.
const LAST: usize = 64;

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

/// The vectors in a row of the level's widest tile. With rows of A that do not touch, tall tiles would need more registers
/// for pointers than there are; wide ones take two panels of B side by side.
const fn width<V: Vector>() -> usize {
    if V::REGISTERS > 16 && size_of::<V::Scalar>() == 4 { 2 * VECTORS } else { VECTORS }
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

/// Where the rows of a matrix lie: row i at `lines[(skip + i) / width] + (skip + i) % width · row`. A matrix is one line of
/// rows; the windows of a convolution are a line for each of their rows.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The place of each line.
    pub lines: Cow<'static, [isize]>,
    /// The rows in a line.
    pub width: usize,
    /// The rows of the first line that are left out.
    pub skip: usize,
    /// The distance between the rows of a line.
    pub row: isize,
}

impl Rows {
    /// Rows as far apart as that.
    pub fn even(row: isize) -> Self {
        Self { lines: Cow::Borrowed(&[0]), width: usize::MAX, skip: 0, row }
    }

    /// Writes the places of `count` rows as far apart as `row` to `to`.
    pub fn find_even<T>(base: *const T, row: isize, count: usize, to: &mut Vec<*const T>) {
        to.clear();
        to.extend((0..count as isize).map(|r| base.wrapping_offset(r * row)));
    }

    /// Writes the places of some rows, counted from `base`, to `to`.
    pub fn find<T>(&self, base: *const T, rows: Range<usize>, to: &mut Vec<*const T>) {
        to.clear();
        let mut row = rows.start + self.skip;
        let end = rows.end + self.skip;
        while row < end {
            let (line, column) = if row < self.width { (0, row) } else { (row / self.width, row % self.width) };
            let at = base.wrapping_offset(self.lines[line] + column as isize * self.row);
            let count = (self.width - column).min(end - row);
            to.extend((0..count).map(|r| at.wrapping_offset(r as isize * self.row)));
            row += count;
        }
    }

    /// Whether the first `rows` rows, `cols` long, lie in a buffer of so many numbers, each behind the one before.
    pub fn hold(&self, rows: usize, cols: usize, len: usize) -> bool {
        let last = self.skip + rows - 1;
        let line = (last.min(self.width - 1)) as isize * self.row + cols as isize;
        let rises = self.lines[..=last / self.width].windows(2).all(|l| l[1] - l[0] >= line);
        let apart = rows == 1 || self.width == 1 || self.row >= cols as isize;
        self.lines[0] >= 0 && rises && apart && self.place(rows - 1) as usize + cols <= len
    }

    /// The place of a row.
    pub fn place(&self, row: usize) -> isize {
        let row = self.skip + row;
        self.lines[row / self.width] + (row % self.width) as isize * self.row
    }
}

/// Where the block of A is: step j of run r of row i at `runs[r].at + j·step` from `rows[i]`. A matrix is a run of steps; a
/// convolution's patches have a run for each row of taps.
pub(crate) struct Left<T> {
    /// The first number of each row.
    pub rows: Vec<*const T>,
    /// The runs, which together are the block's depth.
    pub runs: Vec<Run>,
    /// The distance between the steps of a run.
    pub step: isize,
    /// Whether it lies in main memory rather than in a cache; its steps touch then, or its rows.
    pub cold: bool,
    /// The rows that were copied last, where a block of A keeps them.
    pub held: Range<usize>,
}

impl<T> Left<T> {
    /// No block yet.
    pub fn new() -> Self {
        Self { rows: Vec::new(), runs: Vec::new(), step: 0, cold: false, held: 0..0 }
    }

    /// The steps of all runs.
    #[inline(never)]
    fn depth(&self) -> usize {
        self.runs.iter().map(|run| run.len).sum()
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

/// `C = start + A·B` for one block of each: all tiles of the block, which has a row of C for each row of A.
pub(crate) struct Block<'a, T> {
    /// A, `rows × depth`.
    pub left: &'a Left<T>,
    /// B, `depth × cols`.
    pub right: Right<T>,
    /// The columns of B and C.
    pub cols: usize,
    /// What the products are added to.
    pub start: Start<T>,
    /// The first number of each row of C.
    pub out: &'a [*const T],
}

/// One tile of a block.
#[derive(Clone, Copy)]
struct Place<T> {
    row: usize,
    b: *const T,
    col: usize,
    cols: usize,
    /// The steps of all runs.
    depth: usize,
    /// What of B is asked for meanwhile.
    ahead: Ahead<T>,
}

/// Rows of the next panel of B.
#[derive(Clone, Copy)]
struct Ahead<T> {
    at: *const T,
    rows: usize,
}

impl<T: SimdFloat> Kernel<T> for Block<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let panel = VECTORS * V::WIDTH;
        let depth = self.left.depth();
        let apart = !self.touch(0, height::<V>());
        let mut col = 0;
        while col < self.cols {
            let wide = const { width::<V>() > VECTORS } && apart && self.cols - col >= 2 * panel;
            let cols = (self.cols - col).min(if wide { 2 * panel } else { panel });
            let b = self.right.at.wrapping_add(col / panel * self.right.panel);
            let at = b.wrapping_add(cols.div_ceil(panel) * self.right.panel);
            // each of the tiles asks for its part of the next panel
            let each = (depth * if wide { height::<V>() / 2 - 1 } else { height::<V>() }).div_ceil(self.out.len());
            let rows = if col + cols < self.cols { each } else { 0 };
            let mut place = Place { row: 0, b, col, cols, depth, ahead: Ahead { at, rows } };
            while place.row < self.out.len() {
                // SAFETY: whoever made the block vouches that its three matrices are as large as it says.
                place.row += unsafe {
                    if const { width::<V>() > VECTORS } && wide {
                        self.tall::<V, { 2 * VECTORS }, true>(place)
                    } else if cols <= V::WIDTH {
                        self.tall::<V, 1, true>(place)
                    } else if const { every::<T, VECTORS>() } && self.touch(place.row, height::<V>()) {
                        self.tall::<V, VECTORS, false>(place)
                    } else {
                        self.tall::<V, VECTORS, true>(place)
                    }
                };
                place.ahead.at = place.ahead.at.wrapping_offset(rows as isize * self.right.step);
            }
            col += cols;
        }
    }
}

impl<T: SimdFloat> Block<'_, T> {
    /// Whether the rows of A from `row` on touch, as many as a tile has at most.
    #[inline(always)]
    fn touch(&self, row: usize, most: usize) -> bool {
        let rows = &self.left.rows[row..self.out.len().min(row + most)];
        self.left.step != 1 && rows.iter().enumerate().all(|(r, &row)| row == rows[0].wrapping_add(r))
    }

    /// Computes the tallest tile that the rows from the place on fill and the level has registers for; gives its height.
    ///
    /// # Safety
    /// The block's matrices are as large as it says.
    #[inline(always)]
    unsafe fn tall<V: Vector<Scalar = T>, const N: usize, const APART: bool>(&self, p: Place<T>) -> usize {
        let rows = self.out.len() - p.row;
        // constants, so that no level compiles tiles it has no registers for, nor more than pay: four rows of two vectors
        // have sums enough to hide a multiply-add's latency
        macro_rules! tallest {
            ($($height:literal if $there:expr;)*) => {$(
                if const { $there } && rows >= $height {
                    // SAFETY: the caller's promise.
                    return unsafe { self.compute::<V, $height, N, APART>(p) };
                }
            )*};
        }
        tallest! {
            14 if V::REGISTERS > 16 && N <= VECTORS;
            6 if V::REGISTERS == 16 || N > VECTORS;
            4 if V::REGISTERS > 8 && size_of::<T>() == 4;
            2 if V::REGISTERS == 8 || every::<T, N>();
        }
        // SAFETY: the caller's promise.
        unsafe { self.compute::<V, 1, N, APART>(p) }
    }

    /// # Safety
    /// As for `tall`.
    #[inline(always)]
    unsafe fn compute<V: Vector<Scalar = T>, const R: usize, const N: usize, const APART: bool>(
        &self,
        p: Place<T>,
    ) -> usize {
        // SAFETY: the caller's promise.
        let sums = unsafe { self.products::<V, R, N, APART>(p) };
        if const { every::<T, N>() } && p.cols >= N * V::WIDTH {
            // SAFETY: the caller's promise; the tile has all its columns.
            unsafe { self.finish_whole(&sums, p) }
            return R;
        }
        for (row, out) in sums.into_iter().zip(&self.out[p.row..]) {
            for (v, sum) in row.into_iter().enumerate() {
                let (first, col) = (v * V::WIDTH, p.col + v * V::WIDTH);
                // SAFETY: the row is one of C's, and so are the columns counted.
                unsafe { self.finish(sum, out.cast_mut().wrapping_add(col), col, p.cols - first) }
            }
        }
        R
    }

    /// Adds the start to the sums of a tile and writes them.
    ///
    /// # Safety
    /// C has the tile's rows and columns, and the bias its columns.
    #[inline(always)]
    unsafe fn finish_whole<V: Vector<Scalar = T>, const R: usize, const N: usize>(
        &self,
        sums: &[[V; N]; R],
        p: Place<T>,
    ) {
        let bias: [V; N] = std::array::from_fn(|v| match self.start {
            // SAFETY: the caller's promise.
            Start::Bias(bias) => unsafe { V::load(bias.add(p.col + v * V::WIDTH)) },
            _ => V::zero(),
        });
        macro_rules! rows {
            ($next:expr; $($r:literal)*) => {{$(
                if const { $r < R } {
                    let out = self.out[p.row + $r].cast_mut().wrapping_add(p.col);
                    for v in 0..N {
                        // SAFETY: the caller's promise.
                        unsafe {
                            let to = out.add(v * V::WIDTH);
                            (sums[$r % R][v] + $next(to, v)).store(to);
                        }
                    }
                }
            )*}};
        }
        match self.start {
            Start::Out => rows!(|to: *mut T, _| V::load(to); 0 1 2 3 4 5 6 7 8 9 10 11 12 13),
            _ => rows!(|_, v: usize| bias[v]; 0 1 2 3 4 5 6 7 8 9 10 11 12 13),
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
            let sum = match self.start {
                // as where there is a bias: a −0 becomes 0 in every tile
                Start::Zero => sum + V::zero(),
                Start::Bias(bias) => sum + V::load_next(bias.add(col), count),
                Start::Out => sum + V::load_next(out, count),
            };
            sum.store_next(out, count);
        }
    }

    /// The inner loop: `sums[i][j] = Σ_k a[i, k]·b[k, j]`, k rising. Without `APART` the rows touch, and one
    /// pointer serves for all.
    ///
    /// # Safety
    /// The R rows hold the steps of `left`, and from `p.b` on there are N vectors for each step, in panels.
    #[inline(always)]
    unsafe fn products<V: Vector<Scalar = T>, const R: usize, const N: usize, const APART: bool>(
        &self,
        p: Place<T>,
    ) -> [[V; N]; R] {
        let mut sums = [[V::zero(); N]; R];
        let rows: [_; R] = std::array::from_fn(|r| self.left.rows[p.row + r]);
        let (mut b, b_step, step) = (p.b, self.right.step, self.left.step);
        let mut later = Later { ahead: p.ahead, to_go: p.depth, asked: 0 };
        for run in &self.left.runs {
            let (mut k, mut steps) = (run.at, run.len);
            while steps > 0 {
                let some = steps.min(STRETCH);
                self.ask::<V, R, N>(p, &mut later, k, some);
                steps -= some;
                let end = k + some as isize * step;
                while k != end {
                    // SAFETY: the caller's promise; b moves on without being read past the last step.
                    unsafe {
                        let mut row = [V::zero(); N];
                        for (v, x) in row.iter_mut().enumerate() {
                            let at = b.wrapping_add(v / VECTORS * self.right.panel + v % VECTORS * V::WIDTH);
                            *x = V::load(at);
                            prefetch(at.wrapping_offset(AHEAD * b_step));
                        }
                        // written out, for a loop over r would be too large for the compiler to unroll
                        macro_rules! rows {
                            ($($r:literal)*) => {$(
                                if const { $r < R } {
                                    let x = V::broadcast(if APART { *rows[$r % R].offset(k) } else { *rows[0].offset(k).add($r) });
                                    for (v, &y) in row.iter().enumerate() {
                                        sums[$r % R][v] = V::fma(x, y, sums[$r % R][v]);
                                    }
                                }
                            )*};
                        }
                        rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13);
                    }
                    k += step;
                    b = b.wrapping_offset(b_step);
                }
            }
        }
        sums
    }

    /// Asks for what is needed after the next `some` steps, which begin at `k`.
    #[inline(always)]
    fn ask<V: Vector<Scalar = T>, const R: usize, const N: usize>(
        &self,
        p: Place<T>,
        later: &mut Later<T>,
        k: isize,
        some: usize,
    ) {
        let b_step = self.right.step;
        for _ in 0..later.ahead.rows.min(STRETCH / 8) {
            for v in 0..N {
                let at = v / VECTORS * self.right.panel + v % VECTORS * V::WIDTH;
                prefetch_far(later.ahead.at.wrapping_add(at));
            }
            later.ahead = Ahead { at: later.ahead.at.wrapping_offset(b_step), rows: later.ahead.rows - 1 };
        }
        let next = &self.left.rows[p.row + R..self.out.len()];
        // the first panel of columns brings the rows of A into the cache
        if self.left.cold && p.col == 0 && next.len() >= R {
            if self.left.step == 1 {
                next[..R].iter().for_each(|row| prefetch(row.wrapping_offset(k)));
            } else {
                (0..some as isize).for_each(|i| prefetch(next[R - 1].wrapping_offset(k + i * self.left.step)));
            }
        }
        later.to_go -= some;
        if later.to_go < LAST {
            let until = if later.to_go < STRETCH { R } else { R.min(later.asked + R.div_ceil(LAST / STRETCH)) };
            for row in &self.out[p.row + later.asked..p.row + until] {
                (0..N).for_each(|v| prefetch_to_write(row.wrapping_add(p.col + v * V::WIDTH)));
            }
            later.asked = until;
        }
    }
}

/// What is still to be asked for.
struct Later<T> {
    ahead: Ahead<T>,
    /// The steps that are left.
    to_go: usize,
    /// The rows of C that have been asked for.
    asked: usize,
}
