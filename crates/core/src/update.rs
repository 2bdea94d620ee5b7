//! Changing a parameter in place: what optimizers do between a backward pass and the next forward pass.

use crate::inspect::{self, Phase};
use crate::{Tensor, kernels};
use cotangent_base::{ShapeError, Update};

impl Tensor {
    /// One step of an optimizer's rule over this parameter, its gradient and its state, in place where nobody else
    /// holds the memory, else on a copy: a graph that still stands never sees the new values. A tracked leaf
    /// stays the same leaf.
    ///
    /// # Panics
    /// If a shape or dtype differs from the parameter's.
    #[track_caller]
    pub fn update<const S: usize, U: Update<S>>(&mut self, rule: U, grad: &Tensor, state: [&mut Tensor; S]) {
        for other in std::iter::once(grad.spec()).chain(state.iter().map(|s| s.spec())) {
            if other != self.spec() {
                let message = format!(
                    "parameter {} {}, gradient or state {} {}",
                    self.dtype(),
                    self.shape(),
                    other.dtype,
                    other.shape
                );
                ShapeError::new("update", message).panic();
            }
        }
        let watched = inspect::watch("update", Phase::Update, &[self, grad]);
        let kept = watched.as_ref().filter(|w| w.wants_values()).map(|_| self.detach());
        kernels::update(rule, self, grad, state);
        if let Some(watched) = watched {
            watched.end(&kept.iter().chain([grad]).collect::<Vec<_>>(), &[Some(self)]);
        }
    }

    /// Puts the values of `other` in place of this tensor's. A tracked leaf stays the same leaf.
    ///
    /// # Panics
    /// If shape or dtype differ.
    #[track_caller]
    pub fn set_(&mut self, other: &Tensor) {
        if other.spec() != self.spec() {
            let message = format!("{} {} into {} {}", other.dtype(), other.shape(), self.dtype(), self.shape());
            ShapeError::new("set_", message).panic();
        }
        self.storage = other.storage.clone();
        self.layout = other.layout;
    }
}
