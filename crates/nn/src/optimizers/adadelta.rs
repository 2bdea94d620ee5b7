//! [`Adadelta`]: step sizes from the ratio of past updates to past gradients.

use super::{Common, Optimizer, Step, decays, fields, non_negative, options};
use cotangent_core::{Lane, Result, Tensor, Update};

/// Adadelta (Zeiler 2012, <https://arxiv.org/abs/1212.5701>), with a learning rate as all Keras versions have it:
///
/// ```text
/// a ← ρ·a + (1 − ρ)·g²
/// u = g·√(d + ε) / √(a + ε)
/// p ← p − learning_rate·u
/// d ← ρ·d + (1 − ρ)·u²
/// ```
///
/// The learning rate does not enter `d`.
///
/// | | learning rate | ρ | ε |
/// |---|---|---|---|
/// | here, Keras up to 2.3.1 | 1.0 | 0.95 | 1e-7 |
/// | Keras since 2.4, tf.keras, Keras 3 | 0.001 | 0.95 | 1e-7 |
/// | PyTorch | 1.0 | 0.9 | 1e-6 |
///
/// The default learning rate of Keras fell from 1.0 to 0.001 when it became tf.keras. Scripts from before were written
/// for 1.0: with 0.001, `mnist_cnn.py` reaches some 84 % instead of 99 %. To be sure, say it: `Adadelta::new(1.0)`.
pub struct Adadelta {
    rho: f64,
    epsilon: f64,
    common: Common,
}

/// Learning rate 1.0, ρ 0.95, ε 1e-7.
impl Default for Adadelta {
    fn default() -> Self {
        Self { rho: 0.95, epsilon: 1e-7, common: Common::new(1.0) }
    }
}

options! { Adadelta {
    /// ρ, how much of the averages stays at each step.
    rho: f64,
    /// ε, added under both roots.
    epsilon: f64,
}}

/// The state is `[a, d]`.
#[derive(Clone, Copy)]
struct Rule {
    learning_rate: f64,
    rho: f64,
    epsilon: f64,
}

impl Update<2> for Rule {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [a, d]: [L; 2]) -> (L, [L; 2]) {
        let (rho, rest, epsilon) = (L::splat(self.rho), L::splat(1.0 - self.rho), L::splat(self.epsilon));
        let a = rho * a + rest * g.square();
        let u = g * (d + epsilon).sqrt() / (a + epsilon).sqrt();
        (p - L::splat(self.learning_rate) * u, [a, rho * d + rest * u.square()])
    }
}

impl Optimizer for Adadelta {
    fields!("adadelta");

    fn check(&self) -> Result<()> {
        non_negative("adadelta", &[("epsilon", self.epsilon)])?;
        decays("adadelta", &[("rho", self.rho)])
    }

    fn slot_names(&self) -> &'static [&'static str] {
        &["mean_square", "mean_square_step"]
    }

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        let rule = Rule { learning_rate: step.learning_rate, rho: self.rho, epsilon: self.epsilon };
        self.common.state.update_all(rule, [0.0; 2], moves);
    }
}
