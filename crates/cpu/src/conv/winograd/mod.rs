//! Convolution with 3 × 3 windows in fewer products: F(2×2, 3×3) and F(4×4, 3×3).
//!
//! A tile of 2 × 2 results takes 16 products for each channel instead of 36: with `V = Bᵀ·d·B` of the 4 × 4 inputs d
//! that the tile sees and `U = G·g·Gᵀ` of the weights g, `y = Aᵀ·(U ⊙ V)·A`. Summing over the channels makes each of
//! the 16 places a matrix product, tiles × channels × filters. A tile of 4 × 4 results takes 36 products of 144. With
//! the factors of `factors` the root-mean-square error is 0.7 times that of the direct sum for the small tiles, and for the
//! large ones 2.1 times for y and dx and 3.1 for dw, whose sums are long (measured against f64, 32 channels; `tests` has
//! the bounds). Direct sums of other libraries have errors like these. But numbers of one tile share it, and an infinity
//! spreads over its tile. So a result that is not finite is thrown away, and the direct sum is taken.
//!
//! Windows of stride 2 take 25 products instead of 36: for 2 × 2 of their results from 5 × 5 inputs, and for 4 × 4 numbers of dx
//! from 3 × 3 of dy, with 0.6 and 1.1 times the error of the direct sums.
//!
//! Lavin, Gray: *Fast Algorithms for Convolutional Neural Networks*, CVPR 2016.

mod factors;
mod finish;
mod gradient;
mod lines;
#[cfg(test)]
mod tests;
mod transform;
mod weights;

use crate::Buffer;
use crate::gemm::{self, Block, Left, Run, Scratch, Start, Tile, TileOf, collide};
use crate::known::Derived;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, Upcoming, run_at};
use cotangent_base::{ConvGeometry, DType, DataFormat, Slide};
use factors::{input_of, side, sides, weights_of};
pub(super) use finish::{Finish, Plain, Pooled, least};
pub(super) use gradient::weight_cotangent;
use lines::Lines;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use transform::{Inputs, Outputs, Rows};
use weights::Weights;

/// The numbers of a block's transformed tiles and their products, at most: they stay in the second-level cache.
const BLOCK: usize = 1 << 17;
/// The tiles of a block, at most, where channels and filters are so many that this is more than `BLOCK`: each block reads
/// all weights.
const BLOCK_TILES: usize = 112;
/// Fewer channels or filters than this are not worth the transforms.
const LEAST: usize = 16;
/// So many tiles pay for the transformed weights.
const LEAST_TILES: usize = 96;
/// So few weights for each tap, transformed, stay in the second-level cache: fewer large tiles pay for them.
const FEW_WEIGHTS: usize = 1 << 13;
/// No more transformed weights than this are kept with those that they were made of.
const KEPT: usize = 1 << 20;

/// A convolution that [`suits`]; its results have the channels last.
pub(super) struct Winograd<'a> {
    level: Level,
    images: Images<'a>,
    w: Weights<'a>,
    /// The buffer that holds these weights and nothing else, if there is one.
    keeper: Option<&'a Buffer>,
    batch: usize,
    filters: usize,
    /// The inputs in a tile's side: the `N` of [`factors`].
    inputs: usize,
}

/// What the windows slide over.
#[derive(Clone, Copy)]
struct Images<'a> {
    /// In this format.
    x: &'a [f32],
    /// The vertical and the horizontal axis.
    axes: [Axis; 2],
    channels: usize,
    format: DataFormat,
}

impl<'a> Images<'a> {
    /// The images of a convolution with this geometry.
    fn under(x: &'a [f32], g: &ConvGeometry) -> Self {
        assert!(suits_dw(DType::F32, g) && x.len() == g.x_shape().count());
        let axes = [g.window.h, g.window.w].map(|s| Axis { input: s.input, before: s.before });
        Self { x, axes, channels: g.channels, format: g.format }
    }

