use super::{dropout, dropout_by, random};
use crate::Buffer;
use crate::cases::*;
use crate::naive;
use cotangent_base::{DType, Draw, Stream};

const STREAM: Stream = Stream { seed: 0x1234_5678_9ABC_DEF0, stream: (7 << 40) + 3 };
const UNIFORM: Draw = Draw::Uniform { low: -2.0, high: 3.0 };
const NORMAL: Draw = Draw::Normal { mean: 1.0, std: 2.0 };
const BERNOULLI: Draw = Draw::Bernoulli { p: 0.3 };

#[test]
fn draws_agree_with_the_naive_ones() {
    for draw in [UNIFORM, NORMAL, BERNOULLI] {
        for count in SIZES {
            let got = values(&random(draw, DType::F32, count, STREAM));
            let want: Vec<f64> = (0..count as u64).map(|i| naive::random::draw_f32(draw, i, STREAM) as f64).collect();
            assert_eq!(got, want, "{count} of {draw:?} as f32");
            let got = random(draw, DType::F64, count, STREAM);
            let want: Vec<f64> = (0..count as u64).map(|i| naive::random::draw_f64(draw, i, STREAM)).collect();
            assert_near::<f64>(&got, &want, 8.0, &format!("{count} of {draw:?} as f64"));
        }
    }
}

/// Mean, variance, skewness and excess kurtosis.
fn moments(x: &[f64]) -> [f64; 4] {
    let about = |center: f64, power: i32| x.iter().map(|x| (x - center).powi(power)).sum::<f64>() / x.len() as f64;
    let mean = about(0.0, 1);
    let variance = about(mean, 2);
    [mean, variance, about(mean, 3) / variance.powf(1.5), about(mean, 4) / variance.powi(2) - 3.0]
}

#[test]
fn draws_have_the_moments_of_their_distributions() {
    for dtype in [DType::F32, DType::F64] {
        for (draw, want) in [
            (UNIFORM, [0.5, 25.0 / 12.0, 0.0, -1.2]),
            (NORMAL, [1.0, 4.0, 0.0, 0.0]),
            (BERNOULLI, [0.3, 0.21, 0.873, -1.238]),
        ] {
            let got = moments(&values(&random(draw, dtype, 1 << 20, STREAM)));
            for (got, want) in got.into_iter().zip(want) {
                assert!((got - want).abs() < 0.02, "{draw:?} as {dtype}: {got} wants {want}");
            }
        }
    }
}

#[test]
fn uniform_draws_stay_below_the_bound() {
    // so far from 0 that most of the 2²⁴ values round to a few, of which the last would be `high`
    let x = random(Draw::Uniform { low: 1000.0, high: 1000.001 }, DType::F32, 10_000, STREAM);
    assert!(x.as_slice::<f32>().iter().all(|&x| (1000.0..1000.001).contains(&x)));
}

#[test]
fn certainties_are_certain() {
    for (p, want) in [(0.0, 0.0), (1.0, 1.0)] {
        let x = random(Draw::Bernoulli { p }, DType::Bool, 1000, STREAM);
        assert!(values(&x).iter().all(|&x| x == want));
    }
    assert_eq!(values(&random(BERNOULLI, DType::U8, 999, STREAM)), values(&random(BERNOULLI, DType::F64, 999, STREAM)));
}

#[test]
fn dropout_agrees_with_the_naive_loop() {
    for shape in [vec![0], vec![1], vec![63], vec![3, 64], vec![5, 131]] {
        for rate in [0.0, 0.25, 0.9] {
            for_views::<f32>(shape.clone(), 1, |name, x, values| {
                let want = naive::random::dropout(values, rate, STREAM);
                assert_near::<f32>(&dropout(x, rate, STREAM).0, &want, 4.0, name);
            });
            for_views::<f64>(shape.clone(), 1, |name, x, values| {
                let want = naive::random::dropout(values, rate, STREAM);
                assert_near::<f64>(&dropout(x, rate, STREAM).0, &want, 4.0, name);
            });
        }
    }
}

#[test]
fn dropout_by_its_mask_is_dropout() {
    for count in SIZES {
        let x = buffer::<f32>(&numbers(count, 4));
        let (y, mask) = dropout(whole(&x, [count]), 0.3, STREAM);
        let mut again = buffer::<f32>(&numbers(count, 4));
        dropout_by(&mut again, 0.3, &mask);
        assert_eq!(values(&again), values(&y), "{count}");
    }
}

#[test]
fn dropout_keeps_its_share_and_the_mean() {
    let count = 1 << 20;
    let ones = Buffer::from_slice(&vec![1.0_f32; count]);
    for rate in [0.1, 0.25, 0.5] {
        let y = values(&dropout(whole(&ones, [count]), rate, STREAM).0);
        let kept = y.iter().filter(|&&y| y != 0.0).count() as f64 / count as f64;
        assert!((kept - (1.0 - rate)).abs() < 0.003, "rate {rate} kept {kept}");
        assert!((moments(&y)[0] - 1.0).abs() < 0.005);
    }
}

#[test]
fn dropped_elements_are_zero_even_if_nan() {
    let x = Buffer::from_slice(&vec![f32::NAN; 1000]);
    let y = values(&dropout(whole(&x, [1000]), 0.5, STREAM).0);
    assert!(y.iter().any(|y| y.is_nan()) && y.iter().all(|&y| y.is_nan() || y == 0.0));
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let x = buffer::<f32>(&numbers(100_001, 2));
    assert_same_on_any_threads(|| {
        let draws = [UNIFORM, NORMAL, BERNOULLI].map(|draw| random(draw, DType::F32, 100_001, STREAM));
        Vec::from(draws).into_iter().chain([dropout(whole(&x, [100_001]), 0.5, STREAM).0]).collect()
    });
}
