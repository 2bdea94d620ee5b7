//! Reductions: every axis, several, all, of nothing, of one.

use crate::{Op, POLE, Rounding, UNIT};
use cotangent_core::{Axes, Tensor};
use cotangent_gradcheck::sample::Domain;

pub fn ops() -> Vec<Op> {
    vec![
        over(Op::new("sum"), UNIT, |x, axes| x.sum(axes)).at("keepdim", &[(&[3, 4], UNIT)], |x| x[0].sum_keepdim(1)),
        over(Op::new("mean"), UNIT, |x, axes| x.mean(axes)).at("keepdim", &[(&[3, 4], UNIT)], |x| x[0].mean_keepdim(1)),
        over(Op::new("prod"), POLE, |x, axes| x.prod(axes))
            .at("keepdim", &[(&[3, 4], POLE)], |x| x[0].prod_keepdim(0))
            .at("with zeros", &[(&[3, 4], Domain::Grid(0.0))], |x| {
                let kept = zeros_and_ones().cast(x[0].dtype()).to_device(&x[0].device());
                (&x[0] * kept.expect("it fits")).prod(1)
            }),
        over(some("max"), Domain::Distinct, |x, axes| x.max(axes))
            .at("keepdim", &[(&[3, 4], Domain::Distinct)], |x| x[0].max_keepdim(0)),
        over(some("min"), Domain::Distinct, |x, axes| x.min(axes))
            .at("keepdim", &[(&[3, 4], Domain::Distinct)], |x| x[0].min_keepdim(0)),
        over(Op::new("logsumexp"), UNIT, |x, axes| x.logsumexp(axes))
            .at("keepdim", &[(&[3, 4], UNIT)], |x| x[0].logsumexp_keepdim(1))
            .at("far out", &[(&[3, 4], Domain::Sixteenths)], |x| (&x[0] + 800.0).logsumexp(1)),
        over(Op::new("var"), UNIT, |x, axes| x.var(axes, 0)).at("unbiased", &[(&[3, 4], UNIT)], |x| x[0].var(1, 1)).at(
            "keepdim",
            &[(&[3, 4], UNIT)],
            |x| x[0].var_keepdim(0, 1),
        ),
        Op::new("std")
            .at("rows", &[(&[3, 5], UNIT)], |x| x[0].std(1, 0))
            .at("all, unbiased", &[(&[3, 5], UNIT)], |x| x[0].std(.., 1))
            .at("keepdim", &[(&[3, 5], UNIT)], |x| x[0].std_keepdim(0, 0)),
    ]
}

fn some(name: &'static str) -> Op {
    Op::new(name).rounding(Rounding::Exact)
}

/// One row of two zeros, one of one, one of none.
fn zeros_and_ones() -> Tensor {
    Tensor::from([[0.0_f64, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
}

/// `f` over each kind of axes.
fn over(row: Op, domain: Domain, f: fn(&Tensor, Axes) -> Tensor) -> Op {
    let axes = |list: &[usize]| -> Axes { list.iter().copied().collect() };
    let cases: [(&str, &[usize], Axes); 8] = [
        ("vector", &[7], axes(&[0])),
        ("one element", &[1], axes(&[0])),
        ("first", &[3, 4], axes(&[0])),
        ("last", &[3, 4], axes(&[1])),
        ("middle", &[2, 3, 4], axes(&[1])),
        ("outer two", &[2, 3, 4], axes(&[0, 2])),
        ("all", &[2, 3, 4], axes(&[0, 1, 2])),
        ("no axis", &[2, 3], axes(&[])),
    ];
    let row = cases
        .into_iter()
        .fold(row, |row, (name, shape, axes)| row.at(name, &[(shape, domain)], move |x| f(&x[0], axes)));
    row.at("rows of none", &[(&[0, 3], domain)], move |x| f(&x[0], axes_last()))
}

fn axes_last() -> Axes {
    Axes::NONE.with(1)
}
