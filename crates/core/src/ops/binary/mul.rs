//! a · b: `da = dy·b`, `db = dy·a`, each summed to its operand's shape. Shapes: broadcast. Saves `a`, `b`.

use crate::autograd::{Op, Saved, apply};
use crate::ops::pointwise::{arithmetic, compute};
use crate::{Spec, Tensor};
use cotangent_base::{Binary, IntegerOp, Lane, Saves, ShapeError};

/// `a · b`.
#[derive(Clone, Copy, Debug)]
pub struct Mul;

impl Binary for Mul {
    const NAME: &'static str = "mul";
    const INTEGERS: Option<IntegerOp> = Some(IntegerOp::Mul);
    #[inline(always)]
    fn forward<L: Lane>(self, a: L, b: L) -> L {
        a * b
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, a: L, b: L, dy: L) -> [L; 2] {
        [dy * b, dy * a]
    }
}

/// With products as ops, so that it can be differentiated any number of times.
impl Op<2> for Mul {
    const NAME: &'static str = "mul";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [a, b]: [Spec; 2]) -> Result<Spec, ShapeError> {
        arithmetic(self, a, b)
    }

    fn forward(&self, [a, b]: [&Tensor; 2], y: Spec) -> (Tensor, ()) {
        (compute(self, a, b, y), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [a, b] = saved.x();
        [need[0].then(|| dy.mul(b).sum_to(a.shape())), need[1].then(|| dy.mul(a).sum_to(b.shape()))]
    }
}

impl Tensor {
    /// The product `a · b` element by element, also written with the operator.
    #[track_caller]
    pub fn mul(&self, other: &Tensor) -> Tensor {
        apply(Mul, [self, other])
    }
}
