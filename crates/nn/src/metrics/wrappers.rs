//! Metrics around other metrics: [`NamedMetric`], [`WeightedMetric`].

use super::Metric;
use crate::Activation;
use cotangent_core::{Result, Spec, Tensor};

/// The methods of [`Metric`] that say what is computed, passed on to the metric inside.
macro_rules! forward {
    ($self:ident => $inner:expr) => {
        fn check(&$self, y_true: &Tensor, y_pred: Spec) -> Result<()> {
            $inner.check(y_true, y_pred)
        }

        fn per_sample(&$self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
            $inner.per_sample(y_true, y_pred)
        }

        fn from_logits(&$self, y_true: &Tensor, logits: &Tensor, activation: Activation) -> Option<Tensor> {
            $inner.from_logits(y_true, logits, activation)
        }

        fn value(&$self, sums: &$crate::Sums) -> Tensor {
            $inner.value(sums)
        }
    };
}
pub(super) use forward;

/// A metric with a name of its own, made by [`Metric::named`].
#[derive(Clone, Debug)]
pub struct NamedMetric<M> {
    pub(super) name: String,
    pub(super) metric: M,
}

impl<M: Metric> Metric for NamedMetric<M> {
    fn name(&self) -> &str {
        &self.name
    }

    forward!(self => self.metric);

    fn is_weighted(&self) -> bool {
        self.metric.is_weighted()
    }
}

/// A metric for which the samples' weights count, made by [`Metric::weighted`].
#[derive(Clone, Copy, Debug, Default)]
pub struct WeightedMetric<M>(pub M);

impl<M: Metric> Metric for WeightedMetric<M> {
    fn name(&self) -> &str {
        self.0.name()
    }

    forward!(self => self.0);

    fn is_weighted(&self) -> bool {
        true
    }
}
