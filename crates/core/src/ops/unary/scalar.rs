//! A tensor and a number: `y = x + c`, `dx = dy`; `y = c·x`, `dx = c·dy`; `y = x/c`, `dx = dy/c`. Shape: any → same.
//! Save nothing.

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

/// x / c, exactly: not x · (1/c), which can differ in the last bit.
#[derive(Clone, Copy, Debug)]
pub struct DivScalar(pub f64);

impl Unary for DivScalar {
    const NAME: &'static str = "div_scalar";
    const SAVES: Saves = Saves::Nothing;
    #[inline(always)]
    fn forward<L: Lane>(self, x: L) -> L {
        x / L::splat(self.0)
    }
    #[inline(always)]
    fn vjp<L: Lane>(self, _: L, dy: L) -> L {
        dy / L::splat(self.0)
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

    /// `x / c`, also written `&x / c`.
    #[track_caller]
    pub fn div_scalar(&self, c: f64) -> Tensor {
        unary(DivScalar(c), self)
    }
}
