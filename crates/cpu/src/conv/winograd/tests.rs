//! The fast route agrees with the definition, and says when it must not be taken.

use super::*;
use crate::Buffer;
use crate::cases::{assert_same_on_any_threads, buffer, numbers, values, whole};
use crate::conv::pooled::{by_tiles, conv2d_max_pool2d};
use crate::conv::{
    conv2d, conv2d_dw, conv2d_dx, forward, input_cotangent, weight_cotangent, winograd_forward,
    winograd_input_cotangent, winograd_weight_cotangent,
};
use crate::gemm::tests::assert_rounded;
use crate::naive::{conv as plain, pool as plain_pool};
use cotangent_base::{DataFormat, Padding, PoolGeometry, Window, WindowSpec};

const FORMATS: [DataFormat; 2] = [DataFormat::ChannelsLast, DataFormat::ChannelsFirst];

fn geometry(batch: usize, [h, w]: [usize; 2], [channels, filters]: [usize; 2], padding: Padding) -> ConvGeometry {
    let spec = WindowSpec { padding, ..WindowSpec::new([3, 3]) };
    let window = spec.over("conv2d", [h, w]).expect("it fits");
    ConvGeometry { batch, channels, filters, groups: 1, window, format: DataFormat::ChannelsLast }
}

/// Images of odd and even size, smaller than a tile and larger than a block, sizes that do and do not fill vectors; for
/// tiles of both sides.
fn geometries() -> Vec<ConvGeometry> {
    let explicit = Padding::Explicit([2, 0, 1, 3]);
    let mut all = Vec::new();
    for format in FORMATS {
        for padding in [Padding::Valid, Padding::Same, explicit] {
            for (size, sizes) in [([3, 3], [16, 16]), ([7, 8], [17, 33]), ([12, 5], [40, 19]), ([26, 26], [32, 64])] {
                let one = geometry(1, size, sizes, padding);
                let tiles = one.window.h.output.div_ceil(2) * one.window.w.output.div_ceil(2);
                all.push(ConvGeometry { format, batch: LEAST_TILES / tiles + 2, ..one });
                if size == [12, 5] {
                    all.push(ConvGeometry { format, batch: 4 * LEAST_TILES / tiles + 2, ..one });
                }
            }
        }
    }
    all
}

/// Strides of 2 that `suits`.
fn halved_geometries(suits: fn(DType, &ConvGeometry) -> bool) -> Vec<ConvGeometry> {
    let explicit = Padding::Explicit([2, 0, 1, 3]);
    let sizes = [
        ([32, 31], [40, 64], 3),
        ([64, 64], [32, 33], 1),
        ([33, 62], [32, 32], 2),
        ([31, 32], [64, 72], 3),
        ([48, 36], [84, 60], 1),
    ];
    let mut all = Vec::new();
    for format in FORMATS {
        for padding in [Padding::Valid, Padding::Same, explicit] {
            for (size, sizes, batch) in sizes {
                all.push(ConvGeometry { format, ..halved(geometry(batch, size, sizes, padding)) });
            }
        }
    }
    all.retain(|g| suits(DType::F32, g));
    assert!(all.len() > 3);
    all
}

/// The same with stride 2.
fn halved(g: ConvGeometry) -> ConvGeometry {
    let halve = |s: Slide| Slide { stride: 2, output: (s.output - 1) / 2 + 1, ..s };
    ConvGeometry { window: Window { h: halve(g.window.h), w: halve(g.window.w) }, ..g }
}

struct Operands {
    x: Buffer,
    w: Buffer,
    bias: Buffer,
    dy: Buffer,
}

impl Operands {
    fn new(g: &ConvGeometry) -> Self {
        let make = |count, seed| buffer::<f32>(&numbers(count, seed));
        Self {
            x: make(g.x_shape().count(), 1),
            w: make(g.w_shape().count(), 2),
            bias: make(g.filters, 3),
            dy: make(g.y_shape().count(), 4),
        }
    }
}

/// Results and their sizes, for the error to be held against: those of a large tile share the roundings of the greatest of
/// them, which at an edge sees more of the image than others.
fn shared((want, mut sizes): (Vec<f64>, Vec<f64>), size: [usize; 2], g: &ConvGeometry) -> (Vec<f64>, Vec<f64>) {
    if g.window.h.stride == 1 && inputs(g.batch, size, g.channels * g.filters) == 6 {
        let greatest = sizes.iter().copied().fold(0.0, f64::max);
        sizes.fill(greatest);
    }
    (want, sizes)
}

#[test]
fn results_agree_with_the_definition() {
    for g in geometries().into_iter().chain(halved_geometries(suits)) {
        let o = Operands::new(&g);
        let (x, w, bias) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), Some(whole(&o.bias, [g.filters])));
        let want = plain::conv2d(&values(&o.x), &values(&o.w), Some(&values(&o.bias)), &g);
        let want = shared(want, [g.window.h.output, g.window.w.output], &g);
        for level in Level::available() {
            let y = winograd_forward(level, x, w, bias, false, &g).expect("all is finite");
            assert_rounded::<f32>(&y, &want, 9 * g.channels, &format!("y at {} of {g:?}", level.name()));
            let cut = values(&winograd_forward(level, x, w, bias, true, &g).expect("all is finite"));
            assert!(cut.into_iter().eq(values(&y).into_iter().map(|y| y.max(0.0))), "with a ReLU at {}", level.name());
        }
    }
}

