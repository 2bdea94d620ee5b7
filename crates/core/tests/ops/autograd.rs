//! The graph: what backward gives, what it refuses and how it says so, and graphs too deep for recursion.

use crate::support::{numbers, panic_text, sample};
use cotangent_core::{
    DType, GradError, Lane, Op, Order, Saved, Saves, ShapeError, Spec, Tensor, Unary, apply, grad, is_tracking,
    no_grad, unary,
};

fn leaf(x: f64) -> Tensor {
    Tensor::scalar(x).tracked()
}

#[test]
fn a_million_ops_deep() {
    let x = leaf(1.0);
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = y.add_scalar(0.0);
    }
    let grads = y.backward();
    assert_eq!(grads.wrt(&x).item(), 1.0);
}

#[test]
fn a_million_ops_deep_dropped_without_backward() {
    // square saves its operand, so the graph is held by nodes and by saved tensors
    let mut y = leaf(1.0);
    for _ in 0..1_000_000 {
        y = y.square();
    }
    assert_eq!(y.item(), 1.0);
    drop(y);
}

#[test]
fn a_tensor_used_three_times_gets_the_sum() {
    let x = leaf(3.0);
    let y = &x * &x + x.exp() - &x;
    let dx = y.backward().wrt(&x).item();
    assert!((dx - (6.0 + 3.0_f64.exp() - 1.0)).abs() < 1e-12, "{dx}");
}

#[test]
fn cotangents_of_the_same_tensor_do_not_run_into_each_other() {
    // both operands of add get the very same dy, which is then added to in place
    let (a, b) = (leaf(1.0), leaf(2.0));
    let grads = ((&a + &b) + &a).backward();
    assert_eq!((grads.wrt(&a).item(), grads.wrt(&b).item()), (2.0, 1.0));
}

#[test]
fn a_cotangent_that_others_hold_is_not_overwritten() {
    // ReLU's rule works in the memory of dy, but not if the caller has dy, or asks for it
    let x = Tensor::from([-1.0, 2.0, -3.0]).tracked();
    let dy = Tensor::from([1.0, 2.0, 3.0]);
    let grads = x.relu().backward_with(&dy);
    assert_eq!((numbers(grads.wrt(&x)), numbers(&dy)), (vec![0.0, 2.0, 0.0], vec![1.0, 2.0, 3.0]));
    let y = x.relu();
    let found = grad(&(&y * 2.0).sum(..), &[&y, &x], Order::First).unwrap();
    assert_eq!((numbers(&found[0]), numbers(&found[1])), (vec![2.0; 3], vec![0.0, 2.0, 0.0]));
}

#[test]
fn a_diamond_is_walked_once() {
    let x = leaf(2.0);
    let mut y = x.clone();
    for _ in 0..40 {
        y = &y * 0.5 + &y * 0.5;
    }
    assert_eq!(y.backward().wrt(&x).item(), 1.0);
}

#[test]
fn backward_with_weighs_the_result() {
    let x = sample([3], -1.0, 1.0).tracked();
    let weights = Tensor::from([1.0, 10.0, 100.0]);
    let grads = (&x * 2.0).backward_with(&weights);
    assert_eq!(numbers(grads.wrt(&x)), [2.0, 20.0, 200.0]);
    assert!(panic_text(|| (&x * 2.0).backward_with(&Tensor::from([1.0]))).contains("another shape or dtype"));
}

#[test]
fn grad_reaches_tensors_on_the_way() {
    let x = leaf(3.0);
    let y = x.square();
    let z = y.square();
    let found = grad(&z, &[&y, &x], Order::First).unwrap();
    assert_eq!((found[0].item(), found[1].item()), (18.0, 108.0));
}

#[test]
fn an_op_without_derivative_is_named() {
    let x = Tensor::from([1.5, 2.5]).tracked();
    let refusals = [
        (x.floor(), "floor"),
        (x.round(), "round"),
        (x.ceil(), "ceil"),
        (x.sign(), "sign"),
        (x.gt(1.0).cast(DType::F64), "gt"),
        (x.argmax(0).cast(DType::F64), "argmax"),
        (x.is_nan().cast(DType::F64), "is_nan"),
        (x.cast(DType::I64).cast(DType::F64), "cast"),
    ];
    for (y, op) in refusals {
        let loss = (y * x.sum(..)).sum(..);
        let text = panic_text(|| loss.backward());
        assert!(text.contains("has no derivative") && text.contains(".detach()"), "{op}: {text}");
    }
    assert_eq!(grad(&x.floor().sum(..), &[&x], Order::First).err(), Some(GradError::NoDerivative { op: "floor" }));
}

