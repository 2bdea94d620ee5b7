//! The tiles of tensor cores, whole ones and those at the edges, of every kernel: each order and way of copying its operands, each
//! width, with and without numbers that are not finite.

use super::precision::{PRECISIONS, check, passes, there, wide};
use cotangent::prelude::*;
use cotangent::{Conv2dSpec, MatmulPrecision, WindowSpec};
use cotangent_cuda_suite::{counts_in, on_device, simulator, this_program};

/// How matrices are in memory: by rows or by columns, each also with gaps and from an odd offset.
pub const ORDERS: [&str; 8] = ["rr", "rc", "cr", "cc", "gg", "gh", "hg", "hh"];

/// Rows, columns and depth, large enough for tensor cores: tiles of 128 columns and of 64, whole and cut off, copied by fours and one
/// by one, with 0 to 3 columns beyond the last four.
const SIZES: [[usize; 3]; 6] =
    [[132, 136, 52], [131, 134, 49], [130, 129, 33], [132, 64, 36], [130, 63, 35], [257, 34, 47]];

/// Depths that are cut in parts.
const DEEP: [[usize; 3]; 2] = [[20, 24, 900], [21, 103, 600]];

/// A batch of matrices, drawn so that they can be seen with other strides; the values at `spoiled` are not finite.
fn matrix(
    batch: usize,
    [rows, columns]: [usize; 2],
    order: char,
    rng: &mut Rng,
    spoiled: bool,
) -> impl Fn(&dyn Fn(&Tensor) -> Tensor) -> Tensor + use<> {
    let shape = match order {
        'r' => [batch, rows, columns],
        'c' => [batch, columns, rows],
        'g' => [batch, rows, columns + 5],
        _ => [batch, columns, rows + 5],
    };
    let stored = spoil(Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng), spoiled);
    move |change: &dyn Fn(&Tensor) -> Tensor| {
        let x = change(&stored);
        let x = if matches!(order, 'g' | 'h') { x.narrow(2, 3, shape[2] - 5) } else { x };
        let x = if matches!(order, 'c' | 'h') { x.permute(&[0, 2, 1]) } else { x };
        if batch == 1 { x.select(0, 0) } else { x }
    }
}

/// Infinities and a NaN near both ends, where `spoiled`.
fn spoil(x: Tensor, spoiled: bool) -> Tensor {
    if !spoiled {
        return x;
    }
    let mut values = x.to_vec::<f32>();
    let last = values.len() - 1;
    for (at, value) in [(7, f32::INFINITY), (40, f32::NAN), (last - 9, f32::NEG_INFINITY), (last / 2, f32::INFINITY)] {
        values[at] = value;
    }
    Tensor::from_slice(&values, x.shape())
}

/// Products in all orders against f64 on the CPU, with a bias if it is a single matrix.
pub fn products(batch: usize, [m, n, k]: [usize; 3], orders: &[&str], precisions: &[MatmulPrecision], spoiled: bool) {
    let rng = &mut Rng::new(3);
    // results are kept, so that no later one finds an earlier one in its memory
    let mut kept = Vec::new();
    for order in orders {
        let mut letters = order.chars();
        let mut draw = |shape, spoiled| matrix(batch, shape, letters.next().expect("two letters"), rng, spoiled);
        let (a, b) = (draw([m, k], spoiled), draw([k, n], false));
        let bias = (batch == 1).then(|| Tensor::uniform([n], -1.0, 1.0, DType::F32, &mut Rng::new(4)));
        let product = |change: &dyn Fn(&Tensor) -> Tensor| match &bias {
            Some(bias) => a(change).linear(&b(change), Some(&change(bias))),
            None => a(change).matmul(&b(change)),
        };
        let (want, size) = (product(&wide), product(&|x| wide(x).abs()));
        for &precision in precisions {
            let y = product(&|x| there(x, precision));
            check(&y, &want, &size, k, precision, &format!("{batch} of [{m}, {k}]·[{k}, {n}] in {order}"));
            kept.push(y);
        }
    }
}

/// All passes of a convolution of two 10 × 9 images; `spoiled` are x and dy.
fn convolution([channels, filters]: [usize; 2], kernel: [usize; 2], spoiled: bool, change: impl Fn(&mut Conv2dSpec)) {
    let mut spec = Conv2dSpec::new(WindowSpec::new(kernel));
    change(&mut spec);
    let rng = &mut Rng::new(5);
    let mut draw = |shape: &[usize]| Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng);
    let x = spoil(draw(&spec.format.shape([2, 10, 9, channels])), spoiled);
    let w = draw(&[kernel[0], kernel[1], channels / spec.groups, filters]);
    let b = draw(&[filters]);
    let dy = spoil(draw(&wide(&x).conv2d(&wide(&w), None, &spec).shape()), spoiled);
    let all = [&x, &w, &b, &dy];
    let run = |[x, w, b, dy]: [Tensor; 4]| passes(&x, &w, &b, &dy, &spec);
    let (want, size) = (run(all.map(wide)), run(all.map(|x| wide(x).abs())));
    let taps = kernel[0] * kernel[1];
    let depths = [taps * channels / spec.groups, taps * filters / spec.groups, 2 * 10 * 9];
    let precisions = if spoiled { &PRECISIONS[..1] } else { &PRECISIONS };
    let mut kept = Vec::new();
    for &precision in precisions {
        kept.push(run(all.map(|x| there(x, precision))));
        for (i, got) in kept[kept.len() - 1].iter().enumerate() {
            let what = format!("{} of {channels} → {filters}, {spec:?}", ["y", "dx", "dw"][i]);
            check(got, &want[i], &size[i], depths[i], precision, &what);
        }
    }
}

