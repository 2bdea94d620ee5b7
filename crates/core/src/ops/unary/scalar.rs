//! A tensor and a number: `y = x + c`, `dx = dy`, and `y = c·x`, `dx = c·dy`. Shape: any → same. Save nothing.

use crate::{Tensor, unary};
use cotangent_base::{Lane, Saves, Unary};

/// x + c.
#[derive(Clone, Copy, Debug)]
pub struct AddScalar(pub f64);

impl Unary for AddScalar {
    const NAME: &'static str = "add_scalar";
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x + L::splat(self.0)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, _: L, dy: L) -> L {
        dy
    }
}

/// c·x.
#[derive(Clone, Copy, Debug)]
pub struct Scale(pub f64);

impl Unary for Scale {
    const NAME: &'static str = "scale";
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x * L::splat(self.0)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, _: L, dy: L) -> L {
        dy * L::splat(self.0)
    }
}

impl Tensor {
    /// `c·x`, also written `&x * c`.
    #[track_caller]
    pub fn scale(&self, c: f64) -> Tensor {
        unary(Scale(c), self)
    }

    /// `x + c`, also written `&x + c`.
    #[track_caller]
    pub fn add_scalar(&self, c: f64) -> Tensor {
        unary(AddScalar(c), self)
    }
}
