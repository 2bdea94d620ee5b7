use super::{avg_pool2d, avg_pool2d_dx, max_pool2d, max_pool2d_dx};
use crate::Buffer;
use crate::cases::*;
use crate::naive;
use crate::simd::SimdFloat;
use cotangent_base::{DataFormat, Padding, PoolGeometry, View, WindowSpec};

const FORMATS: [DataFormat; 2] = [DataFormat::ChannelsLast, DataFormat::ChannelsFirst];

/// Kernels, strides, paddings, dilations and ceilings of every kind.
fn specs() -> Vec<WindowSpec> {
    let two = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    vec![
        two,
        WindowSpec { ceil: true, ..two },
        WindowSpec { padding: Padding::Same, ..two },
        WindowSpec { stride: [2, 1], padding: Padding::Same, ..WindowSpec::new([3, 2]) },
        WindowSpec { dilation: [2, 1], padding: Padding::Explicit([1, 0, 2, 1]), ..WindowSpec::new([2, 3]) },
        WindowSpec { stride: [3, 4], ..WindowSpec::new([2, 1]) },
        // whole windows in the padding
        WindowSpec { padding: Padding::Explicit([3, 3, 2, 2]), ..two },
    ]
}

fn for_geometries(size: [usize; 4], mut test: impl FnMut(PoolGeometry)) {
    let [batch, h, w, channels] = size;
    for spec in specs() {
        let window = spec.over("pool", [h, w]).expect("the window fits");
        FORMATS.into_iter().for_each(|format| test(PoolGeometry { batch, channels, window, format }));
    }
}

fn agrees<T: SimdFloat>(g: &PoolGeometry, name: &str, x: View<Buffer>, values: &[f64]) {
    let name = format!("{name} {g:?}");
    let (y, taps) = max_pool2d(x, g);
    let (want, winners) = naive::pool::max_pool2d(values, g);
    assert_near::<T>(&y, &want, 0.0, &name);
    assert!(taps.as_slice::<u32>().iter().map(|&t| t as usize).eq(winners.iter().copied()), "taps of {name}");

    let cotangent = buffer::<T>(&numbers(y.len(), 9));
    let (dy, dys) = (whole(&cotangent, g.y_shape()), crate::cases::values(&cotangent));
    let dx = max_pool2d_dx(dy, whole(&taps, g.y_shape()), g);
    assert_near::<T>(&dx, &naive::pool::max_pool2d_dx(&dys, &winners, g), 8.0, &name);
    for count_padding in [false, true] {
        let (y, want) = (avg_pool2d(x, g, count_padding), naive::pool::avg_pool2d(values, g, count_padding));
        assert_near::<T>(&y, &want, 8.0, &name);
        let dx = avg_pool2d_dx(dy, g, count_padding);
        assert_near::<T>(&dx, &naive::pool::avg_pool2d_dx(&dys, g, count_padding), 8.0, &name);
    }
}

#[test]
fn agrees_with_the_naive_loops_on_every_layout() {
    for_geometries([2, 5, 7, 3], |g| {
        for_views::<f32>(g.x_shape(), 1, |name, x, values| agrees::<f32>(&g, name, x, values));
        for_views::<f64>(g.x_shape(), 1, |name, x, values| agrees::<f64>(&g, name, x, values));
    });
}

#[test]
fn agrees_with_the_naive_loops_for_any_number_of_channels() {
    for channels in [0, 1, 7, 8, 9, 16, 17, 33] {
        for_geometries([1, 6, 5, channels], |g| {
            let x = buffer::<f32>(&numbers(g.x_shape().count(), 2));
            agrees::<f32>(&g, "contiguous", whole(&x, g.x_shape()), &values(&x));
        });
    }
    for_geometries([0, 6, 5, 3], |g| {
        agrees::<f32>(&g, "no images", whole(&Buffer::from_slice::<f32>(&[]), g.x_shape()), &[]);
    });
}

#[test]
fn nan_wins_infinities_count_and_the_first_of_equals_is_taken() {
    let window = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) }.over("pool", [2, 8]).expect("fits");
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let x = [
        [-inf, -inf, 3.0, nan, nan, inf, 1.0, 2.0], //
        [-inf, -inf, 9.0, nan, 1.0, 0.0, 2.0, 2.0],
    ];
    // one channel in vectors of any width, and many channels of the same
    for channels in [1, 19] {
        let x: Vec<f32> = x.as_flattened().iter().flat_map(|&x| vec![x; channels]).collect();
        let g = PoolGeometry { batch: 1, channels, window, format: DataFormat::ChannelsLast };
        let x = Buffer::from_slice(&x);
        let (y, taps) = max_pool2d(whole(&x, g.x_shape()), &g);
        for (at, (want, tap)) in [(-inf, 0), (nan, 1), (nan, 0), (2.0, 1)].into_iter().enumerate() {
            for c in 0..channels {
                let (y, tap_) = (y.as_slice::<f32>()[at * channels + c], taps.as_slice::<u32>()[at * channels + c]);
                assert!((y == want || (y.is_nan() && want.is_nan())) && tap_ == tap, "window {at}: {y} at {tap_}");
            }
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let spec = WindowSpec { stride: [2, 2], padding: Padding::Same, ..WindowSpec::new([3, 3]) };
    let window = spec.over("pool", [31, 31]).expect("fits");
    for format in FORMATS {
        let g = PoolGeometry { batch: 3, channels: 20, window, format };
        let x = buffer::<f32>(&numbers(g.x_shape().count(), 3));
        let dy = buffer::<f32>(&numbers(g.y_shape().count(), 4));
        assert_same_on_any_threads(|| {
            let (y, taps) = max_pool2d(whole(&x, g.x_shape()), &g);
            let dx = max_pool2d_dx(whole(&dy, g.y_shape()), whole(&taps, g.y_shape()), &g);
            let mean = avg_pool2d(whole(&x, g.x_shape()), &g, false);
            vec![y, taps, dx, mean, avg_pool2d_dx(whole(&dy, g.y_shape()), &g, false)]
        });
    }
}
