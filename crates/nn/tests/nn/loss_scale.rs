//! Scaled losses: gradients that come back as they were, steps that are skipped, a scale that finds itself.

use crate::assert_says;
use cotangent_core::{DType, Rng, Tensor};
use cotangent_nn::*;

/// One step with the derivative of `slope · w` through a scaled loss, in f32.
fn descend(w: &mut Tensor, optimizer: &mut impl Optimizer, slope: f64) {
    let loss = (&*w * slope).sum(..);
    let grads = optimizer.scale_loss(&loss).backward();
    optimizer.step([w], &grads).unwrap();
}

fn one() -> Tensor {
    Tensor::from([1.0_f32]).tracked()
}

/// The parameters of a small network after some steps.
fn train(mut optimizer: impl Optimizer) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(3);
    let mut draw = |shape: &[usize]| Tensor::normal(shape, 0.0, 0.5, DType::F32, &mut rng);
    let x = draw(&[16, 5]);
    let mut params = [draw(&[5, 8]).tracked(), draw(&[8]).tracked(), draw(&[8, 3]).tracked()];
    for _ in 0..10 {
        let [w, b, v] = &params;
        let loss = x.linear(w, Some(b)).gelu().linear(v, None).square().mean(..);
        let grads = optimizer.scale_loss(&loss).backward();
        optimizer.step(&mut params, &grads).unwrap();
    }
    params.iter().map(Tensor::to_vec).collect()
}

#[test]
fn a_power_of_two_changes_no_bit() {
    let clip = Clip::GlobalNorm(0.01);
    for scale in [LossScale::Fixed(4096.0), LossScale::dynamic(), LossScale::Dynamic { initial: 8.0, growth_steps: 3 }]
    {
        assert_eq!(train(Adam::new(0.05).clip(clip).loss_scale(scale)), train(Adam::new(0.05).clip(clip)), "{scale:?}");
    }
}

#[test]
fn an_overflow_skips_the_step_and_halves_the_scale() {
    let (mut w, mut adam) = (one(), Adam::new(0.25).average(0.5).loss_scale(LossScale::dynamic()));
    // 2⁸ · 10³⁶ is the first within f32
    for k in (9..=15).rev() {
        assert_eq!(adam.common().scale(), 2f64.powi(k));
        descend(&mut w, &mut adam, 1e36);
        assert_eq!((w.item(), adam.state().steps(), adam.state().get(&w).len()), (1.0, 0, 0));
        assert!(adam.state().average(&w).is_none());
    }
    descend(&mut w, &mut adam, 1.0);
    assert_eq!((adam.common().scale(), adam.state().steps()), (256.0, 1));
    let (mut other, mut plain) = (one(), Adam::new(0.25));
    descend(&mut other, &mut plain, 1.0);
    assert_eq!(w.item(), other.item(), "the first step that was made is the first");
}

#[test]
fn the_scale_doubles_after_so_many_good_steps_in_a_row() {
    let (mut w, mut sgd) = (one(), Sgd::new(0.1).loss_scale(LossScale::Dynamic { initial: 4.0, growth_steps: 2 }));
    let nan = f64::NAN;
    let mut scales = Vec::new();
    for slope in [1.0, 1.0, 1.0, nan, 1.0, nan, nan, nan, nan, 1.0, 1.0] {
        descend(&mut w, &mut sgd, slope);
        scales.push(sgd.common().scale());
    }
    assert_eq!(scales, [4.0, 8.0, 8.0, 4.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    assert_eq!(sgd.state().steps(), 6);
}

#[test]
fn a_gradient_that_overflows_joins_no_sum() {
    let mut optimizer = Sgd::new(0.5).accumulate(2).loss_scale(LossScale::Dynamic { initial: 2.0, growth_steps: 9 });
    let mut w = one();
    for slope in [1.0, f64::INFINITY, 3.0] {
        descend(&mut w, &mut optimizer, slope);
    }
    assert_eq!((w.item(), optimizer.state().steps(), optimizer.state().summed()), (0.0, 1, 0));
}

#[test]
fn scales_without_a_meaning_are_refused() {
    let dynamic = |initial, growth_steps| LossScale::Dynamic { initial, growth_steps };
    let refused = [
        (LossScale::Fixed(0.0), "the loss scale is 0"),
        (LossScale::Fixed(f64::NAN), "the loss scale is NaN"),
        (dynamic(0.5, 2000), "the loss scale is 0.5"),
        (dynamic(f64::INFINITY, 2000), "the loss scale is inf"),
        (dynamic(2.0, 0), "double after 0 steps"),
    ];
    for (scale, message) in refused {
        let mut w = one();
        let grads = w.sum(..).backward();
        assert_says(Sgd::new(0.1).loss_scale(scale).step([&mut w], &grads), &["[sgd]", message, "hint"]);
        assert_eq!(w.item(), 1.0);
    }
}
