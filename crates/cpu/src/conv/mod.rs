//! Convolution in two dimensions as matrix products whose left operand is the matrix of `patches`, which is
//! packed block by block from the images and never written out ("implicit GEMM"), but for few channels that come first
//! (see `unfolded`).
//!
//! With X̂ the patches, one row for each window and one column for each tap and channel:
//! `y = X̂·w + bias` and `dw = X̂ᵀ·dy`. For stride 1, dx is the convolution of dy with the flipped weights, and for
//! greater strides it is put together from several such (see `input`). Only for strides and dilations at once are the
//! patches' cotangents `dy·wᵀ` added up where the patches came from.

mod axis;
mod format;
mod input;
mod patches;
mod pooled;
mod rectified;
#[cfg(test)]
mod tests;
mod unfolded;
mod weights;
mod winners;
mod winograd;

use crate::Buffer;
use crate::dense::{dense, whole};
use crate::dispatch::for_float;
use crate::gemm::{Product, Scratch, Strided, collide};
use crate::par::{Shared, for_ranges};
use crate::simd::{Level, SimdFloat};
use cotangent_base::{ConvGeometry, DType, DataFormat, Slide, View, Window};
use format::{from_last, to_first, to_last};
use patches::Patches;
use rectified::{AT_ONCE, is_light, rectify, rows_at_once};
use std::ops::Range;
use weights::weight_cotangent;
use winograd::Winograd;

pub use pooled::conv2d_max_pool2d;
pub use rectified::conv2d_relu_dw;
pub use winners::conv2d_max_pool2d_vjp;

/// So many results do not stay in the caches until they are put in another format.
const BEYOND: usize = 1 << 20;

/// `y[n, p, k] = bias[k] + Σ x[n, p·stride + tap·dilation − before, c]·w[tap, c, k]`, the sum running over the taps
/// and over the channels of k's group. `x` and y are in the geometry's format, `w [kh, kw, C / groups, K]`,
/// `bias [K]`. With `relu` a y below 0 is 0.
///
/// # Panics
/// If the shapes are not the geometry's, or the dtypes are not all f32 or all f64.
pub fn conv2d(
    x: View<Buffer>,
    w: View<Buffer>,
    bias: Option<View<Buffer>>,
    relu: bool,
    geometry: &ConvGeometry,
) -> Buffer {
    let (x, ref geometry) = sampled(x, geometry);
    let (level, dtype) = (Level::current(), x.buffer.dtype());
    let fast = || winograd_forward(level, x, w, bias, relu, geometry);
    let direct = || for_float!("conv2d", dtype, T => forward::<T>(level, x, w, bias, relu, geometry));
    fast_or_direct(winograd::suits(dtype, geometry), fast, direct)
}

/// The cotangent of x: `dx[n, i, c] = Σ dy[n, p, k]·w[tap, c, k]` over all p, tap with
/// `p·stride + tap·dilation − before = i`.
///
/// # Panics
/// As [`conv2d`].
pub fn conv2d_dx(dy: View<Buffer>, w: View<Buffer>, geometry: &ConvGeometry) -> Buffer {
    let (level, dtype) = (Level::current(), dy.buffer.dtype());
    let fast = || winograd_input_cotangent(level, dy, w, geometry);
    let direct = || for_float!("conv2d_dx", dtype, T => input_cotangent::<T>(level, dy, w, geometry));
    fast_or_direct(winograd::suits_dx(dtype, geometry), fast, direct)
}

/// The cotangent of w: `dw[tap, c, k] = Σ x[n, p·stride + tap·dilation − before, c]·dy[n, p, k]` over n and p.
///
/// # Panics
/// As [`conv2d`].
pub fn conv2d_dw(x: View<Buffer>, dy: View<Buffer>, geometry: &ConvGeometry) -> Buffer {
    let (x, ref geometry) = sampled(x, geometry);
    let (level, dtype) = (Level::current(), x.buffer.dtype());
    let fast = || winograd_weight_cotangent(level, x, dy, geometry);
    let direct = || for_float!("conv2d_dw", dtype, T => weight_cotangent::<T>(level, x, dy, geometry));
    fast_or_direct(winograd::suits_dw(dtype, geometry), fast, direct)
}

