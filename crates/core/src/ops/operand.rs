//! [`Operand`]: the second operand of an op that takes a tensor or a number.

use crate::Tensor;
use cotangent_base::{Shape, ShapeError};

/// A tensor or a number: what `x.gt(..)`, `x.maximum(..)` and their like accept.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    /// A tensor, broadcast.
    Tensor(&'a Tensor),
    /// A number, taken in the other operand's dtype.
    Number(f64),
}

impl<'a> From<&'a Tensor> for Operand<'a> {
    fn from(x: &'a Tensor) -> Self {
        Operand::Tensor(x)
    }
}

impl From<f64> for Operand<'_> {
    fn from(x: f64) -> Self {
        Operand::Number(x)
    }
}

impl Operand<'_> {
    /// The operand as a tensor, a number in the dtype of `other`.
    ///
    /// # Panics
    /// If a number is not one of an integer dtype's.
    #[track_caller]
    pub(crate) fn tensor(self, op: &'static str, other: &Tensor) -> Tensor {
        match self {
            Operand::Tensor(x) => x.clone(),
            Operand::Number(c) => number(op, c, other),
        }
    }
}

/// The scalar tensor `c`, to broadcast with `other`.
///
/// # Panics
/// If the dtype is no float and does not hold `c`.
#[track_caller]
pub(crate) fn number(op: &'static str, c: f64, other: &Tensor) -> Tensor {
    let (y, dtype) = (other.new_full(Shape::SCALAR, c), other.dtype());
    if !dtype.is_float() && y.item() != c {
        ShapeError::new(op, format!("{c} is not a number of dtype {dtype}; cast the tensor first")).panic();
    }
    y
}
