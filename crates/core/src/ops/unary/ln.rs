//! Natural logarithm: `y = ln x`, `dx = dy / x`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// The natural logarithm.
#[derive(Clone, Copy, Debug)]
pub struct Ln;

impl Unary for Ln {
    const NAME: &'static str = "ln";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.ln()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy / x
    }
}

impl Tensor {
    /// The natural logarithm of every element; −∞ at 0, NaN below.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, 0.0]).ln().to_vec::<f32>(), [0.0, f32::NEG_INFINITY]);
    /// ```
    #[track_caller]
    pub fn ln(&self) -> Tensor {
        unary(Ln, self)
    }
}
