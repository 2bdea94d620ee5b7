//! The microkernel: a tile of C stays in registers while the products of a block of A and a block of B run
//! through it. What it needs next it asks for meanwhile.

use super::operands::{Left, Right};
use super::tile::{VECTORS, WIDE, WIDE_ROWS, every, has_wide, height, load, multiply, vectors};
use crate::simd::{Kernel, SimdFloat, Vector, prefetch, prefetch_far, prefetch_to_write};

/// The steps of a cache line, for f32.
const LINE: usize = 16;
/// With so many steps to go C is asked for: early enough, and late enough for it to stay in the first-level cache.
const LAST: usize = 64;
/// The steps in a turn of an unrolled loop.
const UNROLL: usize = 4;

/// How a tile reads B: at any distances, by any steps of A;
const ANY: u8 = 0;
/// one vector beside the other in each panel, by steps of A that touch, as for all that follow;
const PACKED: u8 = 1;
/// panels one beside the other, as in a matrix;
const LYING: u8 = 2;
/// as in a matrix, to be packed.
const COPIED: u8 = 3;

/// Whether the loop takes several steps in a turn.
const fn unrolled(b: u8) -> bool {
    b == PACKED || b == LYING
}

/// So many steps are computed between two times that what is needed later is asked for.
const fn stretch(b: u8) -> usize {
    if unrolled(b) { 2 * LINE } else { LINE }
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
    pub left: Left<'a, T>,
    /// B, `depth × cols`.
    pub right: Right<T>,
    /// If B is a packed block of this core's own: what there is still to do for it.
    pub own: Option<Own<T>>,
    /// The columns of B and C.
    pub cols: usize,
    /// What the products are added to.
    pub start: Start<T>,
    /// The first number of each row of C.
    pub out: &'a [*const T],
}

/// What there is to do for a block of B that a core packs for itself. A's steps touch, and its rows fill a wide tile.
#[derive(Clone, Copy)]
pub(crate) struct Own<T> {
    /// Where B lies, if the columns of wide tiles are still to be copied from there.
    pub copy: Option<Right<T>>,
    /// The block that is copied next, if it is known.
    pub next: Option<Right<T>>,
}

/// One tile of a block.
#[derive(Clone, Copy)]
struct Place<T> {
    row: usize,
    b: Right<T>,
    col: usize,
    cols: usize,
    /// The steps of all runs.
    depth: usize,
    /// What of B is asked for meanwhile.
    ahead: Option<Ahead<T>>,
    /// Which of the next tile's rows of A are asked for meanwhile, from and to.
    share: [usize; 2],
}

/// Rows of B, as wide as a tile.
#[derive(Clone, Copy)]
struct Ahead<T> {
    b: Right<T>,
    rows: usize,
}

impl<T: SimdFloat> Kernel<T> for Block<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let depth = self.left.depth();
        let wide = if has_wide::<V>() && self.left.step == 1 { self.cols / (WIDE * V::WIDTH) } else { 0 };
        let copies = self.own.is_some_and(|own| own.copy.is_some());
        assert!(!copies || wide > 0 && self.out.len() >= WIDE_ROWS, "wide tiles copy B");
        // SAFETY: whoever made the block vouches that its three matrices are as large as it says.
        unsafe {
            if const { has_wide::<V>() } && wide > 0 {
                self.wide_tiles::<V>(wide, depth);
            }
            self.tall_tiles::<V>(wide * WIDE * V::WIDTH, depth);
        }
    }
}

