//! [`BatchNorm`].

use super::{build, infer};
use crate::{assert_close, assert_says};
use cotangent_core::{DType, Rng, Tensor};
use cotangent_nn::*;

/// One training pass, the moving statistics kept as a model keeps them.
fn train(norm: &mut BatchNorm, x: &Tensor) -> Tensor {
    let mut rng = Rng::new(0);
    let mut pass = Pass::training(&mut rng);
    let y = norm.call(x, &mut pass);
    for (i, change) in pass.kept {
        let moving = &mut norm.params_mut()[i].value;
        moving.set_(&change(moving));
    }
    y
}

fn values(norm: &BatchNorm, param: &str) -> Vec<f64> {
    let param = norm.params().into_iter().find(|p| p.name == param).unwrap().value.cast(DType::F64);
    param.to_vec()
}

#[test]
fn training_normalises_by_the_batch_and_moves_the_statistics() {
    let mut norm = BatchNorm::new();
    build(&mut norm, [2]).unwrap();
    let (mut mean, mut variance) = ([0.0; 2], [1.0; 2]);
    for step in 0..3 {
        let s = step as f32;
        let y = train(&mut norm, &Tensor::from([[s, 10.0], [s + 2.0, 10.0], [s + 4.0, 10.0]]));
        // biased variance of s, s + 2, s + 4
        let scale = 2.0 / (8.0_f64 / 3.0 + 1e-3).sqrt();
        assert_close(&y.cast(DType::F64).to_vec::<f64>(), &[-scale, 0.0, 0.0, 0.0, scale, 0.0], 1e-5);
        for (moving, batch) in mean.iter_mut().zip([s as f64 + 2.0, 10.0]) {
            *moving = 0.99 * *moving + 0.01 * batch;
        }
        for (moving, batch) in variance.iter_mut().zip([8.0 / 3.0, 0.0]) {
            *moving = 0.99 * *moving + 0.01 * batch;
        }
        assert_close(&values(&norm, "moving_mean"), &mean, 1e-6);
        assert_close(&values(&norm, "moving_variance"), &variance, 1e-6);
    }
}

#[test]
fn inference_uses_the_moving_statistics_and_keeps_none() {
    let mut norm = BatchNorm::new().momentum(0.5).epsilon(1.0);
    build(&mut norm, [1]).unwrap();
    norm.params_mut()[0].value.set_(&Tensor::from([3.0_f32]));
    norm.params_mut()[1].value.set_(&Tensor::from([-1.0_f32]));
    let x = Tensor::from([[0.0_f32], [8.0]]);
    let identity = infer(&norm, &x);
    assert_close(&identity.cast(DType::F64).to_vec::<f64>(), &[-1.0, 24.0 / 2.0_f64.sqrt() - 1.0], 1e-6);
    train(&mut norm, &x);
    // the moving mean is 0.5 · 0 + 0.5 · 4, the moving variance 0.5 · 1 + 0.5 · 16
    let want = [-6.0, 18.0].map(|centered| centered / 9.5_f64.sqrt() - 1.0);
    assert_close(&infer(&norm, &x).cast(DType::F64).to_vec::<f64>(), &want, 1e-6);
    let mut rng = Rng::new(0);
    let mut pass = Pass::inference(&mut rng);
    norm.call(&x, &mut pass);
    assert!(pass.kept.is_empty());
}

#[test]
fn the_channels_axis_can_be_any_but_the_batchs() {
    let x = Tensor::uniform([4, 3, 5, 2], -1.0, 1.0, DType::F32, &mut Rng::new(1));
    let mut last = BatchNorm::new();
    let mut first = BatchNorm::new().axis(1);
    build(&mut last, [3, 5, 2]).unwrap();
    build(&mut first, [2, 3, 5]).unwrap();
    let y = train(&mut last, &x);
    let z = train(&mut first, &x.permute(&[0, 3, 1, 2])).permute(&[0, 2, 3, 1]);
    assert_close(&y.cast(DType::F64).to_vec::<f64>(), &z.cast(DType::F64).to_vec::<f64>(), 1e-5);
    assert_says(
        build(&mut BatchNorm::new().axis(0), [3, 5]),
        &["[BatchNorm] axis 0 of input [N, 3, 5]", "the channel's axis"],
    );
    assert_says(build(&mut BatchNorm::new().axis(-3), [3, 5]), &["[BatchNorm] axis -3"]);
    assert_says(build(&mut BatchNorm::new().axis(3), [3, 5]), &["[BatchNorm] axis 3"]);
}

#[test]
fn its_statistics_do_not_train() {
    let mut norm = BatchNorm::new();
    build(&mut norm, [2]).unwrap();
    let names = |trainable| -> Vec<&str> {
        norm.params().iter().filter(|p| p.trainable == trainable).map(|p| p.name).collect()
    };
    assert_eq!((names(true), names(false)), (vec!["gamma", "beta"], vec!["moving_mean", "moving_variance"]));
    let mut rng = Rng::new(0);
    let mut pass = Pass::training(&mut rng);
    let y = norm.call(&Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]), &mut pass);
    let moved: Vec<Tensor> = pass.kept.into_iter().map(|(i, change)| change(&norm.params()[i].value)).collect();
    assert!(moved.len() == 2 && moved.iter().all(|value| !value.is_tracked()));
    let grads = y.sum(..).backward();
    assert_eq!(grads.wrt(&norm.params()[1].value).to_vec::<f32>(), [2.0, 2.0]);
    assert_eq!(grads.len(), 2);
}

#[test]
fn gamma_and_beta_can_be_left_out() {
    let x = Tensor::from([[1.0_f32, 2.0], [3.0, 6.0]]);
    let mut whole = BatchNorm::new();
    build(&mut whole, [2]).unwrap();
    let y = train(&mut whole, &x).to_vec::<f32>();
    for (center, scale, names) in [(false, true, vec!["gamma"]), (true, false, vec!["beta"]), (false, false, vec![])] {
        let mut norm = BatchNorm::new().center(center).scale(scale);
        build(&mut norm, [2]).unwrap();
        let trainable: Vec<&str> = norm.params().iter().filter(|p| p.trainable).map(|p| p.name).collect();
        assert_eq!(trainable, names);
        assert_eq!(train(&mut norm, &x).to_vec::<f32>(), y);
        assert_eq!(values(&norm, "moving_variance"), values(&whole, "moving_variance"));
        assert_eq!(infer(&norm, &x).to_vec::<f32>(), infer(&whole, &x).to_vec::<f32>());
    }
}

#[test]
fn settings_without_a_meaning_are_refused() {
    assert_says(build(&mut BatchNorm::new().momentum(1.5), [2]), &["[BatchNorm] momentum 1.5", "hint"]);
    assert_says(build(&mut BatchNorm::new().epsilon(0.0), [2]), &["[BatchNorm] epsilon 0", "above 0"]);
    assert_says(build(&mut BatchNorm::new().epsilon(f64::NAN), [2]), &["[BatchNorm] epsilon NaN"]);
}
