//! [`Sgd`]: gradient descent, with or without momentum.

use super::{Common, Optimizer, Step, decays, fields, options};
use cotangent_core::{Lane, Result, Tensor, Update};

/// Stochastic gradient descent, in Keras's form:
///
/// ```text
/// p ← p − learning_rate·g                                                       without momentum
/// v ← momentum·v − learning_rate·g;  p ← p + v                                  with momentum
/// v ← momentum·v − learning_rate·g;  p ← p + momentum·v − learning_rate·g      Nesterov's
/// ```
///
/// The learning rate is inside `v`; in PyTorch it is outside, which differs only once it changes.
pub struct Sgd {
    momentum: f64,
    nesterov: bool,
    common: Common,
}

/// Keras's: learning rate 0.01, no momentum.
impl Default for Sgd {
    fn default() -> Self {
        Self { momentum: 0.0, nesterov: false, common: Common::new(0.01) }
    }
}

options! { Sgd {
    /// How much of the velocity stays at each step.
    momentum: f64,
    /// Whether the step looks ahead along the velocity (Nesterov 1983; Sutskever et al. 2013).
    nesterov: bool,
}}

/// Without momentum.
#[derive(Clone, Copy)]
struct Plain {
    learning_rate: f64,
}

impl Update<0> for Plain {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, _: [L; 0]) -> (L, [L; 0]) {
        (p - L::splat(self.learning_rate) * g, [])
    }
}

/// With momentum. The state is `[v]`.
#[derive(Clone, Copy)]
struct Momentum<const NESTEROV: bool> {
    learning_rate: f64,
    momentum: f64,
}

impl<const NESTEROV: bool> Update<1> for Momentum<NESTEROV> {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [v]: [L; 1]) -> (L, [L; 1]) {
        let (momentum, pull) = (L::splat(self.momentum), L::splat(self.learning_rate) * g);
        let v = momentum * v - pull;
        (if NESTEROV { p + momentum * v - pull } else { p + v }, [v])
    }
}

impl Optimizer for Sgd {
    fields!("sgd");

    fn check(&self) -> Result<()> {
        decays("sgd", &[("momentum", self.momentum)])
    }

    fn slot_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum"] }
    }

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        let (momentum, nesterov, learning_rate) = (self.momentum, self.nesterov, step.learning_rate);
        let state = &mut self.common.state;
        match (momentum == 0.0, nesterov) {
            (true, _) => state.update_all(Plain { learning_rate }, [], moves),
            (false, true) => state.update_all(Momentum::<true> { learning_rate, momentum }, [0.0], moves),
            (false, false) => state.update_all(Momentum::<false> { learning_rate, momentum }, [0.0], moves),
        }
    }
}
