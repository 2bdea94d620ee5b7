//! [`SparseCategoricalCrossentropy`]: −ln of the probability of the right class.

use super::{CrossEntropy, Loss, check, clip};
use crate::{Activation, Metric};
use cotangent_core::{DType, Error, Result, Spec, Tensor};

/// `−ln p[label]`, for integer labels `[N]` or `[N, 1]` and probabilities p `[N, C]`.
///
/// Behind softmax it is computed from the logits. Else as in Keras: p clipped to 1e-7 .. 1 − 1e-7, and its logarithms
/// taken as logits; see [`Clipped`](super::Clipped).
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseCategoricalCrossentropy;

const NAME: &str = "sparse_categorical_crossentropy";

impl Metric for SparseCategoricalCrossentropy {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check::class_predictions(NAME, y_pred)?;
        let (shapes, classes) = (format!("targets {}, predictions {}", y_true.shape(), y_pred.shape), y_pred.shape[1]);
        if !matches!(*y_true.shape(), [_] | [_, 1]) {
            let hint = match y_true.shape() == y_pred.shape {
                true => "these look one-hot: use `CategoricalCrossentropy`",
                false => "the targets are class numbers, [N] or [N, 1]",
            };
            return Err(Error::new(NAME, shapes).hint(hint));
        }
        if y_true.dtype().is_float() || y_true.dtype() == DType::Bool {
            let message = format!("the targets are {}, not integers", y_true.dtype());
            return Err(Error::new(NAME, message).hint("cast the labels: `y.cast(DType::I64)`"));
        }
        let values = y_true.cast(DType::I64).to_vec::<i64>();
        match values.iter().position(|label| !(0..classes as i64).contains(label)) {
            None => Ok(()),
            Some(row) => {
                let message = format!("label {} in row {row}; there are {classes} classes, from 0 on", values[row]);
                Err(Error::new(NAME, message).hint("the last layer wants as many units as there are classes"))
            }
        }
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        self.of_logits(y_true, &clip(y_pred).ln())
    }

    fn from_logits(&self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
        (activation == Activation::Softmax).then(|| self.of_logits(y_true, logits))
    }
}

impl Loss for SparseCategoricalCrossentropy {}

impl CrossEntropy for SparseCategoricalCrossentropy {
    fn of_logits(&self, y_true: &Tensor, logits: &Tensor) -> Tensor {
        logits.softmax_cross_entropy(&y_true.cast(DType::I64).reshape([logits.shape()[0]]))
    }
}
