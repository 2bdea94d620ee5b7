//! [`RootMeanSquaredError`]: √ of the mean squared error.

use super::{Metric, Sums};
use crate::MeanSquaredError;
use cotangent_core::{Result, Spec, Tensor};

/// `√(mean of (p − t)²)` over all outputs of all samples, in the targets' own unit. Shapes: any, equal; targets `[N]` go
/// with predictions `[N, 1]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RootMeanSquaredError;

impl Metric for RootMeanSquaredError {
    fn name(&self) -> &str {
        "root_mean_squared_error"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        MeanSquaredError.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        MeanSquaredError.per_sample(y_true, y_pred)
    }

    fn value(&self, sums: &Sums) -> Tensor {
        Tensor::scalar(sums.mean().sqrt())
    }
}
