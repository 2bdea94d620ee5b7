use super::{arg_reduce, reduce};
use crate::Buffer;
use crate::cases::*;
use crate::naive;
use crate::simd::SimdFloat;
use cotangent_base::{Axes, Reduce, Shape, View};

const OPS: [Reduce; 4] = [Reduce::Sum, Reduce::Prod, Reduce::Max, Reduce::Min];

/// All sets of axes.
fn every_axes(rank: usize) -> impl Iterator<Item = Axes> {
    (0..1usize << rank).map(move |set| (0..rank).filter(|axis| set >> axis & 1 == 1).collect())
}

fn agrees<T: SimdFloat>(name: &str, x: View<Buffer>, values: &[f64]) {
    let shape = x.shape();
    for axes in every_axes(shape.rank()) {
        let n: usize = axes.iter().map(|axis| shape[axis]).product();
        for op in OPS {
            let want = naive::reduce::reduce(op, values, &shape, axes);
            let got = reduce(op, x, axes);
            let roundings = if op == Reduce::Sum { 4.0 * (n as f64).sqrt() * n as f64 } else { 4.0 * n as f64 };
            assert_near::<T>(&got, &want, roundings, &format!("{op:?} of {name} over {axes:?}"));
        }
    }
}

#[test]
fn agrees_with_the_naive_loops_on_every_layout() {
    for shape in [vec![], vec![5], vec![3, 40], vec![4, 3, 5], vec![2, 17, 3, 4], vec![3, 0, 2], vec![1, 1]] {
        for_views::<f32>(shape.clone(), 1, agrees::<f32>);
        for_views::<f64>(shape, 2, agrees::<f64>);
    }
}

#[test]
fn agrees_with_the_naive_loops_at_every_size() {
    for n in SIZES {
        for shape in [vec![n], vec![n, 3], vec![n, 20], vec![3, n], vec![2, n, 3], vec![2, n, 19], vec![3, 2, n]] {
            let shape = Shape::new(&shape);
            let values = numbers(shape.count(), n as u64);
            let (single, double) = (buffer::<f32>(&values), buffer::<f64>(&values));
            agrees::<f32>("contiguous", whole(&single, shape), &crate::cases::values(&single));
            agrees::<f64>("contiguous", whole(&double, shape), &values);
        }
    }
}

/// The promise: |error| ≤ 4·√n·u·Σ|x|, on equal numbers too, where the roundings of a running sum add up.
#[test]
fn long_sums_stay_within_the_error_bound() {
    for n in [1000, 65_536, 65_537, 1 << 20] {
        for inner in [1, 3, 20] {
            let (x, mixed) = (vec![0.1_f32; n * inner], numbers(n * inner, 3));
            let mixed: Vec<f32> = mixed.into_iter().map(|x| x as f32).collect();
            for x in [x, mixed] {
                let buffer = Buffer::from_slice(&x);
                let got = values(&reduce(Reduce::Sum, whole(&buffer, [n, inner]), Axes::from_iter([0])));
                for (c, got) in got.into_iter().enumerate() {
                    let column = || x.iter().skip(c).step_by(inner).map(|&x| x as f64);
                    let (exact, size) = (column().sum::<f64>(), column().map(f64::abs).sum::<f64>());
                    let bound = 4.0 * (n as f64).sqrt() * f32::EPSILON as f64 / 2.0 * size;
                    assert!((got - exact).abs() <= bound, "[{n}, {inner}]: {got} wants {exact} ± {bound}");
                }
            }
        }
    }
}

#[test]
fn the_reduction_of_nothing_is_neutral() {
    let x = Buffer::from_slice::<f32>(&[]);
    let got = OPS.map(|op| values(&reduce(op, whole(&x, [0, 2]), Axes::from_iter([0]))));
    let inf = f64::INFINITY;
    assert_eq!(got, [[0.0; 2], [1.0; 2], [-inf; 2], [inf; 2]]);
    let x = Buffer::from_slice::<u8>(&[]);
    let got = OPS.map(|op| values(&reduce(op, whole(&x, [0]), Axes::all(1))));
    assert_eq!(got, [[0.0], [1.0], [0.0], [255.0]]);
    assert!(reduce(Reduce::Sum, whole(&x, [3, 0]), Axes::from_iter([0])).is_empty());
}

