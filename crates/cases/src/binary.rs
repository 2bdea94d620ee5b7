//! Pointwise ops of two operands, and the choice between two: every kind of broadcasting.

use crate::{Exact, Op, POLE, POSITIVE, Rounding, UNIT, each};
use cotangent_base::Binary;
use cotangent_core::Tensor;
use cotangent_core::ops::*;
use cotangent_gradcheck::pointwise;
use cotangent_gradcheck::sample::Domain;

/// Pairs of shapes: equal, with fewer axes, stretched on either side, scalars, empty.
const PAIRS: [[&[usize]; 2]; 10] = [
    [&[7], &[7]],
    [&[3, 4], &[3, 4]],
    [&[3, 4], &[4]],
    [&[4], &[3, 4]],
    [&[3, 1], &[1, 4]],
    [&[2, 1, 3], &[4, 1]],
    [&[], &[2, 3]],
    [&[2, 3], &[1, 1]],
    [&[0, 3], &[3]],
    [&[1], &[0]],
];

/// Two domains without ties, for ops with a kink where their operands are equal.
const APART: [Domain; 2] = [Domain::Grid(0.0), Domain::Grid(0.05)];

pub fn ops() -> Vec<Op> {
    vec![
        pair(Add, [UNIT, UNIT], |a, b| a.add(b)),
        pair(Sub, [UNIT, UNIT], |a, b| a.sub(b)),
        pair(Mul, [UNIT, UNIT], |a, b| a.mul(b)),
        pair(Div, [UNIT, POLE], |a, b| a.div(b)),
        pair(Pow, [POSITIVE, UNIT], |a, b| a.pow(b)),
        pair(Maximum, APART, |a, b| a.maximum(b)),
        pair(Minimum, APART, |a, b| a.minimum(b)),
        choice(),
    ]
}

/// The row of a pointwise op of two operands, and with one tensor for both.
fn pair<B: Binary>(op: B, domains: [Domain; 2], f: fn(&Tensor, &Tensor) -> Tensor) -> Op {
    let row = Op { rounding: Rounding::Ulps(4), ..Op::new(B::NAME) };
    let row = each(row, &PAIRS, domains, move |x| f(&x[0], &x[1]));
    let row =
        if domains == APART { row } else { row.at("with itself", &[(&[3, 4], POSITIVE)], move |x| f(&x[0], &x[0])) };
    Op { exact: Some(exact(op, domains)), ..row }
}

fn exact<B: Binary>(op: B, [a, b]: [Domain; 2]) -> Exact {
    Box::new(move || {
        let draw = |domain: Domain, seed| domain.sample([300].into(), seed).to_vec::<f64>();
        let points: Vec<[f64; 2]> = draw(a, 7).into_iter().zip(draw(b, 8)).map(|(a, b)| [a, b]).collect();
        pointwise::binary(op, &points)
    })
}

fn choice() -> Op {
    let row = Op { rounding: Rounding::Exact, ..Op::new("where") };
    let domains = [Domain::Mask, UNIT, UNIT];
    let shapes: [[&[usize]; 3]; 6] = [
        [&[3, 4], &[3, 4], &[3, 4]],
        [&[4], &[3, 4], &[3, 4]],
        [&[3, 4], &[4], &[3, 1]],
        [&[3, 1], &[], &[4]],
        [&[2, 3, 4], &[3, 1], &[4]],
        [&[0, 4], &[4], &[0, 1]],
    ];
    each(row, &shapes, domains, |x| x[0].where_(&x[1], &x[2]))
}
