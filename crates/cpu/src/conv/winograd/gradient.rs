//! The cotangent of the weights, by the transpose of the forward pass: with `V = Bᵀ·d·B` of the inputs and `M = A·dy·Aᵀ` of
//! the cotangents, `dw = Gᵀ·(Σ V ⊙ M)·G`, the sum running over the tiles. For each of a tile's places it is a matrix
//! product, channels × tiles × filters.
//!
//! A thread takes some channels and filters, transforms some tiles of these and adds their products to the sums before it
//! goes on to more tiles, so that all of it stays in its core's cache.

use super::factors::{side, weights_of};
use super::lines::Lines;
use super::transform::{Cotangents, Inputs, Rows, WeightCotangents};
use super::{Images, apart, large_pay};
use crate::Buffer;
use crate::gemm::{self, Block, Cuts, Left, Right, Run, Scratch, Start, TileOf, add_up};
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, Upcoming, run_at};
use cotangent_base::{ConvGeometry, DType};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most channels and filters of a job: enough of each to be worth the transforms of the others.
const CHUNK: usize = 128;
/// The numbers of a block's transformed tiles, at most: they stay in the second-level cache.
const BLOCK: usize = 1 << 18;
/// The tiles of a block, at least: each block reads and writes all sums.
const LEAST_TILES: usize = 32;
/// The most parts of the tiles that are summed apart, and the fewest tiles of a part.
const PARTS: usize = 8;
const PART_TILES: usize = 128;

/// dw from x and dy in the geometry's format, for a geometry that suits; nothing if a number is not finite.
pub(in crate::conv) fn weight_cotangent(level: Level, x: &[f32], dy: &[f32], g: &ConvGeometry) -> Option<Buffer> {
    match g.window.h.stride {
        1 if large_pay(g.batch, [g.window.h.output, g.window.w.output]) => by::<6>(level, x, dy, g),
        1 => by::<4>(level, x, dy, g),
        _ => by::<5>(level, x, dy, g),
    }
}

/// By tiles with N inputs in a side.
fn by<const N: usize>(level: Level, x: &[f32], dy: &[f32], g: &ConvGeometry) -> Option<Buffer> {
    let grid = [g.window.h.output, g.window.w.output].map(|size| size.div_ceil(side(N)));
    let tiles = g.batch * grid[0] * grid[1];
    // the order of the sums must not depend on the number of threads, as the chunks do
    let chunks = g.channels.div_ceil(CHUNK) * g.filters.div_ceil(CHUNK);
    // a power of two, as numbers of threads are
    let parts = 1 << (tiles / PART_TILES).min(PARTS / chunks).max(1).ilog2();
    let blocks = BLOCK / (N * N * (g.channels.min(CHUNK) + g.filters.min(CHUNK)));
    let most = if parts * chunks < threads() { CHUNK / 2 } else { CHUNK };
    let [channels, filters] = [g.channels, g.filters].map(|count| Cuts::of_size(count, 16, most));
    let (chunks, tiles) = (channels.blocks() * filters.blocks(), Cuts::of_count(tiles, 1, parts));
    let size = 9 * g.channels * g.filters;
    let mut sums = Buffer::uninit(DType::F32, parts * size);
    let to = Shared::new(sums.as_mut::<f32>());
    let finite = AtomicBool::new(true);
    for_ranges(parts * chunks, 1, |start, end| {
        for i in start..end {
            let (part, chunk) = (i / chunks, i % chunks);
            let job = Job::<N> {
                level,
                images: Images::under(x, g),
                dy,
                g,
                grid,
                tiles: tiles.range(part),
                channels: channels.range(chunk / filters.blocks()),
                filters: filters.range(chunk % filters.blocks()),
            };
            if !job.run(blocks.max(LEAST_TILES), to.ptr().wrapping_add(part * size)) {
                finite.store(false, Ordering::Relaxed);
            }
        }
    });
    if parts > 1 {
        let mut dw = Buffer::uninit(DType::F32, size);
        let (sizes, rows) = ([9 * g.channels, g.filters], gemm::Rows::even(g.filters as isize));
        add_up(sums.as_slice::<f32>(), sizes, dw.as_mut(), &rows, None, false);
        sums = dw;
    }
    finite.into_inner().then_some(sums)
}

