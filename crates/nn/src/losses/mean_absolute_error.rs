//! [`MeanAbsoluteError`]: the mean of |p − t|.

use super::{Loss, as_predicted, check, mean_of_each};
use crate::Metric;
use cotangent_core::{Result, Spec, Tensor};

/// `|p − t|`, the mean over the outputs of each sample. Shapes: any, equal; targets `[N]` go with predictions
/// `[N, 1]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanAbsoluteError;

const NAME: &str = "mean_absolute_error";

impl Metric for MeanAbsoluteError {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check::same_shape(NAME, y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        mean_of_each(&(y_pred - as_predicted(y_true, y_pred)).abs())
    }
}

impl Loss for MeanAbsoluteError {}
