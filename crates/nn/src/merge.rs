//! [`Merge`]: a layer of several inputs.

use crate::{Activation, Build, Named, Param, Pass};
use cotangent_core::{Result, Shape, Tensor};

/// What makes one output of several inputs: [`Add`](crate::Add), [`Concatenate`](crate::Concatenate), or one's own. All
/// it says is as in [`Layer`](crate::Layer), but for the list of inputs.
///
/// ```
/// use cotangent_core::{Result, Shape, Tensor};
/// use cotangent_nn::{Build, Merge, Pass};
///
/// /// The inner product of two inputs.
/// struct Dot;
/// impl Merge for Dot {
///     fn kind(&self) -> &'static str {
///         "Dot"
///     }
///     fn build(&mut self, _: &[Shape], _: &mut Build) -> Result<Shape> {
///         Ok([1].into())
///     }
///     fn call(&self, x: &[&Tensor], _: &mut Pass) -> Tensor {
///         (x[0] * x[1]).sum(1).unsqueeze(1)
///     }
/// }
/// assert_eq!(Dot.named("score").name(), Some("score"));
/// ```
pub trait Merge: Send + Sync {
    /// The layer's type, as `summary` shows it.
    fn kind(&self) -> &'static str;

    /// The name that this layer was [given](Merge::named); the model makes one up if there is none.
    fn name(&self) -> Option<&str> {
        None
    }

    /// Makes the parameters for inputs of these shapes (without the batch axis) and gives the output's shape.
    fn build(&mut self, inputs: &[Shape], build: &mut Build) -> Result<Shape>;

    /// The output for a batch of each input, before the [`activation`](Merge::activation).
    fn call(&self, x: &[&Tensor], pass: &mut Pass) -> Tensor;

    /// What the model applies to the output of [`call`](Merge::call).
    fn activation(&self) -> Activation {
        Activation::Linear
    }

    /// The parameters, always in the same order.
    fn params(&self) -> Vec<&Param> {
        Vec::new()
    }

    /// The parameters, to change.
    fn params_mut(&mut self) -> Vec<&mut Param> {
        Vec::new()
    }

    /// This layer under a name of its own, in place of `add_1`.
    fn named(self, name: impl Into<String>) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(name, self)
    }
}

impl<M: Merge> Merge for Named<M> {
    fn kind(&self) -> &'static str {
        self.layer.kind()
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn build(&mut self, inputs: &[Shape], build: &mut Build) -> Result<Shape> {
        self.layer.build(inputs, build)
    }

    fn call(&self, x: &[&Tensor], pass: &mut Pass) -> Tensor {
        self.layer.call(x, pass)
    }

    fn activation(&self) -> Activation {
        self.layer.activation()
    }

    fn params(&self) -> Vec<&Param> {
        self.layer.params()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.layer.params_mut()
    }
}
