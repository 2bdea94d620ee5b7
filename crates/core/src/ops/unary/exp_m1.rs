//! `y = eˣ − 1`, exact near 0; `dx = dy · eˣ`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// eˣ − 1.
#[derive(Clone, Copy, Debug)]
pub struct ExpM1;

impl Unary for ExpM1 {
    const NAME: &'static str = "exp_m1";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x.exp_m1()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * x.exp()
    }
}

impl Tensor {
    /// eˣ − 1 of every element, exact near 0.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1e-9_f32, -100.0]).exp_m1().to_vec::<f32>(), [1e-9, -1.0]);
    /// ```
    #[track_caller]
    pub fn exp_m1(&self) -> Tensor {
        unary(ExpM1, self)
    }
}
