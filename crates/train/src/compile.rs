//! `compile`: how a model is trained.

use crate::{Model, Objective};
use cotangent_core::{Error, Result};
use cotangent_nn::{Loss, Metric, Optimizer, Sums};

/// What `compile` sets.
pub(crate) struct Compiled {
    pub optimizer: Box<dyn Optimizer>,
    /// One for each output.
    pub objectives: Vec<Objective>,
}

impl Model {
    /// Sets how the model is trained: the optimizer, the loss, and what else to report. With several outputs, loss
    /// and metrics are those of each, and the sum of the losses is made small; to give each its own, see
    /// [`compile_outputs`](Model::compile_outputs).
    ///
    /// ```
    /// # use cotangent_core::Device;
    /// # use cotangent_nn::{Activation::*, *};
    /// # use cotangent_train::{Seed, Sequential};
    /// # let mut model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(&Device::Cpu, Seed(0))?;
    /// model.compile(Adadelta::default(), CategoricalCrossentropy, [Accuracy]);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    pub fn compile<M: Metric + 'static>(
        &mut self,
        optimizer: impl Optimizer + 'static,
        loss: impl Loss + 'static,
        metrics: impl IntoIterator<Item = M>,
    ) {
        let objectives = vec![Objective::new(loss).metrics(metrics); self.graph.outputs.len()];
        self.compiled = Some(Compiled { optimizer: Box::new(optimizer), objectives });
    }

    /// Sets how a model of several outputs is trained: the optimizer, and an [`Objective`] for each output by its
    /// name. The weighted sum of the losses is made small.
    ///
    /// Fails if an output has no objective, or two, or there is none of that name.
    pub fn compile_outputs<N: AsRef<str>>(
        &mut self,
        optimizer: impl Optimizer + 'static,
        objectives: impl IntoIterator<Item = (N, Objective)>,
    ) -> Result<()> {
        let names = self.graph.output_names();
        let refuse = |message| {
            Err(Error::new("compile_outputs", message).hint(format!("the outputs are named {}", names.join(", "))))
        };
        let mut found: Vec<Option<Objective>> = vec![None; names.len()];
        for (name, objective) in objectives {
            let name = name.as_ref();
            match names.iter().position(|n| n == name) {
                None => return refuse(format!("there is no output {name:?}")),
                Some(at) if found[at].is_some() => return refuse(format!("two objectives for output {name:?}")),
                Some(at) => found[at] = Some(objective),
            }
        }
        if let Some(at) = found.iter().position(Option::is_none) {
            return refuse(format!("no objective for output {:?}", names[at]));
        }
        let objectives = found.into_iter().flatten().collect();
        self.compiled = Some(Compiled { optimizer: Box::new(optimizer), objectives });
        Ok(())
    }

    /// The names of the numbers that a step of training gives, Keras's: `loss`, and the metrics. With several outputs
    /// each one's loss, before its weight, comes next, and all names but the first begin with the output's. Metrics that
    /// are no single number are left out; a second metric of the same name is `name_1`.
    ///
    /// Fails if the model is not compiled.
    pub fn reports(&self) -> Result<Vec<String>> {
        let (names, metrics) = (self.names()?, self.all_metrics()?);
        let losses = names.len() - metrics.len();
        let number = |i: usize| i < losses || metrics[i - losses].value(&Sums::default()).rank() == 0;
        Ok(names.into_iter().enumerate().filter(|(i, _)| number(*i)).map(|(_, name)| name).collect())
    }

    /// The names of the losses and all metrics.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let objectives = &self.compiled("reports")?.objectives;
        let mut names = vec!["loss".to_owned()];
        if let [objective] = &objectives[..] {
            objective.metrics.iter().for_each(|metric| add(&mut names, metric.name().to_owned()));
            return Ok(names);
        }
        let outputs = self.graph.output_names();
        names.extend(outputs.iter().map(|output| format!("{output}_loss")));
        for (output, objective) in outputs.iter().zip(objectives) {
            objective.metrics.iter().for_each(|metric| add(&mut names, format!("{output}_{}", metric.name())));
        }
        Ok(names)
    }

    /// The metrics of all outputs.
    pub(crate) fn all_metrics(&self) -> Result<Vec<&dyn Metric>> {
        let objectives = &self.compiled("metrics")?.objectives;
        Ok(objectives.iter().flat_map(|objective| objective.metrics.iter().map(|metric| metric.as_ref())).collect())
    }

    /// The optimizer that the model was compiled with.
    pub fn optimizer(&self) -> Option<&dyn Optimizer> {
        self.compiled.as_ref().map(|compiled| compiled.optimizer.as_ref())
    }

    /// The optimizer, to change: its learning rate, its state.
    pub fn optimizer_mut(&mut self) -> Option<&mut dyn Optimizer> {
        match &mut self.compiled {
            Some(compiled) => Some(compiled.optimizer.as_mut()),
            None => None,
        }
    }

    pub(crate) fn compiled(&self, place: &'static str) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(|| {
            Error::new(place, "the model is not compiled")
                .hint("call `model.compile(Adam::default(), CategoricalCrossentropy, [Accuracy])` first")
        })
    }
}

/// Adds the name, or the first of `name_1`, `name_2`, … if it is taken.
fn add(names: &mut Vec<String>, name: String) {
    let taken = |name: &String| names.contains(name);
    let numbered = (1..).map(|i| format!("{name}_{i}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name));
    names.extend(free);
}
