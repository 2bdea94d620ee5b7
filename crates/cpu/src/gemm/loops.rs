//! The loops around the microkernel: blocks that fit the caches, and jobs for the threads.
//!
//! Van Zee, van de Geijn: *BLIS: A Framework for Rapidly Instantiating BLAS Functionality*, ACM TOMS 2015.
//!
//! Every element of C is `start + Σ (block sums)`, the blocks of k in rising order. Where they begin depends on the
//! depth alone, so no other choice made here (tiles, rows and columns for a thread, packing or not) changes a bit.

use super::kernel::{Block, Right, Start, TileOf};
use super::pack::{Lhs, Packer, Scratch, Strided};
use crate::Buffer;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, SimdFloat, run_at};
use std::ops::Range;

/// The most steps of k in a block: a panel of B of this depth fits the first-level cache.
pub(crate) const DEPTH: usize = 320;
/// The most tiles of A above each other in a block: they fit the second-level cache.
const BLOCK_TILES: usize = 28;
/// The most panels of B side by side for one job.
const JOB_PANELS: usize = 64;
/// Operations that are worth a thread's attention.
const JOB_WORK: usize = 2_000_000;
/// C is this small, or the depth is not split.
const SPLIT_OUT: usize = 1 << 16;
/// The most parts of a split depth.
const SPLIT_PARTS: usize = 16;
/// With so few tiles above each other, packing B costs more than it brings.
const DIRECT_TILES: usize = 5;

/// `C = A·B (+ bias)`.
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

/// A product that is being computed: the choices made.
struct Plan<'a, T, A> {
    product: &'a Product<'a, T, A>,
    packer: Packer,
    /// B packed as a whole, for several jobs to share.
    packed: Option<&'a [T]>,
    direct: bool,
    /// The steps of k in a block.
    block: usize,
}

impl<T: SimdFloat, A: Lhs<T>> Product<'_, T, A> {
    /// Computes C into `out`: element (i, j) at `i·stride + j`.
    pub fn write(&self, out: &mut [T], stride: usize) {
        let (rows, cols) = (self.rows, self.cols);
        if rows == 0 || cols == 0 {
            return;
        }
        assert!(out.len() >= (rows - 1) * stride + cols && stride >= cols, "C lies within its buffer");
        assert!(self.bias.is_none_or(|b| b.len() == cols), "one bias for each column");
        if self.depth == 0 {
            for row in out.chunks_mut(stride).take(rows) {
                match self.bias {
                    Some(bias) => row[..cols].copy_from_slice(bias),
                    None => row[..cols].fill(T::default()),
                }
            }
            return;
        }
        let tile = run_at::<T, _>(self.level, TileOf);
        let blocks = self.depth.div_ceil(DEPTH);
        let direct = self.b.lanes_touch() && cols.is_multiple_of(tile.lanes) && (rows <= DIRECT_TILES * tile.rows);
        let packer = Packer { level: self.level, tile };
        let plan = Plan { product: self, packer, packed: None, direct, block: self.depth.div_ceil(blocks) };
        let parts = parts(rows * cols, blocks);
        if parts.len() == 1 {
            plan.run(&parts, Shared::new(out), stride, 0);
        } else {
            plan.run_split(&parts, out, stride);
        }
    }
}

/// The blocks of k that are summed apart and added up at the end, so that a small C with a great depth has work
/// for several threads. A function of the sizes alone.
fn parts(out: usize, blocks: usize) -> Vec<Range<usize>> {
    let each = match out <= SPLIT_OUT && blocks >= 4 {
        true => blocks.div_ceil(SPLIT_PARTS).max(2),
        false => blocks,
    };
    (0..blocks).step_by(each).map(|b| b..blocks.min(b + each)).collect()
}

