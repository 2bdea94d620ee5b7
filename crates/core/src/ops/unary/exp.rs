//! Exponential: `y = eˣ`, `dx = dy · y`. Shape: any → same. Saves `y`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// eˣ.
#[derive(Clone, Copy, Debug)]
pub struct Exp;

impl Unary for Exp {
    const NAME: &'static str = "exp";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.exp()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, y: L, dy: L) -> L {
        dy * y
    }
}

impl Tensor {
    /// The exponential eˣ of every element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, f32::NEG_INFINITY]).exp().to_vec::<f32>(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Tensor {
        unary(Exp, self)
    }
}
