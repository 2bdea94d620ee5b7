//! The product agrees with its definition for every size, stride, level and number of threads.

use super::*;
use crate::cases::{assert_all_fail, assert_same_on_any_threads, buffer, layouts, numbers, values, whole};
use crate::naive;
use cotangent_base::Float;

/// `[m, k, n]` at the edges of tiles, panels and blocks, and primes.
const SIZES: [[usize; 3]; 29] = [
    [0, 3, 4],
    [3, 0, 4],
    [3, 4, 0],
    [1, 1, 1],
    [1, 7, 33],
    [1, 40, 17],
    [2, 1, 5],
    [5, 37, 1],
    [130, 65, 1],
    [3, 5, 7],
    [6, 9, 16],
    [7, 8, 15],
    [11, 16, 17],
    [13, 2, 31],
    [14, 64, 32],
    [15, 63, 33],
    [29, 65, 65],
    [57, 31, 47],
    [71, 100, 96],
    [64, 64, 64],
    [13, 70, 80],
    [35, 530, 150],
    [32, 784, 128],
    [97, 321, 35],
    [401, 17, 67],
    [17, 1300, 19],
    [100, 37, 10],
    [26, 520, 516],
    [149, 1030, 200],
];

/// What a test has in hand: the views as f64 in row-major order.
fn plain<T: SimdFloat>(x: View<Buffer>) -> Vec<f64> {
    let data = x.buffer.as_slice::<T>();
    x.layout.places().map(|p| data[p].to_f64()).collect()
}

/// Asserts that each of `got` is within `2·√depth` roundings of its terms' sizes.
#[track_caller]
pub(crate) fn assert_rounded<T: Float>(got: &Buffer, (want, size): &(Vec<f64>, Vec<f64>), depth: usize, what: &str) {
    assert_eq!(got.dtype(), T::DTYPE, "{what}: the dtype");
    let got = values(got);
    assert_eq!(got.len(), want.len(), "{what}: the number of elements");
    let roundings = 2.0 * (depth as f64).sqrt() + 2.0;
    for (i, ((&got, &want), &size)) in got.iter().zip(want).zip(size).enumerate() {
        let tolerance = roundings * T::UNIT_ROUNDOFF * size;
        let near = tolerance.is_finite() && (got - want).abs() <= tolerance;
        assert!(near, "{what}: element {i} is {got}, wants {want} ± {tolerance}");
    }
}

#[test]
fn what_is_not_a_rounding_is_refused() {
    let rounded = |got: f64, want: f64, size: f64| {
        assert_rounded::<f32>(&buffer::<f32>(&[got]), &(vec![want], vec![size]), 1, "");
    };
    rounded(1.0, 1.0, 1.0);
    assert_all_fail(&[
        ("NaN for a number", &|| rounded(f64::NAN, 1.0, 1.0)),
        ("a number for NaN", &|| rounded(1.0, f64::NAN, 1.0)),
        ("a number for an infinity", &|| rounded(5.0, f64::INFINITY, f64::INFINITY)),
        ("the other infinity", &|| rounded(f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY)),
        ("a difference of nothing but terms of 0", &|| rounded(1e-30, 0.0, 0.0)),
        ("another length", &|| assert_rounded::<f32>(&buffer::<f32>(&[1.0]), &(vec![], vec![]), 1, "")),
        ("another dtype", &|| assert_rounded::<f32>(&buffer::<f64>(&[1.0]), &(vec![1.0], vec![1.0]), 1, "")),
    ]);
}

fn every_size_and_stride<T: SimdFloat>() {
    for [m, k, n] in SIZES {
        let bias = buffer::<T>(&numbers(n, 3));
        let kinds = layouts(Shape::from([k, n]));
        for (i, (name_a, la)) in layouts(Shape::from([m, k])).into_iter().enumerate() {
            // each kind of a meets another kind of b; never are both constant along k, where roundings add up
            let (name_b, lb) = kinds[(i * 3 + 2) % kinds.len()];
            let (a, b) = (buffer::<T>(&numbers(la.end(), 1)), buffer::<T>(&numbers(lb.end(), 2)));
            let (a, b) = (View { buffer: &a, layout: la }, View { buffer: &b, layout: lb });
            let bias = (i % 2 == 0).then(|| whole(&bias, [n]));
            let plain_bias = bias.map(plain::<T>);
            let want = naive::matmul::matmul(&plain::<T>(a), &plain::<T>(b), plain_bias.as_deref(), [m, k, n]);
            for level in Level::available() {
                let what = format!("[{m}, {k}] {name_a} times [{k}, {n}] {name_b} at {}", level.name());
                assert_rounded::<T>(&matmul_at::<T>(level, a, b, bias), &want, k, &what);
            }
        }
    }
}

#[test]
fn every_size_and_stride_f32() {
    every_size_and_stride::<f32>();
}

#[test]
fn every_size_and_stride_f64() {
    every_size_and_stride::<f64>();
}

