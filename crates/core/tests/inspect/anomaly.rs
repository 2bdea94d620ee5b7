//! Who made the first NaN or infinity.

use cotangent_core::inspect::{Cause, Phase, detect_anomaly, scope};
use cotangent_core::{Lane, Op, Saved, Saves, ShapeError, Spec, Tensor, Update, apply};

#[test]
fn a_logarithm_of_zero_is_named_with_layer_and_line() {
    let guard = detect_anomaly();
    let x = Tensor::from([[1.0_f32, 2.0], [0.0, 4.0]]);
    let line = line!() + 1;
    let y = scope("encoder", || scope("dense_1", || x.ln()));
    let _later = (&y - &y).exp(); // NaN, but not the first
    let found = guard.take().expect("ln 0");
    assert_eq!((found.op, found.phase, found.layer.as_deref()), ("ln", Phase::Forward, Some("encoder/dense_1")));
    assert_eq!((found.step, found.cause, found.result.infinite), (1, Cause::Made, 1));
    assert_eq!(found.result.first.as_deref(), Some(&[1, 0][..]));
    let at = found.location.expect("somebody looked on");
    assert_eq!((at.file().ends_with("anomaly.rs"), at.line()), (true, line));
    let text = found.to_string();
    for part in
        ["training step 1, forward, layer \"encoder/dense_1\": [ln] made 1 infinity of 4 elements", "[1, 0]", "0.0"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(guard.take().is_none(), "it was taken");
}

#[test]
fn a_slope_that_is_not_there_is_named_at_the_op_that_ran_forward() {
    let guard = detect_anomaly();
    let x = Tensor::from([4.0_f64, 0.0]).tracked();
    let mut w = Tensor::from([1.0_f64, 1.0]).tracked();
    for step in 1..=3 {
        let y = scope("root", || (&x * &w).sqrt());
        guard.check().expect("√0 = 0");
        y.sum(..).backward();
        if step < 3 {
            guard.take().expect("1 / (2√0)");
        }
        w.set_(&w.detach().scale(0.5));
    }
    let found = guard.take().expect("1 / (2√0)");
    assert_eq!((found.op, found.phase, found.layer.as_deref(), found.step), ("sqrt", Phase::Backward, Some("root"), 3));
    assert_eq!(found.cotangent_of, Some(0));
    assert!(found.location.is_some_and(|at| at.file().ends_with("anomaly.rs")));
    assert!(found.to_string().contains("the derivative of [sqrt] made 1 infinity of 2 elements"), "{found}");
}

#[test]
fn infinities_that_came_in_are_no_anomaly() {
    let guard = detect_anomaly();
    let scores = Tensor::from([[1.0_f32, 2.0, 3.0], [1.0, 2.0, 3.0]]).tracked();
    let mask = Tensor::from([f32::NEG_INFINITY, 0.0, 0.0]);
    let loss = (&scores + &mask).softmax(-1).square().sum(..);
    let grads = loss.backward();
    assert!(grads.wrt(&scores).to_vec::<f32>().iter().all(|g| g.is_finite()));
    guard.check().expect("a mask is meant");
}

#[test]
fn a_nan_out_of_infinities_is_one() {
    let guard = detect_anomaly();
    let x = Tensor::from([f32::INFINITY, 1.0]);
    let _ = &x - &x;
    let found = guard.take().expect("∞ − ∞");
    assert_eq!((found.op, found.cause, found.operands[0].infinite), ("sub", Cause::Made, 1));
}

#[test]
fn a_nan_in_the_data_is_not_blamed_on_the_op() {
    let guard = detect_anomaly();
    let x = Tensor::from([[1.0_f32, f32::NAN]]);
    let _ = scope("dense", || Tensor::ones([2, 2]).matmul(&x.reshape([2, 1])));
    let found = guard.take().expect("NaN in, NaN out");
    assert_eq!((found.op, found.cause), ("matmul", Cause::Given { operand: 1 }));
    assert!(found.to_string().contains("operand 1 of [matmul] held NaN before"), "{found}");
    let error = cotangent_core::Error::from(found).to_string();
    assert!(error.contains("hint: look at the data"), "{error}");
}

#[test]
fn a_nan_that_no_result_shows_is_none() {
    let guard = detect_anomaly();
    let x = Tensor::from([f32::NAN, 2.0]);
    assert_eq!(Tensor::where_(&x.is_nan(), &x.zeros_like(), &x).to_vec::<f32>(), [0.0, 2.0]);
    guard.check().expect("the missing value was filled in");
}

#[test]
fn what_overflows_between_ops_is_named_too() {
    let guard = detect_anomaly();
    let x = Tensor::from([1.0_f32]).tracked();
    let big = &x * 3e38;
    let loss = (&big * 1.0 + &big * 1.0) * 1e-38;
    guard.take().expect("3e38 + 3e38 overflows forward");
    loss.backward_with(&Tensor::from([1e38_f32]));
    let found = guard.take().expect("the two cotangents of `big` are 1e0; 3e38 times their sum overflows");
    assert_eq!((found.op, found.phase), ("scale", Phase::Backward));

    let y = &x * 1.0;
    let both = Tensor::concat(&[&y, &y], 0);
    both.backward_with(&Tensor::from([3e38_f32, 3e38]));
    let found = guard.take().expect("3e38 + 3e38 overflows backward");
    assert_eq!((found.op, found.phase, found.cotangent_of), ("accumulate", Phase::Backward, None));
    assert_eq!(found.operands[0].range, Some((f64::from(3e38_f32), f64::from(3e38_f32))));
}

#[derive(Clone, Copy)]
struct Descend;
impl Update<0> for Descend {
    fn step<L: Lane>(self, p: L, g: L, state: [L; 0]) -> (L, [L; 0]) {
        (p - L::splat(1e30) * g, state)
    }
}

#[test]
fn an_update_that_overflows_is_named() {
    let guard = detect_anomaly();
    let mut p = Tensor::from([1.0_f32]);
    scope("dense/kernel", || p.update(Descend, &Tensor::from([1e20_f32]), []));
    let found = guard.take().expect("1e50");
    assert_eq!((found.op, found.phase, found.layer.as_deref()), ("update", Phase::Update, Some("dense/kernel")));
    assert_eq!(found.operands[0].range, Some((1.0, 1.0)), "the parameter before the step");
}

/// y = min(1/x, 1), through an infinity that nobody outside ever sees.
struct Careful;
impl Op<1> for Careful {
    const NAME: &'static str = "careful";
    const SAVES: Saves = Saves::Nothing;
    type Aux = ();
    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(x)
    }
    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (x.recip().minimum(1.0), ())
    }
    fn vjp(&self, _: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(dy)]
    }
}

