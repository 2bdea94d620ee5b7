//! Products of a left operand that is mostly zeros, as what ReLU, dropout or an image with an empty background leave:
//! only its other numbers meet their rows of B. Training a perceptron on such data then takes a fraction of the dense
//! arithmetic.
//!
//! The numbers are listed row by row ([`lists`]), then each block of B of [`STEPS`] rows and [`COLUMNS`] columns, which
//! fits the first-level cache, meets the lists of many rows ([`pass`]). Every sum is that of the dense product without
//! terms of 0, in the same order, so both give the same bits, but for the sign of a zero that came of underflow. Where
//! B holds an infinity or NaN, zeros count: they meet that block too.

mod lists;
mod pass;
#[cfg(test)]
mod tests;

use super::loops::{DEPTH, Product};
use super::operands::Rows;
use super::pack::{Cuts, Packer, Scratch, Strided};
use super::parts::{add_up, parts};
use super::tile::Tile;
use crate::Buffer;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Finite, SimdFloat, run_widest_at};
use cotangent_base::DType;
use lists::{Keep, Lists};
use pass::{End, Pass};
use std::ops::Range;

/// The columns of a block of B.
const COLUMNS: usize = 64;
/// The most rows of a block of B: with so many it takes 32 KiB.
const STEPS: usize = 128;
/// The numbers of A that are listed at a time.
const LISTED: usize = 1 << 22;
/// The most rows for one job, and the fewest where there would be jobs enough without.
const JOB_ROWS: Range<usize> = 32..256;
/// Below these sizes, copying and checking B costs more than zeros save.
const LEAST: [usize; 3] = [16, 32, 48];
/// The numbers that are looked at to guess how many are 0, as so many lines of so many numbers.
const LOOK: [usize; 2] = [16, 64];

/// A part of the depth that is computed at a time.
#[derive(Clone)]
struct Step {
    depth: Range<usize>,
    /// The dense product's block of k that it belongs to.
    block: usize,
    /// Whether the block begins with it.
    first: bool,
    /// Whether the block ends with it.
    last: bool,
}

/// A product whose A is sparse, while some rows of it are computed.
struct Sparse<'a> {
    product: &'a Product<'a, f32, Strided<'a, f32>>,
    steps: Vec<Step>,
    lists: Lists,
    /// The rows that are listed.
    rows: Range<usize>,
}

/// Where a job's results go.
struct Job<'a> {
    /// Blocks of k.
    blocks: Range<usize>,
    rows: Range<usize>,
    cols: Range<usize>,
    /// The place of its first row and column.
    out: *mut f32,
    stride: usize,
    /// What the first block is added to.
    start: End<'a>,
}

/// Whether zeros in A are worth skipping: a look at its sizes and at some of its numbers.
fn suits(product: &Product<f32, Strided<f32>>) -> bool {
    let Product { rows, cols, depth, a, .. } = product;
    let large = [*rows, *depth, *cols].iter().zip(LEAST).all(|(&size, least)| size >= least);
    let lines = match (a.steps_touch(), a.lanes_touch()) {
        (true, _) => [*rows, *depth],
        (_, true) => [*depth, *rows],
        _ => return false,
    };
    large
        && is_sparse(lines, |line, at, count| {
            let from = if a.steps_touch() { a.place(line, at) } else { a.place(at, line) };
            // SAFETY: these numbers of the line lie in the matrix.
            unsafe { std::slice::from_raw_parts(from, count) }
        })
}

/// Whether at most half of the numbers that are looked at are not 0, in the first line not all of them, and early on not
/// nearly all. The look goes from the start of the first lines to the end of the last ones.
fn is_sparse<'a>([lines, length]: [usize; 2], part: impl Fn(usize, usize, usize) -> &'a [f32]) -> bool {
    let count = length.min(LOOK[1]);
    let (mut seen, mut kept) = (0, 0);
    for i in 0..LOOK[0] {
        let numbers = part((2 * i + 1) * lines / (2 * LOOK[0]), i * (length - count) / (LOOK[0] - 1), count);
        kept += numbers.iter().filter(|&&x| x != 0.0).count();
        seen += count;
        if i == 0 && kept == seen || i == LOOK[0] / 4 && 4 * kept > 3 * seen {
            return false;
        }
    }
    2 * kept <= seen
}

/// Computes C into `y`, element (i, j) at `i·stride + j`, as [`Product::compute`] does, and says so; or does nothing,
/// where A is not sparse, too small, or not of f32.
pub(super) fn compute<T: SimdFloat>(
    product: &Product<T, Strided<T>>,
    y: &mut [T],
    stride: usize,
    add: bool,
    results: usize,
) -> bool {
    let Product { level, rows, cols, depth, a, b, bias, spread } = product;
    let f32s = (a.as_f32s(), b.as_f32s(), bias.map(T::as_f32s), T::as_f32s_mut(y));
    let (Some(a), Some(b), bias, Some(y)) = f32s else { return false };
    let (level, rows, cols, depth, spread) = (*level, *rows, *cols, *depth, *spread);
    let product = Product { level, rows, cols, depth, a, b, bias: bias.flatten(), spread };
    let sparse = suits(&product);
    if sparse {
        multiply(&product, y, stride, add, results);
    }
    sparse
}

