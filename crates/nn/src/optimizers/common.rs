//! [`Common`]: what every optimizer has besides its rule.

use super::{Clip, LossScale, State, Target, decays, non_negative};
use crate::LearningRate;
use cotangent_core::{Carry, Error, Grads, Lane, Ledger, Move, Result, Tensor, Update};

/// The learning rate, what is done to gradients before the rule and to parameters beside it, and the [`State`]: the part
/// that all optimizers share. The built-in ones set it by methods of their own, such as [`Adam::clip`](super::Adam::clip).
#[derive(Default)]
pub struct Common {
    /// Set by the optimizer's constructor, by `set_learning_rate`, or a schedule.
    pub learning_rate: LearningRate,
    /// Which part of a parameter a step takes away, times the learning rate.
    pub weight_decay: f64,
    /// Parameters whose name has one of these in it do not decay.
    pub no_decay: Vec<String>,
    /// The bound on gradients.
    pub clip: Option<Clip>,
    /// How much of the parameters' moving averages stays at each step, if there are any.
    pub average: Option<f64>,
    /// What the loss was multiplied by, and gradients are divided by.
    pub loss_scale: Option<LossScale>,
    /// How many gradients one step takes the mean of.
    pub accumulate: u64,
    /// Whether parameters without a gradient are left as they are, instead of an error.
    pub allow_missing: bool,
    /// What it remembers.
    pub state: State,
    /// Whether the last step moved parameters that decay, and others.
    pub(super) lots: [bool; 2],
}

/// One step, as a rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its number, from 1 on.
    pub number: u64,
    /// Its learning rate.
    pub learning_rate: f64,
    /// What the weight decay leaves of the parameter: 1 if there is none.
    pub keep: f64,
}

/// The weight decay as a pass of its own.
#[derive(Clone, Copy)]
struct Decay {
    keep: f64,
}

impl Update<0> for Decay {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, _: L, _: [L; 0]) -> (L, [L; 0]) {
        (L::splat(self.keep) * p, [])
    }
}

impl Step {
    /// Takes the weight decay off parameters.
    pub(super) fn decay(&self, moves: Vec<(&mut Tensor, &Tensor)>) {
        let moves = moves.into_iter().map(|(param, grad)| Move { param, grad, state: [] });
        Tensor::update_all(Decay { keep: self.keep }, moves.collect());
    }
}

impl Common {
    /// With this learning rate and nothing else.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self { learning_rate: learning_rate.into(), ..Self::default() }
    }

    /// The learning rate of the next step.
    pub fn rate(&self) -> f64 {
        self.learning_rate.at(self.state.steps())
    }

    pub(super) fn check(&self, name: &'static str) -> Result<()> {
        let clip = self.clip.map_or(1.0, Clip::bound);
        if !(clip > 0.0) {
            return Err(Error::new(name, format!("the bound on gradients is {clip}")).hint("it must be above 0"));
        }
        self.loss_scale.map_or(Ok(()), |scale| scale.check(name))?;
        decays(name, &[("the averages' momentum", self.average.unwrap_or(0.0))])?;
        non_negative(name, &[("learning_rate", self.rate()), ("weight_decay", self.weight_decay)])
    }

    /// The gradients of this step, in the order of the targets; `None` if they only join a sum, for a later step,
    /// or are not to be used.
    pub(super) fn gradients(&mut self, targets: &[Target], grads: &Grads) -> Option<Vec<Option<Tensor>>> {
        let mut own: Vec<Option<Tensor>> = targets.iter().map(|t| grads.get(t.value).cloned()).collect();
        if !self.unscale(&mut own) {
            return None;
        }
        if self.accumulate > 1 && !self.sum_up(targets, &mut own) {
            return None;
        }
        if let Some(clip) = self.clip {
            clip.apply(&mut own);
        }
        Some(own)
    }

    /// Adds the gradients to the sums; once those have as many as they should, makes `grads` the means, and the sums
    /// empty.
    fn sum_up(&mut self, targets: &[Target], grads: &mut [Option<Tensor>]) -> bool {
        let complete = self.state.count_summed(self.accumulate);
        for (target, grad) in targets.iter().zip(grads) {
            let sum = match (self.state.take_gradient_sum(target.value), grad.take()) {
                (Some(sum), Some(grad)) => sum + grad,
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => continue,
            };
            match complete {
                true => *grad = Some(sum / self.accumulate as f64),
                false => self.state.set_gradient_sum(target.value, sum),
            }
        }
        complete
    }

    /// Begins the next step and counts it.
    pub(super) fn begin(&mut self) -> Step {
        let learning_rate = self.rate();
        self.state.count_step();
        Step { number: self.state.steps(), learning_rate, keep: 1.0 - learning_rate * self.weight_decay }
    }

    /// Whether the parameter of this name decays.
    pub(super) fn decays(&self, target: &Target) -> bool {
        let Some(name) = &target.name else { return true };
        !self.no_decay.iter().any(|part| name.contains(part))
    }

    /// Moves the averages of parameters towards them.
    pub(super) fn follow(&mut self, params: Vec<&Tensor>) {
        if let Some(momentum) = self.average {
            self.state.follow(params, momentum);
        }
    }
}

impl Carry for Common {
    fn carry(&mut self, ledger: &mut Ledger) {
        let clip = self.clip.map(|clip| (clip.kind(), clip.bound().to_bits()));
        ledger.setting((clip, self.average.map(f64::to_bits), self.accumulate, self.allow_missing));
        ledger.setting((self.weight_decay != 0.0, &self.no_decay, self.scale().to_bits()));
        self.state.carry(ledger);
    }
}
