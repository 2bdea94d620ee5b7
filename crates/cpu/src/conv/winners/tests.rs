//! The lists agree with the dense route: the pooling's dx by its definition, then the convolution's two products by
//! theirs.

use super::*;
use crate::cases::{assert_same_on_any_threads, buffer, numbers, values, whole};
use crate::conv::tests::{draws, random_geometry};
use crate::gemm::tests::assert_rounded;
use crate::naive::{conv as plain, pool as plain_pool};
use cotangent_base::{DataFormat, Padding, Rng, WindowSpec};

/// A pooling over the convolution's result, drawn at random; `None` if it does not fit.
fn random_pool(conv: &ConvGeometry, rng: &mut Rng) -> Option<PoolGeometry> {
    let mut draw = draws(rng);
    let size = [conv.window.h.output, conv.window.w.output];
    let padding = if draw(0, 2) == 0 { Padding::Explicit([draw(0, 2), 1, draw(0, 2), 1]) } else { Padding::Valid };
    let kernel = [draw(1, 3), draw(1, 3)];
    let stride = if draw(0, 1) == 0 { kernel } else { [draw(1, 3), draw(1, 3)] };
    let spec = WindowSpec { kernel, stride, dilation: [draw(1, 2), 1], padding, ceil: draw(0, 1) == 1 };
    let window = spec.over("max_pool2d", size).ok()?;
    Some(PoolGeometry { batch: conv.batch, channels: conv.filters, window, format: conv.format })
}

/// Every third number, 0 elsewhere.
fn sparse(count: usize, seed: u64) -> Vec<f64> {
    numbers(count, seed).into_iter().enumerate().map(|(i, v)| if i % 3 == 0 { v } else { 0.0 }).collect()
}

/// The sum over the pixels for each filter, and that of the sizes.
fn sums(dy: &[f64], pool: &PoolGeometry) -> (Vec<f64>, Vec<f64>) {
    let [_, h, w, filters] = pool.format.nhwc(&pool.y_shape());
    let filter = |i: usize| if pool.format == DataFormat::ChannelsLast { i % filters } else { i / (h * w) % filters };
    let (mut sums, mut sizes) = (vec![0.0; filters], vec![0.0; filters]);
    for (i, dy) in dy.iter().enumerate() {
        sums[filter(i)] += dy;
        sizes[filter(i)] += dy.abs();
    }
    (sums, sizes)
}

/// dy where the gate is greater than 0, else 0.
fn gate<T: SimdFloat>(dy: &Buffer, gates: &Buffer) -> Buffer {
    let pairs = dy.as_slice::<T>().iter().zip(gates.as_slice::<T>());
    Buffer::from_slice(
        &pairs.map(|(&dy, &gate)| if gate > T::default() { dy } else { T::default() }).collect::<Vec<_>>(),
    )
}

fn agrees<T: SimdFloat>(conv: &ConvGeometry, pool: &PoolGeometry) {
    let (x, w) = (buffer::<T>(&numbers(conv.x_shape().count(), 1)), buffer::<T>(&numbers(conv.w_shape().count(), 2)));
    let dy = buffer::<T>(&sparse(pool.y_shape().count(), 3));
    let y = plain::conv2d(&values(&x), &values(&w), None, conv);
    let (_, winners) = plain_pool::max_pool2d(&y.0, pool);
    let taps = Buffer::from_slice(&winners.iter().map(|&tap| tap as u32).collect::<Vec<_>>());
    let dz = plain_pool::max_pool2d_dx(&values(&dy), &winners, pool);
    let mut dx = plain::conv2d_dx(&dz, &values(&w), conv);
    let mut dw = plain::conv2d_dw(&values(&x), &dz, conv);
    // where pooling windows overlap, dz is a sum itself: the sizes of its terms count
    let sizes = |numbers: &[f64]| -> Vec<f64> { numbers.iter().map(|x| x.abs()).collect() };
    let dz = plain_pool::max_pool2d_dx(&sizes(&values(&dy)), &winners, pool);
    dx.1 = plain::conv2d_dx(&dz, &values(&w), conv).1;
    dw.1 = plain::conv2d_dw(&values(&x), &dz, conv).1;

    let gates = buffer::<T>(&numbers(dy.len(), 4));
    let operands = [whole(&x, conv.x_shape()), whole(&w, conv.w_shape())];
    let cotangent = [whole(&dy, pool.y_shape()), whole(&taps, pool.y_shape())];
    let s = Sizes::new(conv);
    let taps = conv.window.h.kernel * conv.window.w.kernel;
    let shares = pool.window.h.kernel * pool.window.w.kernel;
    for level in Level::available() {
        let what = |pass: &str| format!("{pass} at {} of {conv:?} {pool:?}", level.name());
        let [got_dx, got_dw, got_db] = cotangents::<T>(level, operands, cotangent, None, conv, pool, [true; 3]);
        assert_rounded::<T>(&got_dx.unwrap(), &dx, taps * s.group_filters * shares, &what("dx"));
        assert_rounded::<T>(&got_dw.unwrap(), &dw, s.windows * shares, &what("dw"));
        assert_rounded::<T>(&got_db.unwrap(), &sums(&values(&dy), pool), dy.len(), &what("db"));
        // a ReLU behind lets through what is greater than 0: the same as a dy that is 0 elsewhere
        let gated = gate::<T>(&dy, &gates);
        let behind = [whole(&gated, pool.y_shape()), cotangent[1]];
        let y = Some(whole(&gates, pool.y_shape()));
        let got = cotangents::<T>(level, operands, cotangent, y, conv, pool, [true; 3]);
        let want = cotangents::<T>(level, operands, behind, None, conv, pool, [true; 3]);
        let all = |found: [Option<Buffer>; 3]| found.map(|x| values(&x.expect("asked for")));
        assert_eq!(all(got), all(want), "{}", what("all with a ReLU"));
    }
}

