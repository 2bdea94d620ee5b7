//! Metrics: [`Metric`], and how often the predicted class is right.

mod accuracy;
mod binary_accuracy;
mod categorical_accuracy;
mod sparse_categorical_accuracy;

pub use accuracy::Accuracy;
pub use binary_accuracy::BinaryAccuracy;
pub use categorical_accuracy::CategoricalAccuracy;
pub use sparse_categorical_accuracy::SparseCategoricalAccuracy;

use crate::Activation;
use cotangent_core::{Result, Spec, Tensor};

/// A number for each sample, from its target and the model's prediction; reported as the mean over all samples of an
/// epoch, whatever the sizes of its batches. Every [`Loss`](crate::Loss) is one.
///
/// A metric of one's own:
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::Metric;
///
/// /// How far off the first output is.
/// struct FirstError;
/// impl Metric for FirstError {
///     fn name(&self) -> &'static str {
///         "first_error"
///     }
///     fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
///         (y_true.select(1, 0) - y_pred.select(1, 0)).abs()
///     }
/// }
/// let (y_true, y_pred) = (Tensor::from([[1.0_f32, 7.0]]), Tensor::from([[3.0_f32, 0.0]]));
/// assert_eq!(FirstError.per_sample(&y_true, &y_pred).item(), 2.0);
/// ```
pub trait Metric: Send + Sync {
    /// Its name in logs and histories; Keras's, where Keras has it.
    fn name(&self) -> &'static str;

    /// Whether these targets, shapes and values, suit predictions of this shape; asked once before training.
    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        let _ = (y_true, y_pred);
        Ok(())
    }

    /// The number for each sample: targets and predictions with N samples → `[N]`, in the predictions' dtype.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor;

    /// The same from what the model computes before its last `activation`; `None` if there is no better way than to
    /// apply it. The ways there are (cross-entropy behind softmax or sigmoid) are exact where the activation
    /// saturates, and cheaper.
    #[allow(clippy::wrong_self_convention)] // Keras's word for it
    fn from_logits(&self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
        let _ = (y_true, logits, activation);
        None
    }
}

/// A metric that is chosen at run time; `Box<dyn Metric>` makes a list of different ones.
impl<M: Metric + ?Sized> Metric for Box<M> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        (**self).check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        (**self).per_sample(y_true, y_pred)
    }

    fn from_logits(&self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
        (**self).from_logits(y_true, logits, activation)
    }
}

/// 1 where the classes agree, else 0, in the predictions' dtype.
fn agreement(classes: &Tensor, y_pred: &Tensor) -> Tensor {
    classes.eq(&y_pred.detach().argmax(-1)).cast(y_pred.dtype())
}
