//! Convolution and pooling at sizes around the edges of the kernels' tiles and unrolled loops.

use super::same::{assert_gradients, whole};
use cotangent::prelude::DataFormat::{self, ChannelsFirst, ChannelsLast};
use cotangent::{Conv2dSpec, Padding, Tensor, WindowSpec};
use cotangent_cuda_suite::on_device;

fn window(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2], padding: Padding) -> WindowSpec {
    WindowSpec { stride, dilation, padding, ..WindowSpec::new(kernel) }
}

const SAME: Padding = Padding::Same;
const VALID: Padding = Padding::Valid;

/// Windows of one to nine taps each way, with gaps, over the edge, and beyond one another.
fn windows() -> Vec<WindowSpec> {
    vec![
        window([1, 1], [1, 1], [1, 1], VALID),
        window([2, 3], [1, 2], [1, 1], SAME),
        window([3, 4], [2, 1], [2, 1], SAME),
        window([5, 2], [3, 3], [1, 3], SAME),
        window([4, 5], [1, 1], [1, 2], SAME),
        window([7, 6], [2, 3], [1, 1], Padding::Explicit([4, 2, 0, 5])),
        window([8, 9], [4, 2], [1, 1], Padding::Explicit([3, 5, 4, 4])),
    ]
}

/// `[batch, height, width, channels per group, groups, filters per group]` and the window.
fn convolutions() -> Vec<([usize; 6], WindowSpec)> {
    let three = window([3, 3], [1, 1], [1, 1], VALID);
    vec![
        ([1, 3, 3, 1, 1, 1], three),
        ([2, 9, 7, 5, 1, 3], window([3, 2], [2, 1], [1, 2], SAME)),
        ([1, 11, 10, 17, 1, 66], three),
        ([3, 6, 5, 65, 1, 2], window([2, 2], [1, 1], [1, 1], SAME)),
        ([2, 8, 8, 3, 4, 5], window([3, 3], [2, 2], [1, 1], SAME)),
        ([1, 12, 9, 16, 1, 64], window([1, 1], [1, 1], [1, 1], VALID)),
        ([1, 14, 13, 2, 2, 33], window([4, 5], [3, 2], [2, 2], Padding::Explicit([5, 1, 2, 6]))),
        ([9, 20, 19, 1, 1, 4], window([3, 3], [1, 1], [1, 1], SAME)),
        ([1, 70, 3, 2, 1, 2], window([5, 3], [1, 1], [3, 1], SAME)),
        ([0, 4, 4, 3, 1, 5], three),
    ]
}

fn channels_last(format: DataFormat, [n, h, w, c]: [usize; 4]) -> Vec<usize> {
    match format {
        ChannelsLast => vec![n, h, w, c],
        ChannelsFirst => vec![n, c, h, w],
    }
}

on_device! {
    fn convolutions_of_every_size() {
        for ([n, h, w, channels, groups, filters], window) in convolutions() {
            for format in [ChannelsLast, ChannelsFirst] {
                let spec = Conv2dSpec { groups, format, ..Conv2dSpec::new(window) };
                let [kh, kw] = window.kernel;
                let x = whole(&channels_last(format, [n, h, w, channels * groups]));
                let weights = whole(&[kh, kw, channels, filters * groups]);
                let bias = whole(&[filters * groups]);
                let what = format!("{n} × {h} × {w} × {channels}·{groups} by {filters}, {window:?}, {format:?}");
                assert_gradients(&what, &[x, weights, bias], 0.0, |x| x[0].conv2d(&x[1], Some(&x[2]), &spec));
            }
        }
    }

    fn a_convolution_of_views() {
        let spec = Conv2dSpec::new(window([2, 3], [1, 1], [1, 1], SAME));
        let (x, w, b) = (whole(&[5, 6, 3, 4]), whole(&[3, 2, 7, 5]), whole(&[9]));
        let view = |x: &[Tensor]| {
            let (x, w, b) = (x[0].permute(&[2, 0, 1, 3]), x[1].permute(&[1, 0, 3, 2]), x[2].narrow(0, 1, 7));
            x.narrow(3, 0, 4).conv2d(&w.narrow(2, 1, 4), Some(&b), &spec)
        };
        assert_gradients("of views", &[x, w, b], 0.0, view);
    }

    fn pooling_of_every_size() {
        for window in windows() {
            for (format, size) in [(ChannelsLast, [2, 17, 15, 3]), (ChannelsFirst, [3, 12, 19, 2])] {
                let x = whole(&channels_last(format, size));
                let what = format!("{window:?}, {format:?}");
                assert_gradients(&format!("max, {what}"), std::slice::from_ref(&x), 0.0, |x| x[0].max_pool2d(&window, format));
                if window.dilation != [1, 1] {
                    continue;
                }
                for count in [false, true] {
                    let what = format!("mean, {what}, padding counts: {count}");
                    assert_gradients(&what, std::slice::from_ref(&x), 2e-7, |x| x[0].avg_pool2d(&window, format, count));
                }
            }
        }
    }

    fn a_maximum_that_is_not_a_number() {
        let window = window([2, 3], [1, 1], [1, 1], VALID);
        for at in 0..20 {
            let place = Tensor::from_vec((0..20).map(|i| if i == at { f32::NAN } else { 0.0 }).collect::<Vec<f32>>());
            let x = whole(&[1, 4, 5, 1]) + place.reshape([1, 4, 5, 1]);
            assert_gradients(&format!("NaN at {at}"), &[x], 0.0, |x| x[0].max_pool2d(&window, ChannelsLast));
        }
    }
}
