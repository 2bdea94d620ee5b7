//! [`Objective`]: what an output is trained for.

use crate::graph::Lazy;
use cotangent_core::Tensor;
use cotangent_nn::{Loss, Metric, Sums};
use std::sync::Arc;

/// What one output of a model is trained for: its loss, how much that counts, and what else to report of it.
///
/// ```
/// use cotangent_core::Device;
/// use cotangent_nn::{Activation::*, *};
/// use cotangent_train::{Input, Model, Objective, Seed};
///
/// let image = Input::new([28, 28]);
/// let x = image.apply(Flatten).apply(Dense::new(32).activation(Relu));
/// let digit = x.apply(Dense::new(10).activation(Softmax).named("digit"));
/// let odd = x.apply(Dense::new(1).activation(Sigmoid).named("odd"));
/// let mut model = Model::new(&image, [&digit, &odd], &Device::Cpu, Seed(0))?;
/// model.compile_outputs(
///     Adam::default(),
///     [
///         ("digit", Objective::new(SparseCategoricalCrossentropy).metrics([Accuracy])),
///         ("odd", Objective::new(BinaryCrossentropy).weight(0.2)),
///     ],
/// )?;
/// assert_eq!(model.reports()?, ["loss", "digit_loss", "odd_loss", "digit_accuracy"]);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Objective {
    pub(crate) loss: Arc<dyn Loss>,
    pub(crate) weight: f64,
    pub(crate) metrics: Vec<Arc<dyn Metric>>,
}

impl Objective {
    /// To make `loss` small, with weight 1.
    pub fn new(loss: impl Loss + 'static) -> Self {
        Self { loss: Arc::new(loss), weight: 1.0, metrics: Vec::new() }
    }

    /// What the loss is multiplied by in the sum over all outputs.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// What else to report of this output.
    pub fn metrics<M: Metric + 'static>(mut self, metrics: impl IntoIterator<Item = M>) -> Self {
        self.metrics = metrics.into_iter().map(|m| Arc::new(m) as Arc<dyn Metric>).collect();
        self
    }

    /// The mean of the samples' losses, each times its weight: as in Keras divided by their number, whatever the weights.
    pub(crate) fn mean_loss(&self, y: &Tensor, output: &Lazy, weights: Option<&Tensor>) -> Tensor {
        let exact = self.loss.from_logits(y, &output.logits, output.activation);
        let losses = exact.unwrap_or_else(|| self.loss.per_sample(y, &output.value()));
        match weights {
            Some(weights) => (&losses * weights.cast(losses.dtype())).mean(..),
            None => losses.mean(..),
        }
    }

    /// What a batch adds to the sums of each metric.
    pub(crate) fn sums<'a>(
        &'a self,
        y: &'a Tensor,
        output: &'a Lazy,
        weights: Option<&'a Tensor>,
    ) -> impl Iterator<Item = (Tensor, Option<Tensor>)> + 'a {
        let mut predicted = None; // made for the first metric that wants it
        self.metrics.iter().map(move |metric| {
            let numbers = metric
                .from_logits(y, &output.logits, output.activation)
                .unwrap_or_else(|| metric.per_sample(y, predicted.get_or_insert_with(|| output.value())));
            Sums::of_batch(&numbers, weights.filter(|_| metric.is_weighted()))
        })
    }
}
