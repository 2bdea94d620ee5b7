//! [`TopKCategoricalAccuracy`] and [`SparseTopKCategoricalAccuracy`]: whether the right class is among the K likeliest.

use super::Metric;
use crate::{CategoricalCrossentropy, SparseCategoricalCrossentropy};
use cotangent_core::{DType, Error, Result, Shape, Spec, Tensor};

/// 1 if the greatest target's class is among the `k` greatest predictions, else 0: one-hot targets `[N, C]`,
/// predictions `[N, C]`. Predictions that tie for the last place all have it, as in Keras on TensorFlow.
#[derive(Clone, Copy, Debug)]
pub struct TopKCategoricalAccuracy {
    /// How many guesses count.
    pub k: usize,
}

/// Keras's: 5.
impl Default for TopKCategoricalAccuracy {
    fn default() -> Self {
        Self { k: 5 }
    }
}

impl Metric for TopKCategoricalAccuracy {
    fn name(&self) -> &str {
        "top_k_categorical_accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check_k(self.name(), self.k)?;
        CategoricalCrossentropy.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        among_first(self.k, &y_true.cast(y_pred.dtype()).argmax(-1), y_pred)
    }
}

/// 1 if the label is among the `k` greatest predictions, else 0: integer labels `[N]` or `[N, 1]`, predictions
/// `[N, C]`. Ties as in [`TopKCategoricalAccuracy`].
#[derive(Clone, Copy, Debug)]
pub struct SparseTopKCategoricalAccuracy {
    /// How many guesses count.
    pub k: usize,
}

/// Keras's: 5.
impl Default for SparseTopKCategoricalAccuracy {
    fn default() -> Self {
        Self { k: 5 }
    }
}

impl Metric for SparseTopKCategoricalAccuracy {
    fn name(&self) -> &str {
        "sparse_top_k_categorical_accuracy"
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        check_k(self.name(), self.k)?;
        SparseCategoricalCrossentropy.check(y_true, y_pred)
    }

    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        among_first(self.k, &y_true.cast(DType::I64).reshape([y_pred.shape()[0]]), y_pred)
    }
}

fn check_k(name: &str, k: usize) -> Result<()> {
    match k {
        0 => Err(Error::new(name, "k is 0").hint("at least one guess must count; Keras's default is 5")),
        _ => Ok(()),
    }
}

/// Whether fewer than `k` predictions are above the label's. What cannot be compared with it, NaN, counts as above.
fn among_first(k: usize, labels: &Tensor, y_pred: &Tensor) -> Tensor {
    let y_pred = y_pred.detach();
    let of_label = y_pred.gather(1, &labels.unsqueeze(1));
    let above = y_pred.le(&of_label).not().cast(DType::I64).sum(1);
    above.lt(&above.new_full(Shape::SCALAR, k as f64)).cast(y_pred.dtype())
}
