//! Learning rates by step, against Keras's and PyTorch's, and in the hands of an optimizer.

use crate::{assert_close, assert_says};
use cotangent_core::Tensor;
use cotangent_nn::*;

#[track_caller]
fn check(schedule: impl Schedule, steps: &[u64], want: &[f64]) {
    assert_close(&steps.iter().map(|&step| schedule.rate(step)).collect::<Vec<_>>(), want, 1e-7);
}

/// Recorded from `keras.optimizers.schedules` 3.15.
#[test]
fn rates_are_keras_s() {
    let steps = [0, 3, 7, 20, 40, 57, 80];
    check(
        CosineDecay::new(0.1, 50).alpha(0.1).warmup(0.5, 7),
        &steps,
        &[0.1, 0.27142858505, 0.5, 0.42902311683, 0.16660538316, 0.05, 0.05],
    );
    check(
        ExponentialDecay::new(0.1, 13, 0.7),
        &steps,
        &[0.1, 0.09209867567, 0.08252608776, 0.05776826292, 0.03337171674, 0.02093218081, 0.01113671530],
    );
    let polynomial = PolynomialDecay::new(0.1, 30).end(0.01).power(2.0);
    check(polynomial, &steps, &[0.1, 0.0829, 0.0629, 0.02, 0.01, 0.01, 0.01]);
}

/// Up to the peak at step 0.3 · 20 − 1, along half a cosine, and down to the last: the formulas of PyTorch's `OneCycleLR`.
#[test]
fn one_cycle_rises_and_falls() {
    let half_cosine =
        |start: f64, end: f64, part: f64| end + (start - end) / 2.0 * ((std::f64::consts::PI * part).cos() + 1.0);
    let (low, end) = (1.0 / 25.0, 1.0 / 25.0 / 1e4);
    let want = [low, half_cosine(low, 1.0, 0.4), 1.0, half_cosine(1.0, end, 0.5), end, end];
    check(OneCycle::new(1.0, 20), &[0, 2, 5, 12, 19, 50], &want);
    check(OneCycle::new(1.0, 10).rising(0.5).divisors(10.0, 2.0), &[0, 4, 9], &[0.1, 1.0, 0.05]);
}

#[test]
fn an_optimizer_follows_its_schedule() {
    let mut w = Tensor::from([0.0_f64]).tracked();
    let mut optimizer = Sgd::new(StepDecay::new(1.0, 2, 0.5));
    let mut places = Vec::new();
    for _ in 0..5 {
        let grads = w.sum(..).backward();
        optimizer.step([&mut w], &grads).unwrap();
        places.push(w.item());
    }
    assert_eq!(places, [-1.0, -2.0, -2.5, -3.0, -3.25]);
    assert_eq!(optimizer.learning_rate(), 0.25);
    optimizer.set_learning_rate(2.0);
    let grads = w.sum(..).backward();
    optimizer.step([&mut w], &grads).unwrap();
    assert_eq!((w.item(), optimizer.learning_rate()), (-5.25, 2.0));
}

#[test]
fn a_rate_without_a_meaning_is_refused_at_its_step() {
    let mut w = Tensor::from([1.0_f32]).tracked();
    let mut optimizer = Adam::new(|step: u64| 1.0 - step as f64 * 0.75);
    let mut step = || {
        let grads = w.sum(..).backward();
        optimizer.step([&mut w], &grads)
    };
    step().and_then(|()| step()).unwrap();
    assert_says(step(), &["[adam] learning_rate is -0.5"]);
}

#[test]
#[should_panic(expected = "[piecewise_constant]")]
fn a_rate_is_missing() {
    PiecewiseConstant::new([1, 2], [0.1, 0.2]);
}
