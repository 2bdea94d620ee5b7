//! [`Layer`]: what a model is made of, and [`Param`], what a layer learns.

use crate::{Activation, Init};
use cotangent_core::{DType, Result, Rng, Shape, Tensor};

/// A named tensor that belongs to a layer.
#[derive(Clone)]
pub struct Param {
    /// Its name within the layer: `kernel`, `bias`, `gamma`, `moving_mean`.
    pub name: &'static str,
    /// Its value: a tracked leaf if it is trainable.
    pub value: Tensor,
    /// Whether optimizers move it.
    pub trainable: bool,
}

impl Param {
    /// A parameter that learns.
    pub fn trainable(name: &'static str, value: Tensor) -> Self {
        Self { name, value: value.tracked(), trainable: true }
    }

    /// A statistic that layers keep and optimizers leave alone.
    pub fn fixed(name: &'static str, value: Tensor) -> Self {
        Self { name, value: value.detach(), trainable: false }
    }
}

/// What a layer needs to make its parameters.
pub struct Build<'a> {
    /// The random numbers of the initializers.
    pub rng: &'a mut Rng,
    /// The dtype of the parameters.
    pub dtype: DType,
}

impl Build<'_> {
    /// A trainable parameter of `shape`, drawn by `init`.
    pub fn param(&mut self, name: &'static str, shape: impl Into<Shape>, init: Init) -> Param {
        Param::trainable(name, init.draw(shape.into(), self.dtype, self.rng))
    }
}

/// What a layer can know of the pass it is called in.
pub struct Pass<'a> {
    /// Whether the model trains: dropout drops, batch norm uses the batch's own statistics.
    pub training: bool,
    /// The random numbers of this pass.
    pub rng: &'a mut Rng,
    /// New values for parameters that a layer keeps itself, by their index in [`Layer::params`]: the model sets
    /// them after the step.
    pub kept: Vec<(usize, Tensor)>,
}

/// One layer of a model: made without knowing its input's size, built once it is known.
///
/// A layer of one's own implements [`call`](Layer::call), and [`build`](Layer::build) if it has parameters or changes
/// the shape.
pub trait Layer: Send + Sync {
    /// The layer's type, as `summary` shows it.
    fn kind(&self) -> &'static str;

    /// Makes the parameters for an input of this shape (without the batch axis) and gives the output's shape.
    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape>;

    /// The output for a batch, before the [`activation`](Layer::activation).
    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor;

    /// What the model applies to the output of [`call`](Layer::call).
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
}
