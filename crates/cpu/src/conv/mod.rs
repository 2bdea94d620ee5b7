//! Convolution in two dimensions as matrix products whose left operand is the matrix of `patches`, which is
//! packed block by block from the images and never written out ("implicit GEMM").
//!
//! With X̂ the patches, one row for each window and one column for each tap and channel:
//! `y = X̂·w + bias` and `dw = X̂ᵀ·dy`. For stride 1, dx is the convolution of dy with the flipped weights, and for
//! greater strides it is put together from several such (see `input`). Only for strides and dilations at once are the
//! patches' cotangents `dy·wᵀ` added up where the patches came from.

mod format;
mod input;
mod patches;
mod pooled;
mod rectified;
#[cfg(test)]
mod tests;
mod winners;
mod winograd;

use crate::dense::{dense, whole};
use crate::dispatch::for_float;
use crate::gemm::{Product, Strided, collide};
use crate::par::{Shared, for_ranges};
use crate::simd::{Level, SimdFloat};
use crate::{Buffer, memory};
use cotangent_base::{ConvGeometry, DType, DataFormat, Slide, View, Window};
use format::{from_last, to_last};
use patches::{Patches, Transposed, padded};
use rectified::{is_light, rectify, rows_at_once};
use std::ops::Range;
use winograd::Winograd;

pub use pooled::conv2d_max_pool2d;
pub use rectified::conv2d_relu_dw;
pub use winners::conv2d_max_pool2d_vjp;

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
    let fast = winograd::suits(dtype, geometry).then(|| winograd_forward(level, x, w, bias, relu, geometry));
    fast.flatten().unwrap_or_else(|| for_float!("conv2d", dtype, T => forward::<T>(level, x, w, bias, relu, geometry)))
}

/// The cotangent of x: `dx[n, i, c] = Σ dy[n, p, k]·w[tap, c, k]` over all p, tap with
/// `p·stride + tap·dilation − before = i`.
///
/// # Panics
/// As [`conv2d`].
pub fn conv2d_dx(dy: View<Buffer>, w: View<Buffer>, geometry: &ConvGeometry) -> Buffer {
    let level = Level::current();
    let fast = winograd::suits(dy.buffer.dtype(), geometry).then(|| winograd_input_cotangent(level, dy, w, geometry));
    fast.flatten().unwrap_or_else(
        || for_float!("conv2d_dx", dy.buffer.dtype(), T => input_cotangent::<T>(level, dy, w, geometry)),
    )
}

/// The cotangent of w: `dw[tap, c, k] = Σ x[n, p·stride + tap·dilation − before, c]·dy[n, p, k]` over n and p.
///
/// # Panics
/// As [`conv2d`].
pub fn conv2d_dw(x: View<Buffer>, dy: View<Buffer>, geometry: &ConvGeometry) -> Buffer {
    let (x, ref geometry) = sampled(x, geometry);
    let level = Level::current();
    let fast =
        winograd::suits_gradient(x.buffer.dtype(), geometry).then(|| winograd_weight_cotangent(level, x, dy, geometry));
    fast.flatten().unwrap_or_else(
        || for_float!("conv2d_dw", x.buffer.dtype(), T => weight_cotangent::<T>(level, x, dy, geometry)),
    )
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
    let (x, w, bias) = (to_last::<T>(x, g.format), dense::<T>(w), bias.map(dense::<T>));
    let s = Sizes::new(g);
    let (image, height) = (g.window.h.input * g.window.w.input * s.channels, g.window.h.output);
    // a ReLU costs less while the results are in a cache: some rows at a time, if they are little work
    let at_once = if relu && is_light(g) { rows_at_once(g) } else { g.batch * height };
    let y = Buffer::build(s.windows * s.filters, |y| {
        let row = g.window.w.output * s.filters;
        let y = Shared::new(y);
        for_ranges(g.batch * height, at_once, |start, end| {
            // SAFETY: each row has a place of its own.
            let y = unsafe { y.part(start * row, end * row) };
            let images = &x[start / height * image..end.div_ceil(height) * image];
            for group in 0..g.groups {
                let filters = s.filters_of(group);
                let patches = Patches::new(images, g.window, s.channels, s.channels_of(group));
                let product = Product {
                    level,
                    rows: (end - start) * g.window.w.output,
                    cols: s.group_filters,
                    depth: s.columns,
                    a: if g.batch == 1 { patches.of_rows(start..end) } else { patches },
                    b: Strided::new(&w, filters.start, [s.group_filters, s.columns], [1, s.filters as isize]),
                    bias: bias.as_deref().map(|b| &b[filters.clone()]),
                    spread: at_once >= g.batch * height,
                };
                product.write(tail(y, filters.start), s.filters);
            }
            if relu {
                rectify(level, y);
            }
        });
    });
    from_last(y, g.format, g.format.nhwc(&g.y_shape()))
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
    let (x, bias) = (to_last::<f32>(x, g.format), bias.map(dense::<f32>));
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
    let dy = to_last::<f32>(dy, g.format);
    let flipped = w.layout.slice(0, 2, 3, -1).slice(1, 2, 3, -1).permute(&[0, 1, 3, 2]);
    let w = memory::copy(View { buffer: w.buffer, layout: flipped });
    let size = [g.window.h.input, g.window.w.input];
    let mut dx = Buffer::uninit(DType::F32, g.x_shape().count());
    let (to, filters) = (Shared::new(dx.as_mut()), g.channels);
    let finish = winograd::Plain { y: to, bias: None, least: winograd::least(false), size, filters };
    let finite = Winograd::backward(level, &dy, w.as_slice(), g).run(size, &finish);
    finite.then(|| from_last(dx, g.format, g.format.nhwc(&g.x_shape())))
}

fn weight_cotangent<T: SimdFloat>(level: Level, x: View<Buffer>, dy: View<Buffer>, g: &ConvGeometry) -> Buffer {
    assert_eq!((x.shape(), dy.shape()), (g.x_shape(), g.y_shape()), "[conv2d_dw] x and dy against the geometry");
    let (x, dy) = (to_last::<T>(x, g.format), to_last::<T>(dy, g.format));
    let (s, padded) = (Sizes::new(g), padded(&x, g.window, g.channels));
    let patches = |group| match &padded {
        Some((copy, [h, w], channels)) => Patches::over(copy.as_slice(), *h, *w, *channels, group),
        None => Patches::new(&x, g.window, s.channels, group),
    };
    Buffer::build(s.columns * s.filters, |dw| {
        for group in 0..g.groups {
            let filters = s.filters_of(group);
            let product = Product {
                level,
                rows: s.columns,
                cols: s.group_filters,
                depth: s.windows,
                a: Transposed(patches(s.channels_of(group))),
                b: Strided::new(&dy, filters.start, [s.group_filters, s.windows], [1, s.filters as isize]),
                bias: None,
                spread: true,
            };
            product.write(tail(dw, filters.start), s.filters);
        }
    })
}

/// The same for geometries that suit [`winograd`]; nothing if a number is not finite.
fn winograd_weight_cotangent(level: Level, x: View<Buffer>, dy: View<Buffer>, g: &ConvGeometry) -> Option<Buffer> {
    winograd::weight_cotangent(level, &to_last::<f32>(x, g.format), &to_last::<f32>(dy, g.format), g)
}

/// From `start` on; nothing if there is nothing.
fn tail<T>(x: &mut [T], start: usize) -> &mut [T] {
    let start = start.min(x.len());
    &mut x[start..]
}
