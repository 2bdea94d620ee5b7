use super::{moments, normalize, normalize_linear_vjp, normalize_vjp};
use crate::Buffer;
use crate::cases::*;
use crate::naive::norm as naive;
use crate::simd::SimdFloat;
use cotangent_base::{NormStats, Shape, View};

fn agrees<T: SimdFloat>(name: &str, x: View<Buffer>, channel: usize, values: &[f64]) {
    let shape = x.shape();
    let name = format!("{name}, channel {channel}");
    let vector = |seed| numbers(shape[channel], seed);
    let roundings = 8.0 * (shape.count() as f64).sqrt().max(4.0);

    let (mean, variance) = moments(x, channel);
    let want = naive::moments(values, &shape, channel);
    assert_near::<T>(&mean, &want.0, roundings, &format!("mean of {name}"));
    assert_near::<T>(&variance, &want.1, roundings, &format!("variance of {name}"));

    let all = [11, 12, 13, 14].map(vector);
    let [mean, inv_std, gamma, beta] = [0, 1, 2, 3].map(|i| buffer::<T>(&all[i]));
    let stats = || NormStats { mean: &mean, inv_std: &inv_std, gamma: &gamma, beta: &beta };
    let want = || naive::Stats(&all[0], &all[1], &all[2], &all[3]);
    let y = normalize(x, channel, stats());
    assert_near::<T>(&y, &naive::normalize(values, &shape, channel, want()), 16.0, &name);

    let dy = numbers(shape.count(), 15);
    let dys = buffer::<T>(&dy);
    let (dx, dgamma, dbeta) = normalize_vjp(x, channel, stats(), whole(&dys, shape), true);
    let want = naive::normalize_vjp(values, &shape, channel, want(), &dy);
    let (none, ..) = normalize_vjp(x, channel, stats(), whole(&dys, shape), false);
    assert!(none.is_none(), "dx that is not needed");
    assert_near::<T>(&dx.expect("it is needed"), &want.0, roundings, &format!("dx of {name}"));
    assert_near::<T>(&dgamma, &want.1, 4.0 * roundings * roundings, &format!("dgamma of {name}"));
    assert_near::<T>(&dbeta, &want.2, 4.0 * roundings * roundings, &format!("dbeta of {name}"));
}

#[test]
fn agrees_with_the_naive_loops_on_every_layout() {
    for shape in [vec![5, 3], vec![4, 40], vec![2, 3, 5, 4], vec![3, 1, 7], vec![2, 17, 3], vec![6]] {
        for channel in 0..shape.len() {
            for_views::<f32>(shape.clone(), 1, |name, x, values| agrees::<f32>(name, x, channel, values));
            for_views::<f64>(shape.clone(), 1, |name, x, values| agrees::<f64>(name, x, channel, values));
        }
    }
}

#[test]
fn agrees_with_the_naive_loops_at_every_size() {
    for n in SIZES.into_iter().filter(|&n| n > 0) {
        for (shape, channel) in [([n, 3, 1], 1), ([3, n, 1], 1), ([2, 3, n], 1), ([n, 1, 1], 1), ([n, 16, 1], 1)] {
            let shape = Shape::new(&shape);
            let values = numbers(shape.count(), n as u64);
            let (single, double) = (buffer::<f32>(&values), buffer::<f64>(&values));
            agrees::<f32>("contiguous", whole(&single, shape), channel, &crate::cases::values(&single));
            agrees::<f64>("contiguous", whole(&double, shape), channel, &values);
        }
    }
}

/// The kernel with a map to `results` numbers behind it against the naive loops.
fn map_agrees<T: SimdFloat>(name: &str, x: View<Buffer>, values: &[f64], results: usize) {
    let (shape, name) = (x.shape(), format!("{name}, {} to {results}", x.shape()));
    let [n, c] = [shape[0], shape[1]];
    let all = [(11, c), (12, c), (13, c), (14, c), (15, c * results), (16, n * results)].map(|(s, n)| numbers(n, s));
    let [mean, inv_std, gamma, beta, w, dy] = all.each_ref().map(|values| buffer::<T>(values));
    let stats = NormStats { mean: &mean, inv_std: &inv_std, gamma: &gamma, beta: &beta };
    let found = normalize_linear_vjp(x, stats, whole(&w, [c, results]), whole(&dy, [n, results]));
    let stats = naive::Stats(&all[0], &all[1], &all[2], &all[3]);
    let want = naive::normalize_linear_vjp(values, &shape, stats, &all[4], &all[5]);
    let roundings = 16.0 * ((n * results) as f64).sqrt();
    for ((found, want), what) in found.iter().zip(&want).zip(["dgamma", "dbeta", "dw", "db"]) {
        assert_near::<T>(found, want, roundings, &format!("{what} of {name}"));
    }
}

