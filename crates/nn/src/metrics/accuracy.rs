//! [`Accuracy`]: the accuracy that suits the targets.

use super::{BinaryAccuracy, CategoricalAccuracy, Metric, SparseCategoricalAccuracy};
use cotangent_core::{Result, Shape, Spec, Tensor};

/// How often the prediction is right: Keras's `"accuracy"`, which chooses by the shapes.
///
/// | targets | predictions | is |
/// |---|---|---|
/// | `[N]`, `[N, 1]` | `[N, 1]` | [`BinaryAccuracy`] |
/// | `[N]`, `[N, 1]` | `[N, C]` | [`SparseCategoricalAccuracy`] |
/// | `[N, C]` | `[N, C]` | [`CategoricalAccuracy`] |
///
/// For several yes-or-no outputs say [`BinaryAccuracy`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Accuracy;

impl Accuracy {
    fn choose(y_true: Shape, y_pred: Shape) -> &'static dyn Metric {
        if y_pred.last().is_none_or(|&outputs| outputs == 1) {
            &BinaryAccuracy::HALF
        } else if y_true.rank() < y_pred.rank() || y_true.last() == Some(&1) {
            &SparseCategoricalAccuracy
        } else {
            &CategoricalAccuracy
        }
    }
}

impl Metric for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        Self::choose(y_true.shape(), y_pred.shape).check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        Self::choose(y_true.shape(), y_pred.shape()).per_sample(y_true, y_pred)
    }
}