/// By the fast way if the convolution suits it and all results are finite.
fn fast_or_direct(suits: bool, fast: impl FnOnce() -> Option<Buffer>, direct: impl FnOnce() -> Buffer) -> Buffer {
    suits.then(fast).flatten().unwrap_or_else(direct)
}

/// Windows of one tap with strides see some pixels only: these pixels, and a geometry that sees all of them. Other
/// convolutions stay as they are, and so do images whose pixels can be read where they lie.
fn sampled<'a>(x: View<'a, Buffer>, g: &ConvGeometry) -> (View<'a, Buffer>, ConvGeometry) {
    let (h, w) = (g.window.h, g.window.w);
    let one = |s: Slide| s.kernel == 1 && s.before == 0 && s.output <= s.input.div_ceil(s.stride);
    let here = g.format == DataFormat::ChannelsLast && !collide::<f32>((w.stride * g.channels) as isize);
    if !one(h) || !one(w) || (h.stride, w.stride) == (1, 1) || here {
        return (x, *g);
    }
    assert_eq!(x.shape(), g.x_shape(), "[conv2d] x against the geometry");
    let all = |s: Slide| Slide { input: s.output, stride: 1, dilation: 1, ..s };
    let axis = if g.format == DataFormat::ChannelsLast { 1 } else { 2 };
    let layout = x.layout.slice(axis, 0, h.output, h.stride as isize).slice(axis + 1, 0, w.output, w.stride as isize);
    (View { layout, ..x }, ConvGeometry { window: Window { h: all(h), w: all(w) }, ..*g })
}

/// The sizes that the matrix products have.
#[derive(Clone, Copy)]
struct Sizes {
    /// The windows of all images.
    windows: usize,
    /// The columns of the patches of one group.
    columns: usize,
    /// The channels of x and y, and those of one group.
    channels: usize,
    filters: usize,
    group_channels: usize,
    group_filters: usize,
}

impl Sizes {
    fn new(g: &ConvGeometry) -> Self {
        let (group_channels, group_filters) = (g.channels / g.groups, g.filters / g.groups);
        Self {
            windows: g.batch * g.window.h.output * g.window.w.output,
            columns: g.window.h.kernel * g.window.w.kernel * group_channels,
            channels: g.channels,
            filters: g.filters,
            group_channels,
            group_filters,
        }
    }

    fn channels_of(&self, group: usize) -> Range<usize> {
        group * self.group_channels..(group + 1) * self.group_channels
    }

    fn filters_of(&self, group: usize) -> Range<usize> {
        group * self.group_filters..(group + 1) * self.group_filters
    }
}

fn forward<T: SimdFloat>(
    level: Level,
    x: View<Buffer>,
    w: View<Buffer>,
    bias: Option<View<Buffer>>,
    relu: bool,
    g: &ConvGeometry,
) -> Buffer {
    assert_eq!((x.shape(), w.shape()), (g.x_shape(), g.w_shape()), "[conv2d] x and w against the geometry");
    if unfolded::suits(g) {
        let (x, w, bias) = (dense::<T>(x), dense::<T>(w), bias.map(dense::<T>));
        return Buffer::build(g.y_shape().count(), |y| unfolded::forward(level, (&x, &w, bias.as_deref()), relu, g, y));
    }
    let (x, w, bias) = (to_last::<T>(x, g.format), dense::<T>(w), bias.map(dense::<T>));
    let (s, width) = (Sizes::new(g), g.window.w.output);
    let (lines, at_once) = (g.batch * g.window.h.output, lines_at_once(g, relu));
    let spread = at_once >= lines;
    let exchanged = !spread && g.format == DataFormat::ChannelsFirst;
    let y = Buffer::build(s.windows * s.filters, |y| {
        let to = Shared::new(y);
        for_ranges(lines, at_once, |start, end| {
            let (rows, mut scratch) = (start * width..end * width, Scratch::new());
            let y = match exchanged {
                true => scratch.take(rows.len() * s.filters),
                // SAFETY: each line has a place of its own.
                false => unsafe { to.part(rows.start * s.filters, rows.end * s.filters) },
            };
            for group in 0..g.groups {
                let filters = s.filters_of(group);
                let product = Product {
                    level,
                    rows: rows.len(),
                    cols: s.group_filters,
                    depth: s.columns,
                    a: Patches::new(&x, g.window, s.channels, s.channels_of(group)).from(rows.start),
                    b: Strided::new(&w, filters.start, [s.group_filters, s.columns], [1, s.filters as isize]),
                    bias: bias.as_deref().map(|b| &b[filters.clone()]),
                    spread,
                };
                product.compute(tail(y, filters.start), s.filters, false, s.windows * s.group_filters);
            }
            if relu {
                rectify(level, y);
            }
            if exchanged {
                to_first(level, y, start..end, g, to);
            }
        });
    });
    if exchanged { y } else { from_last(y, g.format, g.format.nhwc(&g.y_shape())) }
}