    /// The images over which flipped windows make the cotangent of the convolution's images.
    fn above(dy: &'a [f32], g: &ConvGeometry) -> Self {
        assert!(suits_dx(DType::F32, g) && dy.len() == g.y_shape().count());
        let before = |s: Slide| if s.stride == 1 { 2 - s.before } else { 0 };
        let axes = [g.window.h, g.window.w].map(|s| Axis { input: s.output, before: before(s) });
        Self { x: dy, axes, channels: g.filters, format: g.format }
    }

    /// About what these tiles see; nothing where channels come first, as their lines lie far apart.
    fn about(&self, tiles: Range<usize>, [rows, columns]: [usize; 2]) -> Upcoming {
        if self.format == DataFormat::ChannelsFirst {
            return Upcoming::nothing();
        }
        let [h, w] = self.axes.map(|axis| axis.input);
        let [from, end] = [tiles.start, tiles.end].map(|tile| tile * h * w / (rows * columns) * self.channels);
        Upcoming::of(self.x.as_ptr().wrapping_add(from), end - from)
    }
}

/// One axis of the images: its size, and how far the first window reaches over the start.
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    before: usize,
}

/// Whether the convolution can be computed so, and is worth it.
pub(super) fn suits(dtype: DType, g: &ConvGeometry) -> bool {
    suits_dw(dtype, g) && (g.window.h.stride == 1 || pays_with_strides(g))
}

/// Whether the cotangent of its images can be computed so, and is worth it.
pub(super) fn suits_dx(dtype: DType, g: &ConvGeometry) -> bool {
    let (h, w) = (g.window.h, g.window.w);
    let whole = || {
        let tiles = tiles(g.batch, [h.input, w.input], 4);
        h.before == 1 && w.before == 1 && are_full(tiles, 16, g.batch * h.input * w.input)
    };
    suits_dw(dtype, g) && (h.stride == 1 || pays_with_strides(g) && whole())
}

/// Whether the cotangent of its weights can be computed so, and is worth it.
pub(super) fn suits_dw(dtype: DType, g: &ConvGeometry) -> bool {
    let (h, w) = (g.window.h, g.window.w);
    let plain = |s: &Slide| (s.kernel, s.dilation) == (3, 1) && s.stride <= 2 && s.before <= 2;
    let tiles = tiles(g.batch, [h.output, w.output], 2);
    let (least, full) = match h.stride {
        1 => (LEAST, true),
        _ => (2 * LEAST, are_full(tiles, 4, g.batch * h.output * w.output)),
    };
    let large = g.channels >= least && g.filters >= least && tiles > LEAST_TILES && full;
    dtype == DType::F32 && g.groups == 1 && plain(&h) && plain(&w) && h.stride == w.stride && large
}

/// With strides there is less to gain, and tiles of `size` results that reach over the edges would cost all of it.
fn are_full(tiles: usize, size: usize, results: usize) -> bool {
    8 * tiles * size <= 9 * results
}

/// With strides y and dx are transformed for less: channels and filters must be more.
fn pays_with_strides(g: &ConvGeometry) -> bool {
    g.channels * g.filters >= 2 * LEAST * (g.channels + g.filters)
}

/// Whether tiles of 4 × 4 results save enough products, for images of `size` results, to be worth their longer transforms.
fn large_pay(batch: usize, size: [usize; 2]) -> bool {
    5 * 36 * tiles(batch, size, 4) < 4 * 16 * tiles(batch, size, 2)
}

/// The tiles with so many results in a side that cover images of `size` results.
fn tiles(batch: usize, size: [usize; 2], side: usize) -> usize {
    batch * size[0].div_ceil(side) * size[1].div_ceil(side)
}

/// The inputs in the side of a tile for images of `size` results, with `weights` for each tap and windows without strides. A
/// function of the sizes alone.
fn inputs(batch: usize, size: [usize; 2], weights: usize) -> usize {
    let least = if weights <= FEW_WEIGHTS { LEAST_TILES / 4 } else { LEAST_TILES };
    if large_pay(batch, size) && tiles(batch, size, 4) > least { 6 } else { 4 }
}

