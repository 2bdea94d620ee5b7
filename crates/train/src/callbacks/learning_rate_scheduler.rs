//! [`LearningRateScheduler`]: a learning rate for each epoch.

use super::{Callback, Context};
use cotangent_core::Result;

/// Sets the learning rate before each epoch, from its number (from 0 on) and the rate so far: Keras's
/// `LearningRateScheduler`. The history has a `learning_rate` then.
///
/// ```
/// # use cotangent_train::LearningRateScheduler;
/// let scheduler = LearningRateScheduler::new(|epoch, rate| if epoch < 10 { rate } else { rate * 0.9 });
/// ```
///
/// For a rate of each step give the optimizer a [`Schedule`](cotangent_nn::Schedule).
pub struct LearningRateScheduler<F>(F);

impl<F: FnMut(usize, f64) -> f64> LearningRateScheduler<F> {
    /// With the rate that `schedule(epoch, rate)` gives.
    pub fn new(schedule: F) -> Self {
        Self(schedule)
    }
}

impl<F: FnMut(usize, f64) -> f64> Callback for LearningRateScheduler<F> {
    fn watches_steps(&self) -> bool {
        false
    }

    fn on_epoch_begin(&mut self, context: &mut Context) -> Result<()> {
        let rate = (self.0)(context.epoch(), context.learning_rate());
        context.set_learning_rate(rate)
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        let rate = context.learning_rate();
        context.logs.set("learning_rate", rate);
        Ok(())
    }
}
