//! Pooling, forward and back.

use super::conv::Image;
use super::{BLOCK, launch, start};
use crate::Buffer;
use cotangent_base::{DType, Layout, PoolGeometry, Result, Shape, Slide, View};
use cotangent_kernels::POOL;

/// One axis of the sliding window, as kernels see it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Axis {
    input: i32,
    output: i32,
    kernel: i32,
    stride: i32,
    dilation: i32,
    before: i32,
}

impl From<Slide> for Axis {
    fn from(s: Slide) -> Self {
        let [input, output, kernel] = [s.input, s.output, s.kernel].map(|n| n as i32);
        let [stride, dilation, before] = [s.stride, s.dilation, s.before].map(|n| n as i32);
        Self { input, output, kernel, stride, dilation, before }
    }
}

/// The parameter of the kernels.
#[repr(C)]
struct Pool {
    input: u64,
    out: u64,
    taps: u64,
    x_at: Image,
    y_at: Image,
    h: Axis,
    v: Axis,
    count: i32,
    channels: i32,
    count_padding: i32,
}

/// Runs `name` from `x` to a new buffer of `shape`.
fn run(
    name: &str,
    x: View<Buffer>,
    taps: Option<&Buffer>,
    g: &PoolGeometry,
    shape: Shape,
    counts: bool,
) -> Result<Buffer> {
    let (device, dtype) = (x.buffer.device(), x.buffer.dtype());
    let out = Buffer::uninit(device, dtype, shape.count())?;
    if out.is_empty() {
        return Ok(out);
    }
    let image = |shape| Image::new(&Layout::contiguous(shape), g.format);
    let given = Image::new(&x.layout, g.format);
    let forward = x.shape() == g.x_shape() && shape == g.y_shape();
    let back = name.ends_with("_dx");
    debug_assert!(forward || back, "{name} from {} to {shape}", x.shape());
    let params = Pool {
        input: x.buffer.address(x.layout.offset),
        out: start(&out),
        taps: taps.map_or(0, start),
        x_at: if back { image(g.x_shape()) } else { given },
        y_at: if back { given } else { image(g.y_shape()) },
        h: g.window.h.into(),
        v: g.window.w.into(),
        count: shape.count() as i32,
        channels: g.channels as i32,
        count_padding: counts as i32,
    };
    // SAFETY: the view lies in its buffer, and all have the geometry's shapes; the taps are as many as y's elements.
    unsafe { launch(device, POOL, name, dtype, [shape.count().div_ceil(BLOCK), 1, 1], &params)? };
    Ok(out)
}

/// The greatest element of each window and its tap.
pub fn max_pool2d(x: View<Buffer>, g: &PoolGeometry) -> Result<(Buffer, Buffer)> {
    let taps = Buffer::uninit(x.buffer.device(), DType::U32, g.y_shape().count())?;
    let y = run("max_pool2d", x, Some(&taps), g, g.y_shape(), false)?;
    Ok((y, taps))
}

/// The cotangent of x from dy and the taps.
pub fn max_pool2d_dx(dy: View<Buffer>, taps: View<Buffer>, g: &PoolGeometry) -> Result<Buffer> {
    // dy and the taps are read at the same places
    let (mut space, mut more) = (None, None);
    let dy = super::memory::dense(dy, &mut space)?;
    let taps = super::memory::dense(taps, &mut more)?;
    run("max_pool2d_dx", super::whole(dy, g.y_shape()), Some(taps), g, g.x_shape(), false)
}

/// The mean over each window.
pub fn avg_pool2d(x: View<Buffer>, g: &PoolGeometry, count_padding: bool) -> Result<Buffer> {
    run("avg_pool2d", x, None, g, g.y_shape(), count_padding)
}

/// The cotangent of x.
pub fn avg_pool2d_dx(dy: View<Buffer>, g: &PoolGeometry, count_padding: bool) -> Result<Buffer> {
    run("avg_pool2d_dx", dy, None, g, g.x_shape(), count_padding)
}
