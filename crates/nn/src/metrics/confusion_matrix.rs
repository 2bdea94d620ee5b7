//! [`ConfusionMatrix`]: what is taken for what.

use super::{Metric, Sums, outputs};
use cotangent_core::{DType, Result, Shape, Spec, Tensor};

/// How many samples of each class (the row) were taken for each class (the column): `[C, C]`, counts in f64.
///
/// The predicted class is the place of the greatest prediction `[N, C]`; for `[N, 1]` there are two, and 1 is what is
/// above 0.5. Targets as for [`Accuracy`](super::Accuracy). It is no single number, so it stands in the score of an
/// evaluation, not in the progress bar. A batch takes memory for N · C² numbers.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{ConfusionMatrix, Metric};
/// let y_pred = Tensor::from([[0.9_f32, 0.1], [0.8, 0.2], [0.3, 0.7]]);
/// let counts = ConfusionMatrix.of(&Tensor::from([0_i64, 1, 1]), &y_pred);
/// assert_eq!(counts.to_vec::<f64>(), [1.0, 0.0, 1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ConfusionMatrix;

impl Metric for ConfusionMatrix {
    fn name(&self) -> &str {
        "confusion_matrix"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        outputs::check("confusion_matrix", y_true, y_pred, None)
    }

    /// `[N, C²]`: 1 in the place of the pair.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let [t, p] = outputs::columns(y_true, y_pred);
        let outputs = p.shape()[1];
        if outputs > 1 {
            return (t.argmax(1) * outputs as f64 + p.argmax(1)).one_hot(outputs * outputs, DType::F32);
        }
        let half = p.new_full(Shape::SCALAR, 0.5);
        let [t, p] = [t, p].map(|x| x.gt(&half).cast(DType::I64).squeeze(1));
        (t * 2.0 + p).one_hot(4, DType::F32)
    }

    fn value(&self, sums: &Sums) -> Tensor {
        let classes = sums.columns.len().isqrt();
        Tensor::from_slice(&sums.columns, [classes, classes])
    }
}
