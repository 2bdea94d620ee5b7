//! Convergence, messages and state of the optimizers; their rules are checked in `update_rules`.

use crate::assert_says;
use cotangent_core::{Grads, Tensor};
use cotangent_nn::*;

/// A name, an optimizer with a given learning rate, and the rates for the parabola and for Rosenbrock's valley.
type Case = (&'static str, fn(f64) -> Box<dyn Optimizer>, [f64; 2]);

/// Every optimizer.
fn all() -> Vec<Case> {
    vec![
        ("sgd", |rate| Box::new(Sgd::new(rate)), [0.1, 1e-3]),
        ("momentum", |rate| Box::new(Sgd::new(rate).momentum(0.9)), [0.02, 2e-4]),
        ("nesterov", |rate| Box::new(Sgd::new(rate).momentum(0.9).nesterov(true)), [0.02, 2e-4]),
        ("adadelta", |rate| Box::new(Adadelta::new(rate)), [10.0, 0.1]),
        ("adagrad", |rate| Box::new(Adagrad::new(rate)), [0.5, 0.5]),
        ("adam", |rate| Box::new(Adam::new(rate)), [0.1, 0.01]),
        ("adam, corrected", |rate| Box::new(Adam::new(rate).corrected_epsilon(true)), [0.1, 0.01]),
        ("adamw", |rate| Box::new(AdamW::new(rate).weight_decay(1e-4)), [0.1, 0.01]),
        ("rmsprop", |rate| Box::new(RmsProp::new(rate)), [0.003, 0.001]),
        ("rmsprop, momentum", |rate| Box::new(RmsProp::new(rate).momentum(0.9)), [0.001, 0.0003]),
        ("rmsprop, centered", |rate| Box::new(RmsProp::new(rate).centered(true).epsilon_inside(true)), [0.003, 0.001]),
    ]
}

/// Where `steps` steps down `f` from `start` end.
fn descend(
    mut optimizer: Box<dyn Optimizer>,
    start: [f64; 2],
    steps: usize,
    f: impl Fn(&Tensor) -> Tensor,
) -> Vec<f64> {
    let mut w = Tensor::from(start).tracked();
    for _ in 0..steps {
        let grads = f(&w).backward();
        optimizer.step([&mut w], &grads).unwrap();
    }
    w.to_vec()
}

#[track_caller]
fn assert_near(name: &str, end: &[f64], want: [f64; 2], tol: f64) {
    let distance = (end[0] - want[0]).hypot(end[1] - want[1]);
    if !(distance <= tol) {
        panic!("{name} ends at {end:?}, {distance} from {want:?}");
    }
}

#[test]
fn all_reach_the_bottom_of_a_parabola() {
    for (name, make, [rate, _]) in all() {
        let bottom = Tensor::from([1.0, -1.0]);
        let end = descend(make(rate), [-1.0, 2.0], 1500, |w| {
            let e = w - &bottom;
            (&e * &e).sum(..)
        });
        assert_near(name, &end, [1.0, -1.0], 1e-2);
    }
}

#[test]
fn all_reach_the_end_of_rosenbrocks_valley() {
    for (name, make, [_, rate]) in all() {
        let end = descend(make(rate), [-1.0, 1.0], 12_000, |w| {
            let (x, y) = (w.slice(0, 0..1), w.slice(0, 1..2));
            let (a, b) = (1.0 - &x, &y - &x * &x);
            (&a * &a + 100.0 * (&b * &b)).sum(..)
        });
        assert_near(name, &end, [1.0, 1.0], 0.1);
    }
}

#[test]
fn a_step_moves_parameters_in_place_and_leaves_clones_alone() {
    let (mut w, mut b) = (Tensor::from([[1.0_f32, 2.0]]).tracked(), Tensor::from([3.0_f32]).tracked());
    let (before, id) = (w.clone(), w.leaf_id());
    let grads = ((&w * 2.0).sum(..) + b.sum(..)).backward();
    let mut optimizer = Sgd::new(0.5);
    optimizer.step([&mut w, &mut b], &grads).unwrap();
    assert_eq!((w.to_vec::<f32>(), b.to_vec::<f32>()), (vec![0.0, 1.0], vec![2.5]));
    assert_eq!(before.to_vec::<f32>(), [1.0, 2.0]);
    assert_eq!(w.leaf_id(), id);
}

#[test]
fn a_parameter_without_gradient_is_named_and_nothing_moves() {
    let (mut w, mut b) = (Tensor::from([1.0_f32]).tracked(), Tensor::from([[2.0_f32, 3.0]]).tracked());
    let grads = w.sum(..).backward();
    let mut optimizer = Adam::default();
    assert_says(
        optimizer.step([&mut w, &mut b], &grads),
        &["[adam] parameter 1, f32 [1, 2],", "has no gradient", "no parameter was changed", "allow_missing(true)"],
    );
    assert_says(
        optimizer.step([("dense/kernel", &mut w), ("dense/bias", &mut b)], &grads),
        &["[adam] parameter dense/bias, f32 [1, 2],"],
    );
    assert_eq!((w.item(), optimizer.state().steps()), (1.0, 0));

    let mut optimizer = Sgd::new(0.5).allow_missing(true);
    optimizer.step([&mut w, &mut b], &grads).unwrap();
    assert_eq!((w.item(), b.to_vec::<f32>()), (0.5, vec![2.0, 3.0]));
}

#[test]
fn a_tensor_that_is_no_leaf_is_refused() {
    let w = Tensor::from([1.0_f32]).tracked();
    let grads = w.sum(..).backward();
    for mut other in [Tensor::from([1.0_f32]), &w * 1.0] {
        let mut optimizer = Sgd::new(0.1).allow_missing(true);
        assert_says(optimizer.step([&mut other], &grads), &["[sgd] parameter 0", "not a tracked leaf", ".tracked()"]);
    }
}

#[test]
fn settings_without_a_meaning_are_refused() {
    let refused: Vec<(Box<dyn Optimizer>, &str)> = vec![
        (Box::new(Sgd::new(-0.1)), "[sgd] learning_rate is -0.1"),
        (Box::new(Sgd::new(0.1).momentum(1.0)), "[sgd] momentum is 1"),
        (Box::new(Adadelta::new(f64::NAN)), "[adadelta] learning_rate is NaN"),
        (Box::new(Adadelta::default().rho(1.5)), "[adadelta] rho is 1.5"),
        (Box::new(Adam::default().beta_1(-0.1)), "[adam] beta_1 is -0.1"),
        (Box::new(Adam::default().beta_2(1.0)), "[adam] beta_2 is 1"),
        (Box::new(AdamW::default().beta_2(1.0)), "[adamw] beta_2 is 1"),
        (Box::new(AdamW::default().weight_decay(-1.0)), "[adamw] weight_decay is -1"),
        (Box::new(Adagrad::default().initial_accumulator(-0.1)), "[adagrad] initial_accumulator is -0.1"),
        (Box::new(RmsProp::default().epsilon(f64::INFINITY)), "[rmsprop] epsilon is inf"),
    ];
    for (mut optimizer, message) in refused {
        let mut w = Tensor::from([1.0_f32]).tracked();
        let grads = w.sum(..).backward();
        assert_says(optimizer.step([&mut w], &grads), &[message, "hint"]);
        assert_eq!(w.item(), 1.0);
    }
}

#[test]
fn training_goes_on_from_a_state_put_back() {
    let step = |optimizer: &mut Adam, w: &mut Tensor| {
        let mut grads = Grads::default();
        grads.insert(w, Tensor::from([0.3_f64, -0.1]));
        optimizer.step([w], &grads).unwrap();
    };
    let mut w = Tensor::from([1.0_f64, 2.0]).tracked();
    let mut optimizer = Adam::default();
    for _ in 0..3 {
        step(&mut optimizer, &mut w);
    }

    let mut copy = w.tracked();
    let mut resumed = Adam::default();
    resumed.state_mut().set(&copy, optimizer.state().get(&w).to_vec());
    resumed.state_mut().set_steps(optimizer.state().steps());
    step(&mut optimizer, &mut w);
    step(&mut resumed, &mut copy);
    assert_eq!(w.to_vec::<f64>(), copy.to_vec::<f64>());
}

#[test]
fn the_learning_rate_can_change_between_steps() {
    for (name, make, _) in all() {
        let mut optimizer = make(0.25);
        assert_eq!(optimizer.learning_rate(), 0.25, "{name}");
        optimizer.set_learning_rate(0.0);
        let mut w = Tensor::from([1.0_f32]).tracked();
        let grads = w.sum(..).backward();
        optimizer.step([&mut w], &grads).unwrap();
        assert_eq!(w.item(), 1.0, "{name}");
    }
}
