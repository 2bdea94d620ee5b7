//! Convolution, forward and both ways back.

use super::memory::dense;
use super::products::{CONVOLUTIONS, Plan, Sizes, Way, add_splits, address, in_fours};
use super::{launch, start};
use crate::Buffer;
use cotangent_base::{ConvGeometry, DataFormat, Layout, Result, Slide, View};

/// Division of 0 ≤ n < 2³¹ as kernels do it: (2·n·magic ÷ 2³²) ÷ 2ˢ with magic = ⌈2³¹⁺ˢ / divisor⌉ and s = ⌈log₂ divisor⌉. What
/// rounding up adds is less than n / 2³¹⁺ˢ, so less than 1 / divisor (Granlund and Montgomery, 1994).
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Divisor {
    magic: u32,
    shift: u32,
    divisor: i32,
}

impl Divisor {
    fn new(divisor: usize) -> Self {
        let divisor = divisor.max(1);
        let shift = divisor.next_power_of_two().trailing_zeros();
        let magic = (1_u64 << (31 + shift)).div_ceil(divisor as u64);
        Self { magic: magic as u32, shift, divisor: divisor as i32 }
    }
}

/// One axis of the sliding window, as kernels see it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Axis {
    input: i32,
    output: i32,
    stride: i32,
    dilation: i32,
    before: i32,
    by_input: Divisor,
    by_output: Divisor,
    by_kernel: Divisor,
    by_stride: Divisor,
}

