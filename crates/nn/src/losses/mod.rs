//! Losses: [`Loss`], and the functions to minimise, one file each.

mod binary_crossentropy;
mod categorical_crossentropy;
mod check;
mod cross_entropy;
mod huber;
mod mean_absolute_error;
mod mean_squared_error;
mod sparse_categorical_crossentropy;

pub use binary_crossentropy::BinaryCrossentropy;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub use cross_entropy::{Clipped, CrossEntropy, FromLogits};
pub use huber::Huber;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;

use crate::Metric;
use cotangent_core::Tensor;

/// A [`Metric`] that can be minimised: differentiable with respect to the predictions. The model minimises its mean
/// over the batch.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{Loss, MeanSquaredError, Metric};
/// let y_pred = Tensor::from([[1.0_f32, 2.0], [3.0, 5.0]]).tracked();
/// let losses = MeanSquaredError.per_sample(&Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]), &y_pred);
/// assert_eq!(losses.to_vec::<f32>(), [0.0, 0.5]);
/// ```
pub trait Loss: Metric {}

/// A loss that is chosen at run time.
impl<L: Loss + ?Sized> Loss for Box<L> {}

/// Keras's `K.epsilon()`: probabilities are kept this far from 0 and 1 before their logarithm is taken.
const EPSILON: f64 = 1e-7;

fn clip(p: &Tensor) -> Tensor {
    p.clamp(EPSILON, 1.0 - EPSILON)
}

/// The targets in the shape and dtype of the predictions.
#[track_caller]
fn as_predicted(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    y_true.cast(y_pred.dtype()).reshape(y_pred.shape())
}

/// The mean of each sample over all axes but the first, `[N]`.
pub(crate) fn mean_of_each(x: &Tensor) -> Tensor {
    match x.rank() {
        1 => x.clone(),
        _ => x.flatten(1).mean(1),
    }
}
