//! Sigmoid linear unit (swish): `y = x·σ(x)`, `dx = dy · σ(1 + x(1 − σ))`. Shape: any → same. Saves `x`.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// x·σ(x), σ being the logistic function.
#[derive(Clone, Copy, Debug)]
pub struct Silu;

impl Unary for Silu {
    const NAME: &'static str = "silu";
    const SAVES: Saves = Saves::Inputs;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x * x.sigmoid()
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        let s = x.sigmoid();
        dy * s * (L::one() + x * (L::one() - s))
    }
}

impl Tensor {
    /// Sigmoid linear unit (swish): `x / (1 + e⁻ˣ)`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, 100.0]).silu().to_vec::<f32>(), [0.0, 100.0]);
    /// ```
    #[track_caller]
    pub fn silu(&self) -> Tensor {
        unary(Silu, self)
    }
}
