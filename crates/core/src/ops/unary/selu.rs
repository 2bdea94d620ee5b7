//! Scaled exponential linear unit: `y = λx` above 0, else `λα(eˣ − 1)`; `dx = λ·dy` above 0, else `λα·eˣ·dy`.
//! Shape: any → same. Saves `x`.
//!
//! Klambauer, Unterthiner, Mayr, Hochreiter: *Self-Normalizing Neural Networks*, NeurIPS 2017.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// λ and α of the paper (its equation 14).
const SCALE: f64 = 1.0507009873554805;
const ALPHA: f64 = 1.6732632423543772;

/// `λx` above 0, else `λα(eˣ − 1)`; the derivative at 0 is λα.
#[derive(Clone, Copy, Debug)]
pub struct Selu;

impl Unary for Selu {
    const NAME: &'static str = "selu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        L::splat(SCALE) * L::select(x.gt(L::zero()), x, L::splat(ALPHA) * x.exp_m1())
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        L::splat(SCALE) * L::select(x.gt(L::zero()), dy, L::splat(ALPHA) * x.exp() * dy)
    }
}

impl Tensor {
    /// Scaled exponential linear unit: `λx` above 0, else `λα(eˣ − 1)`, with λ = 1.0507… and α = 1.6733…, for which mean 0
    /// and variance 1 are a fixed point.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32]).selu().item() as f32, 1.050701);
    /// ```
    #[track_caller]
    pub fn selu(&self) -> Tensor {
        unary(Selu, self)
    }
}
