//! The loops around the microkernel: blocks that fit the caches, and jobs for the threads.
//!
//! Van Zee, van de Geijn: *BLIS: A Framework for Rapidly Instantiating BLAS Functionality*, ACM TOMS 2015.
//!
//! Every element of C is `start + Σ (block sums)`, the blocks of k in rising order. Where they begin depends on the
//! depth alone, so no other choice made here (tiles, rows and columns for a thread, packing or not) changes a bit.

use super::kernel::{Block, Own, Start};
use super::operands::{LeftBlock, Right, Rows};
use super::pack::{Cuts, Lhs, Packer, Scratch, Strided};
use super::parts::{add_up, parts};
use super::tile::{Tile, TileOf, WIDE_ROWS};
use crate::Buffer;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, SimdFloat, run_widest_at};
use std::ops::Range;

/// The most steps of k in a block: C is read and written once for so many, and a panel of B stays in the second-level cache.
pub(crate) const DEPTH: usize = 512;
/// The most tiles of A above each other in a block: they fit the second-level cache.
const BLOCK_TILES: usize = 28;
/// Blocks of A have a multiple of so many rows: there are tiles for all of them, so that jobs are of about equal size.
const ROWS_UNIT: usize = 2;
/// The most columns of B for one job: a block of them fits the second-level cache.
const JOB_COLS: usize = 512;
/// The panels of B that a thread packs at a time.
const GROUP: usize = 4;
/// Operations that are worth a thread's attention.
const JOB_WORK: usize = 250_000;
/// With so few tiles above each other, packing B costs more than it brings;
const DIRECT_TILES: usize = 10;
/// with wide vectors, where A is packed and a row of B is a job's, also with so many.
const DIRECT_WIDE: usize = 30;
/// A block of B with so many numbers does not stay in a near cache beside A, and is worth copying
const LARGE: usize = 1 << 18;
/// for so many rows.
const COPY_ROWS: usize = 24;

/// `C = A·B (+ bias)`.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a, T, A> {
    /// The instructions to use.
    pub level: Level,
    /// The rows of A and C.
    pub rows: usize,
    /// The columns of B and C.
    pub cols: usize,
    /// The columns of A and the rows of B.
    pub depth: usize,
    /// A.
    pub a: A,
    /// B; its lanes are its columns.
    pub b: Strided<'a, T>,
    /// One number for each column.
    pub bias: Option<&'a [T]>,
    /// Whether the product may be spread over the threads.
    pub spread: bool,
}

/// How the microkernel gets at B.
#[derive(Clone, Copy, PartialEq)]
enum Access {
    /// It reads B where it lies.
    Direct,
    /// It packs B itself: each job has blocks of its own, and the first tiles copy what they load.
    Copied,
    /// B is packed before its first use, by all threads if jobs share it.
    Packed,
}

/// A product that is being computed: the choices made.
#[derive(Clone, Copy)]
struct Plan<'a, T, A> {
    product: Product<'a, T, A>,
    packer: Packer,
    /// B packed as a whole, for several jobs to share.
    packed: Option<&'a [T]>,
    access: Access,
    /// Whether C keeps what it holds, and the products are added to it.
    add: bool,
    /// The blocks of k.
    depth: Cuts,
}

