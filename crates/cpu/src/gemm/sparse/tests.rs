//! The sparse product has the bits of the dense one, whatever is 0, infinite or NaN.

use super::*;
use crate::cases::{assert_same_on_any_threads, buffer, layouts, numbers, whole};
use crate::gemm::tests::assert_rounded;
use crate::gemm::{matmul, matmul_at};
use crate::naive;
use crate::simd::Level;
use cotangent_base::{Layout, Shape, View};

/// `count` numbers, of which about `density` are not 0; half of the zeros are −0.
fn thinned(count: usize, density: f64, seed: u64) -> Vec<f64> {
    let chances = numbers(count, seed + 100);
    let kept = |(x, chance): (f64, f64)| match (chance + 1.0) / 2.0 < density {
        true => x,
        false => 0.0_f64.copysign(x),
    };
    numbers(count, seed).into_iter().zip(chances).map(kept).collect()
}

/// Both products of the same operands, `[sparse, dense]`, on top of `held`, with every fourth row's end untouched.
fn both(level: Level, a: View<Buffer>, b: View<Buffer>, bias: Option<&[f32]>, held: Option<f32>) -> [Vec<f32>; 2] {
    let ([m, k], n) = ([a.shape()[0], a.shape()[1]], b.shape()[1]);
    let (data_a, data_b) = (a.buffer.as_slice::<f32>(), b.buffer.as_slice::<f32>());
    let strided = |data, layout: Layout, [i, j]: [usize; 2]| {
        let (sizes, strides) = (layout.shape, layout.strides());
        Strided::new(data, layout.offset, [sizes[i], sizes[j]], [strides[i], strides[j]])
    };
    let (a, b) = (strided(data_a, a.layout, [0, 1]), strided(data_b, b.layout, [1, 0]));
    let product = Product { level, rows: m, cols: n, depth: k, a, b, bias, spread: true };
    let stride = n + 3;
    [true, false].map(|sparse| {
        let mut y = vec![held.unwrap_or(f32::NAN); m * stride];
        match sparse {
            true => multiply(&product, &mut y, stride, held.is_some(), m * n),
            false => product.compute(&mut y, stride, held.is_some(), m * n),
        }
        y
    })
}

/// Asserts that they have the same bits.
#[track_caller]
fn assert_same([sparse, dense]: [Vec<f32>; 2], what: &str) {
    let differ = (0..dense.len()).find(|&i| {
        let (x, y) = (sparse[i], dense[i]);
        x.to_bits() != y.to_bits() && !(x.is_nan() && y.is_nan())
    });
    if let Some(i) = differ {
        panic!("{what}: element {i} of {} is {}, of the dense product {}", dense.len(), sparse[i], dense[i]);
    }
}

/// `[m, k, n]` at the edges of groups, steps, blocks and vectors; the last ones are split along their depth.
const SIZES: [[usize; 3]; 8] = [
    [1, 1, 1],
    [17, 33, 49],
    [16, 128, 64],
    [33, 129, 65],
    [70, 512, 130],
    [40, 700, 191],
    [20, 2100, 70],
    [300, 2600, 67],
];

#[test]
fn it_has_the_bits_of_the_dense_product() {
    for (case, [m, k, n]) in SIZES.into_iter().enumerate() {
        let bias: Vec<f32> = numbers(n, 3).iter().map(|&x| x as f32).collect();
        for (density, (i, (name, la))) in
            [0.0, 0.03, 0.3, 0.5, 1.0].into_iter().zip(layouts(Shape::from([m, k])).into_iter().enumerate())
        {
            let (name_b, lb) = layouts(Shape::from([k, n]))[(i + case) % 5];
            let (a, b) = (buffer::<f32>(&thinned(la.end(), density, 1)), buffer::<f32>(&numbers(lb.end(), 2)));
            let (a, b) = (View { buffer: &a, layout: la }, View { buffer: &b, layout: lb });
            for level in Level::available() {
                let what = format!("[{m}, {k}] {name}, {density} times [{k}, {n}] {name_b} at {}", level.name());
                assert_same(both(level, a, b, None, None), &what);
                assert_same(both(level, a, b, Some(&bias), None), &format!("{what} with bias"));
                assert_same(both(level, a, b, None, Some(0.25)), &format!("{what} added"));
            }
        }
    }
}

