//! Convolution, forward and both ways back.

use super::gemm::{TILE, add_splits, splits};
use super::memory::dense;
use super::{launch, start};
use crate::Buffer;
use cotangent_base::{ConvGeometry, DataFormat, Layout, Result, Slide, View};
use cotangent_kernels::CONV;

/// One axis of the sliding window, as kernels see it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct DeviceSlide {
    input: i32,
    output: i32,
    kernel: i32,
    stride: i32,
    dilation: i32,
    before: i32,
}

impl From<Slide> for DeviceSlide {
    fn from(s: Slide) -> Self {
        let [input, output, kernel] = [s.input, s.output, s.kernel].map(|n| n as i32);
        let [stride, dilation, before] = [s.stride, s.dilation, s.before].map(|n| n as i32);
        Self { input, output, kernel, stride, dilation, before }
    }
}

/// The strides of an image tensor.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Image {
    n: i32,
    h: i32,
    w: i32,
    c: i32,
}

impl Image {
    /// The strides of an image tensor in this format.
    pub fn new(layout: &Layout, format: DataFormat) -> Self {
        let order = match format {
            DataFormat::ChannelsLast => [0, 1, 2, 3],
            DataFormat::ChannelsFirst => [0, 2, 3, 1],
        };
        let [n, h, w, c] = order.map(|axis| layout.strides()[axis] as i32);
        Self { n, h, w, c }
    }
}

/// The parameter of the kernels.
#[repr(C)]
#[derive(Clone, Copy)]
struct Conv {
    x: u64,
    w: u64,
    bias: u64,
    dy: u64,
    out: u64,
    part: i64,
    x_at: Image,
    y_at: Image,
    h: DeviceSlide,
    v: DeviceSlide,
    batch: i32,
    channels: i32,
    filters: i32,
    all_filters: i32,
    bias_stride: i32,
    splits: i32,
    chunk: i32,
    group: i32,
}

impl Conv {
    /// Without operands, both images contiguous.
    fn new(g: &ConvGeometry) -> Self {
        let image = |shape| Image::new(&Layout::contiguous(shape), g.format);
        Self {
            x: 0,
            w: 0,
            bias: 0,
            dy: 0,
            out: 0,
            part: 0,
            x_at: image(g.x_shape()),
            y_at: image(g.y_shape()),
            h: g.window.h.into(),
            v: g.window.w.into(),
            batch: g.batch as i32,
            channels: (g.channels / g.groups) as i32,
            filters: (g.filters / g.groups) as i32,
            all_filters: g.filters as i32,
            bias_stride: 0,
            splits: 1,
            chunk: i32::MAX,
            group: 0,
        }
    }
}

fn address(x: View<Buffer>) -> u64 {
    x.buffer.address(x.layout.offset)
}

/// The blocks for a product of `rows` by `columns` in each group.
fn grid(rows: usize, columns: usize, g: &ConvGeometry) -> [usize; 3] {
    [rows.div_ceil(TILE), columns.div_ceil(TILE), g.groups]
}

fn taps(g: &ConvGeometry) -> usize {
    g.window.h.kernel * g.window.w.kernel
}

/// `y[n, p, k] = bias[k] + Σ x[n, p·stride + tap·dilation − before, c] · w[tap, c, k]`.
pub fn conv2d(x: View<Buffer>, w: View<Buffer>, bias: Option<View<Buffer>>, g: &ConvGeometry) -> Result<Buffer> {
    let (device, dtype) = (x.buffer.device(), x.buffer.dtype());
    let mut space = None;
    let w = dense(w, &mut space)?;
    let y = Buffer::uninit(device, dtype, g.y_shape().count())?;
    if y.is_empty() {
        return Ok(y);
    }
    let params = Conv {
        x: address(x),
        w: start(w),
        bias: bias.map_or(0, address),
        bias_stride: bias.map_or(0, |b| b.layout.strides()[0] as i32),
        out: start(&y),
        x_at: Image::new(&x.layout, g.format),
        ..Conv::new(g)
    };
    let grid = grid(g.batch * g.window.h.output * g.window.w.output, g.filters / g.groups, g);
    // SAFETY: the views lie in their buffers and have the geometry's shapes, as has y.
    unsafe { launch(device, CONV, "conv2d", dtype, grid, &params)? };
    Ok(y)
}

/// The cotangent of x.
pub fn conv2d_dx(dy: View<Buffer>, w: View<Buffer>, g: &ConvGeometry) -> Result<Buffer> {
    let (device, dtype) = (dy.buffer.device(), dy.buffer.dtype());
    let mut space = None;
    let w = dense(w, &mut space)?;
    let dx = Buffer::uninit(device, dtype, g.x_shape().count())?;
    if dx.is_empty() {
        return Ok(dx);
    }
    let params =
        Conv { dy: address(dy), w: start(w), out: start(&dx), y_at: Image::new(&dy.layout, g.format), ..Conv::new(g) };
    let grid = grid(g.batch * g.window.h.input * g.window.w.input, g.channels / g.groups, g);
    // SAFETY: as for `conv2d`.
    unsafe { launch(device, CONV, "conv2d_dx", dtype, grid, &params)? };
    Ok(dx)
}

/// The cotangent of w.
pub fn conv2d_dw(x: View<Buffer>, dy: View<Buffer>, g: &ConvGeometry) -> Result<Buffer> {
    let (device, dtype) = (x.buffer.device(), x.buffer.dtype());
    let (rows, columns) = (taps(g) * g.channels / g.groups, g.filters / g.groups);
    let [tiles_down, tiles_across, groups] = grid(rows, columns, g);
    let depth = g.batch * g.window.h.output * g.window.w.output;
    let (splits, chunk) = splits(tiles_down * tiles_across * groups, depth);
    let part = g.w_shape().count();
    let dw = Buffer::uninit(device, dtype, splits * part)?;
    if dw.is_empty() {
        return Ok(dw);
    }
    let params = Conv {
        x: address(x),
        dy: address(dy),
        out: start(&dw),
        part: part as i64,
        x_at: Image::new(&x.layout, g.format),
        y_at: Image::new(&dy.layout, g.format),
        splits: splits as i32,
        chunk: chunk as i32,
        ..Conv::new(g)
    };
    // SAFETY: as for `conv2d`; dw has room for every split.
    unsafe { launch(device, CONV, "conv2d_dw", dtype, [tiles_down, tiles_across, groups * splits], &params)? };
    add_splits(dw, splits)
}
