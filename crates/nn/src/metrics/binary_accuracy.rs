//! [`BinaryAccuracy`]: accuracy for outputs that are yes or no.

use super::Metric;
use crate::BinaryCrossentropy;
use crate::losses::mean_of_each;
use cotangent_core::{Result, Shape, Spec, Tensor};

/// The part of each sample's outputs that are on the target's side of the threshold. Shapes: any, equal; targets `[N]` go
/// with predictions `[N, 1]`.
#[derive(Clone, Copy, Debug)]
pub struct BinaryAccuracy {
    /// Above which a prediction is a yes.
    pub threshold: f64,
}

impl BinaryAccuracy {
    /// Keras's: threshold 0.5.
    pub(super) const HALF: Self = Self { threshold: 0.5 };
}

/// Keras's: threshold 0.5.
impl Default for BinaryAccuracy {
    fn default() -> Self {
        Self::HALF
    }
}

impl Metric for BinaryAccuracy {
    fn name(&self) -> &str {
        "binary_accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        BinaryCrossentropy.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let y_true = y_true.cast(y_pred.dtype()).reshape(y_pred.shape());
        let threshold = y_pred.new_full(Shape::SCALAR, self.threshold);
        let predicted = y_pred.detach().gt(&threshold).cast(y_pred.dtype());
        mean_of_each(&predicted.eq(&y_true).cast(y_pred.dtype()))
    }
}
