//! One epoch of training, one step of it.

use crate::data::{Samples, check_number, first_nan};
use crate::graph::Lazy;
use crate::history::Means;
use crate::{Model, Tensors};
use cotangent_core::inspect::{scope, take_anomaly};
use cotangent_core::{Error, Grads, Result, Tensor, no_grad};
use cotangent_nn::{Pass, Target};

impl Model {
    /// Goes through all samples once, in `order` if there is one, and calls `tell(step, steps, means so far)` after
    /// each step.
    pub(crate) fn train_epoch(
        &mut self,
        samples: &Samples,
        order: Option<&[usize]>,
        batch_size: usize,
        mut tell: impl FnMut(usize, usize, &Means),
    ) -> Result<Means> {
        let steps = samples.count.div_ceil(batch_size);
        let mut means = self.new_means()?;
        for step in 0..steps {
            let (start, end) = (step * batch_size, ((step + 1) * batch_size).min(samples.count));
            let (x, y) = match order {
                Some(order) => samples.select(&order[start..end]),
                None => samples.range(start, end - start),
            };
            let values = self.train_step(x, y).map_err(|e| {
                let row = order.map_or(start, |order| order[start]);
                Error::new(format!("step {} of {steps}", step + 1), format!("a batch that begins with sample {row}"))
                    .because(e)
            })?;
            means.add(end - start, &values);
            tell(step + 1, steps, &means);
        }
        Ok(means)
    }

    /// One step on one batch: forward, backward, update. Gives the batch's mean loss and metrics, as they were
    /// before the update; [`reports`](Model::reports) names them.
    ///
    /// Fails if the model is not compiled, if there is a NaN in `x`, or if a parameter gets no gradient; the
    /// parameters are then as they were. Fails too with what [`detect_anomaly`](cotangent_core::inspect::detect_anomaly)
    /// finds, if it is on: forward or backward before the parameters change.
    pub fn train_step(&mut self, x: impl Into<Tensors>, y: impl Into<Tensors>) -> Result<Vec<f64>> {
        let (x, y) = (x.into(), y.into());
        self.compiled("train_step")?;
        check_number("train_step", "x", "inputs", &x, self.graph.inputs.len())?;
        check_number("train_step", "y", "outputs", &y, self.graph.outputs.len())?;
        let mut rng = self.rng;
        let mut pass = Pass::training(&mut rng);
        let outputs = self.forward(x.list(), &mut pass);
        let kept = pass.kept;
        self.rng = rng;
        let (loss, mut values) = scope("loss", || self.loss(y.list(), &outputs))?;
        if values[0].is_nan() {
            refuse_nan(x.list())?;
        }
        refuse_anomaly()?;
        values.extend(no_grad(|| {
            let outputs: Vec<Lazy> = outputs.iter().map(Lazy::detach).collect();
            scope("metrics", || self.metrics(y.list(), &outputs))
        })?);
        take_anomaly(); // a metric may be undefined on a batch
        drop(outputs);
        let grads = loss.backward();
        drop(loss);
        refuse_anomaly()?;
        self.update(&grads)?;
        refuse_anomaly()?;
        self.graph.keep(kept);
        Ok(values)
    }

    /// The loss to be made small, and its value; with several outputs also the value of each one's.
    pub(crate) fn loss(&self, y: &[Tensor], outputs: &[Lazy]) -> Result<(Tensor, Vec<f64>)> {
        let objectives = &self.compiled("loss")?.objectives;
        let each = objectives.iter().zip(y).zip(outputs);
        let losses: Vec<Tensor> = each.map(|((objective, y), output)| objective.losses(y, output).mean(..)).collect();
        if let [loss] = &losses[..] {
            let loss = if objectives[0].weight == 1.0 { loss.clone() } else { loss.scale(objectives[0].weight) };
            let value = loss.item();
            return Ok((loss, vec![value]));
        }
        let weighted = losses.iter().zip(objectives).map(|(loss, objective)| loss.scale(objective.weight));
        let total = weighted.reduce(|sum, loss| sum + loss).expect("a model has outputs");
        let values = std::iter::once(&total).chain(&losses).map(Tensor::item).collect();
        Ok((total, values))
    }

    /// The mean of each metric of each output over a batch.
    pub(crate) fn metrics(&self, y: &[Tensor], outputs: &[Lazy]) -> Result<Vec<f64>> {
        let objectives = &self.compiled("metrics")?.objectives;
        Ok(objectives.iter().zip(y).zip(outputs).flat_map(|((o, y), output)| o.means(y, output)).collect())
    }

    /// Means of the loss and the metrics, none counted yet.
    pub(crate) fn new_means(&self) -> Result<Means> {
        Ok(Means::new(self.reports()?))
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
