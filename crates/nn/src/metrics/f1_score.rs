//! [`F1Score`]: the harmonic mean of precision and recall.

use super::outputs::{check, check_threshold, columns};
use super::{Metric, Sums};
use cotangent_core::{Error, Result, Shape, Spec, Tensor};

/// `2 · precision · recall / (precision + recall)`, of each class by itself, then joined to one number.
///
/// Without a threshold the greatest prediction of each sample is its only yes; with one, all above it are, which a
/// single output needs. Shapes: targets of 0 and 1 in the predictions' shape `[N, C]`, or class numbers `[N]`. As in
/// Keras each denominator has 1e-7 added.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{F1Score, Metric};
/// let (y_true, y_pred) = (Tensor::from([0_i64, 1, 1]), Tensor::from([[0.9_f32, 0.1], [0.8, 0.2], [0.3, 0.7]]));
/// assert!((F1Score::default().of(&y_true, &y_pred).item() - 2.0 / 3.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct F1Score {
    average: Averaging,
    threshold: Option<f64>,
}

/// How the scores of the classes become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Averaging {
    /// Their mean.
    #[default]
    Macro,
    /// The score of all classes' counts together.
    Micro,
    /// Their mean, each class weighted by how often it is right.
    Weighted,
    /// They stay apart, `[C]`: Keras's default. The score of an evaluation has them, the progress bar does not.
    PerClass,
}

impl F1Score {
    /// How the classes' scores become one.
    pub fn average(mut self, average: Averaging) -> Self {
        self.average = average;
        self
    }

    /// Above which a prediction is a yes, instead of the greatest one.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = Some(threshold);
        self
    }
}

impl Metric for F1Score {
    fn name(&self) -> &str {
        "f1_score"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        match self.threshold {
            Some(threshold) => check_threshold("f1_score", threshold)?,
            None if y_pred.shape.last() == Some(&1) => {
                return Err(Error::new("f1_score", format!("predictions {}: the greatest of one", y_pred.shape))
                    .hint("say from where on it is a yes: `F1Score::default().threshold(0.5)`"));
            }
            None => (),
        }
        check("f1_score", y_true, y_pred, None)
    }

    /// `[N, 3C]`: tp, tp + fp, tp + fn of each class.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let [t, p] = columns(y_true, y_pred);
        let number = |x| p.new_full(Shape::SCALAR, x);
        let yes = match self.threshold {
            Some(threshold) => p.gt(&number(threshold)),
            None => p.ge(&p.max_keepdim(1)).and(&p.abs().gt(&number(1e-9))),
        };
        let p = yes.cast(p.dtype());
        Tensor::concat(&[&(&t * &p), &p, &t], 1)
    }

    fn value(&self, sums: &Sums) -> Tensor {
        let classes = sums.columns.len() / 3;
        let of = |c: usize| [sums.columns[c], sums.columns[classes + c], sums.columns[2 * classes + c]];
        let scores: Vec<f64> = (0..classes).map(|c| score(of(c))).collect();
        match self.average {
            Averaging::PerClass => Tensor::from_vec(scores),
            Averaging::Macro => Tensor::scalar(scores.iter().sum::<f64>() / classes as f64),
            Averaging::Micro => Tensor::scalar(score([0, 1, 2].map(|k| (0..classes).map(|c| of(c)[k]).sum()))),
            Averaging::Weighted => {
                let there: Vec<f64> = (0..classes).map(|c| of(c)[2]).collect();
                let sum: f64 = scores.iter().zip(&there).map(|(score, there)| score * there).sum();
                Tensor::scalar(sum / (there.iter().sum::<f64>() + EPSILON))
            }
        }
    }
}

/// Keras's `K.epsilon()`.
const EPSILON: f64 = 1e-7;

fn score([hits, said, there]: [f64; 3]) -> f64 {
    let (precision, recall) = (hits / (said + EPSILON), hits / (there + EPSILON));
    2.0 * precision * recall / (precision + recall + EPSILON)
}
