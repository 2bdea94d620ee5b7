//! Random convolutions, poolings, normalisations and softmaxes in f32 against plain loops in f64.

use cotangent::gradcheck::sample::{Arrangement, Domain};
use cotangent::{Conv2dSpec, DType, DataFormat, Padding, Shape, Tensor, WindowSpec};
use cotangent_base::{ConvGeometry, Window};
use cotangent_cpu::naive::conv;
use rayon::prelude::*;

const U: f64 = f32::EPSILON as f64 / 2.0;
const UNIT: Domain = Domain::Range(-1.0, 1.0);

struct Dice(u64);

impl Dice {
    fn new(case: u64) -> Self {
        Self(case.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// `low ..= high`.
    fn within(&mut self, low: usize, high: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + ((self.0 >> 33) as usize) % (high - low + 1)
    }

    fn format(&mut self) -> DataFormat {
        if self.within(0, 1) == 0 { DataFormat::ChannelsLast } else { DataFormat::ChannelsFirst }
    }

    /// A window and an image size that it fits into.
    fn window(&mut self) -> (WindowSpec, [usize; 2]) {
        let kernel = [self.within(1, 4), self.within(1, 4)];
        let dilation = [self.within(1, 2), self.within(1, 2)];
        let mut pad = |k: usize| self.within(0, k - 1);
        let amounts = [pad(kernel[0]), pad(kernel[0]), pad(kernel[1]), pad(kernel[1])];
        let padding = [Padding::Valid, Padding::Same, Padding::Explicit(amounts)][self.within(0, 2)];
        let stride = [self.within(1, 3), self.within(1, 3)];
        let size = [0, 1].map(|i| (kernel[i] - 1) * dilation[i] + 1 + self.within(0, 7));
        (WindowSpec { kernel, stride, padding, dilation, ceil: self.within(0, 3) == 0 }, size)
    }

    fn floats(&mut self, shape: Shape) -> Tensor {
        let x = UNIT.sample(shape, self.0).cast(DType::F32);
        Arrangement::ALL[self.within(0, 4)].of(&x)
    }
}

fn host(x: &Tensor) -> Vec<f64> {
    x.detach().cast(DType::F64).to_vec()
}

/// Each element is within 2·√terms roundings of the sizes of its terms.
fn assert_rounded(what: &str, got: &Tensor, (want, size): (Vec<f64>, Vec<f64>), terms: usize) {
    let allowed = (2.0 * (terms as f64).sqrt() + 1.0) * U;
    for (i, ((got, want), size)) in host(got).into_iter().zip(want).zip(size).enumerate() {
        assert!((got - want).abs() <= allowed * size, "{what}: element {i} is {got}, wants {want}");
    }
}

#[test]
fn convolutions_and_their_cotangents() {
    (0..2_000u64).into_par_iter().for_each(|case| {
        let mut dice = Dice::new(case);
        let (window, [h, w]) = dice.window();
        let (groups, format, n) = (dice.within(1, 3), dice.format(), dice.within(0, 2));
        let (channels, filters) = (groups * dice.within(1, 5), groups * dice.within(1, 9));
        let x = dice.floats(format.shape([n, h, w, channels])).tracked();
        let k = dice.floats([window.kernel[0], window.kernel[1], channels / groups, filters].into()).tracked();
        let b = dice.floats([filters].into()).tracked();
        let y = x.conv2d(&k, Some(&b), &Conv2dSpec { window, groups, format });
        let over: Window = window.over("conv2d", [h, w]).expect("it was chosen to fit");
        let g = ConvGeometry { batch: n, channels, filters, groups, window: over, format };
        let (hx, hk, hb) = (host(&x), host(&k), host(&b));
        let what = format!("convolution {case}");
        let taps = window.kernel[0] * window.kernel[1] * channels / groups;
        assert_rounded(&what, &y, conv::conv2d(&hx, &hk, Some(&hb), &g), taps + 1);
        let dy = dice.floats(y.shape());
        let grads = y.backward_with(&dy);
        let (hdy, outputs) = (host(&dy), n * over.h.output * over.w.output);
        assert_rounded(&what, grads.wrt(&x), conv::conv2d_dx(&hdy, &hk, &g), taps * filters);
        assert_rounded(&what, grads.wrt(&k), conv::conv2d_dw(&hx, &hdy, &g), outputs);
    });
}

/// What a window of one image and channel sees: the values inside, and how many taps there are.
fn seen(x: &[f64], [h, w]: [usize; 2], over: &Window, row: usize, column: usize) -> (Vec<f64>, usize) {
    let mut inside = Vec::new();
    for i in 0..over.h.kernel {
        for j in 0..over.w.kernel {
            if let (Some(r), Some(c)) = (over.h.at(row, i), over.w.at(column, j)) {
                debug_assert!(r < h && c < w);
                inside.push(x[r * w + c]);
            }
        }
    }
    (inside, over.h.kernel * over.w.kernel)
}

#[test]
fn poolings() {
    (0..2_000u64).into_par_iter().for_each(|case| {
        let mut dice = Dice::new(case + 10_000);
        let (window, size) = dice.window();
        let (format, n, c) = (dice.format(), dice.within(1, 2), dice.within(1, 20));
        let x = dice.floats(format.shape([n, size[0], size[1], c]));
        let over = window.over("pool", size).expect("it was chosen to fit");
        let planes = match format {
            DataFormat::ChannelsLast => host(&x.permute(&[0, 3, 1, 2])),
            DataFormat::ChannelsFirst => host(&x),
        };
        let (mut max, mut mean, mut counted) = (vec![], vec![], vec![]);
        for plane in planes.chunks(size[0] * size[1]) {
            for (row, column) in (0..over.h.output).flat_map(|r| (0..over.w.output).map(move |c| (r, c))) {
                let (inside, taps) = seen(plane, size, &over, row, column);
                max.push(inside.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                mean.push(inside.iter().sum::<f64>() / inside.len() as f64);
                counted.push(inside.iter().sum::<f64>() / taps as f64);
            }
        }
        let planar = |y: Tensor| match format {
            DataFormat::ChannelsLast => y.permute(&[0, 3, 1, 2]),
            DataFormat::ChannelsFirst => y,
        };
        assert_eq!(host(&planar(x.max_pool2d(&window, format))), max, "max pooling {case}: {window:?} over {size:?}");
        let near = |got: Tensor, want: &[f64], what: &str| {
            for (got, want) in host(&planar(got)).into_iter().zip(want) {
                let fine = (got - want).abs() <= 8.0 * U || (got.is_nan() && want.is_nan());
                assert!(fine, "{what} {case}: {got} wants {want}; {window:?} over {size:?}");
            }
        };
        if window.dilation == [1, 1] {
            near(x.avg_pool2d(&window, format, false), &mean, "mean pooling");
            if !window.ceil {
                near(x.avg_pool2d(&window, format, true), &counted, "mean pooling with padding");
            }
        }
    });
}

#[test]
fn softmaxes() {
    (0..2_000u64).into_par_iter().for_each(|case| {
        let mut dice = Dice::new(case + 20_000);
        let (rows, columns) = (dice.within(0, 9), dice.within(1, 70));
        let scale = [1.0, 10.0, 80.0][dice.within(0, 2)];
        let x = dice.floats([rows, columns].into()) * scale;
        let (y, log) = (host(&x.softmax(-1)), host(&x.log_softmax(-1)));
        for (row, (y, log)) in host(&x).chunks(columns).zip(y.chunks(columns).zip(log.chunks(columns))) {
            let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|x| (x - top).exp()).sum();
            for ((x, y), log) in row.iter().zip(y).zip(log) {
                let (want, want_log) = ((x - top).exp() / sum, x - top - sum.ln());
                // x − top is rounded once, and the exponential multiplies that
                let allowed = (8.0 + (x - top).abs()) * U * want + 1e-37;
                assert!((y - want).abs() <= allowed, "softmax {case}: {y} wants {want}");
                assert!((log - want_log).abs() <= 4.0 * U * (1.0 + want_log.abs()), "{case}: {log} wants {want_log}");
            }
            assert!((y.iter().sum::<f64>() - 1.0).abs() <= (8.0 + columns as f64) * U, "softmax {case} sums to 1");
        }
    });
}

#[test]
fn batch_normalisations() {
    (0..2_000u64).into_par_iter().for_each(|case| {
        let mut dice = Dice::new(case + 30_000);
        let (format, c) = (dice.format(), dice.within(1, 20));
        let [n, h, w] = [dice.within(1, 4), dice.within(1, 5), dice.within(1, 6)];
        let x = dice.floats(format.shape([n, h, w, c])) + [0.0, 30.0][dice.within(0, 1)];
        let [gamma, beta] = [dice.floats([c].into()), dice.floats([c].into())];
        let axis = if format == DataFormat::ChannelsLast { -1 } else { 1 };
        let (y, mean, var) = x.batch_norm(&gamma, &beta, axis, 1e-3);
        let last = |x: &Tensor| if axis == 1 { host(&x.permute(&[0, 2, 3, 1])) } else { host(x) };
        let (hx, hy) = (last(&x), last(&y));
        for channel in 0..c {
            let column: Vec<f64> = hx.iter().skip(channel).step_by(c).copied().collect();
            let m = column.iter().sum::<f64>() / column.len() as f64;
            let v = column.iter().map(|x| (x - m).powi(2)).sum::<f64>() / column.len() as f64;
            assert!((host(&mean)[channel] - m).abs() <= 16.0 * U * (1.0 + m.abs()), "mean of {case}");
            assert!((host(&var)[channel] - v).abs() <= 32.0 * U * (1.0 + m.abs()), "variance of {case}");
            let (g, b) = (host(&gamma)[channel], host(&beta)[channel]);
            for (x, y) in column.iter().zip(hy.iter().skip(channel).step_by(c)) {
                let inv = 1.0 / (v + 1e-3).sqrt();
                let want = (x - m) * inv * g + b;
                // the mean is rounded, and its error is multiplied by 1 / √(var + ε)
                let allowed = 32.0 * U * (1.0 + b.abs() + (1.0 + m.abs()) * inv + want.abs());
                assert!((y - want).abs() <= allowed, "normalisation {case}: {y} wants {want}");
            }
        }
    });
}
