//! [`Concatenate`]: the inputs one after another.

use super::{batches, several};
use crate::{Build, Merge, Pass};
use cotangent_core::{Error, Result, Shape, Tensor};

/// The inputs one after another along an axis: `[N, a], [N, b] → [N, a + b]`. All other sizes must agree.
#[derive(Clone, Copy, Debug)]
pub struct Concatenate {
    axis: isize,
}

impl Default for Concatenate {
    fn default() -> Self {
        Self::new()
    }
}

impl Concatenate {
    /// Along the last axis.
    pub fn new() -> Self {
        Self { axis: -1 }
    }

    /// Along this axis, the batch axis being 0.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

impl Merge for Concatenate {
    fn kind(&self) -> &'static str {
        "Concatenate"
    }

    fn build(&mut self, inputs: &[Shape], _: &mut Build) -> Result<Shape> {
        several("Concatenate", inputs)?;
        let first = inputs[0];
        let rank = first.rank() as isize + 1;
        let axis = if self.axis < 0 { self.axis + rank } else { self.axis };
        if !(1..rank).contains(&axis) {
            let message = format!("axis {} of inputs {}", self.axis, batches(inputs));
            return Err(Error::new("Concatenate", message).hint("name an axis that they have; axis 0 is the batch"));
        }
        let axis = axis as usize - 1;
        let fits = |x: &Shape| x.rank() == first.rank() && x.with(axis, first[axis]) == first;
        if !inputs.iter().all(fits) {
            let message = format!("inputs {} differ in another axis than {}", batches(inputs), axis + 1);
            return Err(Error::new("Concatenate", message).hint("all sizes but those of the axis must agree"));
        }
        Ok(first.with(axis, inputs.iter().map(|x| x[axis]).sum()))
    }

    fn call(&self, x: &[&Tensor], _: &mut Pass) -> Tensor {
        Tensor::concat(x, self.axis)
    }
}
