//! Metrics: [`Metric`], and the measures of a model, one file each.

mod accuracy;
mod auc;
mod binary_accuracy;
mod categorical_accuracy;
mod confusion_matrix;
mod f1_score;
mod outputs;
mod precision;
mod recall;
mod root_mean_squared_error;
mod sparse_categorical_accuracy;
mod sums;
mod top_k;
mod wrappers;

pub use accuracy::Accuracy;
pub use auc::{Auc, Curve};
pub use binary_accuracy::BinaryAccuracy;
pub use categorical_accuracy::CategoricalAccuracy;
pub use confusion_matrix::ConfusionMatrix;
pub use f1_score::{Averaging, F1Score};
pub use precision::Precision;
pub use recall::Recall;
pub use root_mean_squared_error::RootMeanSquaredError;
pub use sparse_categorical_accuracy::SparseCategoricalAccuracy;
pub use sums::Sums;
pub use top_k::{SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy};
pub use wrappers::{NamedMetric, WeightedMetric};

use crate::Activation;
use cotangent_core::{Result, Spec, Tensor};

/// A measure of how good predictions are: a function of sums over all samples, whatever the sizes of the batches that
/// they came in. Every [`Loss`](crate::Loss) is one.
///
/// Most are the mean of a number for each sample. Such a metric of one's own says that number:
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::Metric;
///
/// /// How far off the first output is.
/// struct FirstError;
/// impl Metric for FirstError {
///     fn name(&self) -> &str {
///         "first_error"
///     }
///     fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
///         (y_true.select(1, 0) - y_pred.select(1, 0)).abs()
///     }
/// }
/// let (y_true, y_pred) = (Tensor::from([[1.0_f32, 7.0]]), Tensor::from([[3.0_f32, 0.0]]));
/// assert_eq!(FirstError.of(&y_true, &y_pred).item(), 2.0);
/// ```
///
/// Others need several sums, and say how their [`value`](Metric::value) follows from them:
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{Metric, Sums};
///
/// /// 1 − Σ (t − p)² / Σ t², for one output.
/// struct Explained;
/// impl Metric for Explained {
///     fn name(&self) -> &str {
///         "explained"
///     }
///     fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
///         Tensor::concat(&[&(y_true - y_pred).square(), &y_true.square()], 1) // [N, 2]
///     }
///     fn value(&self, sums: &Sums) -> Tensor {
///         Tensor::scalar(1.0 - sums.columns[0] / sums.columns[1])
///     }
/// }
/// let (y_true, y_pred) = (Tensor::from([[1.0_f32], [2.0]]), Tensor::from([[1.0_f32], [1.0]]));
/// assert_eq!(Explained.of(&y_true, &y_pred).item(), 0.8);
/// ```
pub trait Metric: Send + Sync {
    /// Its name in logs and histories; Keras's, where Keras has it.
    fn name(&self) -> &str;

    /// Whether these targets, shapes and values, suit predictions of this shape; asked once before training.
    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        let _ = (y_true, y_pred);
        Ok(())
    }

    /// What each of the N samples adds to the sums: `[N]`, a number whose mean the metric is, or `[N, S]`, S numbers.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor;

    /// The same from what the model computes before its last `activation`; `None` if there is no better way than to
    /// apply it. The ways there are (cross-entropy behind softmax or sigmoid) are exact where the activation
    /// saturates, and cheaper.
    #[allow(clippy::wrong_self_convention)] // Keras's word for it
    fn from_logits(&self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
        let _ = (y_true, logits, activation);
        None
    }

    /// The metric, from the sums over all samples so far. A scalar stands in the progress bar and the history; what
    /// has axes, such as the confusion matrix, is given by evaluations only.
    fn value(&self, sums: &Sums) -> Tensor {
        Tensor::scalar(sums.mean())
    }

    /// Whether the samples' weights count, which training may be given. As in Keras they count for the loss, but for a
    /// metric only if it is [`weighted`](Metric::weighted).
    fn is_weighted(&self) -> bool {
        false
    }

    /// The metric of one batch.
    fn of(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let mut sums = Sums::default();
        sums.add(&self.per_sample(y_true, y_pred), None);
        self.value(&sums)
    }

    /// This metric under another name, to have the same one twice: `Precision::default().class(3).named("threes")`.
    fn named(self, name: impl Into<String>) -> NamedMetric<Self>
    where
        Self: Sized,
    {
        NamedMetric { name: name.into(), metric: self }
    }

    /// This metric with the samples' weights: Keras's `weighted_metrics`.
    fn weighted(self) -> WeightedMetric<Self>
    where
        Self: Sized,
    {
        WeightedMetric(self)
    }
}

/// A metric that is chosen at run time; `Box<dyn Metric>` makes a list of different ones.
impl<M: Metric + ?Sized> Metric for Box<M> {
    fn name(&self) -> &str {
        (**self).name()
    }

    wrappers::forward!(self => (**self));

    fn is_weighted(&self) -> bool {
        (**self).is_weighted()
    }
}

/// 1 where the classes agree, else 0, in the predictions' dtype.
fn agreement(classes: &Tensor, y_pred: &Tensor) -> Tensor {
    classes.eq(&y_pred.detach().argmax(-1)).cast(y_pred.dtype())
}
