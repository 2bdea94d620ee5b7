//! Learning rates that change from step to step: [`Schedule`], one file each.

mod cosine_decay;
mod exponential_decay;
mod one_cycle;
mod piecewise_constant;
mod polynomial_decay;
mod step_decay;

pub use cosine_decay::CosineDecay;
pub use exponential_decay::ExponentialDecay;
pub use one_cycle::OneCycle;
pub use piecewise_constant::PiecewiseConstant;
pub use polynomial_decay::PolynomialDecay;
pub use step_decay::StepDecay;

/// A learning rate as a function of the number of steps made so far.
///
/// Optimizers take one in place of a number; so does every closure `Fn(u64) -> f64`:
///
/// ```
/// use cotangent_nn::{Adam, CosineDecay, Optimizer, Schedule, Sgd};
/// let decay = CosineDecay::new(0.1, 1000);
/// assert_eq!((decay.rate(0), decay.rate(500)), (0.1, 0.05));
/// let adam = Adam::new(decay);
/// let sgd = Sgd::new(|step: u64| 1.0 / (10.0 + step as f64));
/// assert_eq!([adam.learning_rate(), sgd.learning_rate()], [0.1, 0.1]);
/// ```
pub trait Schedule: Send + Sync {
    /// The learning rate of the step after `steps` others.
    fn rate(&self, steps: u64) -> f64;
}

impl<F: Fn(u64) -> f64 + Send + Sync> Schedule for F {
    fn rate(&self, steps: u64) -> f64 {
        self(steps)
    }
}

/// What an optimizer takes for its learning rate: a number or a [`Schedule`].
pub enum LearningRate {
    /// The same until it is set anew.
    Constant(f64),
    /// A function of the number of steps.
    Scheduled(Box<dyn Schedule>),
}

impl LearningRate {
    /// Whether a schedule decides.
    pub fn is_scheduled(&self) -> bool {
        matches!(self, Self::Scheduled(_))
    }

    /// The rate of the step after `steps` others.
    pub fn at(&self, steps: u64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Scheduled(schedule) => schedule.rate(steps),
        }
    }
}

/// 0: nothing moves.
impl Default for LearningRate {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        Self::Constant(rate)
    }
}

impl<S: Schedule + 'static> From<S> for LearningRate {
    fn from(schedule: S) -> Self {
        Self::Scheduled(Box::new(schedule))
    }
}

/// How much of `steps` is done after `done` of them: 0 to 1.
fn part(done: u64, steps: u64) -> f64 {
    done.min(steps) as f64 / steps as f64
}

/// From `start` to `end` along half a cosine, for `part` from 0 to 1.
fn cosine(start: f64, end: f64, part: f64) -> f64 {
    end + (start - end) * 0.5 * (1.0 + (std::f64::consts::PI * part).cos())
}
