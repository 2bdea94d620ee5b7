//! [`Fit`]: training, epoch by epoch, as Keras's `fit` does it.

use crate::checkpoint::{self, Plan};
use crate::cursor::Cursor;
use crate::data::{Samples, class_weights};
use crate::interrupt::Interrupt;
use crate::resident::Resident;
use crate::run::Run;
use crate::{Callback, History, Model, Progress, Tensors, Verbosity};
use cotangent_core::{Error, Result, Tensor};
use std::path::PathBuf;

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
    validation_split: Option<f64>,
    sample_weight: Option<Tensor>,
    class_weight: Vec<(usize, f64)>,
    initial_epoch: usize,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    interruptible: bool,
    resume: Option<PathBuf>,
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
        Fit {
            model: self,
            x,
            y,
            batch_size: 32,
            epochs: 1,
            shuffle: true,
            verbosity: Verbosity::Bar,
            validation: None,
            validation_split: None,
            sample_weight: None,
            class_weight: Vec::new(),
            initial_epoch: 0,
            callbacks: Vec::new(),
            interruptible: true,
            resume: None,
        }
    }
}

impl<'a> Fit<'a> {
    /// How many samples each step sees.
    pub fn batch_size(mut self, samples: usize) -> Self {
        self.batch_size = samples;
        self
    }

    /// The number of the last epoch: how often to go through all samples, if [`initial_epoch`](Fit::initial_epoch) is 0.
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

    /// Which part of the samples is not trained on but evaluated on after each epoch: the last ones, before any
    /// shuffling. [`validation`](Fit::validation) goes before it.
    pub fn validation_split(mut self, part: f64) -> Self {
        self.validation_split = Some(part);
        self
    }

    /// How much each sample counts in the loss, and in metrics that are
    /// [`weighted`](cotangent_nn::Metric::weighted): `[N]`.
    pub fn sample_weight(mut self, weights: &Tensor) -> Self {
        self.sample_weight = Some(weights.clone());
        self
    }

    /// How much the samples of a class count: `[(0, 1.0), (1, 5.0)]`; once, if it is not named. Not for validation.
    /// Sample weights, if there are any too, are multiplied with these.
    pub fn class_weight(mut self, weights: impl IntoIterator<Item = (usize, f64)>) -> Self {
        self.class_weight = weights.into_iter().collect();
        self
    }

    /// How many epochs were trained already: counts and callbacks go on from there.
    pub fn initial_epoch(mut self, epochs: usize) -> Self {
        self.initial_epoch = epochs;
        self
    }

    /// Something to do between steps and epochs; may be said several times.
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Whether Ctrl-C ends the training after the step, and a second one the process. Default: yes. A program with a
    /// handler of its own says no.
    pub fn interruptible(mut self, interruptible: bool) -> Self {
        self.interruptible = interruptible;
        self
    }

    /// Goes on from the checkpoint that a [`ModelCheckpoint`](crate::ModelCheckpoint) has written, as if training had never
    /// been interrupted: with the same model, data and arguments the result is the same to the last bit, whatever the
    /// number of threads. [`epochs`](Fit::epochs) counts those of before too. Amid an epoch other data and other weights of
    /// samples are refused, as far as a sample of them shows.
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.resume = Some(path.into());
        self
    }

    /// Trains, and gives the loss and metrics of each epoch. After Ctrl-C these are the complete epochs', and
    /// [`History::interrupted`] says so.
    ///
    /// On a GPU the samples are moved there once (in their dtypes: bytes stay bytes), steps are recorded and run again
    /// ([`Capture`](cotangent_core::Capture)), and the host waits for the device only at the end of an epoch, when the bar is
    /// drawn, and for callbacks that [watch steps](Callback::watches_steps). The numbers are the same.
    ///
    /// If the optimizer keeps moving averages of the parameters, the model ends with those, as in Keras.
    ///
    /// Fails before the first step if the model is not compiled, the batch size is 0, the data do not suit the model, or
    /// what it is to resume from is no sound checkpoint of this run; and at the step that meets a NaN in x, before its
    /// update.
    pub fn run(self) -> Result<History> {
        self.start()?.go()
    }

    /// Checks everything: the run before its first step.
    pub(crate) fn start(mut self) -> Result<Run<'a>> {
        let (train, validation) = self.samples()?;
        if self.batch_size == 0 {
            return Err(Error::new("fit", "batch_size is 0").hint("use at least 1; Keras's default is 32"));
        }
        if train.count == 0 && self.epochs > 0 {
            return Err(Error::new("fit", format!("there are no samples: x has shape {}", self.x.list()[0].shape())));
        }
        let plan = Plan {
            samples: train.count,
            checksum: train.checksum()?,
            batch_size: self.batch_size,
            shuffle: self.shuffle,
        };
        let cursor = match &self.resume {
            Some(path) => checkpoint::resume(path, self.model, plan, &mut self.callbacks)?,
            None => Cursor::new(self.initial_epoch, self.model.rng, plan),
        };
        let resident = Resident::new(self.model, &train);
        let here = |samples: Samples| samples.to_device(&self.model.device()).unwrap_or(samples);
        let validation = if resident.is_some() { validation.map(here) } else { validation };
        Ok(Run {
            train,
            validation,
            batch_size: self.batch_size,
            epochs: self.epochs,
            shuffle: self.shuffle,
            resident,
            callbacks: self.callbacks,
            progress: Progress::stdout(self.verbosity),
            interrupt: Interrupt::watch(self.interruptible),
            cursor,
            model: self.model,
        })
    }

    /// The samples to train on and those to validate on.
    fn samples(&self) -> Result<(Samples, Option<Samples>)> {
        let mut train = Samples::new("fit", self.model, &self.x, &self.y)?;
        if let Some(weights) = &self.sample_weight {
            train = train.weighted("fit: sample_weight", weights)?;
        }
        let mut validation = None;
        if let Some((x, y)) = &self.validation {
            validation = Some(Samples::new("fit: validation", self.model, x, y)?);
        } else if let Some(part) = self.validation_split {
            let (first, last) = train.split("fit", part)?;
            (train, validation) = (first, Some(last));
        }
        if !self.class_weight.is_empty() {
            let weights = class_weights("fit", &train.y, &self.class_weight)?;
            train = train.weighted("fit: class_weight", &weights)?;
        }
        Ok((train, validation))
    }
}