impl From<Slide> for Axis {
    fn from(s: Slide) -> Self {
        Self {
            input: s.input as i32,
            output: s.output as i32,
            stride: s.stride as i32,
            dilation: s.dilation as i32,
            before: s.before as i32,
            by_input: Divisor::new(s.input),
            by_output: Divisor::new(s.output),
            by_kernel: Divisor::new(s.kernel),
            by_stride: Divisor::new(s.stride),
        }
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

    /// How a tile copies such an image of `channels` in each group: along channels where they are neighbours (`channelwise`),
    /// else along pixels (`pixelwise`).
    fn way(self, first: u64, channels: usize, channelwise: Way, pixelwise: Way) -> Way {
        match self.c == 1 && channels >= 4 {
            true if in_fours(first, &[self.n, self.h, self.w, channels as i32]) => Way::Vectors,
            true => channelwise,
            false => pixelwise,
        }
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
    h: Axis,
    v: Axis,
    by_channels: Divisor,
    by_filters: Divisor,
    channels: i32,
    filters: i32,
    all_filters: i32,
    rows: i32,
    columns: i32,
    depth: i32,
    bias_stride: i32,
    splits: i32,
    chunk: i32,
    left_way: Way,
    right_way: Way,
}

impl Conv {
    /// Without operands, both images contiguous.
    fn new(g: &ConvGeometry) -> Self {
        let image = |shape| Image::new(&Layout::contiguous(shape), g.format);
        let (channels, filters) = (g.channels / g.groups, g.filters / g.groups);
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
            by_channels: Divisor::new(channels),
            by_filters: Divisor::new(filters),
            channels: channels as i32,
            filters: filters as i32,
            all_filters: g.filters as i32,
            rows: 0,
            columns: 0,
            depth: 0,
            bias_stride: 0,
            splits: 1,
            chunk: 0,
            left_way: Way::AlongDepth,
            right_way: Way::AlongDepth,
        }
    }

    /// How a tile copies the weights, whose filters are neighbours.
    fn weights_way(&self, filterwise: Way) -> Way {
        if in_fours(self.w, &[self.filters, self.all_filters]) { Way::Vectors } else { filterwise }
    }

    /// Runs `name` for a result like `like`, of `len` elements.
    fn run(mut self, name: &str, like: &Buffer, len: usize, sizes: Sizes) -> Result<Buffer> {
        let (device, dtype) = (like.device(), like.dtype());
        let plan = Plan::new(device, dtype, &CONVOLUTIONS, sizes);
        let out = Buffer::uninit(device, dtype, plan.splits * len)?;
        if out.is_empty() {
            return Ok(out);
        }
        self.out = start(&out);
        self.part = len as i64;
        [self.rows, self.columns, self.depth] = [sizes.rows, sizes.columns, sizes.depth].map(|n| n as i32);
        self.splits = plan.splits as i32;
        self.chunk = plan.chunk as i32;
        // SAFETY: the views lie in their buffers and have the geometry's shapes, as has each of the results.
        unsafe { launch(device, plan.file, &plan.name(name, name), dtype, plan.grid(sizes.count), &self)? };
        add_splits(out, plan.splits)
    }
}

fn taps(g: &ConvGeometry) -> usize {
    g.window.h.kernel * g.window.w.kernel
}

/// `y[n, p, k] = bias[k] + Σ x[n, p·stride + tap·dilation − before, c] · w[tap, c, k]`.
pub fn conv2d(x: View<Buffer>, w: View<Buffer>, bias: Option<View<Buffer>>, g: &ConvGeometry) -> Result<Buffer> {
    let mut space = None;
    let w = dense(w, &mut space)?;
    let (channels, filters) = (g.channels / g.groups, g.filters / g.groups);
    let mut params = Conv {
        x: address(x),
        w: start(w),
        bias: bias.map_or(0, address),
        bias_stride: bias.map_or(0, |b| b.layout.strides()[0] as i32),
        x_at: Image::new(&x.layout, g.format),
        ..Conv::new(g)
    };
    params.left_way = params.x_at.way(params.x, channels, Way::AlongDepth, Way::AlongLines);
    params.right_way = params.weights_way(Way::AlongLines);
    let rows = g.batch * g.window.h.output * g.window.w.output;
    let sizes = Sizes { rows, columns: filters, depth: taps(g) * channels, count: g.groups };
    params.run("conv2d", x.buffer, g.y_shape().count(), sizes)
}

/// The cotangent of x.
pub fn conv2d_dx(dy: View<Buffer>, w: View<Buffer>, g: &ConvGeometry) -> Result<Buffer> {
    let mut space = None;
    let w = dense(w, &mut space)?;
    let (channels, filters) = (g.channels / g.groups, g.filters / g.groups);
    let mut params = Conv { dy: address(dy), w: start(w), y_at: Image::new(&dy.layout, g.format), ..Conv::new(g) };
    params.left_way = params.y_at.way(params.dy, filters, Way::AlongDepth, Way::AlongLines);
    params.right_way = params.weights_way(Way::AlongDepth);
    let rows = g.batch * g.window.h.input * g.window.w.input;
    let sizes = Sizes { rows, columns: channels, depth: taps(g) * filters, count: g.groups };
    params.run("conv2d_dx", dy.buffer, g.x_shape().count(), sizes)
}

/// The cotangent of w.
pub fn conv2d_dw(x: View<Buffer>, dy: View<Buffer>, g: &ConvGeometry) -> Result<Buffer> {
    let (channels, filters) = (g.channels / g.groups, g.filters / g.groups);
    let mut params = Conv {
        x: address(x),
        dy: address(dy),
        x_at: Image::new(&x.layout, g.format),
        y_at: Image::new(&dy.layout, g.format),
        ..Conv::new(g)
    };
    params.left_way = params.x_at.way(params.x, channels, Way::AlongLines, Way::AlongDepth);
    params.right_way = params.y_at.way(params.dy, filters, Way::AlongLines, Way::AlongDepth);
    let depth = g.batch * g.window.h.output * g.window.w.output;
    let sizes = Sizes { rows: taps(g) * channels, columns: filters, depth, count: g.groups };
    params.run("conv2d_dw", x.buffer, g.w_shape().count(), sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_multiplication_is_exact() {
        for divisor in (1..=70).chain([127, 128, 129, 1000, 65_535, 65_537, (1 << 30) - 1, 1 << 30, i32::MAX as u32]) {
            let d = Divisor::new(divisor as usize);
            let quotient = |n: u32| ((2 * n as u64 * d.magic as u64) >> 32) as u32 >> d.shift;
            let near = |k: u32| [(k * divisor).saturating_sub(1), k * divisor, k * divisor + 1];
            let most = i32::MAX as u32 / divisor;
            let ends = (0..70).filter(|&k| k < most).flat_map(near).chain(near(most).into_iter().take(2));
            for n in ends.chain([1 << 30, i32::MAX as u32]) {
                assert_eq!(quotient(n), n / divisor, "{n} / {divisor}");
            }
        }
    }
}
