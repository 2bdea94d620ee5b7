//! [`StepDecay`]: a staircase downwards.

use super::Schedule;

/// `initial · factor^⌊steps / every⌋`: PyTorch's `StepLR`.
///
/// ```
/// use cotangent_nn::{Schedule, StepDecay};
/// let decay = StepDecay::new(0.1, 30, 0.5);
/// assert_eq!([0, 29, 30, 60].map(|steps| decay.rate(steps)), [0.1, 0.1, 0.05, 0.025]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StepDecay {
    initial: f64,
    every: u64,
    factor: f64,
}

impl StepDecay {
    /// From `initial`, times `factor` after `every` so many steps.
    ///
    /// # Panics
    /// If `every` is 0.
    #[track_caller]
    pub fn new(initial: f64, every: u64, factor: f64) -> Self {
        assert!(every > 0, "[step_decay] every 0 steps");
        Self { initial, every, factor }
    }
}

impl Schedule for StepDecay {
    fn rate(&self, steps: u64) -> f64 {
        self.initial * self.factor.powf((steps / self.every) as f64)
    }
}
