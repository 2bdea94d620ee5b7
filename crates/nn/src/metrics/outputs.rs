//! What metrics of decisions share: targets and predictions as `[N, K]`, one column for each of K outputs.

use super::Metric;
use crate::{BinaryCrossentropy, SparseCategoricalCrossentropy};
use cotangent_core::{DType, Error, Result, Shape, Spec, Tensor};

/// The options of a metric that decides by a threshold. Keras's: 0.5, all classes.
macro_rules! decision_options {
    ($name:ident) => {
        impl Default for $name {
            fn default() -> Self {
                Self { threshold: 0.5, class: None }
            }
        }

        impl $name {
            /// Above which a prediction is a yes.
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.threshold = threshold;
                self
            }

            /// Only this class counts: Keras's `class_id`.
            pub fn class(mut self, class: usize) -> Self {
                self.class = Some(class);
                self
            }
        }
    };
}
pub(super) use decision_options;

/// Whether the targets are class numbers, `[N]` or `[N, 1]`, for predictions `[N, C]` with more than one class.
fn class_numbers(y_true: Shape, y_pred: Shape) -> bool {
    matches!(*y_pred, [_, classes] if classes > 1) && matches!(*y_true, [_] | [_, 1])
}

/// The targets are class numbers, or 0 and 1 in the shape of the predictions; `class` is one of the outputs.
pub(super) fn check(name: &str, y_true: &Tensor, y_pred: Spec, class: Option<usize>) -> Result<()> {
    match class_numbers(y_true.shape(), y_pred.shape) {
        true => SparseCategoricalCrossentropy.check(y_true, y_pred)?,
        false => BinaryCrossentropy.check(y_true, y_pred)?,
    }
    let outputs: usize = y_pred.shape[1..].iter().product();
    match class {
        Some(class) if class >= outputs => {
            Err(Error::new(name, format!("class {class} of {outputs}")).hint("classes count from 0"))
        }
        _ => Ok(()),
    }
}

/// Targets and predictions `[N, K]` in the predictions' dtype; class numbers become one-hot.
pub(super) fn columns(y_true: &Tensor, y_pred: &Tensor) -> [Tensor; 2] {
    let samples = y_pred.shape()[0];
    let width: usize = y_pred.shape()[1..].iter().product();
    let y_true = match class_numbers(y_true.shape(), y_pred.shape()) {
        true => y_true.cast(DType::I64).reshape([samples]).one_hot(width, y_pred.dtype()),
        false => y_true.cast(y_pred.dtype()).reshape([samples, width]),
    };
    [y_true, y_pred.detach().reshape([samples, width])]
}

/// What is so and what is said to be so, as 0 and 1: targets that are not 0, and predictions above the threshold; of
/// all outputs or of one `class`.
pub(super) fn decided(y_true: &Tensor, y_pred: &Tensor, threshold: f64, class: Option<usize>) -> [Tensor; 2] {
    let dtype = y_pred.dtype();
    let number = |x| y_pred.new_full(Shape::SCALAR, x);
    let [t, p] = columns(y_true, y_pred);
    [t.ne(&number(0.0)), p.gt(&number(threshold))].map(|decisions| match class {
        None => decisions.cast(dtype),
        Some(class) => decisions.narrow(1, class, 1).cast(dtype),
    })
}

/// Refuses thresholds outside of 0 ..= 1.
pub(super) fn check_threshold(name: &str, threshold: f64) -> Result<()> {
    match (0.0..=1.0).contains(&threshold) {
        true => Ok(()),
        false => Err(Error::new(name, format!("threshold {threshold}")).hint("it must lie in 0 ..= 1")),
    }
}
