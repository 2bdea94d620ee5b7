//! [`CategoricalAccuracy`]: accuracy for one-hot targets.

use super::{Metric, agreement};
use crate::CategoricalCrossentropy;
use cotangent_core::{Result, Spec, Tensor};

/// 1 if the greatest prediction is in the place of the greatest target, else 0: one-hot targets `[N, C]`,
/// predictions `[N, C]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CategoricalAccuracy;

impl Metric for CategoricalAccuracy {
    fn name(&self) -> &str {
        "categorical_accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        CategoricalCrossentropy.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        agreement(&y_true.cast(y_pred.dtype()).argmax(-1), y_pred)
    }
}
