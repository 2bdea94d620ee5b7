//! Every case of the table: first derivatives against central differences of the value, second derivatives against
//! central differences of the first, and f32 against f64.

use crate::cases::{Case, all};
use crate::support::{close, numbers, sample};
use cotangent_core::{DType, Order, Tensor, grad};

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

/// Σ w·f(x), for weights that are all different.
fn loss(case: &Case, x: &[Tensor]) -> Tensor {
    let y = (case.f)(x);
    let weights = sample(y.shape(), -1.0, 1.0).cast(y.dtype());
    (y * weights).sum(..)
}

fn tracked(x: &[Tensor]) -> Vec<Tensor> {
    x.iter().map(Tensor::tracked).collect()
}

fn gradient(case: &Case, x: &[Tensor]) -> Vec<Tensor> {
    let x = tracked(x);
    let grads = loss(case, &x).backward();
    x.iter().map(|x| grads.wrt(x).clone()).collect()
}

/// Σ v·∇loss(x): what second derivatives are the gradient of.
fn slope(case: &Case, x: &[Tensor], gradient: &[Tensor]) -> Tensor {
    let term = |(g, x): (&Tensor, &Tensor)| (g * sample(x.shape(), -1.0, 1.0).cast(x.dtype())).sum(..);
    let terms = gradient.iter().zip(x).map(term);
    terms.reduce(|a, b| a + b).unwrap_or_else(|| panic!("{} has no operands", case.name))
}

/// The gradient of Σ v·∇loss(x), zero where it does not depend on an operand.
fn second(case: &Case, x: &[Tensor]) -> Vec<Tensor> {
    let x = tracked(x);
    let operands: Vec<&Tensor> = x.iter().collect();
    let first = grad(&loss(case, &x), &operands, Order::Second).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let slope = slope(case, &x, &first);
    if !slope.is_tracked() {
        return x.iter().map(Tensor::zeros_like).collect();
    }
    let grads = slope.backward();
    x.iter().map(|x| grads.get(x).cloned().unwrap_or_else(|| x.zeros_like())).collect()
}

/// `∂f/∂x[operand]` by central differences.
fn differences(f: impl Fn(&[Tensor]) -> f64, x: &[Tensor], operand: usize) -> Vec<f64> {
    let values = numbers(&x[operand]);
    let at = |i: usize, step: f64| {
        let mut moved = values.clone();
        moved[i] += step;
        let mut x = x.to_vec();
        x[operand] = Tensor::from_slice(&moved, x[operand].shape());
        f(&x)
    };
    (0..values.len()).map(|i| (at(i, STEP) - at(i, -STEP)) / (2.0 * STEP)).collect()
}

#[test]
fn first_derivatives_are_those_of_central_differences() {
    for case in all() {
        for (i, got) in gradient(&case, &case.x).iter().enumerate() {
            assert_eq!(got.spec(), case.x[i].spec(), "{} operand {i}", case.name);
            let want = differences(|x| loss(&case, x).item(), &case.x, i);
            close(&numbers(got), &want, TOLERANCE, &format!("{} operand {i}", case.name));
        }
    }
}

#[test]
fn second_derivatives_are_those_of_central_differences() {
    for case in all() {
        for (i, got) in second(&case, &case.x).iter().enumerate() {
            let want = differences(|x| slope(&case, x, &gradient(&case, x)).item(), &case.x, i);
            close(&numbers(got), &want, TOLERANCE, &format!("{} operand {i}, second order", case.name));
        }
    }
}

#[test]
fn f32_agrees_with_f64() {
    for case in all() {
        let single: Vec<Tensor> = case.x.iter().map(|x| x.cast(DType::F32)).collect();
        let exact: Vec<Tensor> = single.iter().map(|x| x.cast(DType::F64)).collect();
        close(&numbers(&(case.f)(&single)), &numbers(&(case.f)(&exact)), 2e-5, case.name);
        for (a, b) in gradient(&case, &single).iter().zip(gradient(&case, &exact)) {
            close(&numbers(a), &numbers(&b), 1e-4, &format!("{}, gradient", case.name));
        }
    }
}

#[test]
fn operands_that_are_views_give_the_same() {
    for case in all() {
        let views: Vec<Tensor> = case.x.iter().map(strided).collect();
        assert_eq!(numbers(&(case.f)(&views)), numbers(&(case.f)(&case.x)), "{}", case.name);
        for (a, b) in gradient(&case, &views).iter().zip(gradient(&case, &case.x)) {
            close(&numbers(a), &numbers(&b), 1e-13, &format!("{}, gradient", case.name));
        }
    }
}

/// The same values as every second element of another tensor, along each axis.
fn strided(x: &Tensor) -> Tensor {
    (0..x.rank() as isize).fold(x.clone(), |x, axis| {
        let filler = x.zeros_like() + 7.0;
        let both = Tensor::stack(&[&x, &filler], axis + 1);
        let mut sizes = x.shape().to_vec();
        sizes[axis as usize] *= 2;
        both.reshape(sizes).slice_step(axis, .., 2)
    })
}

#[test]
fn the_comparison_fails_where_it_should() {
    for wrong in [f64::NAN, 1.1, f64::INFINITY] {
        let outcome = std::panic::catch_unwind(|| close(&[wrong], &[1.0], 1e-3, "wrong"));
        assert!(outcome.is_err(), "{wrong} passed for 1");
    }
}
