//! The three passes agree with their definition for random geometries, both formats, every level and number of
//! threads.

use super::axis::{Axis, banded};
use super::*;
use crate::cases::{assert_same_on_any_threads, buffer, numbers, values, whole};
use crate::gemm::tests::assert_rounded;
use crate::naive::conv as plain;
use cotangent_base::{DataFormat, Padding, Rng, WindowSpec};

/// Gives random numbers `from..=to`.
pub(super) fn draws(rng: &mut Rng) -> impl FnMut(usize, usize) -> usize + use<> {
    let stream = rng.next_stream();
    let mut i = 0;
    move |from, to| {
        i += 1;
        from + stream.word(i) as usize % (to - from + 1)
    }
}

/// A geometry drawn at random; `None` if the window does not fit.
pub(super) fn random_geometry(rng: &mut Rng) -> Option<ConvGeometry> {
    let mut draw = draws(rng);
    let size = [draw(1, 11), draw(1, 11)];
    let padding = match draw(0, 2) {
        0 => Padding::Valid,
        1 => Padding::Same,
        _ => Padding::Explicit([draw(0, 4), draw(0, 4), draw(0, 4), draw(0, 4)]),
    };
    let simple = draw(0, 1) == 0;
    let spec = WindowSpec {
        kernel: [draw(1, 4), draw(1, 4)],
        stride: if simple { [1, 1] } else { [draw(1, 3), draw(1, 3)] },
        dilation: if simple { [1, 1] } else { [draw(1, 3), draw(1, 3)] },
        padding,
        ceil: false,
    };
    let groups = draw(1, 3);
    Some(ConvGeometry {
        batch: draw(1, 4),
        channels: groups * draw(1, 9),
        filters: groups * draw(1, 20),
        groups,
        window: spec.over("conv2d", size).ok()?,
        format: [DataFormat::ChannelsLast, DataFormat::ChannelsFirst][draw(0, 1)],
    })
}

/// The operands of the three passes, their numbers as `T` holds them.
struct Operands {
    x: Buffer,
    w: Buffer,
    dy: Buffer,
    bias: Buffer,
}

impl Operands {
    fn new<T: SimdFloat>(g: &ConvGeometry) -> Self {
        let make = |count, seed| buffer::<T>(&numbers(count, seed));
        let (x, w, dy) = (g.x_shape().count(), g.w_shape().count(), g.y_shape().count());
        Self { x: make(x, 1), w: make(w, 2), dy: make(dy, 3), bias: make(g.filters, 4) }
    }
}

fn agrees<T: SimdFloat>(g: &ConvGeometry) {
    let o = Operands::new::<T>(g);
    let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
    let (px, pw, pdy, pb) = (values(&o.x), values(&o.w), values(&o.dy), values(&o.bias));
    let taps = g.window.h.kernel * g.window.w.kernel;
    let bias = Some(whole(&o.bias, [g.filters]));
    let (y, dx, dw) =
        (plain::conv2d(&px, &pw, Some(&pb), g), plain::conv2d_dx(&pdy, &pw, g), plain::conv2d_dw(&px, &pdy, g));
    for level in Level::available() {
        let what = |pass: &str| format!("{pass} at {} of {g:?}", level.name());
        let (c, k) = (g.channels / g.groups, g.filters / g.groups);
        assert_rounded::<T>(&forward::<T>(level, x, w, bias, false, g), &y, taps * c, &what("y"));
        assert_rounded::<T>(&input_cotangent::<T>(level, dy, w, g), &dx, taps * k, &what("dx"));
        let windows = Sizes::new(g).windows;
        assert_rounded::<T>(&weight_cotangent::<T>(level, x, dy, g), &dw, windows, &what("dw"));
    }
}

#[test]
fn random_geometries_agree_with_the_definition() {
    let mut rng = Rng::new(5);
    let mut done = 0;
    while done < 150 {
        let Some(g) = random_geometry(&mut rng) else { continue };
        agrees::<f32>(&g);
        agrees::<f64>(&g);
        done += 1;
    }
}

/// With 0 for what is below it.
fn rectified(y: &Buffer) -> Vec<f64> {
    values(y).into_iter().map(|y| y.max(0.0)).collect()
}

