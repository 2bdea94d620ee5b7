//! What every optimizer can do besides its rule: clipping, weight decay, averages, accumulation.

use crate::{assert_close, assert_says};
use cotangent_core::{Grads, Tensor};
use cotangent_nn::*;

/// The gradient of step t = 1, 2, …
fn gradient(t: i32) -> [f64; 4] {
    let t = f64::from(t);
    [(1.7 * t).sin(), -3.0 + 0.4 * t, 1e-4 * (t * t + 1.0), 0.0]
}

fn grads(w: &Tensor, grad: impl Into<Tensor>) -> Grads {
    let mut grads = Grads::default();
    grads.insert(w, grad.into());
    grads
}

/// A parameter after five steps, and the optimizer.
fn after_five<O: Optimizer>(mut optimizer: O) -> (Tensor, O) {
    let mut w = Tensor::from([1.0, -2.0, 0.5, 0.0]).tracked();
    for t in 1..=5 {
        let grads = grads(&w, gradient(t));
        optimizer.step([&mut w], &grads).unwrap();
    }
    (w, optimizer)
}

#[track_caller]
fn ends_at(optimizer: impl Optimizer, want: [f64; 4]) {
    assert_close(&after_five(optimizer).0.to_vec::<f64>(), &want, 1e-5);
}

/// Recorded from `keras.optimizers` 3.15 in f32, the same gradients.
#[test]
fn five_steps_end_where_keras_s_do() {
    ends_at(Sgd::new(0.1).weight_decay(0.1), [0.8424993753433228, -1.0237414836883545, 0.474901020526886, 0.0]);
    ends_at(
        Sgd::new(0.1).momentum(0.9).clip(Clip::Norm(1.0)),
        [0.8920618891716003, -0.7774688601493835, 0.4993382692337036, 0.0],
    );
    ends_at(Adam::new(0.1).clip(Clip::Value(0.5)), [0.8526670932769775, -1.500005841255188, 0.03869030624628067, 0.0]);
    ends_at(Adam::new(0.1).amsgrad(true), [0.8316825032234192, -1.5170751810073853, 0.03869030624628067, 0.0]);
    ends_at(AdamW::new(0.1), [0.8298892974853516, -1.513473391532898, 0.03806868940591812, 0.0]);
    ends_at(Adam::new(0.1).weight_decay(0.004), [0.8298892974853516, -1.513473391532898, 0.03806868940591812, 0.0]);
    ends_at(Sgd::new(0.1).accumulate(2), [0.984778881072998, -1.600000023841858, 0.4998300075531006, 0.0]);
}

#[test]
fn averages_follow_and_can_be_swapped() {
    let (mut w, mut optimizer) = after_five(Sgd::new(0.1).average(0.75));
    // recorded from Keras with use_ema and ema_momentum 0.75
    let (weights, average) = (
        [0.8897089958190918, -1.100000023841858, 0.4994000196456909, 0.0],
        [0.930246114730835, -1.3992968797683716, 0.4997486472129822, 0.0],
    );
    assert_close(&w.to_vec::<f64>(), &weights, 2e-7);
    for (now, other) in [(average, weights), (weights, average)] {
        let id = w.leaf_id();
        optimizer.swap_averages(vec![(&mut w).into()]);
        assert_eq!(w.leaf_id(), id);
        assert_close(&w.to_vec::<f64>(), &now, 2e-7);
        assert_close(&optimizer.state().average(&w).unwrap().to_vec::<f64>(), &other, 2e-7);
    }
}

#[test]
fn a_global_norm_bounds_all_gradients_together() {
    let (mut a, mut b) = (Tensor::from([1.0, 2.0]).tracked(), Tensor::from([3.0]).tracked());
    let mut both = grads(&a, [3.0, 0.0]);
    both.insert(&b, Tensor::from([4.0]));
    Sgd::new(1.0).clip(Clip::GlobalNorm(2.0)).step([&mut a, &mut b], &both).unwrap();
    assert_close(&a.to_vec::<f64>(), &[1.0 - 3.0 * 0.4, 2.0], 1e-12);
    assert_close(&b.to_vec::<f64>(), &[3.0 - 4.0 * 0.4], 1e-12);
    Sgd::new(1.0).clip(Clip::GlobalNorm(100.0)).step([&mut a, &mut b], &both).unwrap();
    assert_close(&b.to_vec::<f64>(), &[3.0 - 4.0 * 0.4 - 4.0], 1e-12);
}

