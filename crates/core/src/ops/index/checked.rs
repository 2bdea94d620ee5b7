//! [`Index`]: indices that are known to lie within an axis, so that no kernel needs to ask.

use crate::{Tensor, kernels};
use cotangent_base::{DType, Shape, ShapeError};

/// A tensor of i64, each within `0..size`.
#[derive(Clone, Debug)]
pub struct Index {
    tensor: Tensor,
    size: usize,
}

impl Index {
    /// `tensor` as indices within `0..size` for `op`. Where one is not, `describe` says so, given the value and its
    /// position.
    pub fn new(
        op: &'static str,
        tensor: &Tensor,
        size: usize,
        describe: impl Fn(i64, &[usize]) -> String,
    ) -> Result<Self, ShapeError> {
        if tensor.dtype() != DType::I64 {
            let message = format!("indices are i64, got {} {}; cast them", tensor.dtype(), tensor.shape());
            return Err(ShapeError::new(op, message));
        }
        if let Some(within) = kernels::recorded_index(tensor, size) {
            return Ok(Self { tensor: within, size });
        }
        let values = kernels::download::<i64>(tensor);
        match values.iter().position(|&i| i < 0 || i as usize >= size) {
            None => Ok(Self { tensor: tensor.detach(), size }),
            Some(place) => {
                let message = describe(values[place], &position(place, tensor.shape()));
                Err(ShapeError::new(op, message))
            }
        }
    }

    /// `tensor` as indices along `axis` of `shape`.
    pub fn along(op: &'static str, tensor: &Tensor, axis: usize, shape: Shape) -> Result<Self, ShapeError> {
        let size = shape[axis];
        let describe = |value: i64, at: &[usize]| match size {
            0 => format!("index {value} at {at:?}, but axis {axis} of {shape} has no elements"),
            _ => format!("index {value} at {at:?}, but axis {axis} of {shape} has 0 to {}", size - 1),
        };
        Self::new(op, tensor, size, describe)
    }

    /// The indices.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// The bound above.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether they are indices along `axis` of `shape`.
    pub fn fits(&self, op: &'static str, shape: Shape, axis: usize) -> Result<(), ShapeError> {
        if shape.get(axis) == Some(&self.size) {
            return Ok(());
        }
        Err(ShapeError::new(op, format!("indices within 0..{} for axis {axis} of {shape}", self.size)))
    }
}

/// The coordinates of the `place`-th element, row-major.
fn position(mut place: usize, shape: Shape) -> Vec<usize> {
    let mut at = vec![0; shape.rank()];
    for axis in (0..shape.rank()).rev() {
        at[axis] = place % shape[axis];
        place /= shape[axis];
    }
    at
}