#[test]
fn nan_wins_wherever_it_stands() {
    for n in [1, 9, 33, 300] {
        for at in [0, n / 2, n - 1] {
            let mut x = numbers(n, 4);
            x[at] = f64::NAN;
            let x = buffer::<f32>(&x);
            for op in OPS {
                for shape in [[1, n], [n, 1]] {
                    assert!(values(&reduce(op, whole(&x, shape), Axes::all(2)))[0].is_nan(), "{op:?} of {n}, {at}");
                }
            }
            let arg = |greatest| values(&arg_reduce(greatest, whole(&x, [n]), 0))[0] as usize;
            assert_eq!((arg(true), arg(false)), (at, at));
        }
    }
}

#[test]
fn infinities_are_numbers() {
    let x = Buffer::from_slice(&[1.0_f64, f64::INFINITY, f64::NEG_INFINITY]);
    let of = |op| values(&reduce(op, whole(&x, [3]), Axes::all(1)))[0];
    assert!(of(Reduce::Sum).is_nan());
    assert_eq!((of(Reduce::Max), of(Reduce::Min)), (f64::INFINITY, f64::NEG_INFINITY));
}

#[test]
fn integers_wrap_and_keep_their_dtype() {
    let x = Buffer::from_slice::<u8>(&[200, 100, 3, 4]);
    let sum = reduce(Reduce::Sum, whole(&x, [2, 2]), Axes::from_iter([1]));
    assert_eq!(sum.as_slice::<u8>(), [44, 7]);
    let x = Buffer::from_slice::<i64>(&[-5, 7, i64::MAX, 2, -3, 1]);
    let of = |op, axis| reduce(op, whole(&x, [2, 3]), Axes::from_iter([axis])).as_slice::<i64>().to_vec();
    assert_eq!(of(Reduce::Sum, 0), [-3, 4, i64::MIN]);
    assert_eq!(of(Reduce::Prod, 1), [(-35_i64).wrapping_mul(i64::MAX), -6]);
    assert_eq!(of(Reduce::Max, 1), [i64::MAX, 2]);
    assert_eq!(of(Reduce::Min, 1), [-5, -3]);
}

#[test]
fn arg_reduce_agrees_with_the_naive_loops() {
    for shape in [[6, 5, 1], [1, 33, 4], [3, 1, 7], [2, 9, 17]] {
        for_views::<f32>(shape, 5, |name, x, values| {
            for (axis, greatest) in [(0, true), (1, true), (2, true), (0, false), (1, false), (2, false)] {
                let want = naive::reduce::arg_reduce(greatest, values, &x.shape(), axis);
                let got = arg_reduce(greatest, x, axis);
                let want: Vec<i64> = want.into_iter().map(|i| i as i64).collect();
                assert_eq!(got.as_slice::<i64>(), want, "{name} along {axis}");
            }
        });
    }
    let x = Buffer::from_slice::<u8>(&[3, 9, 9, 1, 1, 4]);
    assert_eq!(arg_reduce(true, whole(&x, [2, 3]), 1).as_slice::<i64>(), [1, 2]);
    assert_eq!(arg_reduce(false, whole(&x, [2, 3]), 1).as_slice::<i64>(), [0, 0]);
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let x = buffer::<f32>(&numbers(400_000, 6));
    for (shape, axes) in
        [([1, 1, 400_000], 4), ([400, 1000, 1], 2), ([400_000, 1, 1], 1), ([8000, 50, 1], 1), ([50, 400, 20], 2)]
    {
        let axes: Axes = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
        assert_same_on_any_threads(|| vec![reduce(Reduce::Sum, whole(&x, shape), axes)]);
    }
}
