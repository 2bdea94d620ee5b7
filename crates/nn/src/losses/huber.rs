//! [`Huber`]: squared for small errors, absolute for great ones.

use super::{Loss, as_predicted, check, mean_of_each};
use crate::Metric;
use cotangent_core::{Error, Result, Spec, Tensor};

/// With e = p − t: `e² / 2` where `|e| ≤ delta`, else `delta·|e| − delta² / 2`; the mean over the outputs of each
/// sample. Shapes: any, equal; targets `[N]` go with predictions `[N, 1]`. Huber 1964.
#[derive(Clone, Copy, Debug)]
pub struct Huber {
    /// Where the parabola goes over into the line, in units of the targets.
    pub delta: f64,
}

/// Keras's: delta 1.
impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

const NAME: &str = "huber";

impl Metric for Huber {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
        if !(self.delta > 0.0) {
            return Err(Error::new(NAME, format!("delta is {}", self.delta)).hint("it must be above 0"));
        }
        check::same_shape(NAME, y_true, y_pred)
    }

    /// With q = min(|e|, delta) both cases are `q²/2 + delta·(|e| − q)`.
    fn per_sample(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let e = (y_pred - as_predicted(y_true, y_pred)).abs();
        let q = e.clamp(0.0, self.delta);
        mean_of_each(&(q.square() * 0.5 + (&e - &q) * self.delta))
    }
}

impl Loss for Huber {}
