//! min(a, b): `da = dy · [a < b]`, `db = dy · [b < a]`, half each where they are equal. Shapes: broadcast.
//! Saves `a`, `b`.

use crate::ops::Operand;
use crate::{Tensor, binary};
use cotangent_base::{Binary, IntegerOp, Lane};

/// The smaller; NaN if either is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Minimum;

impl Binary for Minimum {
    const NAME: &'static str = "minimum";
    const INTEGERS: Option<IntegerOp> = Some(IntegerOp::Min);
    #[inline(always)]
    fn forward<L: Lane>(self, a: L, b: L) -> L {
        a.min(b)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, a: L, b: L, dy: L) -> [L; 2] {
        let tie = L::select(a.eq(b), dy * L::splat(0.5), L::zero());
        [L::select(a.lt(b), dy, tie), L::select(b.lt(a), dy, tie)]
    }
}

impl Tensor {
    /// The smaller of both, element by element, broadcast; NaN if either is NaN. Where they are equal each gets
    /// half of the gradient.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, 3.0]).minimum(2.0).to_vec::<f32>(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn minimum<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        binary(Minimum, self, &other.into().tensor("minimum", self))
    }
}
