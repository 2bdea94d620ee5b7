//! Inference: the loss and metrics on samples, and predictions.

use crate::data::{Samples, check_inputs};
use crate::running::Running;
use crate::tally::Tally;
use crate::{Model, Score, Tensors};
use cotangent_core::{Device, Error, Result, Tensor, no_grad};
use cotangent_nn::Pass;

/// How many samples inference takes at a time, at most. Only memory and speed depend on it: means are over samples.
const BATCH: usize = 256;

/// The numbers of a layer's output for one batch, at most, on a CPU: they stay in a cache until the next layer reads them.
const VALUES: usize = 2 << 20;

impl Model {
    /// How many samples inference takes at a time.
    fn inference_batch(&self) -> usize {
        match self.device == Device::Cpu {
            true => (VALUES / self.graph.largest_value().max(1)).clamp(8, BATCH),
            false => BATCH,
        }
    }

    /// The mean loss and metrics over the samples `x` with targets `y`, in inference mode. For several inputs or
    /// outputs `x` or `y` is a list: `[&a, &b]`.
    ///
    /// Fails if the model is not compiled or the data do not suit it.
    pub fn evaluate(&self, x: impl Into<Tensors>, y: impl Into<Tensors>) -> Result<Score> {
        self.score(&self.tally_over(&Samples::new("evaluate", self, &x.into(), &y.into())?)?)
    }

    /// As [`evaluate`](Model::evaluate), but with how much each sample counts in the loss, and in metrics that are
    /// [`weighted`](cotangent_nn::Metric::weighted), as in [`Fit::sample_weight`](crate::Fit::sample_weight): `[N]`.
    ///
    /// Fails as `evaluate` does, and if there is not one weight for each sample.
    pub fn evaluate_weighted(
        &self,
        x: impl Into<Tensors>,
        y: impl Into<Tensors>,
        sample_weight: &Tensor,
    ) -> Result<Score> {
        let samples = Samples::new("evaluate", self, &x.into(), &y.into())?;
        self.score(&self.tally_over(&samples.weighted("evaluate: sample_weight", sample_weight)?)?)
    }

    pub(crate) fn tally_over(&self, samples: &Samples) -> Result<Tally> {
        let (mut tally, mut running) = (self.tally()?, Running::default());
        running.begin(&tally)?;
        let most = self.inference_batch();
        for start in (0..samples.count).step_by(most) {
            let batch = samples.range(start, most.min(samples.count - start)).to_device(&self.device)?;
            let count = || {
                let outputs = self.forward(&batch.x, &mut Pass::inference(&mut self.rng.clone()));
                let (_, losses) = self.loss(&batch, &outputs)?;
                match self.device == Device::Cpu {
                    true => self.count(&batch, &losses, &outputs, &mut tally),
                    false => self.count(&batch, &losses, &outputs, &mut running),
                }
            };
            Device::attempt(|| no_grad(count))??;
            running.count_samples(batch.x[0].shape()[0]);
        }
        running.read(&mut tally)?; // nothing, on the CPU
        Ok(tally)
    }

    /// The outputs for the samples `x`, one for each.
    ///
    /// Fails if x does not have the shape of the model's input, or the model has several outputs: see
    /// [`predict_all`](Model::predict_all).
    pub fn predict(&self, x: impl Into<Tensors>) -> Result<Tensor> {
        let mut outputs = self.predict_all(x)?;
        if outputs.len() != 1 {
            let message = format!("the model has {} outputs", outputs.len());
            return Err(Error::new("predict", message).hint("use `predict_all`: it gives them all"));
        }
        Ok(outputs.remove(0))
    }

    /// All outputs for the samples `x`, as [`predict`](Model::predict) gives the only one.
    ///
    /// Fails if x does not have the shapes of the model's inputs.
    pub fn predict_all(&self, x: impl Into<Tensors>) -> Result<Vec<Tensor>> {
        let x = x.into();
        let count = check_inputs("predict", self, &x)?;
        let most = self.inference_batch();
        let batch = |start| {
            let part = |x: &Tensor| x.narrow(0, start, most.min(count - start)).to_device(&self.device);
            let outputs = self.call_all(x.list().iter().map(part).collect::<Result<Vec<_>>>()?);
            // where the caller's tensors are, to be compared with them
            outputs.iter().map(|y| y.to_device(&x.list()[0].device())).collect::<Result<Vec<_>>>()
        };
        let all = || (0..count.max(1)).step_by(most).map(batch).collect::<Result<Vec<Vec<Tensor>>>>();
        let batches = Device::attempt(|| no_grad(all))??;
        let output = |i: usize| Tensor::concat(&batches.iter().map(|outputs| &outputs[i]).collect::<Vec<_>>(), 0);
        Ok((0..self.graph.outputs.len()).map(output).collect())
    }
}