#[test]
fn what_an_op_does_within_is_its_own_business() {
    let guard = detect_anomaly();
    assert_eq!(apply(Careful, [&Tensor::from([0.0_f32, 2.0])]).to_vec::<f32>(), [1.0, 0.5]);
    guard.check().expect("the result is finite");
}

#[test]
fn nobody_looks_on_when_the_guards_are_gone() {
    let zero = Tensor::from([0.0_f32]);
    let outer = detect_anomaly();
    drop(detect_anomaly());
    let _ = zero.ln();
    assert!(outer.take().is_some(), "an inner guard does not end the outer one");
    drop(outer);
    let _ = zero.ln();
    assert!(cotangent_core::inspect::take_anomaly().is_none());
    assert!(detect_anomaly().take().is_none(), "a new search begins anew");
}

#[test]
fn looking_on_changes_no_bit() {
    let run = || {
        let x = Tensor::linspace(-2.0, 2.0, 60, cotangent_core::DType::F32).reshape([6, 10]).tracked();
        let y = scope("layer", || x.gelu().softmax(-1).matmul(&x.t()));
        let grads = (&y * &y).mean(..).backward();
        (y.to_vec::<f32>(), grads.wrt(&x).to_vec::<f32>())
    };
    let plain = run();
    let _guard = detect_anomaly();
    assert_eq!(plain, run());
}