impl<'a> Winograd<'a> {
    /// The convolution of x and w with this geometry; `keeper` holds just w, perhaps.
    pub fn forward(level: Level, x: &'a [f32], w: &'a [f32], keeper: Option<&'a Buffer>, g: &ConvGeometry) -> Self {
        assert!(keeper.is_none_or(|keeper| keeper.as_slice::<f32>().as_ptr() == w.as_ptr()));
        let inputs = match g.window.h.stride {
            1 => inputs(g.batch, [g.window.h.output, g.window.w.output], g.channels * g.filters),
            _ => 5,
        };
        let w = Weights::of(w, [g.channels, g.filters]);
        Self { level, images: Images::under(x, g), w, keeper, batch: g.batch, filters: g.filters, inputs }
    }

    /// The cotangent of its x, from y's.
    pub fn backward(level: Level, dy: &'a [f32], w: &'a [f32], g: &ConvGeometry) -> Self {
        let inputs = match g.window.h.stride {
            1 => inputs(g.batch, [g.window.h.input, g.window.w.input], g.channels * g.filters),
            _ => 3,
        };
        let w = Weights::of(w, [g.channels, g.filters]).flipped();
        Self { level, images: Images::above(dy, g), w, keeper: None, batch: g.batch, filters: g.channels, inputs }
    }

    /// Computes the first `size` (rows and columns) results of each image and hands them to `finish`; false if one is not
    /// finite.
    pub fn run<F: Finish>(&self, size: [usize; 2], finish: &F) -> bool {
        let tiles = size.map(|size| size.div_ceil(side(self.inputs)));
        let tile = run_at::<f32, _>(self.level, TileOf);
        let made = [self.inputs, tile.cols, self.images.channels, self.filters];
        let keeper = self.keeper.filter(|_| self.weight_places() * self.images.channels * self.filters <= KEPT);
        let u = match keeper {
            Some(keeper) => keeper.derive(made, || self.weights(tile.cols)),
            None => Derived::New(self.weights(tile.cols)),
        };
        let plan = Plan { conv: self, tiles, tile, u: u.as_slice(), finish };
        let count = self.batch * tiles[0] * tiles[1];
        let [inputs, products] = sides(self.inputs).map(|side| side * side);
        let each = inputs * plan.inputs_apart() + products * plan.outputs_apart();
        // as many blocks for each thread; few tiles are not rounded up to whole ones of the product's
        let blocks = count.div_ceil((BLOCK / each).max(BLOCK_TILES)).next_multiple_of(threads());
        let block = count.div_ceil(blocks);
        let block = block.next_multiple_of(if block > 4 * tile.rows { tile.rows } else { 2 });
        let finite = AtomicBool::new(true);
        for_ranges(count, block, |start, end| {
            if !plan.block(start..end) {
                finite.store(false, Ordering::Relaxed);
            }
        });
        finite.into_inner()
    }

    /// The transformed weights: for each place, panels of `width` filters, `[panel, c, column]`.
    fn weights(&self, width: usize) -> Buffer {
        match self.inputs {
            4 => self.w.transformed::<4>(self.level, width),
            3 | 5 => self.w.transformed::<5>(self.level, width),
            _ => self.w.transformed::<6>(self.level, width),
        }
    }

    /// The places that have weights of their own: in a side,
    fn weight_side(&self) -> usize {
        weights_of(sides(self.inputs)[1])
    }

    /// and in all.
    fn weight_places(&self) -> usize {
        self.weight_side().pow(2)
    }
}

/// A convolution that is being computed.
struct Plan<'a, F> {
    conv: &'a Winograd<'a>,
    tiles: [usize; 2],
    tile: Tile,
    /// The transformed weights, in panels as wide as the microkernel's tile.
    u: &'a [f32],
    finish: &'a F,
}

