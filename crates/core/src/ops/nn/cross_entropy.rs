//! Cross-entropy of softmax: `y[n] = ln Σ exp x[n, ·] − x[n, label[n]]`, `dx = (softmax x − one_hot label) · dy`.
//! Saves `x` and its softmax.

use crate::autograd::{Op, Saved, apply, is_tracking};
use crate::ops::Index;
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, Shape, ShapeError};

/// The cross-entropy of logits `[N, C]` with these labels `[N]`.
#[derive(Clone, Debug)]
pub struct SoftmaxCrossEntropy {
    /// The true class of each row.
    pub labels: Index,
}

impl Op<1> for SoftmaxCrossEntropy {
    const NAME: &'static str = "softmax_cross_entropy";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    /// The softmax.
    type Aux = Tensor;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        fits(x, self.labels.tensor().spec())?;
        self.labels.fits("softmax_cross_entropy", x.shape, 1)?;
        Ok(Spec { shape: Shape::from([x.shape[0]]), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Tensor) {
        kernels::softmax_cross_entropy(x, self.labels.tensor())
    }

    /// By the kernel; by ops where the result is to be differentiated again.
    fn vjp(&self, saved: Saved<1, Tensor>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let labels = self.labels.tensor();
        if !is_tracking() {
            return [Some(kernels::softmax_cross_entropy_dx(saved.aux, labels, &dy))];
        }
        let [x] = saved.x();
        let targets = labels.one_hot(self.labels.size(), x.dtype());
        [Some((x.softmax(-1) - targets) * dy.unsqueeze(-1))]
    }
}

fn fits(x: Spec, labels: Spec) -> Result<(), ShapeError> {
    check::float("softmax_cross_entropy", x)?;
    check::rank("softmax_cross_entropy", "the logits", x, 2)?;
    if *labels.shape == x.shape[..1] {
        return Ok(());
    }
    let message = format!("labels {} for logits {}: wants [{}]", labels.shape, x.shape, x.shape[0]);
    Err(ShapeError::new("softmax_cross_entropy", message))
}

impl Tensor {
    /// The cross-entropy of each row: logits `[N, C]` (not probabilities), labels `[N]` i64, result `[N]`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let logits = Tensor::from([[0.0_f32, 0.0], [1000.0, 0.0]]);
    /// let loss = logits.softmax_cross_entropy(&Tensor::from([1_i64, 0]));
    /// assert_eq!(loss.to_vec::<f32>(), [2.0_f32.ln(), 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes or dtypes do not fit, or a label is not within 0..C.
    #[track_caller]
    pub fn softmax_cross_entropy(&self, labels: &Tensor) -> Tensor {
        check::or_panic(fits(self.spec(), labels.spec()));
        let classes = self.shape()[1];
        let describe = |value, at: &[usize]| {
            let last = classes as isize - 1;
            format!("label {value} at row {}, but the logits {} have classes 0 to {last}", at[0], self.shape())
        };
        let labels = check::or_panic(Index::new("softmax_cross_entropy", labels, classes, describe));
        apply(SoftmaxCrossEntropy { labels }, [self])
    }

    /// The cross-entropy of each row with a distribution: logits and targets `[N, C]`, result `[N]`:
    /// `−Σ targets · log_softmax(logits)`. The derivative goes to both.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let logits = Tensor::from([[0.0_f32, 0.0]]);
    /// let loss = logits.softmax_cross_entropy_one_hot(&Tensor::from([[0.5_f32, 0.5]]));
    /// assert_eq!(loss.to_vec::<f32>(), [2.0_f32.ln()]);
    /// ```
    ///
    /// # Panics
    /// If the shapes or dtypes differ, or there are not two axes.
    #[track_caller]
    pub fn softmax_cross_entropy_one_hot(&self, targets: &Tensor) -> Tensor {
        let checked = check::rank("softmax_cross_entropy_one_hot", "the logits", self.spec(), 2)
            .and_then(|()| check::same_spec("softmax_cross_entropy_one_hot", self.spec(), targets.spec()));
        check::or_panic(checked);
        -(targets * self.log_softmax(-1)).sum(-1)
    }
}
