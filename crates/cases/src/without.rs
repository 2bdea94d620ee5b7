//! Ops without a derivative: a gradient that is asked for through one of them must be refused, not left out.

use crate::{NONZERO, Op, Rounding};
use cotangent_core::{DType, Tensor};
use cotangent_gradcheck::sample::Domain;

/// The row of an op that is constant but for jumps, or gives no float.
fn without(name: &'static str, f: fn(&Tensor) -> Tensor) -> Op {
    let row = Op::new(name).without_derivative().rounding(Rounding::Exact);
    row.at("matrix", &[(&[3, 4], NONZERO)], move |x| f(&x[0]).cast(DType::F64))
}

/// The row of an op on bools, which no gradient can reach.
fn of_bools(name: &'static str, f: fn(&Tensor, &Tensor) -> Tensor) -> Op {
    let row = Op::new(name).without_derivative().rounding(Rounding::Exact);
    row.at("matrices", &[(&[3, 4], Domain::Mask), (&[3, 4], Domain::Mask)], move |x| f(&x[0], &x[1]))
}

pub fn ops() -> Vec<Op> {
    vec![
        without("floor", |x| x.floor()),
        without("ceil", |x| x.ceil()),
        without("round", |x| x.round()),
        without("sign", |x| x.sign()),
        without("argmax", |x| x.argmax(-1)),
        without("argmax_keepdim", |x| x.argmax_keepdim(0)),
        without("argmin", |x| x.argmin(0)),
        without("argmin_keepdim", |x| x.argmin_keepdim(-1)),
        without("is_nan", |x| x.is_nan()),
        without("is_finite", |x| x.is_finite()),
        without("eq", |x| x.eq(0.5)),
        without("ne", |x| x.ne(0.5)),
        without("lt", |x| x.lt(0.5)),
        without("le", |x| x.le(0.5)),
        without("gt", |x| x.gt(0.5)),
        without("ge", |x| x.ge(0.5)),
        without("cast to integers", |x| x.cast(DType::I64)),
        Op::new("one_hot").without_derivative().rounding(Rounding::Exact).at(
            "labels",
            &[(&[5], Domain::Index(4))],
            |x| x[0].one_hot(4, DType::F64),
        ),
        of_bools("and", |a, b| a.and(b)),
        of_bools("or", |a, b| a.or(b)),
        of_bools("not", |a, _| a.not()),
        of_bools("all", |a, _| a.all(1)),
        of_bools("any", |a, _| a.any(0)),
    ]
}