fn relu_agrees<T: SimdFloat>(g: &ConvGeometry) {
    let o = Operands::new::<T>(g);
    let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
    let bias = Some(whole(&o.bias, [g.filters]));
    for level in Level::available() {
        let what = |pass: &str| format!("{pass} with a ReLU at {} of {g:?}", level.name());
        let y = forward::<T>(level, x, w, bias, true, g);
        assert_eq!(values(&y), rectified(&forward::<T>(level, x, w, bias, false, g)), "{}", what("y"));
        if g.groups > 1 || g.format == DataFormat::ChannelsFirst {
            continue;
        }
        let open = |(&y, &dy): (&f64, &f64)| if y > 0.0 { dy } else { 0.0 };
        let dz: Vec<f64> = values(&y).iter().zip(&values(&o.dy)).map(open).collect();
        let sums = |f: fn(f64) -> f64| -> Vec<f64> {
            (0..g.filters).map(|k| dz.iter().skip(k).step_by(g.filters).map(|&d| f(d)).sum()).collect()
        };
        let (dw, db) = rectified::cotangents::<T>(level, x, [whole(&y, g.y_shape()), dy], g);
        let windows = Sizes::new(g).windows;
        assert_rounded::<T>(&dw, &plain::conv2d_dw(&values(&o.x), &dz, g), windows, &what("dw"));
        assert_rounded::<T>(&db, &(sums(|d| d), sums(f64::abs)), windows, &what("db"));
    }
}

#[test]
fn a_relu_behind_cuts_the_results_and_gates_the_cotangents() {
    let mut rng = Rng::new(7);
    let mut done = 0;
    while done < 100 {
        let Some(g) = random_geometry(&mut rng) else { continue };
        relu_agrees::<f32>(&g);
        relu_agrees::<f64>(&g);
        done += 1;
    }
    // more results than are worked on at a time, and vectors beyond the two that are summed side by side
    relu_agrees::<f32>(&geometry(37, 28, 1, 32, 1));
    relu_agrees::<f32>(&geometry(3, 9, 2, 50, 1));
    // one image, whose rows are divided between the threads
    relu_agrees::<f32>(&geometry(1, 28, 1, 32, 1));
    relu_agrees::<f32>(&geometry(1, 57, 3, 32, 2));
    let same = WindowSpec { padding: Padding::Same, ..WindowSpec::new([5, 5]) };
    relu_agrees::<f32>(&ConvGeometry {
        window: same.over("conv2d", [41; 2]).expect("it fits"),
        ..geometry(1, 41, 1, 33, 1)
    });
}

#[test]
fn the_cotangents_behind_a_relu_are_left_to_others_where_they_are_no_gain() {
    let some = |g: &ConvGeometry| {
        let o = Operands::new::<f32>(g);
        let (x, y, dy) = (whole(&o.x, g.x_shape()), whole(&o.dy, g.y_shape()), whole(&o.dy, g.y_shape()));
        conv2d_relu_dw(x, [y, dy], g).is_some()
    };
    assert!(some(&geometry(2, 9, 3, 8, 1)) && some(&geometry(0, 9, 3, 8, 1)));
    assert!(!some(&geometry(2, 9, 12, 8, 1)) && !some(&geometry(4, 28, 32, 32, 1)));
}

fn geometry(batch: usize, side: usize, channels: usize, filters: usize, stride: usize) -> ConvGeometry {
    let spec = WindowSpec { stride: [stride; 2], ..WindowSpec::new([3, 3]) };
    let window = spec.over("conv2d", [side; 2]).expect("it fits");
    ConvGeometry { batch, channels, filters, groups: 1, window, format: DataFormat::ChannelsLast }
}

#[test]
fn depths_of_several_blocks_agree() {
    agrees::<f32>(&geometry(2, 7, 70, 40, 1));
    agrees::<f32>(&geometry(2, 7, 40, 80, 1));
    agrees::<f32>(&geometry(3, 25, 1, 32, 1));
    agrees::<f32>(&geometry(3, 9, 48, 33, 2));
}

