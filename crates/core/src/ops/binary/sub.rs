//! a − b: `da = dy`, `db = −dy`, each summed to its operand's shape. Shapes: broadcast. Saves nothing.

use crate::autograd::{Op, Saved, apply};
use crate::ops::pointwise::{arithmetic, compute};
use crate::{Spec, Tensor};
use cotangent_base::{Binary, IntegerOp, Lane, Saves, Shape, ShapeError};

/// `a − b`.
#[derive(Clone, Copy, Debug)]
pub struct Sub;

impl Binary for Sub {
    const NAME: &'static str = "sub";
    const INTEGERS: Option<IntegerOp> = Some(IntegerOp::Sub);
    #[inline(always)]
    fn forward<L: Lane>(self, a: L, b: L) -> L {
        a - b
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, _: L, _: L, dy: L) -> [L; 2] {
        [dy, -dy]
    }
}

/// Without a pass over memory for the cotangents: dy itself moves on.
impl Op<2> for Sub {
    const NAME: &'static str = "sub";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// The operands' shapes.
    type Aux = [Shape; 2];

    fn infer(&self, [a, b]: [Spec; 2]) -> Result<Spec, ShapeError> {
        arithmetic(self, a, b)
    }

    fn forward(&self, [a, b]: [&Tensor; 2], y: Spec) -> (Tensor, [Shape; 2]) {
        (compute(self, a, b, y), [a.shape(), b.shape()])
    }

    fn vjp(&self, saved: Saved<2, [Shape; 2]>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [a, b] = *saved.aux;
        [need[0].then(|| dy.sum_to(a)), need[1].then(|| -dy.sum_to(b))]
    }
}

impl Tensor {
    /// The difference `a − b`, also written with the operator.
    #[track_caller]
    pub fn sub(&self, other: &Tensor) -> Tensor {
        apply(Sub, [self, other])
    }
}