impl<T: SimdFloat, A: Lhs<T>> Product<'_, T, A> {
    /// Computes C into `out`: element (i, j) at `i·stride + j`.
    pub fn write(&self, out: &mut [T], stride: usize) {
        self.compute(out, stride, false, self.rows * self.cols);
    }

    /// As [`write`](Self::write), but row i begins at its place in `places`.
    ///
    /// # Panics
    /// If the rows do not rise without touching one another, or do not lie in `out`.
    pub fn write_to(&self, out: &mut [T], places: &Rows) {
        self.compute_to(out, places, false, self.rows * self.cols);
    }

    /// As [`write`](Self::write); with `add` the products are added to what C holds, and there is no bias. `results`
    /// is the number of elements of all products of the batch, on which the order of the sums may depend, as it may
    /// not on how the batch is cut.
    pub fn compute(&self, out: &mut [T], stride: usize, add: bool, results: usize) {
        self.compute_to(out, &Rows::even(stride as isize), add, results);
    }

    /// As [`compute`](Self::compute) with a depth of one block, which is never split, for rows among which others' lie.
    ///
    /// # Safety
    /// The rows, `stride` apart from `out` on, lie in one buffer, and nobody else touches them meanwhile.
    pub unsafe fn compute_among(&self, out: *mut T, stride: usize, add: bool) {
        assert!((1..=DEPTH).contains(&self.depth) && self.bias.is_none_or(|b| !add && b.len() == self.cols));
        if self.rows == 0 || self.cols == 0 {
            return;
        }
        let (plan, parts) = self.plan(add, self.rows * self.cols);
        plan.run(parts, Shared::at(out), &Rows::even(stride as isize), 0);
    }

    /// What is fastest for these sizes and strides.
    fn access(&self, tile: Tile) -> Access {
        if !self.b.lanes_touch() {
            return Access::Packed;
        }
        let few = self.rows <= DIRECT_TILES * tile.rows;
        let some = self.rows <= DIRECT_WIDE * tile.rows && self.cols <= JOB_COLS && tile.wide > 0;
        let large = self.rows >= COPY_ROWS && self.cols * self.depth.min(DEPTH) >= LARGE;
        if tile.wide > 0 && self.a.lies() && (large || !few) {
            Access::Copied
        } else if (few || some) && self.cols.is_multiple_of(tile.lanes) {
            Access::Direct
        } else {
            Access::Packed
        }
    }

    fn compute_to(&self, out: &mut [T], places: &Rows, add: bool, results: usize) {
        let (rows, cols) = (self.rows, self.cols);
        assert!(!add || self.bias.is_none(), "a bias or what C holds, not both");
        if rows == 0 || cols == 0 {
            return;
        }
        assert!(places.hold(rows, cols, out.len()), "C lies within its buffer");
        assert!(self.bias.is_none_or(|b| b.len() == cols), "one bias for each column");
        if self.depth == 0 {
            for row in 0..rows {
                let row = &mut out[places.place(row) as usize..][..cols];
                match self.bias {
                    Some(bias) => row.copy_from_slice(bias),
                    None if add => (),
                    None => row.fill(T::default()),
                }
            }
            return;
        }
        let (plan, parts) = self.plan(add, results);
        if parts.blocks() == 1 {
            plan.run(parts, Shared::new(out), places, 0);
        } else {
            plan.run_split(parts, out, places);
        }
    }

    /// How it is computed, and the parts of the depth.
    fn plan(&self, add: bool, results: usize) -> (Plan<'_, T, A>, Cuts) {
        let tile = run_widest_at::<T, _>(self.level, TileOf);
        let depth = self.a.cut_depth(self.depth, DEPTH);
        let packer = Packer { level: self.level, tile };
        let plan = Plan { product: *self, packer, packed: None, access: self.access(tile), add, depth };
        (plan, parts(results, self.depth, depth.blocks()))
    }
}