impl<T: SimdFloat, A: Lhs<T>> Plan<'_, T, A> {
    /// Sums each part apart, then adds them up in order.
    fn run_split(&self, parts: &[Range<usize>], out: &mut [T], stride: usize) {
        let (rows, cols) = (self.product.rows, self.product.cols);
        let size = rows * cols;
        let mut partial = Buffer::uninit(T::DTYPE, parts.len() * size);
        self.run(parts, Shared::new(partial.as_mut::<T>()), cols, size);
        let partial = partial.as_slice::<T>();
        for (i, row) in out.chunks_mut(stride).take(rows).enumerate() {
            let row = &mut row[..cols];
            match self.product.bias {
                Some(bias) => row.copy_from_slice(bias),
                None => row.fill(T::default()),
            }
            for part in partial.chunks(size) {
                for (y, &x) in row.iter_mut().zip(&part[i * cols..]) {
                    *y = *y + x;
                }
            }
        }
    }

    /// Computes each part of the depth into a matrix of its own, `apart` after the one before.
    fn run(&self, parts: &[Range<usize>], out: Shared<T>, stride: usize, apart: usize) {
        let p = self.product;
        let tile = self.packer.tile;
        let (tall, wide) = (p.rows.div_ceil(tile.rows), p.cols.div_ceil(tile.cols));
        let work = 2 * p.rows * p.cols * p.depth / parts.len();
        let jobs = if p.spread && threads() > 1 { (work / JOB_WORK).clamp(1, 4 * threads()) } else { 1 };
        // the longer side is divided first
        let (mut down, mut across) = if tall >= wide {
            let down = jobs.min(tall);
            (down, wide.min(jobs / down))
        } else {
            let across = jobs.min(wide);
            (tall.min(jobs / across), across)
        };
        across = across.max(wide.div_ceil(JOB_PANELS));
        let (tiles, panels) = (tall.div_ceil(down), wide.div_ceil(across));
        (down, across) = (tall.div_ceil(tiles), wide.div_ceil(panels));
        let packed = (down > 1 && parts.len() == 1 && !self.direct).then(|| self.pack_all());
        let plan = Plan { packed: packed.as_ref().map(Buffer::as_slice), ..*self };
        for_ranges_if(p.spread, parts.len() * down * across, |job| {
            let (part, down, across) = (job / (down * across), job / across % down, job % across);
            let rows = down * tiles * tile.rows..p.rows.min((down + 1) * tiles * tile.rows);
            let cols = across * panels * tile.cols..p.cols.min((across + 1) * panels * tile.cols);
            let out = out.ptr().wrapping_add(part * apart + rows.start * stride + cols.start);
            // SAFETY: `out` has room for the rows and columns, and no other job writes them.
            unsafe { plan.job(parts[part].clone(), rows, cols, out, stride, parts.len() > 1) }
        });
    }

    /// All of B, packed by all threads: block by block, each as [`Plan::right`] finds it.
    fn pack_all(&self) -> Buffer {
        let p = self.product;
        let width = self.packer.tile.cols;
        let wide = p.cols.div_ceil(width);
        let mut packed = Buffer::uninit(T::DTYPE, p.depth * wide * width);
        let to = Shared::new(packed.as_mut::<T>());
        let blocks = p.depth.div_ceil(self.block);
        let groups = wide.div_ceil(16);
        for_ranges(blocks * groups, 2, |start, end| {
            for i in start..end {
                let depth = self.depth(i / groups);
                let panels = i % groups * 16..wide.min((i % groups + 1) * 16);
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

    /// The steps of k in block `block`.
    fn depth(&self, block: usize) -> Range<usize> {
        block * self.block..self.product.depth.min((block + 1) * self.block)
    }

    /// The block of B where the microkernel can read it.
    fn right(&self, scratch: &mut Scratch<T>, cols: &Range<usize>, depth: &Range<usize>) -> Right<T> {
        let width = self.packer.tile.cols;
        if let Some(packed) = self.packed {
            let wide = self.product.cols.div_ceil(width);
            let panel = depth.len() * width;
            let at = packed[depth.start * wide * width + cols.start / width * panel..].as_ptr();
            return Right { at, panel, step: width as isize };
        }
        if self.direct {
            return self.product.b.direct(self.packer.tile, cols, depth);
        }
        let to = scratch.take(depth.len() * cols.len().next_multiple_of(width));
        self.product.b.pack_right(self.packer, to, cols, depth)
    }

    /// One job: some rows and columns of C, for some blocks of k.
    ///
    /// # Safety
    /// `out` is valid for them, and nobody else uses them meanwhile.
    unsafe fn job(
        &self,
        blocks: Range<usize>,
        rows: Range<usize>,
        cols: Range<usize>,
        out: *mut T,
        stride: usize,
        bare: bool,
    ) {
        let (mut left, mut right) = (Scratch::new(), Scratch::new());
        let tall = BLOCK_TILES * self.packer.tile.rows;
        for block in blocks.clone() {
            let depth = self.depth(block);
            let right = self.right(&mut right, &cols, &depth);
            let start = match (block == blocks.start, self.product.bias) {
                (false, _) => Start::Out,
                (true, Some(bias)) if !bare => Start::Bias(bias[cols.start..].as_ptr()),
                (true, _) => Start::Zero,
            };
            for row in rows.clone().step_by(tall) {
                let some = row..rows.end.min(row + tall);
                let left = self.product.a.pack(self.packer, &mut left, some.clone(), depth.clone());
                let out = out.wrapping_add((row - rows.start) * stride);
                let (rows, cols, depth) = (some.len(), cols.len(), depth.len());
                run_at(self.packer.level, Block { left, right, rows, cols, depth, start, out, stride });
            }
        }
    }
}

/// Runs `job(i)` for each `i` in `0..count`, on all threads or on this one.
fn for_ranges_if(spread: bool, count: usize, job: impl Fn(usize) + Sync) {
    let grain = if spread { 1 } else { count };
    for_ranges(count, grain, |start, end| (start..end).for_each(&job));
}
