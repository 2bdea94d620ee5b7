//! The samples that `fit` and `evaluate` are given: checked once, handed out by batch.

use crate::Model;
use cotangent_core::{DType, Error, Result, Spec, Tensor};

/// Inputs and targets, one sample for each index of their first axis.
#[derive(Clone)]
pub(crate) struct Samples {
    pub x: Tensor,
    pub y: Tensor,
    pub count: usize,
}

impl Samples {
    /// Checks `x` and `y` against the model and its loss.
    pub fn new(place: &'static str, model: &Model, x: &Tensor, y: &Tensor) -> Result<Self> {
        let count = check_input(place, model, x)?;
        let targets = y.shape().first().copied();
        if targets != Some(count) {
            let message = format!("x {} has {count} samples, y {} has {}", x.shape(), y.shape(), targets.unwrap_or(0));
            return Err(Error::new(place, message).hint("the first axes of x and y must be equal"));
        }
        let mut output = vec![count];
        output.extend_from_slice(&model.output_shape());
        let loss = &model.compiled(place)?.loss;
        loss.check(y, Spec::new(output, DType::F32))
            .map_err(|e| Error::new(place, "y does not suit the model").because(e))?;
        Ok(Self { x: x.detach(), y: y.detach(), count })
    }

    /// The samples `index`, in that order.
    pub fn select(&self, index: &[usize]) -> (Tensor, Tensor) {
        let index = Tensor::from_vec(index.iter().map(|&i| i as i64).collect());
        (self.x.index_select(0, &index), self.y.index_select(0, &index))
    }

    /// The samples from `start` on, `len` of them.
    pub fn range(&self, start: usize, len: usize) -> (Tensor, Tensor) {
        (self.x.narrow(0, start, len), self.y.narrow(0, start, len))
    }
}

/// The number of samples in `x`, if each has the shape of the model's input.
pub(crate) fn check_input(place: &'static str, model: &Model, x: &Tensor) -> Result<usize> {
    let shape = x.shape();
    let wanted = model.input_shape();
    if shape.rank() == wanted.rank() + 1 && shape[1..] == *wanted {
        return Ok(shape[0]);
    }
    let mut batch = vec!["N".to_owned()];
    batch.extend(wanted.iter().map(usize::to_string));
    let message = format!("x has shape {shape}, the model wants [{}]", batch.join(", "));
    let fits = !shape.is_empty() && shape[1..].iter().product::<usize>() == wanted.count();
    let hint = if fits {
        format!("the sizes fit: reshape it with `x.reshape([{}, {}])`", shape[0], batch[1..].join(", "))
    } else {
        "each sample must have the shape given to `Sequential::new`".to_owned()
    };
    Err(Error::new(place, message).hint(hint))
}

/// The first NaN of a batch, as (row, element within the row).
pub(crate) fn first_nan(x: &Tensor) -> Option<(usize, usize)> {
    let values = x.cast(DType::F64).to_vec::<f64>();
    let at = values.iter().position(|v| v.is_nan())?;
    let row = x.count() / x.shape()[0];
    Some((at / row, at % row))
}
