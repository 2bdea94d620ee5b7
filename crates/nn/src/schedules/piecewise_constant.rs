//! [`PiecewiseConstant`]: a staircase with steps of one's own.

use super::Schedule;

/// One rate up to each boundary, and a last one: Keras's `PiecewiseConstantDecay`.
///
/// ```
/// use cotangent_nn::{PiecewiseConstant, Schedule};
/// let rates = PiecewiseConstant::new([100, 110], [1.0, 0.5, 0.1]);
/// assert_eq!([0, 100, 101, 110, 111].map(|steps| rates.rate(steps)), [1.0, 1.0, 0.5, 0.5, 0.1]);
/// ```
#[derive(Clone, Debug)]
pub struct PiecewiseConstant {
    boundaries: Vec<u64>,
    rates: Vec<f64>,
}

impl PiecewiseConstant {
    /// `rates[i]` up to and with the step after `boundaries[i]` others, then the next.
    ///
    /// # Panics
    /// Unless there is one rate more than boundaries, and the boundaries ascend.
    #[track_caller]
    pub fn new(boundaries: impl Into<Vec<u64>>, rates: impl Into<Vec<f64>>) -> Self {
        let (boundaries, rates) = (boundaries.into(), rates.into());
        if rates.len() != boundaries.len() + 1 || !boundaries.is_sorted() {
            panic!("[piecewise_constant] ascending boundaries and one rate more, not {boundaries:?} and {rates:?}");
        }
        Self { boundaries, rates }
    }
}

impl Schedule for PiecewiseConstant {
    fn rate(&self, steps: u64) -> f64 {
        self.rates[self.boundaries.partition_point(|&boundary| boundary < steps)]
    }
}
