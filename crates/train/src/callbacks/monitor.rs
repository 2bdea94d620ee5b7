//! What callbacks that watch a number share: [`Mode`], and what counts as better.

use super::{Context, Logs};
use cotangent_core::{Error, Result, Tensor};

/// Which numbers are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Greater ones for names with `acc`, `auc`, `precision`, `recall` or `f1` in them, else smaller ones.
    #[default]
    Auto,
    /// Smaller ones.
    Min,
    /// Greater ones.
    Max,
}

/// A number that is watched, and its best value so far.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    pub name: String,
    pub mode: Mode,
    /// By how much a value must be better to count.
    pub min_delta: f64,
    pub best: Option<f64>,
}

impl Monitor {
    pub fn new(name: impl Into<String>, min_delta: f64) -> Self {
        Self { name: name.into(), mode: Mode::Auto, min_delta, best: None }
    }

    /// Fails unless the number will be reported and the settings make sense.
    pub fn begin(&mut self, callback: &'static str, context: &Context) -> Result<()> {
        self.best = None;
        if !(self.min_delta >= 0.0) {
            let hint = "it is how much better a value must be, not in which direction";
            return Err(Error::new(callback, format!("min_delta is {}", self.min_delta)).hint(hint));
        }
        context.expect(callback, &self.name)
    }

    /// The number now.
    pub fn value(&self, logs: &Logs) -> f64 {
        logs.get(&self.name).unwrap_or(f64::NAN)
    }

    /// Whether `value` is better than `other`, by more than `min_delta`. NaN never is.
    pub fn better(&self, value: f64, other: f64) -> bool {
        match self.ascends() {
            true => value - self.min_delta > other,
            false => value + self.min_delta < other,
        }
    }

    /// Whether `value` is the best so far; it is kept then.
    pub fn improve(&mut self, value: f64) -> bool {
        let better = match self.best {
            Some(best) => self.better(value, best),
            None => !value.is_nan(),
        };
        if better {
            self.best = Some(value);
        }
        better
    }

    fn ascends(&self) -> bool {
        let growing = ["acc", "auc", "precision", "recall", "f1"];
        match self.mode {
            Mode::Max => true,
            Mode::Min => false,
            Mode::Auto => growing.iter().any(|part| self.name.contains(part)),
        }
    }
}

/// The options of a callback that watches a number for being better, of those that count epochs without.
macro_rules! monitor_options {
    ($name:ident) => {
        impl $name {
            /// How many epochs in a row may be no better before it acts.
            pub fn patience(mut self, epochs: usize) -> Self {
                self.patience = epochs;
                self
            }

            /// By how much a value must be better to count.
            pub fn min_delta(mut self, delta: f64) -> Self {
                self.monitor.min_delta = delta;
                self
            }

            /// Which values are better. Default: by the name.
            pub fn mode(mut self, mode: Mode) -> Self {
                self.monitor.mode = mode;
                self
            }
        }
    };
}
pub(super) use monitor_options;

/// Numbers under names, as tensors for a checkpoint.
pub(super) fn numbers(numbers: &[(&str, f64)]) -> Vec<(String, Tensor)> {
    numbers.iter().map(|(name, x)| ((*name).to_owned(), Tensor::scalar(*x))).collect()
}

/// The number of that name from a checkpoint.
pub(super) fn number(callback: &'static str, state: &[(String, Tensor)], name: &str) -> Result<f64> {
    match state.iter().find(|(known, value)| known == name && value.count() == 1) {
        Some((_, value)) => Ok(value.item()),
        None => Err(Error::new(callback, format!("the checkpoint holds no {name:?} of this callback"))
            .hint("resume with the callbacks that the checkpoint was written with, in their order")),
    }
}
