//! What the cross-entropies share: [`CrossEntropy`], and the two ways to say where the logarithm is taken,
//! [`FromLogits`] and [`Clipped`].

use super::Loss;
use crate::Metric;
use cotangent_core::{Result, Spec, Tensor};

/// A loss on probabilities that is better computed from the numbers before softmax or sigmoid.
///
/// Behind a model that ends in that activation it always is, as in tf.keras and Keras 3.
pub trait CrossEntropy: Loss {
    /// The loss of each sample, `[N]`, if the predictions are the activation of `logits`.
    fn of_logits(&self, y_true: &Tensor, logits: &Tensor) -> Tensor;
}

/// For a model that ends in logits, without softmax or sigmoid: Keras's `from_logits=True`.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{FromLogits, Metric, SparseCategoricalCrossentropy};
/// let logits = Tensor::from([[1000.0_f32, 0.0]]);
/// let loss = FromLogits(SparseCategoricalCrossentropy).per_sample(&Tensor::from([1_i64]), &logits);
/// assert_eq!(loss.item(), 1000.0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FromLogits<L>(pub L);

impl<L: CrossEntropy> Metric for FromLogits<L> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        self.0.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        self.0.of_logits(y_true, y_pred)
    }
}

impl<L: CrossEntropy> Loss for FromLogits<L> {}

/// Computed from the probabilities even where the logits are at hand, as standalone Keras (up to 2.3) did: they are
/// clipped to 1e-7 .. 1 − 1e-7, so the loss of a sample is at most 16.118 and its gradient 0 where it was clipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clipped<L>(pub L);

impl<L: CrossEntropy> Metric for Clipped<L> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        self.0.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        self.0.per_sample(y_true, y_pred)
    }
}

impl<L: CrossEntropy> Loss for Clipped<L> {}
