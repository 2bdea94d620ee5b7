//! Inference: the loss and metrics on samples, and predictions.

use crate::data::{Samples, check_input};
use crate::history::Means;
use crate::{Model, Score};
use cotangent_core::{Result, Tensor, no_grad};

/// How many samples inference takes at a time. Only memory and speed depend on it: means are over samples.
const BATCH: usize = 256;

impl Model {
    /// The mean loss and metrics over the samples `x` with targets `y`, in inference mode.
    ///
    /// Fails if the model is not compiled or the data do not suit it.
    pub fn evaluate(&self, x: &Tensor, y: &Tensor) -> Result<Score> {
        self.means_over(&Samples::new("evaluate", self, x, y)?)?.score()
    }

    pub(crate) fn means_over(&self, samples: &Samples) -> Result<Means> {
        let mut means = self.new_means()?;
        for start in (0..samples.count).step_by(BATCH) {
            let count = BATCH.min(samples.count - start);
            let (x, y) = samples.range(start, count);
            let values = no_grad(|| self.inference(&x, &y))?;
            means.add(count, &values);
        }
        Ok(means)
    }

    fn inference(&self, x: &Tensor, y: &Tensor) -> Result<Vec<f64>> {
        let (output, _) = self.forward(x, false, &mut self.rng.clone());
        let mut values = vec![self.losses(y, &output)?.mean(..).item()];
        values.extend(self.metrics(y, &output)?);
        Ok(values)
    }

    /// The outputs for the samples `x`, one for each.
    ///
    /// Fails if x does not have the shape of the model's input.
    pub fn predict(&self, x: &Tensor) -> Result<Tensor> {
        let count = check_input("predict", self, x)?;
        let batch = |start| self.call(&x.narrow(0, start, BATCH.min(count - start)));
        let parts: Vec<Tensor> = no_grad(|| (0..count.max(1)).step_by(BATCH).map(batch).collect());
        Ok(Tensor::concat(&parts.iter().collect::<Vec<_>>(), 0))
    }
}
