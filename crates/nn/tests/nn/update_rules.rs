//! Every optimizer's rule against the same recurrence written out in plain f64.

use crate::assert_close;
use cotangent_core::{DType, Grads, Tensor};
use cotangent_nn::*;

const START: [f64; 4] = [1.0, -2.0, 0.5, 0.0];

/// The gradient of step t = 1, 2, …: of all sizes, both signs, and always 0 for the last parameter.
fn gradient(t: usize) -> [f64; 4] {
    let t = t as f64;
    [(1.7 * t).sin(), -3.0 + 0.4 * t, 1e-4 * (t * t + 1.0), 0.0]
}

/// Steps `optimizer` five times in f64 and in f32, and compares with `recurrence`, which takes a number of the
/// parameter, its state (at first `initial`), the gradient and t, and gives the new number.
fn check<const S: usize>(
    mut make: impl FnMut() -> Box<dyn Optimizer>,
    initial: [f64; S],
    recurrence: impl Fn(f64, &mut [f64; S], f64, f64) -> f64,
) {
    for (dtype, tol) in [(DType::F64, 1e-14), (DType::F32, 3e-6)] {
        let mut optimizer = make();
        let mut p = Tensor::from(START).cast(dtype).tracked();
        let (mut want, mut state) = (START, [initial; 4]);
        for t in 1..=5 {
            let mut grads = Grads::default();
            grads.insert(&p, Tensor::from(gradient(t)).cast(dtype));
            optimizer.step([&mut p], &grads).unwrap();
            for i in 0..4 {
                want[i] = recurrence(want[i], &mut state[i], gradient(t)[i], t as f64);
            }
            assert_close(&p.cast(DType::F64).to_vec::<f64>(), &want, tol);
        }
        let kept: Vec<Vec<f64>> =
            optimizer.state().get(&p).iter().map(|s| s.cast(DType::F64).to_vec::<f64>()).collect();
        for (slot, kept) in kept.iter().enumerate() {
            assert_close(kept, &state.map(|s| s[slot]), tol);
        }
        assert_eq!((kept.len(), optimizer.state().steps()), (S, 5));
    }
}

#[test]
fn sgd() {
    check(|| Box::new(Sgd::default()), [], |p, _, g, _| p - 0.01 * g);
}

#[test]
fn sgd_with_momentum() {
    check(
        || Box::new(Sgd::new(0.1).momentum(0.9)),
        [0.0],
        |p, [v], g, _| {
            *v = 0.9 * *v - 0.1 * g;
            p + *v
        },
    );
}

#[test]
fn sgd_with_nesterov_momentum() {
    check(
        || Box::new(Sgd::new(0.1).momentum(0.9).nesterov(true)),
        [0.0],
        |p, [v], g, _| {
            *v = 0.9 * *v - 0.1 * g;
            p + 0.9 * *v - 0.1 * g
        },
    );
}

#[test]
fn adadelta() {
    for rate in [1.0, 0.001] {
        let make = || if rate == 1.0 { Adadelta::default() } else { Adadelta::new(rate) };
        check(
            || Box::new(make()),
            [0.0, 0.0],
            |p, [a, d], g, _| {
                *a = 0.95 * *a + 0.05 * g * g;
                let u = g * (*d + 1e-7).sqrt() / (*a + 1e-7).sqrt();
                *d = 0.95 * *d + 0.05 * u * u;
                p - rate * u
            },
        );
    }
}

/// m and v, and the corrected step size.
fn adam_moments([m, v]: &mut [f64; 2], g: f64, t: f64) -> f64 {
    *m += (g - *m) * (1.0 - 0.9);
    *v += (g * g - *v) * (1.0 - 0.999);
    0.001 * (1.0 - 0.999_f64.powf(t)).sqrt() / (1.0 - 0.9_f64.powf(t))
}

