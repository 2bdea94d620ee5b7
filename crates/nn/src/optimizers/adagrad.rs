//! [`Adagrad`]: step sizes that shrink with the sum of squared gradients.

use super::{Common, Optimizer, Step, fields, non_negative, options};
use cotangent_core::{Lane, Result, Tensor, Update};

/// Adagrad (Duchi, Hazan, Singer 2011), as in Keras 3:
///
/// ```text
/// a ← a + g²
/// p ← p − learning_rate·g / √(a + ε)
/// ```
///
/// `a` begins with the initial accumulator.
pub struct Adagrad {
    initial_accumulator: f64,
    epsilon: f64,
    common: Common,
}

/// Keras's: learning rate 0.001, initial accumulator 0.1, ε 1e-7. The paper's learning rate is 1.0.
impl Default for Adagrad {
    fn default() -> Self {
        Self { initial_accumulator: 0.1, epsilon: 1e-7, common: Common::new(0.001) }
    }
}

options! { Adagrad {
    /// What the sum of squares begins with.
    initial_accumulator: f64,
    /// ε, added under the root.
    epsilon: f64,
}}

/// The state is `[a]`.
#[derive(Clone, Copy)]
struct Rule {
    learning_rate: f64,
    epsilon: f64,
}

impl Update<1> for Rule {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [a]: [L; 1]) -> (L, [L; 1]) {
        let a = a + g.square();
        (p - L::splat(self.learning_rate) * g / (a + L::splat(self.epsilon)).sqrt(), [a])
    }
}

impl Optimizer for Adagrad {
    fields!("adagrad");

    fn check(&self) -> Result<()> {
        let settings = [("initial_accumulator", self.initial_accumulator), ("epsilon", self.epsilon)];
        non_negative("adagrad", &settings)
    }

    fn slot_names(&self) -> &'static [&'static str] {
        &["square_sum"]
    }

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        let rule = Rule { learning_rate: step.learning_rate, epsilon: self.epsilon };
        self.common.state.update_all(rule, [self.initial_accumulator], moves);
    }
}
