//! The cotangent of the weights, by the transpose of the forward pass: with `V = Bᵀ·d·B` of the inputs and `M = A·dy·Aᵀ` of
//! the cotangents, `dw = Gᵀ·(Σ V ⊙ M)·G`, the sum running over the tiles. For each of the 16 places, or 25 where the stride is
//! 2, it is a matrix product, channels × tiles × filters.

use super::transform::{Cotangents, Inputs, Rows, WeightCotangents};
use super::{Images, apart};
use crate::Buffer;
use crate::gemm::{self, Block, Left, Right, Run, Start, TileOf};
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{Level, run_at};
use cotangent_base::{ConvGeometry, DType};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// The numbers of transformed tiles that are made before they are multiplied, at most: they stay in the last-level cache.
const BLOCK: usize = 1 << 21;
/// The tiles of a block, at least.
const LEAST_TILES: usize = 128;
/// The tiles that one pass of the microkernel sums over: their rows stay in the second-level cache.
const DEPTH: usize = 256;
/// The channels that one thread multiplies at a time.
const ROWS: usize = 56;

/// dw from channels-last x and dy, for a geometry that suits; nothing if a number is not finite.
pub(in crate::conv) fn weight_cotangent(level: Level, x: &[f32], dy: &[f32], g: &ConvGeometry) -> Option<Buffer> {
    match g.window.h.stride {
        1 => by::<4>(level, x, dy, g),
        _ => by::<5>(level, x, dy, g),
    }
}

/// By tiles with N inputs in a side.
fn by<const N: usize>(level: Level, x: &[f32], dy: &[f32], g: &ConvGeometry) -> Option<Buffer> {
    let size = [g.window.h.output, g.window.w.output];
    let (grid, places) = (size.map(|s| s.div_ceil(2)), N * N);
    let (count, wide, far) = (g.batch * grid[0] * grid[1], apart(g.channels), apart(g.filters));
    let each = (BLOCK / (places * (wide + far))).max(LEAST_TILES).min(count);
    let mut v = Buffer::uninit(DType::F32, places * each * wide);
    let mut m = Buffer::uninit(DType::F32, places * each * far);
    let mut du = Buffer::uninit(DType::F32, places * g.channels * far);
    let images = Images::under(x, g);
    let panel = run_at::<f32, _>(level, TileOf).cols;
    for start in (0..count).step_by(each) {
        let tiles = start..count.min(start + each);
        let v_rows = Rows { to: Shared::new(v.as_mut()), first: 0, count: tiles.len(), apart: wide };
        let m_rows = Rows { to: Shared::new(m.as_mut()), apart: far, ..v_rows };
        let grain = (GRAIN / (places * (wide + far))).max(1);
        for_ranges(tiles.len(), grain, |from, to| {
            let tiles = start + from..start + to;
            run_at(level, Inputs::<N> { images, grid, tiles: tiles.clone(), v: v_rows.from(from) });
            run_at(level, Cotangents::<N> { dy, size, filters: g.filters, grid, tiles, m: m_rows.from(from) });
        });
        let (v, m) = (v.as_slice(), m.as_slice());
        let products = Products { level, places, v, m, tiles: tiles.len(), wide, far, panel, first: start == 0 };
        products.add(g, Shared::new(du.as_mut()));
    }
    finish::<N>(level, du.as_slice(), far, g)
}

/// The products of a block of tiles.
struct Products<'a> {
    level: Level,
    places: usize,
    v: &'a [f32],
    m: &'a [f32],
    tiles: usize,
    wide: usize,
    far: usize,
    /// The columns of the microkernel's tile.
    panel: usize,
    /// Whether the sums begin here.
    first: bool,
}

impl Products<'_> {
    /// `du[place] += v[place]ᵀ·m[place]`, each thread some channels of a place.
    fn add(&self, g: &ConvGeometry, du: Shared<f32>) {
        let parts = g.channels.div_ceil(ROWS);
        for_ranges(self.places * parts, 1, |start, end| {
            for part in start..end {
                let first = part % parts * ROWS;
                self.add_part(g, part / parts, first..g.channels.min(first + ROWS), du);
            }
        });
    }

    fn add_part(&self, g: &ConvGeometry, place: usize, channels: Range<usize>, du: Shared<f32>) {
        let (v, m) = (&self.v[place * self.tiles * self.wide..], &self.m[place * self.tiles * self.far..]);
        let at = (place * g.channels + channels.start) * self.far;
        // SAFETY: nobody else has these channels of this place.
        let out = unsafe { du.part(at, at + channels.len() * self.far) };
        let (mut left, mut rows) = (Left::new(), Vec::new());
        gemm::Rows::even(self.far as isize).find(out.as_mut_ptr(), 0..channels.len(), &mut rows);
        for first in (0..self.tiles).step_by(DEPTH) {
            let run = Run { at: 0, len: DEPTH.min(self.tiles - first) };
            let at = v[first * self.wide + channels.start..].as_ptr();
            gemm::Rows::even(1).find(at, 0..channels.len(), &mut left.rows);
            (left.runs, left.step, left.cold) = (vec![run], self.wide as isize, true);
            let block = Block {
                left: &left,
                right: Right { at: m[first * self.far..].as_ptr(), panel: self.panel, step: self.far as isize },
                cols: g.filters,
                start: if self.first && first == 0 { Start::Zero } else { Start::Out },
                out: &rows,
            };
            run_at(self.level, block);
        }
    }
}

/// dw from the sums.
fn finish<const N: usize>(level: Level, du: &[f32], apart: usize, g: &ConvGeometry) -> Option<Buffer> {
    let finite = AtomicBool::new(true);
    let sizes = [g.channels, g.filters];
    let dw = Buffer::build(9 * g.channels * g.filters, |dw| {
        let dw = Shared::new(dw);
        for_ranges(g.channels, GRAIN.div_ceil(N * N * g.filters), |start, end| {
            if !run_at(level, WeightCotangents::<N> { du, apart, sizes, channels: start..end, dw }) {
                finite.store(false, Ordering::Relaxed);
            }
        });
    });
    finite.into_inner().then_some(dw)
}