/// Channels, filters and kernel: passes with tiles of both widths, whole and cut off, by fours and one by one.
const CONVOLUTIONS: [([usize; 2], [usize; 2]); 6] = [
    ([132, 136], [1, 2]),
    ([129, 131], [2, 1]),
    ([33, 65], [2, 2]),
    ([66, 62], [1, 2]),
    ([36, 64], [2, 1]),
    ([63, 133], [1, 1]),
];

fn first(spec: &mut Conv2dSpec) {
    spec.format = DataFormat::ChannelsFirst;
}

fn strided(spec: &mut Conv2dSpec) {
    spec.window.stride = [2, 3];
    spec.window.padding = Padding::Explicit([2, 1, 3, 0]);
}

on_device! {
    fn products_in_tiles_of_every_kind() {
        SIZES.into_iter().for_each(|size| products(1, size, &ORDERS, &PRECISIONS, false));
    }

    fn deep_products_in_every_order() {
        DEEP.into_iter().for_each(|size| products(1, size, &ORDERS, &PRECISIONS, false));
    }

    fn products_that_fill_their_memory() {
        // what is stored beyond a matrix is in the next one, or outside of all memory
        products(16, [8, 64, 512], &ORDERS, &PRECISIONS, false);
        products(16, [8, 128, 256], &ORDERS, &PRECISIONS, false);
        for columns in [5, 6, 7] {
            for spoiled in [false, true] {
                products(1, [256, columns, 210], &ORDERS, &PRECISIONS[..1], spoiled);
            }
        }
    }

    fn products_over_nothing_are_the_bias() {
        products(1, [70, 66, 0], &ORDERS[..4], &PRECISIONS, false);
    }

    fn products_in_batches_in_every_order() {
        products(3, [70, 100, 40], &ORDERS, &PRECISIONS, false);
        products(3, [90, 60, 50], &ORDERS, &PRECISIONS, false);
    }

    fn products_of_numbers_that_are_not_finite() {
        SIZES.into_iter().for_each(|size| products(1, size, &ORDERS, &PRECISIONS[..1], true));
        DEEP.into_iter().for_each(|size| products(1, size, &ORDERS, &PRECISIONS[..1], true));
        products(3, [70, 100, 40], &ORDERS, &PRECISIONS[..1], true);
        products(3, [90, 60, 50], &ORDERS, &PRECISIONS[..1], true);
    }

    fn convolutions_in_tiles_of_every_kind() {
        CONVOLUTIONS.into_iter().for_each(|(sizes, kernel)| convolution(sizes, kernel, false, |_| ()));
    }

    fn convolutions_in_tiles_with_channels_first() {
        CONVOLUTIONS.into_iter().for_each(|(sizes, kernel)| convolution(sizes, kernel, false, first));
    }

    fn convolutions_in_tiles_with_strides() {
        CONVOLUTIONS.into_iter().for_each(|(sizes, kernel)| convolution(sizes, kernel, false, strided));
    }

    fn convolutions_of_numbers_that_are_not_finite() {
        for (sizes, kernel) in CONVOLUTIONS {
            convolution(sizes, kernel, true, |_| ());
            convolution(sizes, kernel, true, first);
            convolution(sizes, kernel, true, strided);
        }
    }

    fn convolutions_in_groups_in_tiles() {
        for spoiled in [false, true] {
            convolution([72, 134], [2, 2], spoiled, |spec| spec.groups = 2);
            convolution([138, 62], [2, 2], spoiled, |spec| spec.groups = 2);
        }
    }
}

#[test]
fn finite_products_are_computed_once() {
    // one tile each, in all orders: with an infinity fp32 takes the multiplications of fp32 beside the tensor cores
    let work = || {
        for size in [[128, 128, 48], [101, 99, 40], [128, 64, 48], [127, 61, 50]] {
            products(1, size, &ORDERS[..4], &PRECISIONS[..1], false);
        }
        convolution([33, 65], [2, 2], false, |_| ());
        convolution([66, 62], [1, 2], false, |_| ());
    };
    let path = concat!(module_path!(), "::finite_products_are_computed_once");
    let Some(report) = counts_in(path, || simulator(this_program()), work) else { return };
    let tensor: Vec<_> = report.iter().filter(|(_, counts)| counts["macs"] > 0).collect();
    assert_eq!(tensor.len(), 6 + 6, "{tensor:?}");
    for (name, counts) in tensor {
        // 16 products of 8 × 16 × 8, three times, and for each element one sum in fp32: less than 2 in 1024; twice would be 11
        assert!(counts["single"] * 1024 <= 3 * counts["macs"], "{name}: {counts:?}");
    }
}
