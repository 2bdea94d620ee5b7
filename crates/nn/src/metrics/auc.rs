//! [`Auc`]: the area under a curve of all thresholds.

use super::sums::quotient;
use super::{Metric, Sums, outputs};
use cotangent_core::{DType, Error, Result, Shape, Spec, Tensor};

/// The area under the ROC curve (or under precision over recall), from the rates at 200 thresholds, as Keras
/// approximates it: −1e-7, then 1/199, 2/199, … below 1, then 1 + 1e-7.
///
/// Under the ROC curve, straight lines join the points, and the area is about the chance that a random yes is
/// predicted above a random no. Under the precision-recall curve, tp and fp are straight between thresholds (Davis,
/// Goadrich 2006). All outputs of all samples count alike. Shapes: targets of 0 and 1 in the predictions' shape, or class
/// numbers `[N]` for predictions `[N, C]`; the predictions are probabilities.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{Auc, Metric};
/// let (y_true, y_pred) = (Tensor::from([0.0_f32, 0.0, 1.0, 1.0]), Tensor::from([0.1_f32, 0.4, 0.35, 0.8]));
/// assert!((Auc::default().of(&y_true, &y_pred).item() - 0.75).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Auc {
    curve: Curve,
    thresholds: usize,
}

/// What an [`Auc`] is the area under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// tp / (tp + fn) over fp / (fp + tn).
    Roc,
    /// tp / (tp + fp) over tp / (tp + fn).
    PrecisionRecall,
}

/// Keras's: ROC, 200 thresholds.
impl Default for Auc {
    fn default() -> Self {
        Self { curve: Curve::Roc, thresholds: 200 }
    }
}

impl Auc {
    /// The curve.
    pub fn curve(mut self, curve: Curve) -> Self {
        self.curve = curve;
        self
    }

    /// How many thresholds.
    pub fn thresholds(mut self, thresholds: usize) -> Self {
        self.thresholds = thresholds;
        self
    }
}

impl Metric for Auc {
    fn name(&self) -> &str {
        "auc"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        if self.thresholds < 2 {
            let message = format!("{} thresholds", self.thresholds);
            return Err(Error::new("auc", message).hint("a curve has two ends; Keras's default is 200"));
        }
        outputs::check("auc", y_true, y_pred, None)
    }

    /// `[N, 2T]`: how many of the sample's outputs pass thresholds 0 ..= i and no more, first of those that should,
    /// then of those that should not.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let [t, p] = outputs::columns(y_true, y_pred);
        let [samples, width] = p.dims();
        let last = (self.thresholds - 1) as f64;
        let passed = (p.clamp(0.0, 1.0) * last).ceil() - 1.0;
        let passed = passed.clamp(0.0, last).cast(DType::I64).reshape([samples * width]);
        let cells = passed.one_hot(self.thresholds, p.dtype()).reshape([samples, width, self.thresholds]);
        let yes = t.ne(&t.new_full(Shape::SCALAR, 0.0)).cast(p.dtype()).unsqueeze(2);
        Tensor::concat(&[&(&cells * &yes).sum(1), &(&cells * (1.0 - &yes)).sum(1)], 1)
    }

    fn value(&self, sums: &Sums) -> Tensor {
        if sums.columns.is_empty() {
            return Tensor::scalar(0.0);
        }
        let (yes, no) = sums.columns.split_at(self.thresholds);
        let (tp, fp) = (passing(yes), passing(no));
        Tensor::scalar(match self.curve {
            Curve::Roc => under_roc(&tp, &fp),
            Curve::PrecisionRecall => under_precision_recall(&tp, &fp),
        })
    }
}

/// How many pass each threshold: the sums of the tails.
fn passing(cells: &[f64]) -> Vec<f64> {
    let mut tails = cells.to_vec();
    for i in (0..tails.len() - 1).rev() {
        tails[i] += tails[i + 1];
    }
    tails
}

fn under_roc(tp: &[f64], fp: &[f64]) -> f64 {
    let strip = |i: usize| quotient(fp[i] - fp[i + 1], fp[0]) * quotient(tp[i] + tp[i + 1], 2.0 * tp[0]);
    (0..tp.len() - 1).map(strip).sum()
}

/// In each strip tp = a + b·(tp + fp), so the area is the integral of b + a / (tp + fp) over the recall.
fn under_precision_recall(tp: &[f64], fp: &[f64]) -> f64 {
    let strip = |i: usize| {
        let (gained, from, to) = (tp[i] - tp[i + 1], tp[i + 1] + fp[i + 1], tp[i] + fp[i]);
        let slope = quotient(gained, to - from);
        let ratio = if from > 0.0 && to > 0.0 { to / from } else { 1.0 };
        quotient(slope * (gained + (tp[i + 1] - slope * from) * ratio.ln()), tp[0])
    };
    (0..tp.len() - 1).map(strip).sum()
}
