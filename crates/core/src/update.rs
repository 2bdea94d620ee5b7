//! Changing a parameter in place: what optimizers do between a backward pass and the next forward pass.

use crate::inspect::{self, Phase};
use crate::{Tensor, capture, kernels};
use cotangent_base::{ShapeError, Update};
use std::sync::Arc;

/// A parameter that an optimizer moves, with its gradient and what the rule keeps of it.
pub struct Move<'a, const S: usize> {
    /// The parameter.
    pub param: &'a mut Tensor,
    /// Its gradient.
    pub grad: &'a Tensor,
    /// The rule's state, in the order of the rule.
    pub state: [&'a mut Tensor; S],
}

impl<const S: usize> Move<'_, S> {
    #[track_caller]
    fn check(&self) {
        let spec = self.param.spec();
        for other in std::iter::once(self.grad.spec()).chain(self.state.iter().map(|s| s.spec())) {
            if other != spec {
                let message = format!(
                    "parameter {} {}, gradient or state {} {}",
                    spec.dtype, spec.shape, other.dtype, other.shape
                );
                ShapeError::new("update", message).panic();
            }
        }
    }

    /// Moves it alone by `update`, looked on if anybody does. Like all of this not generic over the rule, so that it is
    /// compiled once and not for every optimizer.
    #[track_caller]
    fn alone(self, update: &dyn Fn(Vec<Move<S>>)) {
        let Self { param, grad, state } = self;
        let watched = inspect::watch("update", Phase::Update, &[param, grad]);
        let kept = watched.as_ref().filter(|w| w.wants_values()).map(|_| param.detach());
        update(vec![Move { param: &mut *param, grad, state }]);
        if let Some(watched) = watched {
            watched.end(&kept.iter().chain([grad]).collect::<Vec<_>>(), &[Some(param)]);
        }
    }
}

/// All at once if they are of one kind and nobody looks on, else one by one.
#[track_caller]
fn update_by<const S: usize>(update: &dyn Fn(Vec<Move<S>>), moves: Vec<Move<S>>) {
    let same = |m: &Move<S>| m.param.dtype() == moves[0].param.dtype() && m.param.device() == moves[0].param.device();
    match inspect::is_watched() || !moves.iter().all(same) {
        true => moves.into_iter().for_each(|m| m.alone(update)),
        false => update(moves),
    }
}

impl Tensor {
    /// One step of an optimizer's rule over this parameter, its gradient and its state, in place where nobody else
    /// holds the memory, else on a copy: a graph that still stands never sees the new values. A tracked leaf
    /// stays the same leaf.
    ///
    /// # Panics
    /// If a shape or dtype differs from the parameter's.
    #[track_caller]
    pub fn update<const S: usize, U: Update<S>>(&mut self, rule: U, grad: &Tensor, state: [&mut Tensor; S]) {
        Tensor::update_all(rule, vec![Move { param: self, grad, state }]);
    }

    /// [`update`](Tensor::update) of several parameters, to the same bits: on a GPU in one launch.
    ///
    /// # Panics
    /// As [`update`](Tensor::update).
    #[track_caller]
    pub fn update_all<const S: usize, U: Update<S>>(rule: U, moves: Vec<Move<S>>) {
        if capture::counted(rule) {
            return;
        }
        moves.iter().for_each(Move::check);
        update_by(&|moves| kernels::update_all(rule, moves), moves);
    }

    /// Puts the values of `other` in place of this tensor's. A tracked leaf stays the same leaf.
    ///
    /// # Panics
    /// If shape or dtype differ.
    #[track_caller]
    pub fn set_(&mut self, other: &Tensor) {
        self.check_same("set_", other);
        self.storage = other.storage.clone();
        self.layout = other.layout;
    }

    /// Writes the values of `other` over this tensor's, in its own memory if nobody else holds that: what a
    /// [`Capture`](crate::Capture) reads stays where it is. A tracked leaf stays the same leaf.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let mut x = Tensor::zeros([2]);
    /// let before = x.clone();
    /// x.assign_(&Tensor::ones([2]));
    /// assert_eq!((x.to_vec::<f32>(), before.to_vec::<f32>()), (vec![1.0; 2], vec![0.0; 2]));
    /// ```
    ///
    /// # Panics
    /// If shape or dtype differ, or the device.
    #[track_caller]
    pub fn assign_(&mut self, other: &Tensor) {
        self.check_same("assign_", other);
        if self.device() != other.device() {
            crate::device::different("assign_", self.device(), other.device()).panic();
        }
        kernels::overwrite(self, other);
    }

    #[track_caller]
    fn check_same(&self, op: &'static str, other: &Tensor) {
        if other.spec() != self.spec() {
            let message = format!("{} {} into {} {}", other.dtype(), other.shape(), self.dtype(), self.shape());
            ShapeError::new(op, message).panic();
        }
    }

    /// Whether this tensor is all of its memory, and nobody else holds that.
    pub(crate) fn is_sole(&self) -> bool {
        Arc::strong_count(&self.storage) == 1 && self.is_contiguous() && self.layout.offset == 0
    }
}