#[test]
fn patches_over_an_edge_agree() {
    for format in [DataFormat::ChannelsLast, DataFormat::ChannelsFirst] {
        let spec = WindowSpec { stride: [2, 1], padding: Padding::Explicit([1, 0, 2, 1]), ..WindowSpec::new([3, 2]) };
        let window = spec.over("conv2d", [33, 29]).expect("it fits");
        agrees::<f32>(&ConvGeometry { batch: 3, channels: 6, filters: 8, groups: 2, window, format });
    }
}

#[test]
fn windows_that_leave_out_taps_in_the_padding_agree() {
    // several blocks of windows and of columns
    let window = |spec: WindowSpec, size: [usize; 2]| spec.over("conv2d", size).expect("it fits");
    let small = |stride, dilation| WindowSpec {
        stride: [stride; 2],
        dilation: [dilation; 2],
        padding: Padding::Same,
        ..WindowSpec::new([3, 3])
    };
    let windows = [
        window(small(2, 1), [11, 14]),
        window(small(1, 4), [7, 9]),
        // along one axis, and so far over the edge that some windows see nothing
        window(WindowSpec { padding: Padding::Explicit([0, 0, 2, 2]), ..WindowSpec::new([1, 3]) }, [40, 5]),
        window(WindowSpec { padding: Padding::Explicit([4, 0, 0, 3]), ..WindowSpec::new([3, 3]) }, [5, 6]),
    ];
    for (window, groups) in windows.into_iter().zip([1, 2, 1, 1]) {
        let [h, w] = banded([window.h, window.w].map(Axis::new), 17);
        assert!(h.banded || w.banded);
        for format in [DataFormat::ChannelsLast, DataFormat::ChannelsFirst] {
            let g = ConvGeometry { batch: 17, channels: 76 * groups, filters: 34 * groups, groups, window, format };
            agrees::<f32>(&g);
            agrees::<f64>(&g);
            formats_agree::<f32>(&g, true);
        }
    }
}

#[test]
fn results_too_many_for_the_caches_agree_in_another_format() {
    let g = ConvGeometry { format: DataFormat::ChannelsFirst, ..geometry(3, 109, 9, 33, 1) };
    assert!(g.y_shape().count() > BEYOND && !unfolded::suits(&g));
    agrees::<f32>(&g);
    agrees::<f64>(&g);
}

#[test]
fn windows_of_one_tap_agree_at_any_stride() {
    for (format, [down, across]) in [(DataFormat::ChannelsLast, [2, 3]), (DataFormat::ChannelsFirst, [2, 1])] {
        let spec = WindowSpec { stride: [down, across], ..WindowSpec::new([1, 1]) };
        let window = spec.over("conv2d", [8, 9]).expect("it fits");
        let g = ConvGeometry { batch: 3, channels: 5, filters: 20, groups: 1, window, format };
        let o = Operands::new::<f32>(&g);
        let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
        let (px, pw, pdy) = (values(&o.x), values(&o.w), values(&o.dy));
        assert_rounded::<f32>(&conv2d(x, w, None, false, &g), &plain::conv2d(&px, &pw, None, &g), 5, "y");
        assert_rounded::<f32>(&conv2d_dw(x, dy, &g), &plain::conv2d_dw(&px, &pdy, &g), 3 * 4 * 9, "dw");
        assert_rounded::<f32>(&conv2d_dx(dy, w, &g), &plain::conv2d_dx(&pdy, &pw, &g), 20, "dx");
    }
}

#[test]
fn no_images_give_no_output_and_no_gradient() {
    let g = geometry(0, 6, 3, 5, 1);
    let o = Operands::new::<f32>(&g);
    let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
    assert!(conv2d(x, w, None, false, &g).is_empty() && conv2d_dx(dy, w, &g).is_empty());
    assert_eq!(values(&conv2d_dw(x, dy, &g)), vec![0.0; 3 * 3 * 3 * 5]);
}

