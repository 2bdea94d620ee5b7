//! [`State`]: what an optimizer remembers of its steps and parameters.

use cotangent_core::Tensor;
use std::collections::HashMap;

/// The number of steps, and for each parameter the tensors that the rule keeps of it, made when it is first moved; its
/// moving average and the sum of its gradients, if the optimizer wants them.
///
/// Parameters are known by their [`leaf_id`](Tensor::leaf_id), so a clone counts as the same one.
#[derive(Clone, Default)]
pub struct State {
    steps: u64,
    slots: HashMap<u64, Vec<Tensor>>,
    averages: HashMap<u64, Tensor>,
    gradient_sums: HashMap<u64, Tensor>,
    summed: u64,
}

impl State {
    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets how many steps were made: Adam's bias correction goes on from there.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// What is kept of `param`, in the order of the rule; nothing before its first step.
    pub fn get(&self, param: &Tensor) -> &[Tensor] {
        param.leaf_id().and_then(|id| self.slots.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// Puts back what was kept of `param`: the opposite of [`get`](State::get), for checkpoints.
    ///
    /// # Panics
    /// If `param` is not a tracked leaf.
    #[track_caller]
    pub fn set(&mut self, param: &Tensor, kept: Vec<Tensor>) {
        self.slots.insert(id(param), kept);
    }

    /// What is kept of `param`, to change; at first each tensor holds its number of `initial` everywhere, in the
    /// parameter's shape and dtype.
    ///
    /// # Panics
    /// If `param` is not a tracked leaf, or another number of tensors is kept of it.
    #[track_caller]
    pub fn slots<const S: usize>(&mut self, param: &Tensor, initial: [f64; S]) -> [&mut Tensor; S] {
        let make = || initial.map(|value| param.new_full(param.shape(), value)).into();
        let kept = self.slots.entry(id(param)).or_insert_with(make);
        let count = kept.len();
        match <&mut [Tensor; S]>::try_from(kept.as_mut_slice()) {
            Ok(kept) => kept.each_mut(),
            Err(_) => panic!("[optimizer] the rule keeps {S} tensors of a parameter, the state holds {count}"),
        }
    }

    /// The moving average of `param`, if the optimizer keeps one and has moved it.
    pub fn average(&self, param: &Tensor) -> Option<&Tensor> {
        self.averages.get(&param.leaf_id()?)
    }

    /// Puts back the moving average of `param`.
    ///
    /// # Panics
    /// If `param` is not a tracked leaf.
    #[track_caller]
    pub fn set_average(&mut self, param: &Tensor, average: Tensor) {
        self.averages.insert(id(param), average);
    }

    /// `average ← momentum · average + (1 − momentum) · param`; at first the parameter itself.
    pub(super) fn follow(&mut self, param: &Tensor, momentum: f64) {
        let now = param.detach();
        let average = match self.average(param) {
            Some(average) => average.scale(momentum) + now.scale(1.0 - momentum),
            None => now,
        };
        self.set_average(param, average);
    }

    /// The sum of the gradients of `param` that wait for the next step.
    pub fn gradient_sum(&self, param: &Tensor) -> Option<&Tensor> {
        self.gradient_sums.get(&param.leaf_id()?)
    }

    /// Puts back the sum of the gradients of `param`.
    ///
    /// # Panics
    /// If `param` is not a tracked leaf.
    #[track_caller]
    pub fn set_gradient_sum(&mut self, param: &Tensor, sum: Tensor) {
        self.gradient_sums.insert(id(param), sum);
    }

    /// How many gradients wait in the sums.
    pub fn summed(&self) -> u64 {
        self.summed
    }

    /// Sets how many gradients wait in the sums.
    pub fn set_summed(&mut self, summed: u64) {
        self.summed = summed;
    }

    pub(super) fn take_gradient_sum(&mut self, param: &Tensor) -> Option<Tensor> {
        self.gradient_sums.remove(&param.leaf_id()?)
    }

    /// Counts one more gradient; whether they are `all` now, and the count begins anew.
    pub(super) fn count_summed(&mut self, all: u64) -> bool {
        self.summed += 1;
        let complete = self.summed >= all;
        if complete {
            self.summed = 0;
        }
        complete
    }

    pub(super) fn count_step(&mut self) {
        self.steps += 1;
    }
}

#[track_caller]
fn id(param: &Tensor) -> u64 {
    param.leaf_id().expect("[optimizer] a parameter is a tracked leaf")
}
