//! The initializers' ranges and moments, against Keras's formulas.

use crate::assert_close;
use cotangent_core::{DType, Rng, Shape};
use cotangent_nn::Init;

fn draw(init: Init, shape: impl Into<Shape>) -> Vec<f64> {
    init.draw(shape, DType::F64, &mut Rng::new(3)).to_vec()
}

/// Mean, standard deviation and greatest absolute value.
fn moments(values: &[f64]) -> [f64; 3] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    [mean, variance.sqrt(), values.iter().fold(0.0, |max, x| x.abs().max(max))]
}

#[test]
fn glorot_uniform_has_the_limits_of_the_mnist_models() {
    let layers: [(Shape, f64); 5] = [
        ([3, 3, 1, 32].into(), 0.142134),
        ([3, 3, 32, 64].into(), 0.083333),
        ([9216, 128].into(), 0.025340),
        ([128, 10].into(), 0.208514),
        ([784, 128].into(), 0.081111),
    ];
    for (shape, limit) in layers {
        let [_, _, greatest] = moments(&draw(Init::GlorotUniform, shape));
        // of n draws the greatest is within a few parts in n of the limit
        let slack = 1e-6 + limit * 12.0 / shape.count() as f64;
        if !(greatest <= limit + 1e-6 && greatest >= limit - slack) {
            panic!("{shape}: up to {greatest}, the limit is {limit}");
        }
    }
}

#[test]
fn scaled_draws_have_their_variance() {
    let (fan_in, fan_out): (f64, f64) = (9.0 * 16.0, 9.0 * 64.0);
    let cases = [
        (Init::GlorotUniform, 2.0 / (fan_in + fan_out), 3.0_f64.sqrt()),
        (Init::HeUniform, 2.0 / fan_in, 3.0_f64.sqrt()),
        (Init::LecunUniform, 1.0 / fan_in, 3.0_f64.sqrt()),
        (Init::GlorotNormal, 2.0 / (fan_in + fan_out), 2.0 / 0.87962566),
        (Init::HeNormal, 2.0 / fan_in, 2.0 / 0.87962566),
        (Init::LecunNormal, 1.0 / fan_in, 2.0 / 0.87962566),
    ];
    for (init, variance, reach) in cases {
        let std = variance.sqrt();
        let [mean, got, greatest] = moments(&draw(init, [3, 3, 16, 64]));
        assert_close(&[mean / std, got / std], &[0.0, 1.0], 0.04);
        if !(greatest <= std * reach * (1.0 + 1e-9) && greatest > std * reach * 0.98) {
            panic!("{init:?}: up to {greatest}, wants {}", std * reach);
        }
    }
}

#[test]
fn truncated_draws_lie_within_two_deviations() {
    let values = draw(Init::TruncatedNormal { mean: 5.0, std: 0.5 }, [20_000]);
    assert!(values.iter().all(|x| (4.0..=6.0).contains(x)));
    let [mean, std, _] = moments(&values);
    assert_close(&[mean, std], &[5.0, 0.5 * 0.87962566], 0.01);
}

#[test]
fn plain_draws_are_what_they_say() {
    assert_eq!(draw(Init::Zeros, [2]), [0.0; 2]);
    assert_eq!(draw(Init::Ones, [2]), [1.0; 2]);
    assert_eq!(draw(Init::Constant(0.25), [2]), [0.25; 2]);
    let [mean, std, greatest] = moments(&draw(Init::Uniform { low: -0.05, high: 0.05 }, [20_000]));
    assert_close(&[mean, std], &[0.0, 0.05 / 3.0_f64.sqrt()], 1e-3);
    assert!(greatest <= 0.05);
    let [mean, std, _] = moments(&draw(Init::Normal { mean: 1.0, std: 0.05 }, [20_000]));
    assert_close(&[mean, std], &[1.0, 0.05], 2e-3);
}

#[test]
fn a_vectors_fans_are_its_size() {
    let [_, std, _] = moments(&draw(Init::LecunUniform, [10_000]));
    assert_close(&[std * 100.0], &[1.0], 0.03);
}

#[test]
fn draws_follow_from_the_seed() {
    let [a, b, c] = [1, 1, 2].map(|seed| Init::HeNormal.draw([3, 4], DType::F32, &mut Rng::new(seed)));
    assert_eq!(a.to_vec::<f32>(), b.to_vec::<f32>());
    assert_ne!(a.to_vec::<f32>(), c.to_vec::<f32>());
}
