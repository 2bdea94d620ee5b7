//! [`MeanSquaredError`]: the mean of (p − t)².

use super::{Loss, as_predicted, check, mean_of_each};
use crate::Metric;
use cotangent_core::{Result, Spec, Tensor};

/// `(p − t)²`, the mean over the outputs of each sample. Shapes: any, equal; targets `[N]` go with predictions
/// `[N, 1]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError;

const NAME: &str = "mean_squared_error";

impl Metric for MeanSquaredError {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check::same_shape(NAME, y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        mean_of_each(&(y_pred - as_predicted(y_true, y_pred)).square())
    }
}

impl Loss for MeanSquaredError {}
