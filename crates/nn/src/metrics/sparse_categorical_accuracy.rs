//! [`SparseCategoricalAccuracy`]: accuracy for class numbers.

use super::{Metric, agreement};
use crate::SparseCategoricalCrossentropy;
use cotangent_core::{DType, Result, Spec, Tensor};

/// 1 if the greatest prediction is the label's, else 0: integer labels `[N]` or `[N, 1]`, predictions `[N, C]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseCategoricalAccuracy;

impl Metric for SparseCategoricalAccuracy {
    fn name(&self) -> &str {
        "sparse_categorical_accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        SparseCategoricalCrossentropy.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        agreement(&y_true.cast(DType::I64).reshape([y_pred.shape()[0]]), y_pred)
    }
}
