//! One epoch of training, one step of it.

use crate::Model;
use crate::data::{Samples, first_nan};
use crate::graph::Lazy;
use crate::history::Means;
use cotangent_core::{Error, Grads, Result, Tensor, no_grad};
use cotangent_nn::{Metric, Target};

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
            let values = self.train_step(&x, &y).map_err(|e| {
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
    /// before the update.
    ///
    /// Fails if the model is not compiled, if there is a NaN in `x`, or if a parameter gets no gradient; the
    /// parameters are then as they were.
    pub fn train_step(&mut self, x: &Tensor, y: &Tensor) -> Result<Vec<f64>> {
        self.compiled("train_step")?;
        let mut rng = self.rng;
        let (output, kept) = self.forward(x, true, &mut rng);
        self.rng = rng;
        let loss = self.losses(y, &output)?.mean(..);
        let mut values = vec![loss.item()];
        if values[0].is_nan() {
            refuse_nan(x)?;
        }
        values.extend(no_grad(|| self.metrics(y, &output.detach()))?);
        drop(output);
        let grads = loss.backward();
        drop(loss);
        self.update(&grads)?;
        self.graph.keep(kept);
        Ok(values)
    }

    /// The loss of each sample.
    pub(crate) fn losses(&self, y: &Tensor, output: &Lazy) -> Result<Tensor> {
        let loss = &self.compiled("loss")?.loss;
        Ok(loss
            .from_logits(y, &output.logits, output.activation)
            .unwrap_or_else(|| loss.per_sample(y, &output.value())))
    }

    /// The mean of each metric over a batch.
    pub(crate) fn metrics(&self, y: &Tensor, output: &Lazy) -> Result<Vec<f64>> {
        let metrics = &self.compiled("metrics")?.metrics;
        let mut predicted = None; // made for the first metric that wants it
        let mut mean = |metric: &dyn Metric| {
            let values = metric
                .from_logits(y, &output.logits, output.activation)
                .unwrap_or_else(|| metric.per_sample(y, predicted.get_or_insert_with(|| output.value())));
            values.mean(..).item()
        };
        Ok(metrics.iter().map(|metric| mean(metric.as_ref())).collect())
    }

    /// Means of the loss and the metrics, none counted yet.
    pub(crate) fn new_means(&self) -> Result<Means> {
        let metrics = &self.compiled("metrics")?.metrics;
        let names = std::iter::once("loss".to_owned()).chain(metrics.iter().map(|m| m.name().to_owned()));
        Ok(Means::new(names.collect()))
    }

    fn update(&mut self, grads: &Grads) -> Result<()> {
        let Some(compiled) = &mut self.compiled else { unreachable!("checked at the start of the step") };
        let trainable = self.graph.params_mut().filter(|(_, param)| param.trainable);
        let targets = trainable.map(|(path, param)| Target { name: Some(path.into()), value: &mut param.value });
        compiled.optimizer.step_targets(targets.collect(), grads)
    }
}

fn refuse_nan(x: &Tensor) -> Result<()> {
    match first_nan(x) {
        None => Ok(()),
        Some((row, element)) => {
            let message = format!("x holds NaN: sample {row} of the batch, element {element}");
            Err(Error::new("train_step", message).hint("the parameters are as they were; clean the data and go on"))
        }
    }
}
