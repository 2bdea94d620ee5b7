//! [`State`]: what an optimizer remembers of its steps and parameters.

use super::Scaling;
use cotangent_core::{Carry, Lane, Ledger, Move, Tensor, Update};
use std::collections::{BTreeMap, HashMap};

/// The number of steps, and for each parameter the tensors that the rule keeps of it, made when it is first moved; its
/// moving average and the sum of its gradients, if the optimizer wants them.
///
/// Parameters are known by their [`leaf_id`](Tensor::leaf_id), so a clone counts as the same one.
#[derive(Clone, Default)]
pub struct State {
    steps: u64,
    slots: BTreeMap<u64, Vec<Tensor>>,
    averages: BTreeMap<u64, Tensor>,
    gradient_sums: BTreeMap<u64, Tensor>,
    summed: u64,
    scaling: Option<Scaling>,
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

    /// Moves the parameters by their gradients and the rule, each with the [`slots`](State::slots) that it has under these
    /// `initial` numbers.
    ///
    /// # Panics
    /// As [`slots`](State::slots).
    #[track_caller]
    pub fn update_all<const S: usize, U: Update<S>>(
        &mut self,
        rule: U,
        initial: [f64; S],
        moves: Vec<(&mut Tensor, &Tensor)>,
    ) {
        Tensor::update_all(rule, self.moves(initial, moves));
    }

    /// The parameters and gradients with their slots. Not generic over the rule, so that it is compiled once and not for every
    /// optimizer.
    #[track_caller]
    fn moves<'a, const S: usize>(
        &'a mut self,
        initial: [f64; S],
        moves: Vec<(&'a mut Tensor, &'a Tensor)>,
    ) -> Vec<Move<'a, S>> {
        if S > 0 {
            for (param, _) in &moves {
                let _ = self.slots(param, initial);
            }
        }
        let mut kept: HashMap<u64, &mut Vec<Tensor>> = self.slots.iter_mut().map(|(id, kept)| (*id, kept)).collect();
        let moves = moves.into_iter().map(|(param, grad)| {
            let kept = if S > 0 { kept.remove(&id(param)) } else { None };
            let kept = kept.map_or(&mut [][..], Vec::as_mut_slice);
            let state = <&mut [Tensor; S]>::try_from(kept).expect("as many as `slots` has made");
            Move { param, grad, state: state.each_mut() }
        });
        moves.collect()
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
    pub(super) fn follow(&mut self, params: Vec<&Tensor>, momentum: f64) {
        let mut moves = Vec::with_capacity(params.len());
        let mut averages: HashMap<u64, &mut Tensor> = self.averages.iter_mut().map(|(id, x)| (*id, x)).collect();
        let mut new = Vec::new();
        for param in params {
            match averages.remove(&id(param)) {
                Some(average) => moves.push(Move { param: average, grad: param, state: [] }),
                None => new.push(param),
            }
        }
        Tensor::update_all(Average { momentum }, moves);
        new.into_iter().for_each(|param| self.set_average(param, param.detach()));
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

    /// How far a dynamic loss scale is; `None` before the first step with one.
    pub fn scaling(&self) -> Option<Scaling> {
        self.scaling
    }

    /// Puts back how far a dynamic loss scale was.
    pub fn set_scaling(&mut self, scaling: Option<Scaling>) {
        self.scaling = scaling;
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

/// `average ← momentum · average + (1 − momentum) · x`.
#[derive(Clone, Copy)]
struct Average {
    momentum: f64,
}

impl Update<0> for Average {
    #[inline(always)]
    fn step<L: Lane>(self, average: L, x: L, _: [L; 0]) -> (L, [L; 0]) {
        (L::splat(self.momentum) * average + L::splat(1.0 - self.momentum) * x, [])
    }
}

impl Carry for State {
    fn carry(&mut self, ledger: &mut Ledger) {
        ledger.setting((self.slots.len(), self.averages.len(), self.gradient_sums.len()));
        let slots = self.slots.values_mut().flatten();
        slots.chain(self.averages.values_mut()).for_each(|x| ledger.tensor(x));
    }
}

#[track_caller]
fn id(param: &Tensor) -> u64 {
    param.leaf_id().expect("[optimizer] a parameter is a tracked leaf")
}
