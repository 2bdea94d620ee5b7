//! [`PolynomialDecay`]: down to an end rate along a power.

use super::{Schedule, part};

/// `end + (initial − end) · (1 − steps / decay_steps)^power`, and `end` from there on. Keras's `PolynomialDecay`.
///
/// ```
/// use cotangent_nn::{PolynomialDecay, Schedule};
/// let decay = PolynomialDecay::new(0.5, 100).end(0.25);
/// assert_eq!([0, 50, 100, 999].map(|steps| decay.rate(steps)), [0.5, 0.375, 0.25, 0.25]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PolynomialDecay {
    initial: f64,
    decay_steps: u64,
    end: f64,
    power: f64,
}

impl PolynomialDecay {
    /// From `initial` to 1e-4 in `decay_steps` steps, in a line.
    ///
    /// # Panics
    /// If `decay_steps` is 0.
    #[track_caller]
    pub fn new(initial: f64, decay_steps: u64) -> Self {
        assert!(decay_steps > 0, "[polynomial_decay] over 0 steps");
        Self { initial, decay_steps, end: 1e-4, power: 1.0 }
    }

    /// The rate at the end.
    pub fn end(mut self, end: f64) -> Self {
        self.end = end;
        self
    }

    /// The power: 1 is a line, 0.5 a square root.
    pub fn power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }
}

impl Schedule for PolynomialDecay {
    fn rate(&self, steps: u64) -> f64 {
        self.end + (self.initial - self.end) * (1.0 - part(steps, self.decay_steps)).powf(self.power)
    }
}