#[test]
fn a_detached_operand_is_a_constant() {
    let x = leaf(1.5);
    let y = &x * x.detach().floor();
    assert_eq!(y.backward().wrt(&x).item(), 1.0);
}

/// y = x², whose rule is computed outside the graph and says so.
struct OnceOnly;

impl Op<1> for OnceOnly {
    const NAME: &'static str = "once_only";
    const SAVES: Saves = Saves::Inputs;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(x)
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (x.detach().square(), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(dy * saved.x()[0].detach() * 2.0)]
    }
}

#[test]
fn an_op_without_second_derivative_is_named() {
    let x = leaf(3.0);
    let y = apply(OnceOnly, [&x]);
    let refusal = GradError::NoSecondOrder { op: "once_only" };
    assert_eq!(grad(&y, &[&x], Order::Second).err(), Some(refusal.clone()));
    assert_eq!(refusal.to_string(), "[once_only] has no second derivative");
    assert_eq!(y.backward().wrt(&x).item(), 6.0);
}

#[test]
fn a_graph_is_spent_by_backward() {
    let x = leaf(2.0);
    let y = x.exp();
    y.backward();
    let text = panic_text(|| y.backward());
    assert!(text.contains("[exp] has given up what it saved"), "{text}");
    assert_eq!(grad(&y, &[&x], Order::First).err(), Some(GradError::Spent { op: "exp" }));
}

#[test]
fn second_order_keeps_the_graph() {
    let x = leaf(2.0);
    let y = &x * &x * &x;
    for _ in 0..2 {
        assert_eq!(grad(&y, &[&x], Order::Second).unwrap()[0].item(), 12.0);
    }
    assert_eq!(y.backward().wrt(&x).item(), 12.0);
}

#[test]
fn what_is_not_tracked_is_refused() {
    let (x, y) = (leaf(2.0), Tensor::scalar(1.0));
    let text = panic_text(|| y.backward());
    assert!(text.contains("not tracked"), "{text}");
    assert_eq!(grad(&y, &[&x], Order::First).err(), Some(GradError::Untracked));
    let text = panic_text(|| x.exp().backward().wrt(&y).item());
    assert!(text.contains("is not a tracked leaf"), "{text}");
    let other = leaf(0.0);
    let text = panic_text(|| x.exp().backward().wrt(&other).item());
    assert!(text.contains("the loss does not depend on this"), "{text}");
}

#[test]
fn a_loss_is_one_number() {
    let x = sample([2, 3], -1.0, 1.0).tracked();
    let text = panic_text(|| x.exp().backward());
    assert!(text.contains("shape [2, 3], not one element"), "{text}");
}

#[test]
fn a_tensor_that_the_loss_does_not_reach_is_refused() {
    let (x, other) = (leaf(1.0), leaf(2.0));
    let found = grad(&x.exp(), &[&x, &other], Order::First);
    assert_eq!(found.err(), Some(GradError::Unreached { index: 1, shape: other.shape() }));
}

#[test]
fn no_grad_records_nothing_and_ends_with_a_panic() {
    let x = leaf(1.0);
    assert!(!no_grad(|| x.exp()).is_tracked());
    panic_text(|| no_grad(|| panic!("inside")));
    assert!(is_tracking() && x.exp().is_tracked());
}

#[test]
fn integers_are_not_tracked() {
    let text = panic_text(|| Tensor::from([1_i64]).tracked());
    assert_eq!(text, "[tracked] a i64 tensor has no gradient; cast it to f32");
}

/// `y = x·|x|`.
#[derive(Clone, Copy)]
struct SignedSquare;

impl Unary for SignedSquare {
    const NAME: &'static str = "signed_square";
    const SAVES: Saves = Saves::Inputs;
    fn forward<L: Lane>(self, x: L) -> L {
        x * x.abs()
    }
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        L::splat(2.0) * x.abs() * dy
    }
}

#[test]
fn a_users_pointwise_op_has_a_second_derivative() {
    let x = leaf(-3.0);
    let first = grad(&unary(SignedSquare, &x), &[&x], Order::Second).unwrap().remove(0);
    assert_eq!((first.item(), first.backward().wrt(&x).item()), (6.0, -2.0));
}

#[test]
fn a_gradient_of_third_order_where_the_rules_are_ops() {
    let x = leaf(2.0);
    let y = &x * &x * &x * &x;
    let first = grad(&y, &[&x], Order::Second).unwrap().remove(0);
    let second = grad(&first, &[&x], Order::Second).unwrap().remove(0);
    let third = grad(&second, &[&x], Order::First).unwrap().remove(0);
    assert_eq!((first.item(), second.item(), third.item()), (32.0, 48.0, 48.0));
}
