//! [`Precision`]: how much of what is found is right.

use super::outputs::{check, check_threshold, decided, decision_options};
use super::{Metric, Sums};
use cotangent_core::{Result, Spec, Tensor};

/// `tp / (tp + fp)`: how many of the outputs above the threshold should be; 0 if there are none.
///
/// As in Keras all outputs of all samples count alike; [`class`](Precision::class) chooses one. Shapes: targets of 0
/// and 1 in the predictions' shape, or class numbers `[N]` for predictions `[N, C]`.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{Metric, Precision};
/// let (y_true, y_pred) = (Tensor::from([0.0_f32, 1.0, 1.0, 1.0]), Tensor::from([0.9_f32, 0.4, 0.8, 0.7]));
/// assert_eq!(Precision::default().of(&y_true, &y_pred).item(), 2.0 / 3.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Precision {
    threshold: f64,
    class: Option<usize>,
}

decision_options!(Precision);

impl Metric for Precision {
    fn name(&self) -> &str {
        "precision"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check_threshold("precision", self.threshold)?;
        check("precision", y_true, y_pred, self.class)
    }

    /// `[N, 2]`: tp, tp + fp.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let [t, p] = decided(y_true, y_pred, self.threshold, self.class);
        Tensor::stack(&[&(t * &p).sum(1), &p.sum(1)], 1)
    }

    fn value(&self, sums: &Sums) -> Tensor {
        Tensor::scalar(sums.ratio(0, 1))
    }
}
