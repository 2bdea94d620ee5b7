//! [`Grads`]: the gradients of one backward pass, owned by the caller.

use crate::Tensor;
use std::collections::HashMap;

/// The gradient of a loss with respect to each tracked leaf it depends on.
///
/// ```
/// # use cotangent_core::Tensor;
/// let (a, b) = (Tensor::scalar(3.0_f32).tracked(), Tensor::scalar(4.0_f32).tracked());
/// let grads = (&a * &b).backward();
/// assert_eq!((grads.wrt(&a).item(), grads.wrt(&b).item()), (4.0, 3.0));
/// ```
#[derive(Clone, Default)]
pub struct Grads(pub(super) HashMap<u64, Tensor>);

impl Grads {
    /// The gradient with respect to `leaf`; `None` if the loss does not depend on it.
    pub fn get(&self, leaf: &Tensor) -> Option<&Tensor> {
        self.0.get(&leaf.leaf_id()?)
    }

    /// The gradient with respect to `leaf`.
    ///
    /// # Panics
    /// If `leaf` is not tracked, or the loss does not depend on it.
    #[track_caller]
    pub fn wrt(&self, leaf: &Tensor) -> &Tensor {
        self.get(leaf).unwrap_or_else(|| missing(leaf))
    }

    /// Takes the gradient with respect to `leaf` out.
    pub fn remove(&mut self, leaf: &Tensor) -> Option<Tensor> {
        self.0.remove(&leaf.leaf_id()?)
    }

    /// Puts another gradient for `leaf` in place: a clipped one, a sum of several.
    ///
    /// # Panics
    /// If `leaf` is not tracked.
    #[track_caller]
    pub fn insert(&mut self, leaf: &Tensor, grad: Tensor) {
        match leaf.leaf_id() {
            Some(id) => self.0.insert(id, grad),
            None => missing(leaf),
        };
    }

    /// How many leaves have a gradient.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no leaf has one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cold]
#[track_caller]
fn missing(leaf: &Tensor) -> ! {
    let spec = format!("{} tensor of shape {}", leaf.dtype(), leaf.shape());
    match leaf.leaf_id() {
        Some(_) => panic!("[backward] the loss does not depend on this {spec}: it has no gradient"),
        None => panic!("[backward] this {spec} is not a tracked leaf: call `.tracked()` before computing with it"),
    }
}
