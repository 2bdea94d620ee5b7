//! [`State`]: what an optimizer remembers of its steps and parameters.

use cotangent_core::Tensor;
use std::collections::HashMap;

/// The number of steps, and for each parameter the tensors that the rule keeps of it, made when it is first moved.
///
/// Parameters are known by their [`leaf_id`](Tensor::leaf_id), so a clone counts as the same one.
#[derive(Clone, Default)]
pub struct State {
    steps: u64,
    slots: HashMap<u64, Vec<Tensor>>,
    allow_missing: bool,
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

    /// Whether parameters without a gradient are left as they are, instead of an error.
    pub fn allow_missing(&mut self, allow: bool) {
        self.allow_missing = allow;
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
        let make = || initial.map(|value| Tensor::full(param.shape(), value, param.dtype())).into();
        let kept = self.slots.entry(id(param)).or_insert_with(make);
        let count = kept.len();
        match <&mut [Tensor; S]>::try_from(kept.as_mut_slice()) {
            Ok(kept) => kept.each_mut(),
            Err(_) => panic!("[optimizer] the rule keeps {S} tensors of a parameter, the state holds {count}"),
        }
    }

    pub(super) fn missing_allowed(&self) -> bool {
        self.allow_missing
    }

    pub(super) fn count_step(&mut self) {
        self.steps += 1;
    }
}

#[track_caller]
fn id(param: &Tensor) -> u64 {
    param.leaf_id().expect("[optimizer] a parameter is a tracked leaf")
}
