//! Convolution and its cotangents as their definition says it.

use cotangent_base::{ConvGeometry, DataFormat};

/// A product of an x, a w and a y (by their indices) that takes part in the sum.
struct Term {
    x: usize,
    w: usize,
    y: usize,
}

/// Every term of `y[n, p, k] = Σ x[n, p·stride + tap·dilation − before, c]·w[tap, c, k]`.
fn terms(g: &ConvGeometry) -> impl Iterator<Item = Term> + '_ {
    let (h, w) = (g.window.h, g.window.w);
    let (per_group, filters) = (g.channels / g.groups, g.filters / g.groups);
    let place = move |size: [usize; 3], [n, y, x, c]: [usize; 4]| {
        let [height, width, channels] = size;
        match g.format {
            DataFormat::ChannelsLast => ((n * height + y) * width + x) * channels + c,
            DataFormat::ChannelsFirst => ((n * channels + c) * height + y) * width + x,
        }
    };
    let windows = (0..g.batch * h.output * w.output).map(move |i| {
        let (n, p) = (i / (h.output * w.output), i % (h.output * w.output));
        (n, p / w.output, p % w.output)
    });
    let weights = move || 0..h.kernel * w.kernel * per_group * g.filters;
    windows.flat_map(move |(n, out_y, out_x)| {
        weights().filter_map(move |i| {
            let (k, c, tap) = (i % g.filters, i / g.filters % per_group, i / g.filters / per_group);
            let (y, x) = (h.at(out_y, tap / w.kernel)?, w.at(out_x, tap % w.kernel)?);
            Some(Term {
                x: place([h.input, w.input, g.channels], [n, y, x, k / filters * per_group + c]),
                w: i,
                y: place([h.output, w.output, g.filters], [n, out_y, out_x, k]),
            })
        })
    })
}

/// A result and beside it the same sum of absolute values, which bounds the rounding error of any order.
pub type Sums = (Vec<f64>, Vec<f64>);

fn sum(count: usize, terms: impl Iterator<Item = (usize, f64)>) -> Sums {
    let (mut out, mut size) = (vec![0.0; count], vec![0.0; count]);
    for (i, x) in terms {
        out[i] += x;
        size[i] += x.abs();
    }
    (out, size)
}

/// y from x, w and the bias.
#[inline]
pub fn conv2d(x: &[f64], w: &[f64], bias: Option<&[f64]>, g: &ConvGeometry) -> Sums {
    let shape = g.y_shape();
    let count = shape.count();
    let bias = bias.into_iter().flat_map(|b| {
        let channel = move |i: usize| match g.format {
            DataFormat::ChannelsLast => i % g.filters,
            DataFormat::ChannelsFirst => i / (g.window.h.output * g.window.w.output) % g.filters,
        };
        (0..count).map(move |i| (i, b[channel(i)]))
    });
    sum(count, bias.chain(terms(g).map(|t| (t.y, x[t.x] * w[t.w]))))
}

/// dx from dy and w.
#[inline]
pub fn conv2d_dx(dy: &[f64], w: &[f64], g: &ConvGeometry) -> Sums {
    sum(g.x_shape().count(), terms(g).map(|t| (t.x, dy[t.y] * w[t.w])))
}

/// dw from x and dy.
#[inline]
pub fn conv2d_dw(x: &[f64], dy: &[f64], g: &ConvGeometry) -> Sums {
    sum(g.w_shape().count(), terms(g).map(|t| (t.w, x[t.x] * dy[t.y])))
}
