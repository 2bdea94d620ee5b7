//! aᵇ: `da = dy · b·aᵇ⁻¹` (0 where b is 0), `db = dy · aᵇ ln a` (0 where a is 0). Shapes: broadcast.
//! Saves `a`, `b`.

use crate::{Tensor, binary};
use cotangent_base::{Binary, Lane};

/// `a` to the power `b`.
#[derive(Clone, Copy, Debug)]
pub struct Pow;

impl Binary for Pow {
    const NAME: &'static str = "pow";
    #[inline(always)]
    fn forward<L: Lane>(self, a: L, b: L) -> L {
        a.powf(b)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, a: L, b: L, dy: L) -> [L; 2] {
        let da = dy * b * a.powf(b - L::one());
        let db = dy * a.powf(b) * a.ln();
        [L::select(b.eq(L::zero()), L::zero(), da), L::select(a.eq(L::zero()), L::zero(), db)]
    }
}

impl Tensor {
    /// `a` to the power `b`, element by element, broadcast; NaN for `a` below 0 unless `b` is a whole number.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let a = Tensor::from([2.0_f32, 9.0]);
    /// assert_eq!(a.pow(&Tensor::from([3.0_f32, 0.5])).to_vec::<f32>(), [8.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn pow(&self, other: &Tensor) -> Tensor {
        binary(Pow, self, other)
    }
}