#[test]
fn views_of_any_stride_are_taken() {
    let g = geometry(2, 6, 3, 4, 1);
    let o = Operands::new::<f32>(&g);
    let first = whole(&o.x, DataFormat::ChannelsFirst.shape([2, 6, 6, 3]));
    let x = View { layout: first.layout.permute(&[0, 2, 3, 1]), ..first };
    let w = whole(&o.w, g.w_shape());
    let want = conv2d(first, w, None, false, &ConvGeometry { format: DataFormat::ChannelsFirst, ..g });
    let y = conv2d(x, w, None, false, &g);
    let back = whole(&y, g.y_shape()).layout.permute(&[0, 3, 1, 2]);
    let y = values(&y);
    assert_eq!(back.places().map(|p| y[p]).collect::<Vec<_>>(), values(&want));
}

/// The results of both formats for the same numbers, pixel by pixel.
fn formats_agree<T: SimdFloat>(g: &ConvGeometry, relu: bool) {
    let first = ConvGeometry { format: DataFormat::ChannelsFirst, ..*g };
    let last = ConvGeometry { format: DataFormat::ChannelsLast, ..*g };
    let o = Operands::new::<T>(&first);
    let (x, w) = (whole(&o.x, first.x_shape()), whole(&o.w, g.w_shape()));
    let bias = relu.then(|| whole(&o.bias, [g.filters]));
    let channels_last = View { layout: x.layout.permute(&[0, 2, 3, 1]), ..x };
    for level in Level::available() {
        let y = forward::<T>(level, x, w, bias, relu, &first);
        let want = forward::<T>(level, channels_last, w, bias, relu, &last);
        let back = whole(&want, last.y_shape()).layout.permute(&[0, 3, 1, 2]);
        let want = values(&want);
        let want: Vec<f64> = back.places().map(|p| want[p]).collect();
        assert_eq!(values(&y), want, "at {} of {g:?}", level.name());
    }
}

#[test]
fn few_channels_give_the_same_bits_in_either_format() {
    let mut rng = Rng::new(11);
    let mut done = 0;
    while done < 100 {
        let Some(g) = random_geometry(&mut rng).map(|g| ConvGeometry { format: DataFormat::ChannelsFirst, ..g }) else {
            continue;
        };
        if unfolded::suits(&g) {
            formats_agree::<f32>(&g, done % 2 == 0);
            formats_agree::<f64>(&g, done % 2 == 1);
            done += 1;
        }
    }
    // several bands, of which the last is shorter; and the first layer of a residual network
    formats_agree::<f32>(&geometry(2, 121, 3, 13, 1), true);
    let stem = WindowSpec { stride: [2; 2], padding: Padding::Explicit([3; 4]), ..WindowSpec::new([7, 7]) };
    formats_agree::<f32>(
        &ConvGeometry { window: stem.over("conv2d", [130; 2]).expect("it fits"), ..geometry(2, 130, 3, 64, 1) },
        false,
    );
}

#[test]
fn the_bits_of_pieces_are_the_same_for_any_number_of_threads() {
    // so deep that the sums of few results are split
    let g = ConvGeometry { format: DataFormat::ChannelsFirst, ..geometry(8, 66, 232, 136, 2) };
    assert!(g.y_shape().count() > BEYOND);
    let o = Operands::new::<f32>(&g);
    let (x, w) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()));
    assert_same_on_any_threads(|| vec![conv2d(x, w, None, false, &g)]);
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    let unfolded = ConvGeometry { format: DataFormat::ChannelsFirst, ..geometry(3, 60, 3, 20, 2) };
    let many = [geometry(9, 28, 1, 32, 1), geometry(7, 20, 24, 40, 1), geometry(7, 20, 24, 40, 2), unfolded];
    for g in many.into_iter().chain([geometry(1, 28, 1, 32, 1), geometry(1, 26, 32, 64, 1)]) {
        let o = Operands::new::<f32>(&g);
        let (x, w, dy) = (whole(&o.x, g.x_shape()), whole(&o.w, g.w_shape()), whole(&o.dy, g.y_shape()));
        assert_same_on_any_threads(|| {
            let mut all = vec![conv2d(x, w, None, false, &g), conv2d_dx(dy, w, &g), conv2d_dw(x, dy, &g)];
            all.push(conv2d(x, w, None, true, &g));
            all.extend(conv2d_relu_dw(x, [dy, dy], &g).into_iter().flat_map(|(dw, db)| [dw, db]));
            all
        });
    }
}
