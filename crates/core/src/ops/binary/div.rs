//! a / b: `da = dy/b`, `db = −dy·a/b²`. Shapes: broadcast. Saves `a`, `b`.

use crate::{Tensor, binary};
use cotangent_base::{Binary, IntegerOp, Lane};

/// `a / b`.
#[derive(Clone, Copy, Debug)]
pub struct Div;

impl Binary for Div {
    const NAME: &'static str = "div";
    /// Truncates towards 0, as Rust does; x / 0 is 0.
    const INTEGERS: Option<IntegerOp> = Some(IntegerOp::Div);
    #[inline(always)]
    fn forward<L: Lane>(self, a: L, b: L) -> L {
        a / b
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, a: L, b: L, dy: L) -> [L; 2] {
        let da = dy / b;
        [da, -da * (a / b)]
    }
}

impl Tensor {
    /// The quotient `a / b` element by element, also written with the operator.
    #[track_caller]
    pub fn div(&self, other: &Tensor) -> Tensor {
        binary(Div, self, other)
    }
}
