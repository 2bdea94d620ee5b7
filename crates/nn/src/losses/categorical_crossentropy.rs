//! [`CategoricalCrossentropy`]: −Σ t · ln p over the classes.

use super::{CrossEntropy, Loss, as_predicted, check, clip};
use crate::{Activation, Metric};
use cotangent_core::{Error, Result, Spec, Tensor};

/// `−Σ t · ln p` over the classes, for one-hot targets t `[N, C]` and probabilities p `[N, C]`.
///
/// Behind softmax it is computed from the logits. Else as in Keras: `p / Σ p`, clipped to 1e-7 .. 1 − 1e-7; see
/// [`Clipped`](super::Clipped). For targets that are class numbers there is
/// [`SparseCategoricalCrossentropy`](super::SparseCategoricalCrossentropy).
#[derive(Clone, Copy, Debug, Default)]
pub struct CategoricalCrossentropy;

const NAME: &str = "categorical_crossentropy";

impl Metric for CategoricalCrossentropy {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check::class_predictions(NAME, y_pred)?;
        if y_true.shape() == y_pred.shape {
            return check::probabilities(NAME, y_true);
        }
        let message = format!("targets {}, predictions {}", y_true.shape(), y_pred.shape);
        let numbers = y_true.rank() == 1 || (y_true.rank() == 2 && y_true.shape()[1] == 1);
        let hint = match numbers {
            true => "these look like class numbers: use `SparseCategoricalCrossentropy`, or make the targets one-hot",
            false => "the last layer wants as many units as the one-hot targets have columns",
        };
        Err(Error::new(NAME, message).hint(hint))
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let p = clip(&(y_pred / y_pred.sum_keepdim(-1)));
        -(as_predicted(y_true, y_pred) * p.ln()).sum(-1)
    }

    fn from_logits(&self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
        (activation == Activation::Softmax).then(|| self.of_logits(y_true, logits))
    }
}

impl Loss for CategoricalCrossentropy {}

impl CrossEntropy for CategoricalCrossentropy {
    fn of_logits(&self, y_true: &Tensor, logits: &Tensor) -> Tensor {
        logits.softmax_cross_entropy_one_hot(&as_predicted(y_true, logits))
    }
}
