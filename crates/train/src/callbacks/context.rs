//! [`Context`]: what a callback is told and may do.

use crate::cursor::Cursor;
use crate::{History, Model};
use cotangent_core::{Error, Result};

/// Where training stands, what it reports, and the model.
pub struct Context<'a> {
    /// The model: its parameters, its optimizer.
    pub model: &'a mut Model,
    /// The loss and the metrics by name; at the end of an epoch those of the validation too.
    pub logs: &'a mut Logs,
    pub(crate) epoch: usize,
    pub(crate) epochs: usize,
    pub(crate) validated: bool,
    pub(crate) cursor: &'a mut Cursor,
}

/// What is reported: names and numbers, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs(pub(crate) Vec<(String, f64)>);

impl Logs {
    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Adds a number, or replaces that of its name.
    pub fn set(&mut self, name: &str, value: f64) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// All names and numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    pub(crate) fn shown(&self) -> Vec<(&str, f64)> {
        self.iter().collect()
    }
}

impl Context<'_> {
    /// The number of the epoch, from 0 on.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// How many epochs there are to be.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// How many steps of the epoch are done.
    pub fn step(&self) -> usize {
        self.cursor.step
    }

    /// What the complete epochs reported.
    pub fn history(&self) -> &History {
        &self.cursor.history
    }

    /// Ends the training: after this step, or this epoch.
    pub fn stop(&mut self) {
        self.cursor.stop = true;
    }

    /// Whether Ctrl-C has ended the training, perhaps in the middle of an epoch.
    pub fn interrupted(&self) -> bool {
        self.cursor.history.interrupted()
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.model.optimizer().map_or(0.0, |optimizer| optimizer.learning_rate())
    }

    /// Changes the learning rate from the next step on. Fails if the optimizer follows a schedule, as in Keras.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        let Some(optimizer) = self.model.optimizer_mut() else { return Ok(()) };
        if optimizer.common().learning_rate.is_scheduled() {
            return Err(Error::new("callback", "the learning rate follows the optimizer's schedule")
                .hint("give the optimizer a number, or leave out the callback that sets its learning rate"));
        }
        optimizer.set_learning_rate(rate);
        Ok(())
    }

    /// Fails unless training will report a number of that name.
    pub(crate) fn expect(&self, callback: &'static str, name: &str) -> Result<()> {
        let names = self.model.reports()?;
        let val = names.iter().filter(|_| self.validated).map(|name| format!("val_{name}"));
        let names: Vec<String> = names.iter().cloned().chain(val).collect();
        if names.iter().any(|known| known == name) {
            return Ok(());
        }
        let hint = match name.starts_with("val_") && !self.validated {
            true => "give `fit` a `validation` or a `validation_split`",
            false => "compile the model with that metric",
        };
        Err(Error::new(callback, format!("nothing reports {name:?}; there are {names:?}")).hint(hint))
    }
}