#[test]
fn agrees_with_the_naive_loops_with_a_map_behind() {
    for (shape, results) in
        [(vec![5, 3], 4), (vec![32, 40], 17), (vec![4, 1], 33), (vec![1, 7], 1), (vec![9, 130], 200)]
    {
        for_views::<f32>(shape.clone(), 1, |name, x, values| map_agrees::<f32>(name, x, values, results));
        for_views::<f64>(shape, 1, |name, x, values| map_agrees::<f64>(name, x, values, results));
    }
}

#[test]
fn nothing_has_no_moments_and_normalises_to_nothing() {
    let (empty, two) = (Buffer::from_slice::<f32>(&[]), Buffer::from_slice(&[1.0_f32, 2.0]));
    for (shape, channel) in [([0, 2], 1), ([2, 0], 0)] {
        let (mean, variance) = moments(whole(&empty, shape), channel);
        assert!(values(&mean).iter().chain(&values(&variance)).all(|x| x.is_nan()) && mean.len() == 2);
        let stats = || NormStats { mean: &two, inv_std: &two, gamma: &two, beta: &two };
        assert!(normalize(whole(&empty, shape), channel, stats()).is_empty());
        let (dx, dgamma, dbeta) = normalize_vjp(whole(&empty, shape), channel, stats(), whole(&empty, shape), true);
        assert!(dx.is_some_and(|dx| dx.is_empty()) && values(&dgamma) == [0.0; 2] && values(&dbeta) == [0.0; 2]);
    }
}

#[test]
fn the_variance_is_exact_far_from_zero() {
    // E x² − (E x)² would lose all digits here
    let x: Vec<f32> = (0..10_000).map(|i| 10_000.0 + (i % 2) as f32).collect();
    let x = Buffer::from_slice(&x);
    for (shape, channel) in [([10_000, 1], 1), ([1, 10_000], 0)] {
        let (_, variance) = moments(whole(&x, shape), channel);
        assert!((values(&variance)[0] - 0.25).abs() < 1e-5, "{}", values(&variance)[0]);
    }
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let x = buffer::<f32>(&numbers(300_000, 6));
    for (shape, channel) in [([3000, 100, 1], 1), ([100_000, 3, 1], 1), ([30, 50, 200], 1)] {
        let vector = buffer::<f32>(&numbers(shape[channel], 7));
        assert_same_on_any_threads(|| {
            let (mean, variance) = moments(whole(&x, shape), channel);
            let stats = NormStats { mean: &mean, inv_std: &vector, gamma: &vector, beta: &vector };
            let y = normalize(whole(&x, shape), channel, stats);
            let stats = NormStats { mean: &mean, inv_std: &vector, gamma: &vector, beta: &vector };
            let (dx, dgamma, dbeta) = normalize_vjp(whole(&x, shape), channel, stats, whole(&y, shape), true);
            [mean, variance, y, dgamma, dbeta].into_iter().chain(dx).collect()
        });
    }
}

#[test]
fn the_bits_with_a_map_behind_do_not_depend_on_the_threads() {
    let [x, w, dy] = [40 * 900, 900 * 100, 40 * 100].map(|n| buffer::<f32>(&numbers(n, 8)));
    let vector = buffer::<f32>(&numbers(900, 9));
    assert_same_on_any_threads(|| {
        let stats = NormStats { mean: &vector, inv_std: &vector, gamma: &vector, beta: &vector };
        normalize_linear_vjp(whole(&x, [40, 900]), stats, whole(&w, [900, 100]), whole(&dy, [40, 100])).into()
    });
}