#[test]
fn an_infinite_gradient_is_not_clipped_into_silence() {
    let mut w = Tensor::from([1.0, 2.0]).tracked();
    let infinite = grads(&w, [f64::INFINITY, 1.0]);
    Sgd::new(1.0).clip(Clip::Norm(1.0)).step([&mut w], &infinite).unwrap();
    assert!(w.to_vec::<f64>().iter().all(|x| x.is_nan()));
}

#[test]
fn named_parameters_are_spared_from_decay() {
    let optimizers: [Box<dyn Optimizer>; 2] = [Box::new(Sgd::new(0.5)), Box::new(Adam::new(0.5))];
    for mut optimizer in optimizers {
        let (mut kernel, mut bias) = (Tensor::from([1.0]).tracked(), Tensor::from([1.0]).tracked());
        let mut none = grads(&kernel, [0.0]);
        none.insert(&bias, Tensor::from([0.0]));
        optimizer.common_mut().weight_decay = 0.5;
        optimizer.common_mut().no_decay = vec!["bias".into()];
        optimizer.step([("dense/kernel", &mut kernel), ("dense/bias", &mut bias)], &none).unwrap();
        assert_eq!((kernel.item(), bias.item()), (0.75, 1.0));
    }
}

#[test]
fn gradients_of_several_batches_are_one_step() {
    let mut w = Tensor::from([1.0]).tracked();
    let mut optimizer = Adam::new(0.1).accumulate(3);
    for t in 1..=3 {
        assert_eq!((w.item(), optimizer.state().steps()), (1.0, 0));
        let part = grads(&w, [f64::from(t)]);
        optimizer.step([&mut w], &part).unwrap();
        let waiting = optimizer.state().gradient_sum(&w).map(Tensor::item);
        assert_eq!((waiting, optimizer.state().summed()), [(Some(1.0), 1), (Some(3.0), 2), (None, 0)][t as usize - 1]);
    }
    let mut other = Tensor::from([1.0]).tracked();
    let mean = grads(&other, [2.0]);
    Adam::new(0.1).step([&mut other], &mean).unwrap();
    assert_eq!((w.item(), optimizer.state().steps()), (other.item(), 1));
}

#[test]
fn settings_without_a_meaning_are_refused() {
    let refused: Vec<(Box<dyn Optimizer>, &str)> = vec![
        (Box::new(Sgd::new(0.1).clip(Clip::Norm(0.0))), "[sgd] the bound on gradients is 0"),
        (Box::new(Adam::default().average(1.0)), "[adam] the averages' momentum is 1"),
        (Box::new(Adagrad::default().weight_decay(-0.1)), "[adagrad] weight_decay is -0.1"),
    ];
    for (mut optimizer, message) in refused {
        let mut w = Tensor::from([1.0]).tracked();
        let one = grads(&w, [1.0]);
        assert_says(optimizer.step([&mut w], &one), &[message, "hint"]);
        assert_eq!(w.item(), 1.0);
    }
}

/// `p ← p − learning_rate · sign(g)`, as a user writes it.
struct Sign(Common);

impl Optimizer for Sign {
    fn name(&self) -> &'static str {
        "sign"
    }

    fn common(&self) -> &Common {
        &self.0
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.0
    }

    fn update(&mut self, param: &mut Tensor, grad: &Tensor, step: Step) {
        let sign = grad / (grad.abs() + 1e-30);
        param.set_(&(param.detach() - sign * step.learning_rate));
    }
}

#[test]
fn an_optimizer_of_ones_own_has_the_options_too() {
    let mut common = Common::new(StepDecay::new(0.5, 1, 0.5));
    common.weight_decay = 0.5;
    let mut optimizer = Sign(common);
    let mut w = Tensor::from([4.0]).tracked();
    for want in [4.0 * 0.75 - 0.5, 2.5 * 0.875 - 0.25] {
        let seven = grads(&w, [7.0]);
        optimizer.step([&mut w], &seven).unwrap();
        assert_close(&[w.item()], &[want], 1e-12);
    }
}