/// The lines of windows, counted through all images, that one thread computes at a time if not all: while results are in its
/// core's cache it costs less to cut them off at 0, where that is much beside the products, and to put the channels first.
fn lines_at_once(g: &ConvGeometry, relu: bool) -> usize {
    let (lines, line) = (g.batch * g.window.h.output, g.window.w.output * g.filters);
    if relu && is_light(g) {
        rows_at_once(g)
    } else if g.format == DataFormat::ChannelsFirst && lines * line > BEYOND {
        (AT_ONCE / line).max(1)
    } else {
        lines
    }
}

/// The same for geometries that suit [`winograd`]; nothing if a result is not finite.
fn winograd_forward(
    level: Level,
    x: View<Buffer>,
    w: View<Buffer>,
    bias: Option<View<Buffer>>,
    relu: bool,
    g: &ConvGeometry,
) -> Option<Buffer> {
    let (keeper, w) = (whole(w), dense::<f32>(w));
    let (x, bias) = (dense::<f32>(x), bias.map(dense::<f32>));
    let size = [g.window.h.output, g.window.w.output];
    let mut y = Buffer::uninit(DType::F32, g.y_shape().count());
    let (to, filters) = (Shared::new(y.as_mut()), g.filters);
    let finish = winograd::Plain { y: to, bias: bias.as_deref(), least: winograd::least(relu), size, filters };
    let finite = Winograd::forward(level, &x, &w, keeper, g).run(size, &finish);
    finite.then(|| from_last(y, g.format, g.format.nhwc(&g.y_shape())))
}

fn input_cotangent<T: SimdFloat>(level: Level, dy: View<Buffer>, w: View<Buffer>, g: &ConvGeometry) -> Buffer {
    assert_eq!((dy.shape(), w.shape()), (g.y_shape(), g.w_shape()), "[conv2d_dx] dy and w against the geometry");
    let dy = to_last::<T>(dy, g.format);
    let dx = Buffer::build(g.x_shape().count(), |dx| {
        if [g.window.h, g.window.w].iter().all(|s| s.stride == 1 || s.dilation == 1) {
            input::by_phases(level, &dy, w, g, dx)
        } else {
            input::by_adding(level, &dy, &dense::<T>(w), g, dx)
        }
    });
    from_last(dx, g.format, g.format.nhwc(&g.x_shape()))
}

/// The same for geometries that suit [`winograd`]: dx is the convolution of dy with w, its taps flipped and its channels
/// and filters exchanged. Nothing if a number is not finite.
fn winograd_input_cotangent(level: Level, dy: View<Buffer>, w: View<Buffer>, g: &ConvGeometry) -> Option<Buffer> {
    let (dy, w) = (dense::<f32>(dy), dense::<f32>(w));
    let size = [g.window.h.input, g.window.w.input];
    let mut dx = Buffer::uninit(DType::F32, g.x_shape().count());
    let (to, filters) = (Shared::new(dx.as_mut()), g.channels);
    let finish = winograd::Plain { y: to, bias: None, least: winograd::least(false), size, filters };
    let finite = Winograd::backward(level, &dy, &w, g).run(size, &finish);
    finite.then(|| from_last(dx, g.format, g.format.nhwc(&g.x_shape())))
}

/// [`weight_cotangent`] for geometries that suit [`winograd`]; nothing if a number is not finite.
fn winograd_weight_cotangent(level: Level, x: View<Buffer>, dy: View<Buffer>, g: &ConvGeometry) -> Option<Buffer> {
    winograd::weight_cotangent(level, &dense::<f32>(x), &dense::<f32>(dy), g)
}

/// From `start` on; nothing if there is nothing.
fn tail<T>(x: &mut [T], start: usize) -> &mut [T] {
    let start = start.min(x.len());
    &mut x[start..]
}
