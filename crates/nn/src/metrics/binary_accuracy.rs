//! [`BinaryAccuracy`]: accuracy for outputs that are yes or no.

use super::Metric;
use crate::BinaryCrossentropy;
use crate::losses::mean_of_each;
use cotangent_core::{Result, Shape, Spec, Tensor};

/// The part of each sample's outputs that are on the target's side of 0.5. Shapes: any, equal; targets `[N]` go with
/// predictions `[N, 1]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BinaryAccuracy;

impl Metric for BinaryAccuracy {
    fn name(&self) -> &'static str {
        "binary_accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        BinaryCrossentropy.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (y_true, half) =
            (y_true.cast(y_pred.dtype()).reshape(y_pred.shape()), Tensor::full(Shape::SCALAR, 0.5, y_pred.dtype()));
        let predicted = y_pred.detach().gt(&half).cast(y_pred.dtype());
        mean_of_each(&predicted.eq(&y_true).cast(y_pred.dtype()))
    }
}