#[test]
fn zeros_meet_what_is_not_finite() {
    let [m, k, n] = [40, 300, 150];
    for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        for place in [0, 149 * n + 70, k * n - 1] {
            let mut b = numbers(k * n, 2);
            b[place] = bad;
            let (a, b) = (buffer::<f32>(&thinned(m * k, 0.2, 1)), buffer::<f32>(&b));
            for level in Level::available() {
                let products = both(level, whole(&a, [m, k]), whole(&b, [k, n]), None, None);
                let column = place % n;
                for (i, row) in products[0].chunks(n + 3).enumerate() {
                    let finite = row[..n].iter().enumerate().all(|(j, y)| y.is_finite() == (j != column));
                    assert!(finite, "{bad} at {place} reaches its column alone: row {i} at {}", level.name());
                }
                assert_same(products, &format!("{bad} at {place}"));
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_not_zero() {
    let [m, k, n] = [20, 200, 70];
    let mut a = thinned(m * k, 0.2, 1);
    (a[7], a[3 * k + 150]) = (f64::NAN, f64::INFINITY);
    let (a, b) = (buffer::<f32>(&a), buffer::<f32>(&numbers(k * n, 2)));
    for level in Level::available() {
        let products = both(level, whole(&a, [m, k]), whole(&b, [k, n]), None, None);
        assert!(products[0][..n].iter().all(|y| y.is_nan()));
        assert!(products[0][3 * (n + 3)..][..n].iter().all(|y| y.is_infinite()));
        assert_same(products, level.name());
    }
}

#[test]
fn a_product_takes_it_by_itself() {
    for ([m, k, n], density, sparse) in [
        ([64, 300, 80], 0.3, true),
        ([64, 300, 80], 0.7, false),
        ([64, 300, 80], 0.0, true),
        ([15, 300, 80], 0.1, false),
        ([64, 300, 10], 0.1, false),
    ] {
        let a = thinned(m * k, density, 1);
        let (x, xt) = (buffer::<f32>(&a), Layout::contiguous([k, m].into()).permute(&[1, 0]));
        let b = buffer::<f32>(&numbers(k * n, 2));
        let data = b.as_slice::<f32>();
        for layout in [Layout::contiguous([m, k].into()), xt] {
            let strides = [layout.strides()[0], layout.strides()[1]];
            let (left, right) =
                (Strided::new(x.as_slice::<f32>(), 0, [m, k], strides), Strided::new(data, 0, [n, k], [1, n as isize]));
            let level = Level::current();
            let product = Product { level, rows: m, cols: n, depth: k, a: left, b: right, bias: None, spread: true };
            assert_eq!(suits(&product), sparse, "[{m}, {k}] with strides {strides:?}, {density} times [{k}, {n}]");
        }
        let want = naive::matmul::matmul(&a, &numbers(k * n, 2), None, [m, k, n]);
        for level in Level::available() {
            let y = matmul_at::<f32>(level, whole(&x, [m, k]), whole(&b, [k, n]), None);
            assert_rounded::<f32>(&y, &want, k, &format!("{density} of [{m}, {k}] at {}", level.name()));
        }
    }
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    for [m, k, n] in [[300, 700, 200], [700, 40, 513], [40, 9000, 60]] {
        let (a, b) = (buffer::<f32>(&thinned(m * k, 0.25, 1)), buffer::<f32>(&numbers(k * n, 2)));
        assert_same_on_any_threads(|| vec![matmul(whole(&a, [m, k]), whole(&b, [k, n]), None)]);
    }
}
