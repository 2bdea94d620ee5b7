//! [`ExponentialDecay`]: the same factor over the same time.

use super::Schedule;

/// `initial · factor^(steps / decay_steps)`; with [`staircase`](ExponentialDecay::staircase) the exponent is rounded down.
/// Keras's `ExponentialDecay`.
///
/// ```
/// use cotangent_nn::{ExponentialDecay, Schedule};
/// let decay = ExponentialDecay::new(0.1, 100, 0.25);
/// assert_eq!([0, 50, 100].map(|steps| decay.rate(steps)), [0.1, 0.05, 0.025]);
/// assert_eq!(decay.staircase(true).rate(99), 0.1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ExponentialDecay {
    initial: f64,
    decay_steps: u64,
    factor: f64,
    staircase: bool,
}

impl ExponentialDecay {
    /// From `initial`, times `factor` over each `decay_steps` steps.
    ///
    /// # Panics
    /// If `decay_steps` is 0.
    #[track_caller]
    pub fn new(initial: f64, decay_steps: u64, factor: f64) -> Self {
        assert!(decay_steps > 0, "[exponential_decay] over 0 steps");
        Self { initial, decay_steps, factor, staircase: false }
    }

    /// Whether the rate changes only every `decay_steps` steps.
    pub fn staircase(mut self, staircase: bool) -> Self {
        self.staircase = staircase;
        self
    }
}

impl Schedule for ExponentialDecay {
    fn rate(&self, steps: u64) -> f64 {
        let times = steps as f64 / self.decay_steps as f64;
        self.initial * self.factor.powf(if self.staircase { times.floor() } else { times })
    }
}
