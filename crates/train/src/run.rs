//! [`Run`]: the loop of training over epochs and steps.

use crate::callbacks::{Callback, Context, Logs, Round};
use crate::cursor::Cursor;
use crate::data::Samples;
use crate::interrupt::Interrupt;
use crate::resident::Resident;
use crate::{History, Model, Progress};
use cotangent_core::{Error, Result};
use std::io::Stdout;

/// A training run under way.
pub(crate) struct Run<'a> {
    pub model: &'a mut Model,
    pub train: Samples,
    pub validation: Option<Samples>,
    pub batch_size: usize,
    pub epochs: usize,
    pub shuffle: bool,
    pub callbacks: Vec<Box<dyn Callback + 'a>>,
    pub progress: Progress<Stdout>,
    pub interrupt: Interrupt,
    pub cursor: Cursor,
    /// The samples to train on once more, where the model's device has its own memory.
    pub resident: Option<Resident>,
}

impl Run<'_> {
    /// Trains to the end, or until a callback or Ctrl-C ends it.
    pub fn go(mut self) -> Result<History> {
        self.cursor.history.set_interrupted(false);
        let resumed = std::mem::take(&mut self.cursor.callbacks);
        self.tell(Round::TrainBegin, &mut Logs::default())?;
        for (callback, state) in self.callbacks.iter_mut().zip(resumed) {
            callback.restore(state)?;
        }
        while self.cursor.epoch < self.epochs && !self.cursor.stop && !self.cursor.history.interrupted() {
            let epoch = self.cursor.epoch + 1;
            self.epoch().map_err(|e| Error::new("fit", format!("epoch {epoch}")).because(e))?;
        }
        if !self.cursor.history.interrupted() {
            self.model.take_averages();
        }
        self.tell(Round::TrainEnd, &mut Logs::default())?;
        Ok(self.cursor.history)
    }

    /// The rest of an epoch: all of it, if the cursor stands at its begin.
    fn epoch(&mut self) -> Result<()> {
        self.progress.epoch(self.cursor.epoch + 1, self.epochs);
        let begins = self.cursor.step == 0;
        if begins {
            self.cursor.rng = self.model.rng;
            self.cursor.tally = self.model.tally()?;
            self.tell(Round::EpochBegin, &mut Logs::default())?;
        }
        let mut rng = self.cursor.rng;
        let order = self.shuffle.then(|| rng.permutation(self.train.count));
        if begins {
            self.model.rng = rng;
        }
        if let Some(resident) = &mut self.resident {
            resident.begin(order.as_deref(), &self.cursor.tally)?;
        }
        self.steps(order.as_deref())?;
        self.read()?;
        if self.cursor.history.interrupted() {
            self.progress.finish(&[]);
            return Ok(());
        }
        self.finish()
    }

    fn steps(&mut self, order: Option<&[usize]>) -> Result<()> {
        let steps = self.train.count.div_ceil(self.batch_size);
        while self.cursor.step < steps && !self.cursor.stop {
            let start = self.cursor.step * self.batch_size;
            let count = self.batch_size.min(self.train.count - start);
            self.step(order, start, count).map_err(|e| {
                let row = order.map_or(start, |order| order[start]);
                let place = format!("step {} of {steps}", self.cursor.step + 1);
                Error::new(place, format!("a batch that begins with sample {row}")).because(e)
            })?;
            self.cursor.step += 1;
            let watched = self.callbacks.iter().any(|callback| callback.watches_steps());
            let mut logs = Logs::default();
            if watched || self.progress.is_due(self.cursor.step, steps) {
                self.read()?;
                logs = Logs(self.model.values(&self.cursor.tally)?);
            }
            self.progress.step(self.cursor.step, steps, &logs.shown());
            if watched {
                self.tell(Round::BatchEnd, &mut logs)?;
            }
            if self.interrupt.requested() {
                self.cursor.history.set_interrupted(true);
            }
            if self.cursor.history.interrupted() {
                break;
            }
        }
        Ok(())
    }

    fn step(&mut self, order: Option<&[usize]>, start: usize, count: usize) -> Result<()> {
        if let Some(resident) = &mut self.resident {
            return resident.step(self.model, start, count);
        }
        let batch = match order {
            Some(order) => self.train.select(&order[start..start + count])?,
            None => self.train.range(start, count),
        };
        self.model.train_on(&batch, &mut self.cursor.tally)
    }

    /// Brings the running sums up to date, if they are on the device: here the host waits for it.
    fn read(&mut self) -> Result<()> {
        self.resident.as_ref().map_or(Ok(()), |resident| resident.read(&mut self.cursor.tally))
    }

    /// What follows the last step of an epoch: validation, callbacks, history, the last line.
    fn finish(&mut self) -> Result<()> {
        let mut logs = Logs(self.model.values(&self.cursor.tally)?);
        if let Some(samples) = &self.validation {
            let samples = samples.clone();
            self.tell(Round::ValidationBegin, &mut logs)?;
            let tally = self.model.tally_over(&samples)?;
            self.tell(Round::ValidationEnd, &mut logs)?;
            let values = self.model.values(&tally)?.into_iter();
            logs.0.extend(values.map(|(name, value)| (format!("val_{name}"), value)));
        }
        self.tell_some(Round::EpochEnd, &mut logs, false)?;
        logs.0.iter().for_each(|(name, value)| self.cursor.history.push(name, *value));
        (self.cursor.epoch, self.cursor.step) = (self.cursor.epoch + 1, 0);
        self.progress.finish(&logs.shown());
        self.tell_some(Round::EpochEnd, &mut logs, true)
    }

    /// Calls every callback, those that run last at the end.
    fn tell(&mut self, round: Round, logs: &mut Logs) -> Result<()> {
        self.tell_some(round, logs, false)?;
        self.tell_some(round, logs, true)
    }

    fn tell_some(&mut self, round: Round, logs: &mut Logs, last: bool) -> Result<()> {
        if last && self.callbacks.iter().any(|callback| callback.runs_last()) {
            self.cursor.callbacks = self.callbacks.iter().map(|callback| callback.state()).collect();
        }
        // after its epoch's end the cursor stands at the next one
        let epoch = self.cursor.epoch - usize::from(last && matches!(round, Round::EpochEnd));
        for callback in self.callbacks.iter_mut().filter(|callback| callback.runs_last() == last) {
            let mut context = Context {
                model: self.model,
                logs,
                epoch,
                epochs: self.epochs,
                validated: self.validation.is_some(),
                cursor: &mut self.cursor,
            };
            round.call(callback.as_mut(), &mut context)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
