//! Convolution and max pooling in one: the images between the two are never written.

use super::conv2d;
use super::format::from_last;
use super::winograd::{self, Pooled, Winograd};
use crate::Buffer;
use crate::dense::{dense, whole};
use crate::par::Shared;
use crate::pool::max_pool2d;
use crate::simd::Level;
use cotangent_base::{ConvGeometry, DType, PoolGeometry, Slide, View};

/// `max_pool2d(conv2d(x, w, bias))` and the winning taps (u32), as [`max_pool2d`] gives them; with `relu` a result below 0
/// is 0, whichever tap it comes from.
///
/// # Panics
/// As [`conv2d`] and [`max_pool2d`].
pub fn conv2d_max_pool2d(
    x: View<Buffer>,
    w: View<Buffer>,
    bias: Option<View<Buffer>>,
    relu: bool,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
) -> (Buffer, Buffer) {
    let quarters = |s: &Slide| (s.kernel, s.stride, s.dilation, s.before) == (2, 2, 1, 0) && 2 * s.output <= s.input;
    let fused = winograd::suits(x.buffer.dtype(), conv) && quarters(&pool.window.h) && quarters(&pool.window.w);
    fused.then(|| by_tiles(Level::current(), x, w, bias, relu, conv, pool)).flatten().unwrap_or_else(|| {
        let z = conv2d(x, w, bias, relu, conv);
        max_pool2d(View::whole(&z, conv.y_shape()), pool)
    })
}

/// For pooling windows that are the squares of [`winograd`]; nothing if a result is not finite.
pub(super) fn by_tiles(
    level: Level,
    x: View<Buffer>,
    w: View<Buffer>,
    bias: Option<View<Buffer>>,
    relu: bool,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
) -> Option<(Buffer, Buffer)> {
    let (keeper, w) = (whole(w), dense::<f32>(w));
    let (x, bias) = (dense::<f32>(x), bias.map(dense::<f32>));
    let (count, size) = (pool.y_shape().count(), [pool.window.h.output, pool.window.w.output]);
    let (mut y, mut taps) = (Buffer::uninit(DType::F32, count), Buffer::uninit(DType::U32, count));
    let finish = Pooled {
        y: Shared::new(y.as_mut()),
        taps: Shared::new(taps.as_mut()),
        bias: bias.as_deref(),
        least: winograd::least(relu),
        size,
        filters: conv.filters,
    };
    let finite = Winograd::forward(level, &x, &w, keeper, conv).run(size.map(|s| 2 * s), &finish);
    let images = pool.format.nhwc(&pool.y_shape());
    finite.then(|| (from_last(y, pool.format, images), from_last(taps, pool.format, images)))
}