/// What a thread computes at a time: dw for some channels and filters, summed over some tiles.
struct Job<'a, const N: usize> {
    level: Level,
    images: Images<'a>,
    dy: &'a [f32],
    g: &'a ConvGeometry,
    grid: [usize; 2],
    tiles: Range<usize>,
    channels: Range<usize>,
    filters: Range<usize>,
}

impl<const N: usize> Job<'_, N> {
    /// Computes its part of `dw`, from at most so many tiles at a time; false if a result is not finite.
    fn run(&self, most: usize, dw: *mut f32) -> bool {
        let (wide, far, side) = (apart(self.channels.len()), apart(self.filters.len()), weights_of(N));
        let blocks = Cuts::of_size(self.tiles.len(), 1, most);
        let (mut v, mut m, mut du) = (Scratch::new(), Scratch::new(), Scratch::new());
        let mut lines = [Lines::new(), Lines::new()];
        let du = du.take(side * side * self.channels.len() * far);
        for block in 0..blocks.blocks() {
            let (first, count) = (self.tiles.start + blocks.range(block).start, blocks.range(block).len());
            let (v, m) = (v.take(N * N * count * wide), m.take(N * N * count * far));
            self.transform(first..first + count, Shared::new(v), Shared::new(m), &mut lines);
            for (y, x) in (0..N).flat_map(|y| (0..side).map(move |x| (y, x))) {
                // the places of a sum side by side are one product
                let places = if x + 1 < side { 1 } else { N + 1 - side };
                let rows = (N * y + x) * count..(N * y + x + places) * count;
                let start = if block == 0 && y < side { Start::Zero } else { Start::Out };
                let sum = (side * y.min(side - 1) + x) * self.channels.len() * far;
                self.multiply(
                    &v[rows.start * wide..rows.end * wide],
                    &m[rows.start * far..rows.end * far],
                    rows.len(),
                    start,
                    &mut du[sum..][..self.channels.len() * far],
                );
            }
        }
        let (channels, filters, sizes) =
            (self.channels.clone(), self.filters.clone(), [self.g.channels, self.g.filters]);
        run_at(self.level, WeightCotangents::<N> { du, apart: far, channels, filters, sizes, dw })
    }

    /// `v = Bᵀ·d·B` and `m = A·dy·Aᵀ` for some tiles.
    fn transform(&self, tiles: Range<usize>, v: Shared<f32>, m: Shared<f32>, [of_x, of_dy]: &mut [Lines; 2]) {
        let (images, grid) = (self.images, self.grid);
        let v = Rows { to: v, count: tiles.len(), apart: apart(self.channels.len()) };
        let m = Rows { to: m, apart: apart(self.filters.len()), ..v };
        let (channels, filters) = (self.channels.clone(), self.filters.clone());
        let ahead = Upcoming::nothing();
        Inputs::<N, N> { images, channels, grid, tiles: tiles.clone(), v, ahead }.compute(self.level, of_x);
        let size = [self.g.window.h.output, self.g.window.w.output, self.g.filters];
        let (dy, format) = (self.dy, self.g.format);
        Cotangents::<N> { dy, format, size, filters, grid, tiles, m }.compute(self.level, of_dy);
    }

    /// `du += vᵀ·m` for one place of so many tiles.
    fn multiply(&self, v: &[f32], m: &[f32], tiles: usize, start: Start<f32>, du: &mut [f32]) {
        let (wide, far) = (apart(self.channels.len()), apart(self.filters.len()));
        let (mut rows, mut out) = (Vec::new(), Vec::new());
        gemm::Rows::find_even(v.as_ptr(), 1, self.channels.len(), &mut rows);
        gemm::Rows::find_even(du.as_ptr(), far as isize, self.channels.len(), &mut out);
        let runs = &[Run { at: 0, len: tiles, skip: 0 }];
        let left = Left { rows: &rows, runs, step: wide as isize, cold: false };
        let panel = run_at::<f32, _>(self.level, TileOf).cols;
        let right = Right { at: m.as_ptr(), panel, step: far as isize };
        let block = Block { left, right, own: None, cols: self.filters.len(), start, out: &out };
        run_at(self.level, block);
    }
}
