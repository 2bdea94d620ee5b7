//! [`BinaryCrossentropy`]: −t · ln p − (1 − t) · ln(1 − p).

use super::{CrossEntropy, Loss, as_predicted, check, clip, mean_of_each};
use crate::{Activation, Metric};
use cotangent_core::{Result, Spec, Tensor};

/// `−t · ln p − (1 − t) · ln(1 − p)`, the mean over the outputs of each sample. Shapes: any, equal; targets `[N]` go
/// with predictions `[N, 1]`.
///
/// Behind sigmoid it is computed from the logits z as `softplus(z) − t·z`. Else as in Keras 3, p clipped to
/// 1e-7 .. 1 − 1e-7.
#[derive(Clone, Copy, Debug, Default)]
pub struct BinaryCrossentropy;

const NAME: &str = "binary_crossentropy";

impl Metric for BinaryCrossentropy {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check::same_shape(NAME, y_true, y_pred)?;
        check::probabilities(NAME, y_true)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (t, p) = (as_predicted(y_true, y_pred), clip(y_pred));
        mean_of_each(&-(&t * p.ln() + (1.0 - &t) * (1.0 - &p).ln()))
    }

    fn from_logits(&self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
        (activation == Activation::Sigmoid).then(|| self.of_logits(y_true, logits))
    }
}

impl Loss for BinaryCrossentropy {}

impl CrossEntropy for BinaryCrossentropy {
    fn of_logits(&self, y_true: &Tensor, logits: &Tensor) -> Tensor {
        mean_of_each(&(logits.softplus() - as_predicted(y_true, logits) * logits))
    }
}
