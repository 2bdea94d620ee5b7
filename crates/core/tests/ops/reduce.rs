//! Values of reductions, ties, and what they give over nothing.

use crate::support::{close, numbers, sample};
use cotangent_core::{DType, Tensor};

/// The reduction of each row of `[.., n]` by a plain loop.
fn rows(x: &Tensor, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let n = x.shape()[x.rank() - 1];
    numbers(x).chunks(n).map(f).collect()
}

#[test]
fn values_over_the_last_axis_are_those_of_plain_loops() {
    let x = sample([3, 4, 37], -1.5, 1.5);
    let mean = |r: &[f64]| r.iter().sum::<f64>() / r.len() as f64;
    let var = |r: &[f64]| r.iter().map(|v| (v - mean(r)).powi(2)).sum::<f64>() / (r.len() - 1) as f64;
    let same = |y: Tensor, want: Vec<f64>, name| close(&numbers(&y), &want, 1e-13, name);
    same(x.sum(-1), rows(&x, |r| r.iter().sum()), "sum");
    same(x.mean(-1), rows(&x, mean), "mean");
    same(x.prod(-1), rows(&x, |r| r.iter().product()), "prod");
    same(x.max(-1), rows(&x, |r| r.iter().copied().fold(f64::MIN, f64::max)), "max");
    same(x.min(-1), rows(&x, |r| r.iter().copied().fold(f64::MAX, f64::min)), "min");
    same(x.var(-1, 1), rows(&x, var), "var");
    same(x.std(-1, 1), rows(&x, |r| var(r).sqrt()), "std");
    same(x.logsumexp(-1), rows(&x, |r| r.iter().map(|v| v.exp()).sum::<f64>().ln()), "logsumexp");
}

#[test]
fn any_axes_are_the_last_axis_of_a_transpose() {
    let x = sample([3, 4, 5], -1.5, 1.5);
    let moved = x.permute(&[1, 0, 2]).reshape([4, 15]);
    let pairs = [
        (x.sum([0, 2]), moved.sum(1)),
        (x.mean([0, -1]), moved.mean(1)),
        (x.prod([2, 0]), moved.prod(1)),
        (x.max([0, 2]), moved.max(1)),
        (x.min([0, 2]), moved.min(1)),
        (x.var([0, 2], 0), moved.var(1, 0)),
        (x.logsumexp([0, 2]), moved.logsumexp(1)),
    ];
    for (i, (a, b)) in pairs.iter().enumerate() {
        close(&numbers(a), &numbers(b), 1e-13, &format!("pair {i}"));
    }
    assert_eq!(x.max_keepdim([0, 2]).dims(), [1, 4, 1]);
    assert_eq!(x.std_keepdim(.., 0).dims(), [1, 1, 1]);
    assert_eq!(x.argmax_keepdim(1).dims(), [3, 1, 5]);
}

#[test]
fn equal_elements_share_the_gradient() {
    let x = Tensor::from([[2.0_f32, 5.0, 5.0], [1.0, 1.0, 1.0]]).tracked();
    let grads = (x.max(1) * 6.0).sum(..).backward();
    assert_eq!(grads.wrt(&x).to_vec::<f32>(), [0.0, 3.0, 3.0, 2.0, 2.0, 2.0]);
}

#[test]
fn arg_reductions_take_the_first_of_equals_and_nan_before_all() {
    let x = Tensor::from([[3.0_f32, 1.0, 3.0, 1.0], [0.0, f32::NAN, 9.0, f32::NAN]]);
    assert_eq!(x.argmax(1).to_vec::<i64>(), [0, 1]);
    assert_eq!(x.argmin(-1).to_vec::<i64>(), [1, 1]);
    assert_eq!(x.argmax(0).to_vec::<i64>(), [0, 1, 1, 1]);
    assert_eq!(Tensor::from([4_i64, 9, 2]).argmax(0).item(), 1.0);
    assert_eq!(Tensor::from([false, true]).argmax(0).item(), 1.0);
}

#[test]
fn integers_reduce_as_integers() {
    let x = Tensor::from([[1_i64, -2, 3], [4, 5, -6]]);
    assert_eq!(x.sum(1).to_vec::<i64>(), [2, 3]);
    assert_eq!(x.prod(0).to_vec::<i64>(), [4, -10, -18]);
    assert_eq!(x.max(..).to_vec::<i64>(), [5]);
    assert_eq!(x.min(0).to_vec::<i64>(), [1, -2, -6]);
}

#[test]
fn nothing_reduces_to_the_neutral_element() {
    let nothing = Tensor::zeros([2, 0]);
    assert_eq!(nothing.sum(1).to_vec::<f32>(), [0.0, 0.0]);
    assert_eq!(nothing.prod(1).to_vec::<f32>(), [1.0, 1.0]);
    assert!(nothing.mean(1).to_vec::<f32>().iter().all(|m| m.is_nan()));
    assert_eq!(nothing.max(0).count(), 0);
    assert!(Tensor::from([1.0_f32]).var(.., 1).item().is_nan());
}

#[test]
fn a_mean_of_equals_is_exact() {
    for n in 1..200 {
        assert_eq!(Tensor::full([n], 1.0, DType::F64).mean(..).item(), 1.0, "{n} ones");
    }
}

#[test]
fn the_deviation_of_equals_has_gradient_zero() {
    let x = Tensor::from([2.0_f64, 2.0]).tracked();
    let y = x.std(.., 0);
    assert_eq!(y.item(), 0.0);
    assert_eq!(y.backward().wrt(&x).to_vec::<f64>(), [0.0, 0.0]);
}

#[test]
fn logsumexp_stands_infinities() {
    let (inf, low) = (f64::INFINITY, f64::NEG_INFINITY);
    let x = Tensor::from([[low, low], [low, 3.0], [inf, 1.0], [-1e4, -1e4]]).tracked();
    let y = x.logsumexp(1);
    assert_eq!(numbers(&y), [low, 3.0, inf, -1e4 + 2.0_f64.ln()]);
    let grads = numbers(y.narrow(0, 0, 2).sum(..).backward().wrt(&x));
    assert_eq!(grads[..4], [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn nan_is_not_lost() {
    let x = Tensor::from([[1.0_f64, f64::NAN, 3.0]]);
    for y in [x.sum(1), x.mean(1), x.prod(1), x.max(1), x.min(1), x.var(1, 0), x.logsumexp(1)] {
        assert!(y.item().is_nan());
    }
}
