//! Optimizers: [`Optimizer`], what they all share, and the rules, one file each.

mod adadelta;
mod adagrad;
mod adam;
mod adamw;
mod rmsprop;
mod sgd;
mod state;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use state::State;

use crate::Param;
use cotangent_core::{Error, Grads, Result, Tensor};
use std::borrow::Cow;

/// A rule that moves parameters against their gradients, and what it remembers of them.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{Optimizer, Sgd};
/// let mut w = Tensor::from([1.0_f32, -2.0]).tracked();
/// let mut optimizer = Sgd::new(0.25);
/// let grads = (&w * &w).sum(..).backward();
/// optimizer.step([&mut w], &grads)?;
/// assert_eq!(w.to_vec::<f32>(), [0.5, -1.0]);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
///
/// An optimizer of one's own implements [`update`](Optimizer::update), which moves one parameter, and gives access to
/// its learning rate and its [`State`].
pub trait Optimizer: Send {
    /// Keras's name for it.
    fn name(&self) -> &'static str;

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Changes the learning rate, from the next step on.
    fn set_learning_rate(&mut self, rate: f64);

    /// What it remembers.
    fn state(&self) -> &State;

    /// What it remembers, to change.
    fn state_mut(&mut self) -> &mut State;

    /// Whether the settings make sense.
    fn check(&self) -> Result<()> {
        non_negative(self.name(), &[("learning_rate", self.learning_rate())])
    }

    /// Moves one parameter by its gradient; [`State::steps`] already counts this step.
    fn update(&mut self, param: &mut Tensor, grad: &Tensor);

    /// One step over all `targets`. Fails before it moves any of them, if a setting makes no sense, or a target is not
    /// tracked or has no gradient.
    fn step_targets(&mut self, targets: Vec<Target>, grads: &Grads) -> Result<()> {
        self.check()?;
        let allow_missing = self.state().missing_allowed();
        for (i, target) in targets.iter().enumerate() {
            if grads.get(target.value).is_none() && !(allow_missing && target.value.leaf_id().is_some()) {
                return Err(target.refuse(self.name(), i));
            }
        }
        self.state_mut().count_step();
        for target in targets {
            if let Some(grad) = grads.get(target.value) {
                self.update(target.value, grad);
            }
        }
        Ok(())
    }

    /// One step: moves each of `params` by its gradient, in place. They are tracked tensors, or pairs of a name (for
    /// messages) and a tensor.
    ///
    /// Fails, before it moves any of them, if a setting makes no sense, a parameter is not a tracked leaf, or the loss
    /// does not depend on it (unless [`State::allow_missing`]).
    fn step<'a, P>(&mut self, params: P, grads: &Grads) -> Result<()>
    where
        P: IntoIterator,
        P::Item: Into<Target<'a>>,
        Self: Sized,
    {
        self.step_targets(params.into_iter().map(Into::into).collect(), grads)
    }
}

/// An optimizer that is chosen at run time.
impl<O: Optimizer + ?Sized> Optimizer for Box<O> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn learning_rate(&self) -> f64 {
        (**self).learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        (**self).set_learning_rate(rate);
    }

    fn state(&self) -> &State {
        (**self).state()
    }

    fn state_mut(&mut self) -> &mut State {
        (**self).state_mut()
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }

    fn update(&mut self, param: &mut Tensor, grad: &Tensor) {
        (**self).update(param, grad);
    }
}

/// A parameter that a step is to move, perhaps with a name for messages.
pub struct Target<'a> {
    /// Its path in the model.
    pub name: Option<Cow<'a, str>>,
    /// Its value.
    pub value: &'a mut Tensor,
}

impl Target<'_> {
    fn refuse(&self, optimizer: &'static str, position: usize) -> Error {
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

/// The methods of [`Optimizer`] that only reach fields, and the name.
macro_rules! fields {
    ($name:literal) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn learning_rate(&self) -> f64 {
            self.learning_rate
        }

        fn set_learning_rate(&mut self, rate: f64) {
            self.learning_rate = rate;
        }

        fn state(&self) -> &$crate::optimizers::State {
            &self.state
        }

        fn state_mut(&mut self) -> &mut $crate::optimizers::State {
            &mut self.state
        }
    };
}
use fields;

/// The options as methods that give the optimizer back, and `new` and `allow_missing`, which all optimizers have.
macro_rules! options {
    ($Optimizer:ident { $($(#[$doc:meta])* $option:ident: $t:ty,)* }) => {
        impl $Optimizer {
            /// With this learning rate, the rest as by default.
            pub fn new(learning_rate: f64) -> Self {
                Self { learning_rate, ..Self::default() }
            }

            $($(#[$doc])*
            pub fn $option(mut self, $option: $t) -> Self {
                self.$option = $option;
                self
            })*

            /// Whether parameters that the loss does not depend on are left as they are, instead of an error.
            pub fn allow_missing(mut self, allow: bool) -> Self {
                self.state.allow_missing(allow);
                self
            }
        }
    };
}
use options;

/// Refuses settings that are negative, infinite or NaN.
fn non_negative(optimizer: &'static str, settings: &[(&str, f64)]) -> Result<()> {
    match settings.iter().find(|(_, value)| !(*value >= 0.0 && value.is_finite())) {
        Some((name, value)) => {
            Err(Error::new(optimizer, format!("{name} is {value}")).hint("it must be a number that is not below 0"))
        }
        None => Ok(()),
    }
}

/// Refuses decay rates outside of [0, 1).
fn decays(optimizer: &'static str, settings: &[(&str, f64)]) -> Result<()> {
    match settings.iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
        Some((name, value)) => {
            Err(Error::new(optimizer, format!("{name} is {value}")).hint("it must be at least 0 and below 1"))
        }
        None => Ok(()),
    }
}