#[test]
fn products_of_small_integers_are_exact() {
    let integers = |count, seed| numbers(count, seed).iter().map(|x| (x * 8.0).round()).collect::<Vec<f64>>();
    for [m, k, n] in SIZES {
        let (a, b) = (integers(m * k, 1), integers(k * n, 2));
        let want = naive::matmul::matmul(&a, &b, None, [m, k, n]).0;
        let (a, b) = (buffer::<f32>(&a), buffer::<f32>(&b));
        for level in Level::available() {
            assert_eq!(values(&matmul_at::<f32>(level, whole(&a, [m, k]), whole(&b, [k, n]), None)), want);
        }
    }
}

/// Numbers around C that no product may touch.
const GUARD: usize = 7;

fn c_is_written_and_nothing_else<T: SimdFloat>() {
    for (case, [m, k, n]) in SIZES.into_iter().enumerate() {
        let gap = [0, 1, 5][case % 3];
        let stride = n + gap;
        let c = Layout::new([m, n].into(), &[stride as isize, 1], GUARD);
        let kinds = layouts(Shape::from([k, n]));
        for (i, (name, la)) in layouts(Shape::from([m, k])).into_iter().enumerate() {
            let lb = kinds[i % kinds.len()].1;
            let (a, b) = (buffer::<T>(&numbers(la.end(), 1)), buffer::<T>(&numbers(lb.end(), 2)));
            let (a, b) = (View { buffer: &a, layout: la }, View { buffer: &b, layout: lb });
            let (want, sizes) = naive::matmul::matmul(&plain::<T>(a), &plain::<T>(b), None, [m, k, n]);
            for (level, beta) in Level::available().into_iter().flat_map(|l| [0.0, 1.0, -0.5].map(|b| (l, b))) {
                // with β = 0 C may hold anything
                let held = |i: usize| if beta == 0.0 { f64::NAN } else { (i % 16) as f64 / 16.0 };
                let mut out = vec![T::from_f64(f64::NAN); GUARD + m * stride + GUARD];
                for (i, place) in c.places().enumerate() {
                    out[place] = T::from_f64(held(i));
                }
                gemm_at::<T>(level, a, b, T::from_f64(beta), &mut out, c);
                let what = format!("[{m}, {k}]·[{k}, {n}] {name} + {beta}·C, {gap} between rows, at {}", level.name());
                for (i, place) in c.places().enumerate() {
                    let before = if beta == 0.0 { 0.0 } else { beta * held(i) };
                    let bound = (k as f64 + 3.0) * T::UNIT_ROUNDOFF * (sizes[i] + before.abs());
                    let got = std::mem::replace(&mut out[place], T::from_f64(f64::NAN)).to_f64();
                    assert!((got - want[i] - before).abs() <= bound, "{what}: element {i} is {got}");
                }
                assert!(out.iter().all(|x| x.to_f64().is_nan()), "{what}: something beside C was written");
            }
        }
    }
}

#[test]
fn c_is_written_and_nothing_beside_it() {
    c_is_written_and_nothing_else::<f32>();
    c_is_written_and_nothing_else::<f64>();
}

#[test]
#[should_panic(expected = "[gemm] the rows of C are 3 apart and 4 long")]
fn rows_of_c_that_overlap_are_refused() {
    let (a, mut out) = (buffer::<f32>(&[1.0; 8]), buffer::<f32>(&[0.0; 8]));
    gemm(whole(&a, [2, 4]), whole(&a, [4, 4]), 0.0, &mut out, Layout::new([2, 4].into(), &[3, 1], 0));
}

#[test]
fn the_strides_of_an_operand_do_not_change_a_bit() {
    let vectors = [[1, 40, 17], [1, 1300, 1], [300, 77, 1], [1, 2100, 70], [5, 1, 1], [1, 1, 9]];
    let narrow = [[70, 1300, 10], [129, 2500, 3]];
    for [m, k, n] in SIZES.into_iter().chain(vectors).chain(narrow) {
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        let bias = (n > NARROW).then(|| buffer::<f32>(&numbers(n, 3)));
        for level in Level::available() {
            let product = |la: Layout, lb: Layout| {
                let [a, b] = [(&a, la), (&b, lb)].map(|(values, layout)| {
                    let mut all = vec![f64::NAN; layout.end()];
                    layout.places().zip(values).for_each(|(place, &x)| all[place] = x);
                    buffer::<f32>(&all)
                });
                let (a, b) = (View { buffer: &a, layout: la }, View { buffer: &b, layout: lb });
                let bias = bias.as_ref().map(|bias| whole(bias, [n]));
                values(&matmul_at::<f32>(level, a, b, bias)).into_iter().map(f64::to_bits)
            };
            let kinds = |shape: [usize; 2]| layouts(shape.into()).into_iter().take(5);
            let (_, plain_a) = layouts([m, k].into())[0];
            let (_, plain_b) = layouts([k, n].into())[0];
            let want: Vec<u64> = product(plain_a, plain_b).collect();
            for ((name_a, la), (name_b, lb)) in kinds([m, k]).flat_map(|a| kinds([k, n]).map(move |b| (a, b))) {
                let same = product(la, lb).eq(want.iter().copied());
                assert!(same, "[{m}, {k}] {name_a} times [{k}, {n}] {name_b} at {}", level.name());
            }
        }
    }
}