#[test]
fn transformed_weights_that_are_kept_follow_the_weights() {
    for g in [geometry(1, [26, 26], [32, 64], Padding::Valid), geometry(9, [12, 12], [16, 16], Padding::Same)] {
        let mut o = Operands::new(&g);
        let y = |w: &Buffer, x: &Buffer| {
            let y = winograd_forward(Level::current(), whole(x, g.x_shape()), whole(w, g.w_shape()), None, false, &g);
            values(&y.expect("all is finite"))
        };
        for _ in 0..2 {
            let copy = Buffer::from_slice::<f32>(o.w.as_slice());
            let want = y(&copy, &o.x);
            (0..3).for_each(|_| assert_eq!(y(&o.w, &o.x), want));
            o.w.as_mut::<f32>().iter_mut().for_each(|w| *w = 1.0 - *w);
        }
    }
}

#[test]
fn cotangents_agree_with_the_definition() {
    for g in geometries().into_iter().chain(halved_geometries(suits_dx)) {
        let o = Operands::new(&g);
        let (w, dy) = (whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
        let dx_want = plain::conv2d_dx(&values(&o.dy), &values(&o.w), &g);
        let dx_want = shared(dx_want, [g.window.h.input, g.window.w.input], &g);
        for level in Level::available() {
            let what = |pass: &str| format!("{pass} at {} of {g:?}", level.name());
            let dx = winograd_input_cotangent(level, dy, w, &g).expect("all is finite");
            assert_rounded::<f32>(&dx, &dx_want, 9 * g.filters, &what("dx"));
        }
    }
}

#[test]
fn cotangents_of_weights_agree_with_the_definition() {
    for g in geometries().into_iter().chain(halved_geometries(suits_dw)) {
        let o = Operands::new(&g);
        let (x, dy) = (whole(&o.x, g.x_shape()), whole(&o.dy, g.y_shape()));
        let want = plain::conv2d_dw(&values(&o.x), &values(&o.dy), &g);
        for level in Level::available() {
            let dw = winograd_weight_cotangent(level, x, dy, &g).expect("all is finite");
            let what = format!("dw at {} of {g:?}", level.name());
            assert_rounded::<f32>(&dw, &want, crate::conv::Sizes::new(&g).windows, &what);
        }
    }
}

#[test]
fn the_error_is_at_most_four_times_that_of_the_direct_sum() {
    for (batch, size, wanted) in [(8, 10, 4), (4, 24, 6)] {
        assert_eq!(inputs(batch, [size, size], 32 * 64), wanted);
        compare_errors(geometry(batch, [size + 2, size + 2], [32, 64], Padding::Valid));
    }
    compare_errors(halved(geometry(4, [33, 33], [32, 64], Padding::Valid)));
    compare_errors(halved(geometry(4, [32, 32], [64, 64], Padding::Same)));
}

fn compare_errors(g: ConvGeometry) {
    let o = Operands::new(&g);
    let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
    let (y_want, _) = plain::conv2d(&values(&o.x), &values(&o.w), None, &g);
    let (dx_want, _) = plain::conv2d_dx(&values(&o.dy), &values(&o.w), &g);
    let (dw_want, _) = plain::conv2d_dw(&values(&o.x), &values(&o.dy), &g);
    let error = |got: &Buffer, want: &[f64]| {
        let squares: f64 = values(got).iter().zip(want).map(|(got, want)| (got - want).powi(2)).sum();
        (squares / want.len() as f64).sqrt()
    };
    for level in Level::available() {
        let check = |pass: &str, fast: Option<Buffer>, direct: Buffer, want: &[f64]| {
            let (fast, direct) = (error(&fast.expect("all is finite"), want), error(&direct, want));
            assert!(
                fast <= if pass == "dw" { 4.0 } else { 3.0 } * direct,
                "{pass} at {}: {fast:e} against {direct:e}",
                level.name()
            );
        };
        if suits(DType::F32, &g) {
            check(
                "y",
                winograd_forward(level, x, w, None, false, &g),
                forward::<f32>(level, x, w, None, false, &g),
                &y_want,
            );
        }
        if suits_dx(DType::F32, &g) {
            check("dx", winograd_input_cotangent(level, dy, w, &g), input_cotangent::<f32>(level, dy, w, &g), &dx_want);
        }
        check("dw", winograd_weight_cotangent(level, x, dy, &g), weight_cotangent::<f32>(level, x, dy, &g), &dw_want);
    }
}

#[test]
fn small_integers_are_exact() {
    exact(&geometry(6, [9, 9], [20, 18], Padding::Same));
    exact(&halved(geometry(2, [32, 32], [32, 40], Padding::Same)));
    exact(&halved(geometry(2, [32, 32], [64, 64], Padding::Same)));
}

fn exact(g: &ConvGeometry) {
    let integers =
        |count, seed| buffer::<f32>(&numbers(count, seed).iter().map(|v| (8.0 * v).round()).collect::<Vec<_>>());
    let (x, w) = (integers(g.x_shape().count(), 1), integers(g.w_shape().count(), 2));
    let dy = integers(g.y_shape().count(), 3);
    let (px, pw, pdy) = (values(&x), values(&w), values(&dy));
    let (x, w, dy) = (whole(&x, g.x_shape()), whole(&w, g.w_shape()), whole(&dy, g.y_shape()));
    assert_eq!(values(&conv2d(x, w, None, false, g)), plain::conv2d(&px, &pw, None, g).0);
    assert_eq!(values(&conv2d_dx(dy, w, g)), plain::conv2d_dx(&pdy, &pw, g).0);
    assert_eq!(values(&conv2d_dw(x, dy, g)), plain::conv2d_dw(&px, &pdy, g).0);
}

/// 2 × 2 pooling over the convolution's result; `ceil` counts a last window that is not whole.
fn pooling(g: &ConvGeometry, ceil: bool) -> PoolGeometry {
    let spec = WindowSpec { stride: [2, 2], ceil, ..WindowSpec::new([2, 2]) };
    let window = spec.over("max_pool2d", [g.window.h.output, g.window.w.output]).expect("it fits");
    PoolGeometry { batch: g.batch, channels: g.filters, window, format: g.format }
}

#[test]
fn pooled_results_are_those_of_pooling_afterwards() {
    for g in geometries().into_iter().filter(|g| g.window.h.output > 1 && g.window.w.output > 1) {
        let o = Operands::new(&g);
        let (x, w, bias) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), Some(whole(&o.bias, [g.filters])));
        for ceil in [false, true] {
            let pool = pooling(&g, ceil);
            let y = values(&conv2d(x, w, bias, false, &g));
            let (want, winners) = plain_pool::max_pool2d(&y, &pool);
            let (got, taps) = conv2d_max_pool2d(x, w, bias, false, &g, &pool);
            assert_eq!(values(&got), want, "{g:?}");
            assert!(taps.as_slice::<u32>().iter().map(|&t| t as usize).eq(winners), "{g:?}");
            let (cut, _) = conv2d_max_pool2d(x, w, bias, true, &g, &pool);
            assert!(values(&cut).into_iter().eq(want.into_iter().map(|y| y.max(0.0))), "with a ReLU: {g:?}");
        }
    }
}

