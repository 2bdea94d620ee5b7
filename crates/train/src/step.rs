//! One step of training.

use crate::data::{Batch, check_number, first_nan};
use crate::graph::Lazy;
use crate::tally::{Count, Tally};
use crate::{Model, Tensors};
use cotangent_core::inspect::{scope, take_anomaly};
use cotangent_core::{DType, Device, Error, Grads, Result, Tensor, no_grad};
use cotangent_nn::{Pass, Target};

impl Model {
    /// One step on one batch: forward, backward, update. Gives the batch's mean loss and metrics, as they were
    /// before the update; [`reports`](Model::reports) names them.
    ///
    /// Fails if the model is not compiled, if there is a NaN in `x`, or if a parameter gets no gradient; the
    /// parameters are then as they were. Fails too with what [`detect_anomaly`](cotangent_core::inspect::detect_anomaly)
    /// finds, if it is on: forward or backward before the parameters change.
    pub fn train_step(&mut self, x: impl Into<Tensors>, y: impl Into<Tensors>) -> Result<Vec<f64>> {
        let (x, y) = (x.into(), y.into());
        let mut tally = self.tally()?;
        check_number("train_step", "x", "inputs", &x, self.graph.inputs.len())?;
        check_number("train_step", "y", "outputs", &y, self.graph.outputs.len())?;
        self.train_on(&Batch { x: x.list().to_vec(), y: y.list().to_vec(), weights: None }, &mut tally)?;
        Ok(self.values(&tally)?.into_iter().map(|(_, value)| value).collect())
    }

    /// One step on one batch, from any device, whose losses and metrics join the sums. What the device cannot do is an error.
    pub(crate) fn train_on(&mut self, batch: &Batch, tally: &mut Tally) -> Result<()> {
        Device::attempt(|| {
            let batch = &batch.to_device(&self.device)?;
            self.step(batch, |model, losses, outputs| {
                if losses[0].item().is_nan() {
                    refuse_nan(&batch.x)?;
                }
                model.count(batch, losses, outputs, tally)
            })
        })?
    }

    /// One step on one batch, whose losses and outputs `count` is told before the update. Asks the device for no number, if
    /// `count` does not.
    pub(crate) fn step(
        &mut self,
        batch: &Batch,
        count: impl FnOnce(&Model, &[Tensor], &[Lazy]) -> Result<()>,
    ) -> Result<()> {
        let mut rng = self.rng;
        let mut pass = Pass::training(&mut rng);
        let outputs = self.forward(&batch.x, &mut pass);
        let kept = pass.kept;
        self.rng = rng;
        let (loss, losses) = scope("loss", || self.loss(batch, &outputs))?;
        refuse_anomaly()?;
        let detached: Vec<Lazy> = outputs.iter().map(Lazy::detach).collect();
        scope("metrics", || no_grad(|| count(self, &losses, &detached)))?;
        take_anomaly(); // a metric may be undefined on a batch
        drop((outputs, detached));
        let grads = self.compiled("train_step")?.optimizer.scale_loss(&loss).backward();
        drop(loss);
        refuse_anomaly()?;
        self.update(&grads)?;
        refuse_anomaly()?;
        self.graph.keep(kept);
        Ok(())
    }

    /// The loss to be made small, and the same outside any graph of derivatives; with several outputs also each one's. What
    /// the size of the parameters costs is in the first.
    pub(crate) fn loss(&self, batch: &Batch, outputs: &[Lazy]) -> Result<(Tensor, Vec<Tensor>)> {
        let objectives = &self.compiled("loss")?.objectives;
        let each = objectives.iter().zip(&batch.y).zip(outputs);
        let losses: Vec<Tensor> =
            each.map(|((objective, y), output)| objective.mean_loss(y, output, batch.weights.as_ref())).collect();
        let scaled = losses.iter().zip(objectives).map(|(loss, objective)| match objective.weight {
            1.0 => loss.clone(),
            weight => loss.scale(weight),
        });
        let penalties =
            self.graph.weights().into_iter().filter_map(|param| Some(param.regularizer?.penalty(&param.value)));
        let total = scaled.chain(penalties).reduce(|sum, loss| sum + loss).expect("a model has outputs");
        let parts = if losses.len() == 1 { &[] } else { &losses[..] };
        let values = std::iter::once(&total).chain(parts).map(Tensor::detach).collect();
        Ok((total, values))
    }

    /// Adds the losses and the metrics of a batch to the sums.
    pub(crate) fn count(
        &self,
        batch: &Batch,
        losses: &[Tensor],
        outputs: &[Lazy],
        counter: &mut impl Count,
    ) -> Result<()> {
        let samples = batch.x[0].shape()[0];
        for (i, mean) in losses.iter().enumerate() {
            // each batch counts by its size, as in Keras
            let sum = mean.cast(DType::F64).scale(samples as f64).reshape([1]);
            counter.add(i, &sum, None, samples)?;
        }
        let mut i = losses.len();
        for ((objective, y), output) in self.compiled("metrics")?.objectives.iter().zip(&batch.y).zip(outputs) {
            for (columns, weight) in objective.sums(y, output, batch.weights.as_ref()) {
                counter.add(i, &columns, weight.as_ref(), samples)?;
                i += 1;
            }
        }
        Ok(())
    }

    /// Puts the moving averages that the optimizer keeps in place of the parameters, for good.
    pub(crate) fn take_averages(&mut self) {
        self.swap_averages();
        if let Some(compiled) = &mut self.compiled {
            let state = compiled.optimizer.state_mut();
            for (_, param) in self.graph.params().into_iter().filter(|(_, param)| param.trainable) {
                if state.average(&param.value).is_some() {
                    state.set_average(&param.value, param.value.detach());
                }
            }
        }
    }

    /// Exchanges the parameters with the moving averages that the optimizer keeps of them (say
    /// `Adam::default().average(0.99)`), to evaluate or save those; a second call undoes it.
    pub fn swap_averages(&mut self) {
        if let Some(compiled) = &mut self.compiled {
            let trainable = self.graph.params_mut().into_iter().filter(|(_, param)| param.trainable);
            compiled.optimizer.swap_averages(trainable.map(|(_, param)| Target::from(param)).collect());
        }
    }

    fn update(&mut self, grads: &Grads) -> Result<()> {
        let Some(compiled) = &mut self.compiled else { unreachable!("checked at the start of the step") };
        let trainable = self.graph.params_mut().into_iter().filter(|(_, param)| param.trainable);
        let targets = trainable.map(|(path, param)| Target { name: Some(path.into()), value: &mut param.value });
        compiled.optimizer.step_targets(targets.collect(), grads)
    }
}

/// Fails with what was found, if anybody looks for anomalies.
fn refuse_anomaly() -> Result<()> {
    take_anomaly().map_or(Ok(()), |found| Err(found.into()))
}

fn refuse_nan(x: &[Tensor]) -> Result<()> {
    for (i, tensor) in x.iter().enumerate() {
        if let Some((row, element)) = first_nan(tensor) {
            let what = if x.len() == 1 { "x".to_owned() } else { format!("x[{i}]") };
            let message = format!("{what} holds NaN: sample {row} of the batch, element {element}");
            let hint = "the parameters are as they were; clean the data and go on";
            return Err(Error::new("train_step", message).hint(hint));
        }
    }
    Ok(())
}
