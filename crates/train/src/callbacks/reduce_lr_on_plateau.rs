//! [`ReduceLrOnPlateau`]: smaller steps where training has ceased to get better.

use super::monitor::{Monitor, monitor_options, number, numbers};
use super::{Callback, Context, Mode};
use cotangent_core::{Error, Result, Tensor};

/// Multiplies the learning rate by a factor once a number has not got better for some epochs: Keras's
/// `ReduceLROnPlateau`. The history has a `learning_rate` then.
#[derive(Clone)]
pub struct ReduceLrOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_lr: f64,
    /// Epochs since the best.
    wait: usize,
    /// Epochs of the cooldown that are left.
    cooling: usize,
}

const NAME: &str = "reduce_lr_on_plateau";

impl ReduceLrOnPlateau {
    /// Watches the number of that name, such as `val_loss`. Keras's defaults: factor 0.1, patience 10, min_delta 1e-4.
    pub fn new(monitor: impl Into<String>) -> Self {
        let monitor = Monitor::new(monitor, 1e-4);
        Self { monitor, factor: 0.1, patience: 10, cooldown: 0, min_lr: 0.0, wait: 0, cooling: 0 }
    }

    /// What the learning rate is multiplied by.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How many epochs after a fall do not count. Default: 0.
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The learning rate falls no further than this. Default: 0.
    pub fn min_lr(mut self, rate: f64) -> Self {
        self.min_lr = rate;
        self
    }
}

monitor_options!(ReduceLrOnPlateau);

impl Callback for ReduceLrOnPlateau {
    fn watches_steps(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, context: &mut Context) -> Result<()> {
        (self.wait, self.cooling) = (0, 0);
        if !(0.0..1.0).contains(&self.factor) {
            return Err(Error::new(NAME, format!("factor {}", self.factor)).hint("it must be at least 0 and below 1"));
        }
        self.monitor.begin(NAME, context)
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        let (value, rate) = (self.monitor.value(context.logs), context.learning_rate());
        context.logs.set("learning_rate", rate);
        if self.cooling > 0 {
            self.cooling -= 1;
            self.wait = 0;
        }
        if self.monitor.improve(value) {
            self.wait = 0;
        } else if self.cooling == 0 {
            self.wait += 1;
            if self.wait >= self.patience && rate > self.min_lr {
                context.set_learning_rate((rate * self.factor).max(self.min_lr))?;
                (self.cooling, self.wait) = (self.cooldown, 0);
            }
        }
        Ok(())
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let best = self.monitor.best.unwrap_or(f64::NAN);
        numbers(&[("best", best), ("wait", self.wait as f64), ("cooling", self.cooling as f64)])
    }

    fn restore(&mut self, state: Vec<(String, Tensor)>) -> Result<()> {
        let number = |name| number(NAME, &state, name);
        self.monitor.best = Some(number("best")?).filter(|best| !best.is_nan());
        (self.wait, self.cooling) = (number("wait")? as usize, number("cooling")? as usize);
        Ok(())
    }
}
