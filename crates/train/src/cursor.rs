//! [`Cursor`]: where a training run stands.

use crate::History;
use crate::checkpoint::Plan;
use crate::tally::Tally;
use cotangent_core::{Rng, Tensor};

/// All that a training run holds between two steps, besides the model (its parameters, its random numbers) and its
/// optimizer. A run that goes on from one of these, with those as they were, goes on as if it had never ended.
#[derive(Clone)]
pub(crate) struct Cursor {
    /// How many epochs are complete.
    pub epoch: usize,
    /// How many steps of the next one are done.
    pub step: usize,
    /// The random numbers as they were when that epoch began: the order of its samples is drawn from them again.
    pub rng: Rng,
    /// The running sums of that epoch.
    pub tally: Tally,
    /// What the complete epochs reported.
    pub history: History,
    /// Whether a callback ended the training.
    pub stop: bool,
    /// How the run goes through the samples.
    pub plan: Plan,
    /// What each callback remembers, in their order; brought up to date before a callback that runs last.
    pub callbacks: Vec<Vec<(String, Tensor)>>,
}

impl Cursor {
    /// Before the first step, after `epoch` epochs that were not of this run.
    pub fn new(epoch: usize, rng: Rng, plan: Plan) -> Self {
        Self {
            epoch,
            step: 0,
            rng,
            tally: Tally::default(),
            history: History::default(),
            stop: false,
            plan,
            callbacks: Vec::new(),
        }
    }
}