impl<T: SimdFloat, A: Lhs<T>> Plan<'_, T, A> {
    /// Sums each part apart, then adds them up in order.
    fn run_split(&self, parts: Cuts, out: &mut [T], places: &Rows) {
        let (rows, cols) = (self.product.rows, self.product.cols);
        let size = rows * cols;
        let mut partial = Buffer::uninit(T::DTYPE, parts.blocks() * size);
        self.run(parts, Shared::new(partial.as_mut::<T>()), &Rows::even(cols as isize), size);
        add_up(partial.as_slice::<T>(), [rows, cols], out, places, self.product.bias, self.add);
    }

    /// Computes each part of the depth into a matrix of its own, `apart` after the one before.
    fn run(&self, parts: Cuts, out: Shared<T>, places: &Rows, apart: usize) {
        let p = &self.product;
        let tile = self.packer.tile;
        let (tall, wide) = (p.rows.div_ceil(tile.rows), p.cols.div_ceil(tile.cols));
        let work = 2 * p.rows * p.cols * p.depth;
        let most = if p.spread { threads() } else { 1 };
        let jobs = match work / JOB_WORK {
            jobs if jobs > most => jobs.next_multiple_of(most).min(2 * most),
            jobs => jobs.clamp(1, most),
        };
        let jobs = jobs.div_ceil(parts.blocks());
        // columns if that leaves each job its own B, else the longer side first
        let (down, across) = if self.access == Access::Copied && p.cols >= 2 * tile.wide * jobs {
            (1, jobs)
        } else if tall >= wide {
            let down = jobs.min(tall);
            (down, wide.min(jobs / down))
        } else {
            let across = jobs.min(wide);
            (tall.min(jobs / across), across)
        };
        let panels = wide.div_ceil(across.max(p.cols.div_ceil(JOB_COLS)));
        let across = wide.div_ceil(panels);
        let unit = if self.access == Access::Copied && down == 1 { WIDE_ROWS } else { ROWS_UNIT };
        let rows = Cuts::of_count(p.rows, unit, tall.div_ceil(BLOCK_TILES).next_multiple_of(down));
        let each = rows.blocks().div_ceil(down);
        let down = rows.blocks().div_ceil(each);
        // what one thread would pack alone each job packs for itself, where its core finds it
        let shared = self.depth.blocks() * wide.div_ceil(GROUP) > 1;
        let packed = self.access == Access::Packed && rows.blocks() > 1 && parts.blocks() == 1 && shared;
        let whole = packed.then(|| self.pack_all());
        let plan = Plan { packed: whole.as_ref().map(Buffer::as_slice), ..*self };
        for_ranges_if(p.spread, parts.blocks() * down * across, move |job| {
            let p = &plan.product;
            let (part, down, across) = (job / (down * across), job / across % down, job % across);
            let cols = across * panels * tile.cols..p.cols.min((across + 1) * panels * tile.cols);
            let job = Job {
                depth: parts.range(part),
                rows: down * each..rows.blocks().min((down + 1) * each),
                out: out.ptr().wrapping_add(part * apart),
                places,
                start: match p.bias {
                    _ if parts.blocks() > 1 => Start::Zero,
                    Some(bias) => Start::Bias(bias[cols.start..].as_ptr()),
                    None if plan.add => Start::Out,
                    None => Start::Zero,
                },
                cols,
            };
            // SAFETY: `out` has room for all rows and columns, and no other job writes the same ones.
            unsafe { plan.job(&job, rows) }
        });
    }

    /// All of B, packed by all threads: block by block, each as [`Plan::there`] finds it.
    fn pack_all(&self) -> Buffer {
        let p = &self.product;
        let width = self.packer.tile.cols;
        let wide = p.cols.div_ceil(width);
        let mut packed = Buffer::uninit(T::DTYPE, p.depth * wide * width);
        let to = Shared::new(packed.as_mut::<T>());
        let blocks = self.depth.blocks();
        let groups = wide.div_ceil(GROUP);
        for_ranges(blocks * groups, 1, move |start, end| {
            for i in start..end {
                let depth = self.depth.range(i / groups);
                let panels = i % groups * GROUP..wide.min((i % groups + 1) * GROUP);
                let first = depth.start * wide * width;
                let panel = depth.len() * width;
                // SAFETY: each block and group has a place of its own.
                let to = unsafe { to.part(first + panels.start * panel, first + panels.end * panel) };
                let cols = panels.start * width..p.cols.min(panels.end * width);
                p.b.pack_right(self.packer, to, &cols, &depth);
            }
        });
        packed
    }

    /// A block of B that is read where it lies, or where it has been packed as a whole.
    fn there(&self, cols: &Range<usize>, block: usize) -> Right<T> {
        let (depth, tile) = (self.depth.range(block), self.packer.tile);
        let Some(packed) = self.packed else { return self.product.b.direct(tile, cols, &depth) };
        let wide = self.product.cols.div_ceil(tile.cols) * tile.cols;
        tile.packed(packed[depth.start * wide + cols.start * depth.len()..].as_ptr(), depth.len())
    }

    /// A block of B packed, and where the part of it lies that the first tiles are to pack.
    fn pack(&self, to: &mut Scratch<T>, cols: &Range<usize>, depth: &Range<usize>) -> (Right<T>, Option<Right<T>>) {
        let (b, tile) = (&self.product.b, self.packer.tile);
        let to = to.take(depth.len() * cols.len().next_multiple_of(tile.cols));
        let right = tile.packed(to.as_mut_ptr().cast_const(), depth.len());
        let later = if self.access == Access::Copied { cols.len() / tile.wide * tile.wide } else { 0 };
        let rest = cols.start + later..cols.end;
        b.pack_right(self.packer, &mut to[later / tile.cols * right.panel..], &rest, depth);
        (right, (later > 0).then(|| b.direct(tile, cols, depth)))
    }

    /// Computes some rows and columns of C, for some blocks of k.
    ///
    /// # Safety
    /// `out` is valid for them, and nobody else uses them meanwhile.
    unsafe fn job(&self, job: &Job<'_, T>, rows: Cuts) {
        let (mut left, mut out, mut scratch) = (LeftBlock::new(), Vec::new(), (Scratch::new(), Scratch::new()));
        let mut compute = |row: usize, block: usize, right: Right<T>, own: Option<Own<T>>| {
            let (rows, start) = (rows.range(row), if block == job.depth.start { job.start } else { Start::Out });
            job.places.find(job.out.wrapping_add(job.cols.start), rows.clone(), &mut out);
            self.product.a.block(self.packer, &mut left, &mut scratch.0, rows, self.depth.range(block));
            for (left, out) in left.groups(&mut out) {
                let block = Block { left, right, own, cols: job.cols.len(), start, out };
                run_widest_at(self.packer.level, block);
            }
        };
        if self.packed.is_some() || self.access == Access::Direct {
            // C stays in the cache while B passes
            for row in job.rows.clone() {
                job.depth.clone().for_each(|k| compute(row, k, self.there(&job.cols, k), None));
            }
            return;
        }
        // B is packed once for all rows
        let copied = self.access == Access::Copied;
        for k in job.depth.clone() {
            let (right, mut copy) = self.pack(&mut scratch.1, &job.cols, &self.depth.range(k));
            for row in job.rows.clone() {
                let last = row + 1 == job.rows.end && k + 1 < job.depth.end;
                let next = last.then(|| self.product.b.direct(self.packer.tile, &job.cols, &self.depth.range(k + 1)));
                compute(row, k, right, copied.then_some(Own { copy: copy.take(), next }));
            }
        }
    }
}

/// What one thread computes at a time.
struct Job<'a, T> {
    /// Some blocks of k.
    depth: Range<usize>,
    /// Some blocks of rows.
    rows: Range<usize>,
    /// Some columns.
    cols: Range<usize>,
    /// C.
    out: *mut T,
    /// The rows of C.
    places: &'a Rows,
    /// What to begin with.
    start: Start<T>,
}

/// Runs `job(i)` for each `i` in `0..count`, on all threads or on this one.
fn for_ranges_if(spread: bool, count: usize, job: impl Fn(usize) + Sync + Copy) {
    let grain = if spread { 1 } else { count };
    for_ranges(count, grain, move |start, end| (start..end).for_each(&job));
}
