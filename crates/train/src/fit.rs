//! [`Fit`]: training, epoch by epoch, as Keras's `fit` does it.

use crate::data::Samples;
use crate::history::Means;
use crate::{History, Model, Progress, Tensors, Verbosity};
use cotangent_core::{Error, Result};

/// A training run being set up; [`run`](Fit::run) starts it.
///
/// Defaults are Keras's: batches of 32, one epoch, shuffled anew each epoch, a progress bar. The last batch of an
/// epoch may be smaller; it is kept.
#[must_use = "nothing is trained until `.run()`"]
pub struct Fit<'a> {
    model: &'a mut Model,
    x: Tensors,
    y: Tensors,
    batch_size: usize,
    epochs: usize,
    shuffle: bool,
    verbosity: Verbosity,
    validation: Option<(Tensors, Tensors)>,
}

impl Model {
    /// Trains on the samples `x` and their targets `y`; the first axis of both counts the samples. For
    /// several inputs or outputs `x` or `y` is a list: `[&a, &b]`.
    ///
    /// ```
    /// # use cotangent_core::{Device, Tensor};
    /// # use cotangent_nn::{Activation::*, *};
    /// # use cotangent_train::{Seed, Sequential};
    /// let x = Tensor::from([[0.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    /// let y = Tensor::from([[0.0_f32], [1.0], [1.0], [0.0]]);
    /// let mut model = Sequential::new([2])
    ///     .add(Dense::new(8).activation(Tanh))
    ///     .add(Dense::new(1).activation(Sigmoid))
    ///     .build(&Device::best(), Seed(0))?;
    /// model.compile(Adam::new(0.1), BinaryCrossentropy, [Accuracy]);
    /// let history = model.fit(&x, &y).epochs(200).verbose(0).run()?;
    /// assert!(history["loss"][199] < 0.05);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    pub fn fit(&mut self, x: impl Into<Tensors>, y: impl Into<Tensors>) -> Fit<'_> {
        let (x, y) = (x.into(), y.into());
        Fit { model: self, x, y, batch_size: 32, epochs: 1, shuffle: true, verbosity: Verbosity::Bar, validation: None }
    }
}

impl Fit<'_> {
    /// How many samples each step sees.
    pub fn batch_size(mut self, samples: usize) -> Self {
        self.batch_size = samples;
        self
    }

    /// How often to go through all samples.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Whether each epoch takes the samples in a new random order.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// How much to print: 0 nothing, 1 a live bar, 2 a line for each epoch.
    pub fn verbose(mut self, verbosity: impl Into<Verbosity>) -> Self {
        self.verbosity = verbosity.into();
        self
    }

    /// Samples to evaluate on after each epoch.
    pub fn validation(mut self, x: impl Into<Tensors>, y: impl Into<Tensors>) -> Self {
        self.validation = Some((x.into(), y.into()));
        self
    }

    /// Trains, and gives the loss and metrics of each epoch.
    ///
    /// Fails before the first step if the model is not compiled, the batch size is 0, or the data do not suit the
    /// model; and at the step that meets a NaN in x, before its update.
    pub fn run(self) -> Result<History> {
        let train = Samples::new("fit", self.model, &self.x, &self.y)?;
        let validation = match &self.validation {
            Some((x, y)) => Some(Samples::new("fit: validation", self.model, x, y)?),
            None => None,
        };
        if self.batch_size == 0 {
            return Err(Error::new("fit", "batch_size is 0").hint("use at least 1; Keras's default is 32"));
        }
        if train.count == 0 && self.epochs > 0 {
            return Err(Error::new("fit", format!("there are no samples: x has shape {}", self.x.list()[0].shape())));
        }
        let Fit { model, batch_size, epochs, shuffle, verbosity, .. } = self;
        let mut progress = Progress::stdout(verbosity);
        let mut history = History::default();
        for epoch in 1..=epochs {
            progress.epoch(epoch, epochs);
            let order = shuffle.then(|| model.rng.permutation(train.count));
            let means = model.train_epoch(&train, order.as_deref(), batch_size, |step, steps, means| {
                progress.step(step, steps, &means.values());
            });
            let means = means.map_err(|e| Error::new("fit", format!("epoch {epoch}")).because(e))?;
            let mut report = named("", &means);
            if let Some(samples) = &validation {
                report.extend(named("val_", &model.means_over(samples)?));
            }
            report.iter().for_each(|(name, value)| history.push(name, *value));
            let shown: Vec<(&str, f64)> = report.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            progress.finish(&shown);
        }
        Ok(history)
    }
}

fn named(prefix: &str, means: &Means) -> Vec<(String, f64)> {
    means.values().into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)).collect()
}