#[test]
fn what_is_not_finite_is_computed_directly() {
    let g = geometry(1, [26, 26], [16, 16], Padding::Valid);
    let mut numbers = numbers(g.x_shape().count(), 1);
    numbers[0] = f64::INFINITY;
    numbers[25 * 26 * 16 + 25 * 16] = f64::NAN;
    let (x, w) = (buffer::<f32>(&numbers), Operands::new(&g).w);
    let (x, w) = (whole(&x, g.x_shape()), whole(&w, g.w_shape()));
    assert!(winograd_forward(Level::current(), x, w, None, false, &g).is_none());
    let dy = Operands::new(&g).dy;
    let dy = whole(&dy, g.y_shape());
    assert!(winograd_weight_cotangent(Level::current(), x, dy, &g).is_none());
    let dw = values(&conv2d_dw(x, dy, &g));
    assert!(dw[0].is_infinite() && dw[1..8 * 256].iter().filter(|dw| dw.is_finite()).count() > 7 * 256);
    assert!(by_tiles(Level::current(), x, w, None, false, &g, &pooling(&g, false)).is_none());
    let y = values(&conv2d(x, w, None, false, &g));
    let (last, inner) = (y.len() - 16.., 16..y.len() - 16);
    assert!(y[..16].iter().all(|y| y.is_infinite()) && y[last].iter().all(|y| y.is_nan()));
    assert!(y[inner].iter().all(|y| y.is_finite()), "an infinity reaches only the windows that see it");
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    same_on_any_threads(halved(geometry(2, [32, 31], [64, 72], Padding::Same)));
    same_on_any_threads(geometry(5, [15, 15], [16, 24], Padding::Same));
}

fn same_on_any_threads(g: ConvGeometry) {
    let o = Operands::new(&g);
    let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
    assert_same_on_any_threads(|| {
        vec![
            conv2d(x, w, None, false, &g),
            conv2d_dx(dy, w, &g),
            conv2d_dw(x, dy, &g),
            conv2d_max_pool2d(x, w, None, false, &g, &pooling(&g, false)).0,
        ]
    });
}

#[test]
fn no_images_give_no_results() {
    let g = geometry(0, [6, 6], [16, 16], Padding::Valid);
    let o = Operands::new(&g);
    assert!(conv2d(whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), None, false, &g).is_empty());
}
