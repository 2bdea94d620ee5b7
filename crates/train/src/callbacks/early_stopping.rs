//! [`EarlyStopping`]: ends training that has ceased to get better.

use super::monitor::{Monitor, monitor_options, number, numbers};
use super::{Callback, Context, Mode};
use cotangent_core::{Error, Result, Tensor};

/// Ends the training once a number has not got better for some epochs: Keras's `EarlyStopping`.
///
/// ```
/// # use cotangent_train::EarlyStopping;
/// let stopping = EarlyStopping::new("val_loss").patience(3).restore_best_weights(true);
/// ```
#[derive(Clone)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    baseline: Option<f64>,
    start_from_epoch: usize,
    restore: bool,
    /// Epochs since the best.
    wait: usize,
    best_epoch: usize,
    best_weights: Vec<(String, Tensor)>,
    stopped: Option<usize>,
}

const NAME: &str = "early_stopping";

impl EarlyStopping {
    /// Watches the number of that name, such as `val_loss`: ends the training with the first epoch that is not better
    /// than the best before. Defaults: patience 0, min_delta 0.
    pub fn new(monitor: impl Into<String>) -> Self {
        Self {
            monitor: Monitor::new(monitor, 0.0),
            patience: 0,
            baseline: None,
            start_from_epoch: 0,
            restore: false,
            wait: 0,
            best_epoch: 0,
            best_weights: Vec::new(),
            stopped: None,
        }
    }

    /// A value that must be beaten too before the count of patience begins anew.
    pub fn baseline(mut self, value: f64) -> Self {
        self.baseline = Some(value);
        self
    }

    /// The first epoch, from 0 on, that is looked at.
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }

    /// Whether the model ends with the parameters of its best epoch, and not of the last. Ctrl-C leaves the last.
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore = restore;
        self
    }

    /// The epoch, from 0 on, after which training was ended; `None` if it was not.
    pub fn stopped_epoch(&self) -> Option<usize> {
        self.stopped
    }

    /// The best value, and its epoch from 0 on.
    pub fn best(&self) -> Option<(f64, usize)> {
        self.monitor.best.map(|best| (best, self.best_epoch))
    }

    fn keep_weights(&mut self, context: &Context) {
        if self.restore {
            self.best_weights = context.model.params().map(|(name, p)| (name, p.value.detach())).collect();
        }
    }
}

monitor_options!(EarlyStopping);

impl Callback for EarlyStopping {
    fn watches_steps(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, context: &mut Context) -> Result<()> {
        (self.wait, self.best_epoch, self.stopped) = (0, 0, None);
        self.best_weights.clear();
        self.monitor.begin(NAME, context)
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        if context.epoch() < self.start_from_epoch {
            return Ok(());
        }
        if self.best_weights.is_empty() {
            self.keep_weights(context); // the best there are, even if the value is NaN
        }
        let value = self.monitor.value(context.logs);
        self.wait += 1;
        if self.monitor.improve(value) {
            self.best_epoch = context.epoch();
            self.keep_weights(context);
            if self.baseline.is_none_or(|baseline| self.monitor.better(value, baseline)) {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && context.epoch() > 0 {
            self.stopped = Some(context.epoch());
            context.stop();
        }
        Ok(())
    }

    fn on_train_end(&mut self, context: &mut Context) -> Result<()> {
        if !context.interrupted() {
            for ((_, param), (_, best)) in context.model.params_mut().zip(&self.best_weights) {
                param.value.set_(&best.to_device(&param.value.device())?);
            }
        }
        Ok(())
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let best = self.monitor.best.unwrap_or(f64::NAN);
        let mut state = numbers(&[("best", best), ("best_epoch", self.best_epoch as f64), ("wait", self.wait as f64)]);
        state.extend(self.best_weights.iter().map(|(name, value)| (format!("{WEIGHTS}{name}"), value.clone())));
        state
    }

    fn restore(&mut self, state: Vec<(String, Tensor)>) -> Result<()> {
        let number = |name| number(NAME, &state, name);
        self.monitor.best = Some(number("best")?).filter(|best| !best.is_nan());
        self.best_epoch = number("best_epoch")? as usize;
        self.wait = number("wait")? as usize;
        let weights = state.iter().filter_map(|(name, value)| Some((name.strip_prefix(WEIGHTS)?, value)));
        self.best_weights = weights.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        match self.restore && self.best_weights.is_empty() && self.monitor.best.is_some() {
            true => Err(Error::new(NAME, "the checkpoint holds no best weights")),
            false => Ok(()),
        }
    }
}

/// What the names of the best weights begin with in a checkpoint.
const WEIGHTS: &str = "weights/";