#[test]
fn the_cut_of_a_batch_does_not_change_a_bit() {
    // one row each, then enough depth for it to be split
    for [batch, m, k, n] in [[3, 1, 50, 20], [2, 1, 40, 1], [4, 30, 3000, 40], [1, 1, 30, 20]] {
        let (a, b) = (buffer::<f32>(&numbers(batch * m * k, 1)), buffer::<f32>(&numbers(k * n, 2)));
        let all = Shape::from([batch, k, n]);
        let one = View { buffer: &b, layout: Layout::contiguous([1, k, n].into()).expand(all).expect("it stretches") };
        let copies = crate::memory::copy(one);
        let a = whole(&a, [batch, m, k]);
        let together = values(&matmul(a, one, None));
        assert_eq!(together, values(&matmul(a, whole(&copies, all), None)), "{batch} times [{m}, {k}]·[{k}, {n}]");
    }
}

#[test]
fn batches_pair_up_and_broadcast() {
    let (m, k, n) = (5, 19, 18);
    let a = buffer::<f32>(&numbers(6 * m * k, 1));
    let b = buffer::<f32>(&numbers(6 * k * n, 2));
    let full_a = Layout::contiguous(Shape::from([2, 3, m, k]));
    let full_b = Layout::contiguous(Shape::from([2, 3, k, n]));
    let one = |layout: Layout| {
        let single = layout.slice(0, 1, 1, 1).slice(1, 2, 1, 1);
        single.expand(layout.shape).expect("axes of 1 stretch")
    };
    let swapped = full_a.permute(&[0, 1, 3, 2]).reshape(Shape::from([2, 3, k, m])).expect("it is the same shape");
    let cases = [
        ("both", full_a, full_b),
        ("a broadcast", one(full_a), full_b),
        ("b broadcast", full_a, one(full_b)),
        ("both broadcast", one(full_a), one(full_b)),
        ("b broadcast, a's batch backwards", full_a.slice(0, 1, 2, -1), one(full_b)),
        ("a transposed", swapped.permute(&[0, 1, 3, 2]), full_b),
    ];
    for (name, la, lb) in cases {
        let (a, b) = (View { buffer: &a, layout: la }, View { buffer: &b, layout: lb });
        let (pa, pb) = (plain::<f32>(a), plain::<f32>(b));
        let mut want = (vec![], vec![]);
        for i in 0..6 {
            let (a, b) = (&pa[i * m * k..][..m * k], &pb[i * k * n..][..k * n]);
            let (y, size) = naive::matmul::matmul(a, b, None, [m, k, n]);
            want.0.extend(y);
            want.1.extend(size);
        }
        assert_rounded::<f32>(&matmul(a, b, None), &want, k, name);
    }
}

#[test]
fn an_infinite_number_reaches_its_row_alone() {
    let mut a = vec![1.0; 15 * 4];
    a[14 * 4] = f64::INFINITY;
    let (a, b) = (buffer::<f32>(&a), buffer::<f32>(&[1.0; 4 * 3]));
    let y = values(&matmul(whole(&a, [15, 4]), whole(&b, [4, 3]), None));
    assert!(y[..42].iter().all(|&x| x == 4.0) && y[42..].iter().all(|&x| x == f64::INFINITY));
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    let sizes = [[300, 700, 200], [40, 20_000, 33], [33, 300, 3000], [3000, 300, 1], [1, 3000, 700], [1, 20_000, 70]];
    for [m, k, n] in sizes {
        let (a, b) = (buffer::<f32>(&numbers(m * k, 1)), buffer::<f32>(&numbers(k * n, 2)));
        assert_same_on_any_threads(|| vec![matmul(whole(&a, [m, k]), whole(&b, [k, n]), None)]);
    }
}

/// One row times weights that are used again and again: from the second time on, zeros of the row are left out.
#[test]
fn zeros_of_a_row_are_skipped_where_the_matrix_is_finite() {
    let [k, n] = [1100, 70];
    let row: Vec<f64> = numbers(k, 1).into_iter().enumerate().map(|(i, x)| if i % 3 == 0 { x } else { 0.0 }).collect();
    let (a, mut b) = (buffer::<f32>(&row), buffer::<f32>(&numbers(k * n, 2)));
    let bits = |b: &Buffer, level| {
        let y = matmul_at::<f32>(level, whole(&a, [1, k]), whole(b, [k, n]), None);
        y.as_slice::<f32>().iter().map(|y| y.to_bits()).collect::<Vec<_>>()
    };
    for level in Level::available() {
        b.as_mut::<f32>()[0] = 1.0;
        let all = bits(&b, level);
        assert!(b.is_finite(), "asked for the second time");
        assert_eq!(bits(&b, level), all, "{}", level.name());
        // a row that meets a zero
        b.as_mut::<f32>()[n + 5] = f32::NEG_INFINITY;
        for _ in 0..3 {
            let nan = bits(&b, level)[5];
            assert!(f32::from_bits(nan).is_nan(), "{}", level.name());
        }
        b.as_mut::<f32>()[n + 5] = 0.0;
    }
}
