//! [`Target`]: a parameter on its way to an optimizer.

use crate::Param;
use cotangent_core::{Error, Tensor};
use std::borrow::Cow;

/// A parameter that a step is to move, perhaps with a name for messages.
pub struct Target<'a> {
    /// Its path in the model.
    pub name: Option<Cow<'a, str>>,
    /// Its value.
    pub value: &'a mut Tensor,
}

impl Target<'_> {
    pub(super) fn refuse(&self, optimizer: &'static str, position: usize) -> Error {
        let name = match &self.name {
            Some(name) => format!("parameter {name}"),
            None => format!("parameter {position}"),
        };
        let what = format!("{name}, {} {},", self.value.dtype(), self.value.shape());
        let (problem, hint) = match self.value.leaf_id() {
            None => ("is not a tracked leaf", "make it one with `.tracked()` before computing the loss with it"),
            Some(_) => (
                "has no gradient: the loss does not depend on it",
                "leave it out, use it in the loss, or say `.allow_missing(true)` to the optimizer",
            ),
        };
        Error::new(optimizer, format!("{what} {problem}; no parameter was changed")).hint(hint)
    }
}

impl<'a> From<&'a mut Tensor> for Target<'a> {
    fn from(value: &'a mut Tensor) -> Self {
        Self { name: None, value }
    }
}

impl<'a> From<&'a mut Param> for Target<'a> {
    fn from(param: &'a mut Param) -> Self {
        Self { name: Some(param.name.into()), value: &mut param.value }
    }
}

impl<'a, N: Into<Cow<'a, str>>> From<(N, &'a mut Tensor)> for Target<'a> {
    fn from((name, value): (N, &'a mut Tensor)) -> Self {
        Self { name: Some(name.into()), value }
    }
}