/// A row length that holds `count` and keeps rows off the same few cache sets.
fn apart(count: usize) -> usize {
    let length = count.next_multiple_of(16);
    if collide::<f32>(length as isize) { length + 16 } else { length }
}

impl<F: Finish> Plan<'_, F> {
    /// From tile to tile: the numbers of transformed inputs, and of products.
    fn inputs_apart(&self) -> usize {
        apart(self.conv.images.channels)
    }

    fn outputs_apart(&self) -> usize {
        apart(self.conv.filters)
    }

    /// Computes some tiles, counted through all images; false if a result is not finite.
    fn block(&self, tiles: Range<usize>) -> bool {
        let (mut v, mut m) = (Scratch::new(), Scratch::new());
        let (wide, far) = (self.inputs_apart(), self.outputs_apart());
        let (level, filters, [inputs, products]) = (self.conv.level, self.conv.filters, sides(self.conv.inputs));
        let v = v.take(inputs * inputs * tiles.len() * wide);
        let m: &mut [f32] = m.take(products * products * tiles.len() * far);
        let rows = Rows { to: Shared::new(v), count: tiles.len(), apart: wide };
        let (grid, finish, count, lines) = (self.tiles, self.finish, tiles.len(), &mut Lines::new());
        match self.conv.inputs {
            3 => self.inputs::<3, 4>(tiles.clone(), rows).compute(level, lines),
            4 => self.inputs::<4, 4>(tiles.clone(), rows).compute(level, lines),
            5 => self.inputs::<5, 5>(tiles.clone(), rows).compute(level, lines),
            _ => self.inputs::<6, 6>(tiles.clone(), rows).compute(level, lines),
        }
        let (mut from, mut out) = (Vec::new(), Vec::new());
        for (y, x) in (0..products).flat_map(|y| (0..products).map(move |x| (y, x))) {
            let input = inputs * input_of(self.conv.inputs, y) + input_of(self.conv.inputs, x);
            let (v, m) = (v[input * count * wide..].as_ptr(), m[(products * y + x) * count * far..].as_mut_ptr());
            gemm::Rows::find_even(v, wide as isize, count, &mut from);
            gemm::Rows::find_even(m.cast_const(), far as isize, count, &mut out);
            self.multiply([y, x], &from, &out);
        }
        match self.conv.inputs {
            3 => run_at(level, Outputs::<F, 3, 5> { filters, grid, tiles, apart: far, m, finish }),
            4 => run_at(level, Outputs::<F, 4, 4> { filters, grid, tiles, apart: far, m, finish }),
            5 => run_at(level, Outputs::<F, 5, 5> { filters, grid, tiles, apart: far, m, finish }),
            _ => run_at(level, Outputs::<F, 6, 6> { filters, grid, tiles, apart: far, m, finish }),
        }
    }

    /// The transform of some tiles, asking for what as many tiles behind them see.
    fn inputs<const N: usize, const I: usize>(&self, tiles: Range<usize>, v: Rows) -> Inputs<'_, N, I> {
        let (images, grid) = (self.conv.images, self.tiles);
        let ahead = images.about(tiles.end..tiles.end + tiles.len(), grid);
        Inputs { images, channels: 0..images.channels, grid, tiles, v, ahead }
    }

    /// The products of one place: `out = rows · u[place]`.
    fn multiply(&self, place: [usize; 2], rows: &[*const f32], out: &[*const f32]) {
        let depth = self.conv.images.channels;
        let (side, size) = (self.conv.weight_side(), self.u.len() / self.conv.weight_places());
        let [y, x] = place.map(|p| p.min(side - 1));
        let right = self.tile.packed(self.u[(side * y + x) * size..][..size].as_ptr(), depth);
        let left = Left { rows, runs: &[Run { at: 0, len: depth, skip: 0 }], step: 1, cold: false };
        run_at(self.conv.level, Block { left, right, own: None, cols: self.conv.filters, start: Start::Zero, out });
    }
}