/// [`compute`], whatever A is.
fn multiply(product: &Product<f32, Strided<f32>>, y: &mut [f32], stride: usize, add: bool, results: usize) {
    let (rows, cols, depth) = (product.rows, product.cols, product.depth);
    let blocks = Cuts::of_size(depth, 1, DEPTH);
    let parts = parts(results, depth, blocks.blocks());
    let steps = steps(blocks);
    let start = match product.bias {
        Some(bias) => End::Bias(bias),
        None if add => End::Out,
        None => End::Zero,
    };
    let at_once = (LISTED / depth).max(JOB_ROWS.end);
    let mut partial =
        Buffer::uninit(DType::F32, if parts.blocks() > 1 { parts.blocks() * rows.min(at_once) * cols } else { 0 });
    for first in (0..rows).step_by(at_once) {
        let rows = first..rows.min(first + at_once);
        let lists = Lists::new(product, rows.clone(), &steps, Keep::Nonzeros);
        let sparse = Sparse { product, steps: steps.clone(), lists, rows: rows.clone() };
        let y = &mut y[first * stride..];
        if parts.blocks() == 1 {
            sparse.run(parts, Shared::new(y), stride, 0, start);
        } else {
            let size = rows.len() * cols;
            sparse.run(parts, Shared::new(partial.as_mut()), cols, size, End::Zero);
            let partial = &partial.as_slice::<f32>()[..parts.blocks() * size];
            add_up(partial, [rows.len(), cols], y, &Rows::even(stride as isize), product.bias, add);
        }
    }
}

/// The steps of all blocks.
fn steps(blocks: Cuts) -> Vec<Step> {
    let of_block = |block: usize| {
        let depth = blocks.range(block);
        let cuts = Cuts::of_size(depth.len(), 1, STEPS);
        (0..cuts.blocks()).map(move |i| {
            let part = cuts.range(i);
            let range = depth.start + part.start..depth.start + part.end;
            Step { depth: range, block, first: i == 0, last: i + 1 == cuts.blocks() }
        })
    };
    (0..blocks.blocks()).flat_map(of_block).collect()
}

impl Sparse<'_> {
    /// Computes the listed rows for each part of the depth into a matrix of its own, `apart` after the one before.
    fn run(&self, parts: Cuts, out: Shared<f32>, stride: usize, apart: usize, start: End) {
        let cols = self.product.cols;
        let across = cols.div_ceil(COLUMNS);
        let jobs = parts.blocks() * across;
        let few = self.rows.len().div_ceil(JOB_ROWS.end);
        let down = (2 * threads()).div_ceil(jobs).min(self.rows.len() / JOB_ROWS.start).max(few).max(1);
        let rows = Cuts::of_count(self.rows.len(), 1, down);
        let down = rows.blocks();
        for_ranges(jobs * down, if self.product.spread { 1 } else { jobs * down }, move |first, end| {
            let mut scratch = (Scratch::new(), Scratch::new());
            for job in first..end {
                let (part, across, rows) = (job / down / across, job / down % across, rows.range(job % down));
                let cols = across * COLUMNS..cols.min((across + 1) * COLUMNS);
                let start = match start {
                    End::Bias(bias) => End::Bias(&bias[cols.clone()]),
                    start => start,
                };
                let out = out.ptr().wrapping_add(part * apart + rows.start * stride + cols.start);
                let job = Job { blocks: parts.range(part), rows, cols, out, stride, start };
                // SAFETY: C has room for these rows and columns, and no other job writes them.
                unsafe { self.job(&job, &mut scratch) }
            }
        });
    }

    /// # Safety
    /// `job.out` is valid for the job's rows and columns, and nobody else uses them meanwhile.
    unsafe fn job(&self, job: &Job<'_>, scratch: &mut (Scratch<f32>, Scratch<f32>)) {
        let level = self.product.level;
        let packer = Packer { level, tile: Tile { rows: 1, cols: COLUMNS, wide: 0, lanes: COLUMNS } };
        let tile = scratch.1.take(job.rows.len() * COLUMNS).as_mut_ptr();
        for (i, step) in self.steps.iter().enumerate().filter(|(_, step)| job.blocks.contains(&step.block)) {
            let b = scratch.0.take(step.depth.len() * COLUMNS);
            self.product.b.pack_right(packer, b, &job.cols, &step.depth);
            let end = match step.block == job.blocks.start {
                _ if !step.last => End::Tile,
                true => job.start,
                false => End::Out,
            };
            let finite = run_widest_at(level, Finite(b));
            let all = (!finite).then(|| {
                let rows = self.rows.start + job.rows.start..self.rows.start + job.rows.end;
                Lists::new(self.product, rows, std::slice::from_ref(step), Keep::All)
            });
            let (lists, first, i) = all.as_ref().map_or((&self.lists, job.rows.start, i), |all| (all, 0, 0));
            let (rows, cols) = (first..first + job.rows.len(), job.cols.len());
            let (out, stride) = (job.out, job.stride);
            run_widest_at(level, Pass { lists, rows, step: i, b, tile, fresh: step.first, end, out, stride, cols });
        }
    }
}
