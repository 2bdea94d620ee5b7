//! max(a, b): `da = dy · [a > b]`, `db = dy · [b > a]`, half each where they are equal. Shapes: broadcast.
//! Saves `a`, `b`.

use crate::ops::Operand;
use crate::{Tensor, binary};
use cotangent_base::{Binary, IntegerOp, Lane};

/// The greater; NaN if either is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Maximum;

impl Binary for Maximum {
    const NAME: &'static str = "maximum";
    const INTEGERS: Option<IntegerOp> = Some(IntegerOp::Max);
    #[inline(always)]
    fn forward<L: Lane>(self, a: L, b: L) -> L {
        a.max(b)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, a: L, b: L, dy: L) -> [L; 2] {
        let tie = L::select(a.eq(b), dy * L::splat(0.5), L::zero());
        [L::select(a.gt(b), dy, tie), L::select(b.gt(a), dy, tie)]
    }
}

impl Tensor {
    /// The greater of both, element by element, broadcast; NaN if either is NaN. Where they are equal each gets
    /// half of the gradient.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, 3.0]).maximum(2.0).to_vec::<f32>(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn maximum<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        binary(Maximum, self, &other.into().tensor("maximum", self))
    }
}