impl<T: SimdFloat> Block<'_, T> {
    /// The first columns, as wide as `count` wide tiles. What lies in the core's second-level cache passes a line of tiles at a
    /// time, so that rows of A are read once; of what does not, a panel stays for all of A while the next one comes.
    ///
    /// # Safety
    /// The block's matrices are as large as it says.
    #[inline(always)]
    unsafe fn wide_tiles<V: Vector<Scalar = T>>(&self, count: usize, depth: usize) {
        let panel = |b: Right<T>, tile: usize| Right { at: b.at.wrapping_add(2 * tile * b.panel), ..b };
        let lines = self.out.len().div_ceil(WIDE_ROWS);
        // each line of tiles asks for its part of what is needed next
        let rows = depth.div_ceil(lines);
        let (mut line, mut tile, cols) = (0, 0, WIDE * V::WIDTH);
        for _ in 0..lines * count {
            let (next, share) = match self.own {
                Some(own) => (own.next.map(|b| panel(b, tile)), [tile, tile + 1].map(|i| WIDE_ROWS * i / count)),
                None => (
                    (tile + 1 < count).then(|| panel(self.right, tile + 1)),
                    [0, if tile == 0 { WIDE_ROWS } else { 0 }],
                ),
            };
            let ahead = next.map(|b| Ahead { b: b.later((line * rows) as isize), rows });
            let (row, b) = (line * WIDE_ROWS, panel(self.right, tile));
            let mut place = Place { row, b, col: tile * cols, cols, depth, ahead, share };
            // SAFETY: the caller's promise; what is copied has its place in `right`.
            unsafe {
                if let Some(b) = self.own.and_then(|own| own.copy).filter(|_| line == 0) {
                    self.compute::<V, WIDE_ROWS, WIDE, true, COPIED>(Place { b: panel(b, tile), ..place });
                } else {
                    while place.row < self.out.len().min(row + WIDE_ROWS) {
                        place.row += self.tallest::<V, WIDE, true>(place);
                    }
                }
            }
            match self.own {
                Some(_) => (line, tile) = if tile + 1 < count { (line, tile + 1) } else { (line + 1, 0) },
                None => (line, tile) = if line + 1 < lines { (line + 1, tile) } else { (0, tile + 1) },
            }
        }
    }

    /// The columns from `col` on, a panel at a time.
    ///
    /// # Safety
    /// The block's matrices are as large as it says.
    #[inline(always)]
    unsafe fn tall_tiles<V: Vector<Scalar = T>>(&self, mut col: usize, depth: usize) {
        let panel = VECTORS * V::WIDTH;
        while col < self.cols {
            let cols = (self.cols - col).min(panel);
            let b = Right { at: self.right.at.wrapping_add(col / panel * self.right.panel), ..self.right };
            // each of the tiles asks for its part of the next panel
            let each = (depth * height::<V>()).div_ceil(self.out.len());
            let rows = if col + cols < self.cols { each } else { 0 };
            let ahead = Some(Ahead { b: Right { at: b.at.wrapping_add(b.panel), ..b }, rows });
            let share = [0, if col == 0 { height::<V>() } else { 0 }];
            let mut place = Place { row: 0, b, col, cols, depth, ahead, share };
            while place.row < self.out.len() {
                // SAFETY: the caller's promise.
                place.row += unsafe {
                    if cols <= V::WIDTH {
                        self.tallest::<V, 1, true>(place)
                    } else if const { every::<T, VECTORS>() } && self.touch(place.row, height::<V>()) {
                        self.tallest::<V, VECTORS, false>(place)
                    } else {
                        self.tallest::<V, VECTORS, true>(place)
                    }
                };
                place.ahead = place.ahead.map(|ahead| Ahead { b: ahead.b.later(rows as isize), ..ahead });
            }
            col += cols;
        }
    }

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
    unsafe fn tallest<V: Vector<Scalar = T>, const N: usize, const APART: bool>(&self, p: Place<T>) -> usize {
        let rows = self.out.len() - p.row;
        let beside = VECTORS * V::WIDTH;
        if const { N == WIDE } && rows >= WIDE_ROWS && p.b.step == beside as isize {
            // SAFETY: the caller's promise.
            return unsafe { self.compute::<V, WIDE_ROWS, N, APART, PACKED>(p) };
        }
        if const { N == WIDE } && rows >= WIDE_ROWS && p.b.panel == beside {
            // SAFETY: the caller's promise.
            return unsafe { self.compute::<V, WIDE_ROWS, N, APART, LYING>(p) };
        }
        // constants, so that no level compiles tiles it has no registers for, nor more than pay: four rows of two vectors
        // have sums enough to hide a multiply-add's latency
        macro_rules! tallest {
            ($($height:literal if $there:expr;)*) => {$(
                if const { $there } && rows >= $height {
                    // SAFETY: the caller's promise.
                    return unsafe { self.compute::<V, $height, N, APART, ANY>(p) };
                }
            )*};
        }
        tallest! {
            14 if V::REGISTERS > 16 && N <= VECTORS;
            6 if V::REGISTERS == 16;
            4 if V::REGISTERS > 8 && size_of::<T>() == 4;
            2 if V::REGISTERS == 8 || every::<T, N>();
        }
        // SAFETY: the caller's promise.
        unsafe { self.compute::<V, 1, N, APART, ANY>(p) }
    }

    /// Computes a tile and gives its height. Without `APART` the rows of A touch, and one pointer serves for all.
    ///
    /// # Safety
    /// As for `tallest`.
    #[inline(always)]
    unsafe fn compute<V: Vector<Scalar = T>, const R: usize, const N: usize, const APART: bool, const B: u8>(
        &self,
        p: Place<T>,
    ) -> usize {
        // SAFETY: the caller's promise.
        let sums = unsafe { self.products::<V, R, N, APART, B>(p) };
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
        let rows = tile::<_, R>(self.out, p.row);
        macro_rules! rows {
            ($next:expr; $($r:literal)*) => {{$(
                if const { $r < R } {
                    let out = rows[$r % R].cast_mut().wrapping_add(p.col);
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

    /// The inner loop: `sums[i][j] = Σ_k a[i, k]·b[k, j]`, k rising.
    ///
    /// # Safety
    /// The R rows hold the steps of `left`, and from `p.b` on there are N vectors for each step, in panels, as `B` says.
    #[inline(always)]
    unsafe fn products<V: Vector<Scalar = T>, const R: usize, const N: usize, const APART: bool, const B: u8>(
        &self,
        p: Place<T>,
    ) -> [[V; N]; R] {
        let mut sums = [[V::zero(); N]; R];
        let rows = *tile::<_, R>(self.left.rows, p.row);
        let beside = VECTORS * V::WIDTH;
        let step = if B == ANY { self.left.step } else { 1 };
        let mut b = match B {
            PACKED => Right { step: beside as isize, ..p.b },
            LYING | COPIED => Right { panel: beside, ..p.b },
            _ => p.b,
        };
        let to = self.right.at.wrapping_add(p.col / beside * self.right.panel);
        let mut to = Right { at: to, step: beside as isize, ..self.right };
        let mut later = Later { ahead: p.ahead, next: self.next_rows::<R>(p), to_go: p.depth, asked: 0 };
        for run in self.left.runs {
            let (mut k, mut steps) = (run.at, run.len);
            if run.skip > 0 {
                b = b.later(run.skip as isize);
            }
            while steps > 0 {
                let some = steps.min(stretch(B));
                self.ask::<V, R, N, B>(p, &mut later, k, some);
                steps -= some;
                let [end, last] = [some, some / UNROLL * UNROLL].map(|steps| k + steps as isize * step);
                // SAFETY: the caller's promise; nothing is read past the last step.
                unsafe {
                    while unrolled(B) && k != last {
                        for u in 0..UNROLL as isize {
                            let row = load::<V, N>(b.later(u));
                            multiply::<V, R, N, APART>(&mut sums, &rows, k + u, row);
                        }
                        (k, b) = (k + UNROLL as isize, b.later(UNROLL as isize));
                    }
                    while k != end {
                        let row = load::<V, N>(b);
                        if B == COPIED {
                            row.into_iter().zip(vectors::<V, N>(to)).for_each(|(x, at)| x.store(at.cast_mut()));
                            to = to.later(1);
                        }
                        multiply::<V, R, N, APART>(&mut sums, &rows, k, row);
                        (k, b) = (k + step, b.later(1));
                    }
                }
            }
        }
        sums
    }

    /// The rows of A that a tile asks for, if they do not come by themselves.
    #[inline(always)]
    fn next_rows<const R: usize>(&self, p: Place<T>) -> &[*const T] {
        let next = &self.left.rows[p.row + R..self.out.len()];
        if self.left.cold && next.len() >= R { &next[p.share[0].min(R)..p.share[1].min(R)] } else { &[] }
    }

    /// Asks for what is needed after the next `some` steps, which begin at `k`.
    #[inline(always)]
    fn ask<V: Vector<Scalar = T>, const R: usize, const N: usize, const B: u8>(
        &self,
        p: Place<T>,
        later: &mut Later<'_, T>,
        k: isize,
        some: usize,
    ) {
        if let Some(Ahead { b, rows }) = &mut later.ahead {
            for _ in 0..some.div_ceil(8).min(*rows) {
                vectors::<V, N>(*b).for_each(prefetch_far);
                (*b, *rows) = (b.later(1), *rows - 1);
            }
        }
        if self.left.step == 1 {
            for row in later.next {
                (0..some).step_by(LINE).for_each(|i| prefetch(row.wrapping_offset(k + i as isize)));
            }
        } else if let Some(row) = later.next.last() {
            (0..some as isize).for_each(|i| prefetch(row.wrapping_offset(k + i * self.left.step)));
        }
        later.to_go -= some;
        if later.to_go < LAST {
            let some = R.div_ceil(LAST / stretch(B));
            let until = if later.to_go < stretch(B) { R } else { R.min(later.asked + some) };
            for row in &self.out[p.row + later.asked..p.row + until] {
                (0..N).for_each(|v| prefetch_to_write(row.wrapping_add(p.col + v * V::WIDTH)));
            }
            later.asked = until;
        }
    }
}

/// The places of the `R` rows of a tile, which begin at `row`.
#[inline(always)]
fn tile<T, const R: usize>(rows: &[*const T], row: usize) -> &[*const T; R] {
    rows[row..].first_chunk().expect("a tile lies in its block")
}

/// What is still to be asked for.
struct Later<'a, T> {
    ahead: Option<Ahead<T>>,
    /// Rows of A.
    next: &'a [*const T],
    /// The steps that are left.
    to_go: usize,
    /// The rows of C that have been asked for.
    asked: usize,
}