#[test]
fn random_geometries_agree_with_the_dense_route() {
    let mut rng = Rng::new(6);
    let mut done = 0;
    while done < 200 {
        let Some(conv) = random_geometry(&mut rng) else { continue };
        let Some(pool) = random_pool(&conv, &mut rng) else { continue };
        agrees::<f32>(&conv, &pool);
        agrees::<f64>(&conv, &pool);
        done += 1;
    }
}

/// A 3 × 3 convolution with 2 × 2 pooling behind it.
fn usual(batch: usize, side: usize, channels: usize, filters: usize) -> (ConvGeometry, PoolGeometry) {
    let window = WindowSpec::new([3, 3]).over("conv2d", [side; 2]).expect("it fits");
    let format = DataFormat::ChannelsLast;
    let conv = ConvGeometry { batch, channels, filters, groups: 1, window, format };
    let two = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    let window = two.over("max_pool2d", [window.h.output, window.w.output]).expect("it fits");
    (conv, PoolGeometry { batch, channels: filters, window, format })
}

#[test]
fn patches_of_several_blocks_and_bands_agree() {
    for (channels, filters) in [(32, 64), (16, 5), (48, 3), (20, 4)] {
        let (conv, pool) = usual(2, 26, channels, filters);
        agrees::<f32>(&conv, &pool);
    }
}

#[test]
fn what_is_not_needed_is_not_made_and_no_images_give_nothing() {
    let (conv, pool) = usual(0, 6, 3, 4);
    let (x, w, dy) = (buffer::<f32>(&[]), buffer::<f32>(&numbers(conv.w_shape().count(), 2)), buffer::<f32>(&[]));
    let taps = Buffer::from_slice::<u32>(&[]);
    let run = |need| {
        let operands = [whole(&x, conv.x_shape()), whole(&w, conv.w_shape())];
        conv2d_max_pool2d_vjp(
            operands,
            [whole(&dy, pool.y_shape()), whole(&taps, pool.y_shape())],
            None,
            &conv,
            &pool,
            need,
        )
    };
    let [dx, dw, db] = run([true; 3]);
    assert_eq!(values(&db.unwrap()), [0.0; 4]);
    assert!(dx.unwrap().is_empty() && values(&dw.unwrap()).iter().all(|&d| d == 0.0));
    assert!(run([false; 3]).iter().all(Option::is_none));
}

#[test]
fn a_path_not_taken_gives_nothing_even_to_infinite_weights() {
    let (conv, pool) = usual(1, 6, 1, 1);
    let x = buffer::<f32>(&[f64::INFINITY; 36]);
    let w = buffer::<f32>(&[f64::NAN; 9]);
    let (dy, taps) = (buffer::<f32>(&[0.0; 4]), Buffer::from_slice(&[0_u32; 4]));
    let operands = [whole(&x, conv.x_shape()), whole(&w, conv.w_shape())];
    let cotangent = [whole(&dy, pool.y_shape()), whole(&taps, pool.y_shape())];
    for cotangent in conv2d_max_pool2d_vjp(operands, cotangent, None, &conv, &pool, [true; 3]) {
        assert!(values(&cotangent.unwrap()).iter().all(|&d| d == 0.0));
    }
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    let (conv, pool) = usual(21, 12, 16, 9);
    let (x, w) =
        (buffer::<f32>(&numbers(conv.x_shape().count(), 1)), buffer::<f32>(&numbers(conv.w_shape().count(), 2)));
    let dy = buffer::<f32>(&sparse(pool.y_shape().count(), 3));
    let taps = Buffer::from_slice(&(0..dy.len()).map(|i| (i * 7 % 4) as u32).collect::<Vec<_>>());
    let operands = [whole(&x, conv.x_shape()), whole(&w, conv.w_shape())];
    let cotangent = [whole(&dy, pool.y_shape()), whole(&taps, pool.y_shape())];
    assert_same_on_any_threads(|| {
        conv2d_max_pool2d_vjp(operands, cotangent, None, &conv, &pool, [true; 3]).into_iter().flatten().collect()
    });
}
