//! [`OneCycle`]: up to a great rate and far down again.

use super::{Schedule, cosine};

/// Up from `max / 25` to `max` over the first 30 % of the steps, then down to `max / 250 000`, both along half a cosine
/// (Smith, Topin 2018, <https://arxiv.org/abs/1708.07120>): PyTorch's `OneCycleLR` with its defaults.
///
/// ```
/// use cotangent_nn::{OneCycle, Schedule};
/// let cycle = OneCycle::new(0.1, 100);
/// assert!((cycle.rate(0) - 0.004).abs() < 1e-12);
/// assert_eq!(cycle.rate(29), 0.1);
/// assert!((cycle.rate(99) - 4e-7).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneCycle {
    max: f64,
    steps: u64,
    rising: f64,
    start_divisor: f64,
    end_divisor: f64,
}

impl OneCycle {
    /// To `max` and back in `steps` steps; the last rate stays.
    ///
    /// # Panics
    /// If there are fewer than 2 steps.
    #[track_caller]
    pub fn new(max: f64, steps: u64) -> Self {
        assert!(steps > 1, "[one_cycle] up and down in {steps} steps");
        Self { max, steps, rising: 0.3, start_divisor: 25.0, end_divisor: 1e4 }
    }

    /// Which part of the steps climbs: PyTorch's `pct_start`.
    pub fn rising(mut self, part: f64) -> Self {
        self.rising = part;
        self
    }

    /// The first rate is `max / start`, the last one `max / (start · end)`: PyTorch's `div_factor` and
    /// `final_div_factor`.
    pub fn divisors(mut self, start: f64, end: f64) -> Self {
        (self.start_divisor, self.end_divisor) = (start, end);
        self
    }
}

impl Schedule for OneCycle {
    fn rate(&self, steps: u64) -> f64 {
        let first = self.max / self.start_divisor;
        // the steps are points: the climb ends at point `top`, the fall at the last
        let (top, last) = (self.rising * self.steps as f64 - 1.0, (self.steps - 1) as f64);
        let step = (steps as f64).min(last);
        match step <= top {
            true => cosine(first, self.max, step / top.max(f64::MIN_POSITIVE)),
            false => cosine(self.max, first / self.end_divisor, (step - top) / (last - top)),
        }
    }
}