#[test]
fn adam_with_keras_epsilon() {
    check(
        || Box::new(Adam::default()),
        [0.0, 0.0],
        |p, state, g, t| {
            let alpha = adam_moments(state, g, t);
            p - alpha * state[0] / (state[1].sqrt() + 1e-7)
        },
    );
}

#[test]
fn adam_with_pytorchs_epsilon() {
    check(
        || Box::new(Adam::default().epsilon(1e-3).corrected_epsilon(true)),
        [0.0, 0.0],
        |p, state, g, t| {
            adam_moments(state, g, t);
            let (m, v) = (state[0] / (1.0 - 0.9_f64.powf(t)), state[1] / (1.0 - 0.999_f64.powf(t)));
            p - 0.001 * m / (v.sqrt() + 1e-3)
        },
    );
}

#[test]
fn the_two_epsilons_of_adam_differ() {
    let end = |corrected| {
        let mut p = Tensor::from([0.0_f64]).tracked();
        let mut grads = Grads::default();
        grads.insert(&p, Tensor::from([1e-6_f64]));
        Adam::default().corrected_epsilon(corrected).step([&mut p], &grads).unwrap();
        p.item()
    };
    assert_close(&[end(false) / end(true)], &[(1e-6 + 1e-7) / (1e-6 + 1e-7 / 0.001_f64.sqrt())], 1e-9);
}

#[test]
fn adamw() {
    check(
        || Box::new(AdamW::default()),
        [0.0, 0.0],
        |p, state, g, t| {
            let alpha = adam_moments(state, g, t);
            p - 0.001 * 0.004 * p - alpha * state[0] / (state[1].sqrt() + 1e-7)
        },
    );
}

#[test]
fn adagrad() {
    check(
        || Box::new(Adagrad::default()),
        [0.1],
        |p, [a], g, _| {
            *a += g * g;
            p - 0.001 * g / (*a + 1e-7).sqrt()
        },
    );
}

#[test]
fn rmsprop() {
    check(
        || Box::new(RmsProp::default()),
        [0.0],
        |p, [a], g, _| {
            *a = 0.9 * *a + 0.1 * g * g;
            p - 0.001 * g / (a.sqrt() + 1e-7)
        },
    );
}

#[test]
fn rmsprop_with_epsilon_inside() {
    check(
        || Box::new(RmsProp::new(0.01).epsilon_inside(true)),
        [0.0],
        |p, [a], g, _| {
            *a = 0.9 * *a + 0.1 * g * g;
            p - 0.01 * g / (*a + 1e-7).sqrt()
        },
    );
}

#[test]
fn rmsprop_with_momentum() {
    check(
        || Box::new(RmsProp::default().momentum(0.5)),
        [0.0, 0.0],
        |p, [a, b], g, _| {
            *a = 0.9 * *a + 0.1 * g * g;
            *b = 0.5 * *b + 0.001 * g / (a.sqrt() + 1e-7);
            p - *b
        },
    );
}

#[test]
fn rmsprop_centered() {
    let make = || Box::new(RmsProp::default().centered(true).epsilon_inside(true)) as Box<dyn Optimizer>;
    check(make, [0.0, 0.0], |p, [a, c], g, _| {
        *a = 0.9 * *a + 0.1 * g * g;
        *c = 0.9 * *c + 0.1 * g;
        p - 0.001 * g / (*a - *c * *c + 1e-7).sqrt()
    });
}

#[test]
fn rmsprop_centered_with_momentum() {
    let make = || Box::new(RmsProp::default().centered(true).epsilon_inside(true).momentum(0.9)) as Box<dyn Optimizer>;
    check(make, [0.0, 0.0, 0.0], |p, [a, c, b], g, _| {
        *a = 0.9 * *a + 0.1 * g * g;
        *c = 0.9 * *c + 0.1 * g;
        *b = 0.9 * *b + 0.001 * g / (*a - *c * *c + 1e-7).sqrt();
        p - *b
    });
}
