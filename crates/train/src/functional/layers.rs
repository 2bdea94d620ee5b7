//! [`Shared`], a layer that is applied more than once, and [`IntoLayer`], all that can be applied.

use crate::graph::Block;
use crate::{Model, Sequential};
use cotangent_core::{Error, Result, Shape};
use cotangent_nn::{Layer, Merge};
use std::cell::RefCell;
use std::rc::Rc;

/// A layer to be applied several times, with the same parameters each time: their gradients add up.
///
/// ```
/// use cotangent_core::Device;
/// use cotangent_nn::{Activation::*, Dense, Subtract};
/// use cotangent_train::{Input, Model, Seed, Shared, Symbols};
///
/// let (left, right) = (Input::new([4]), Input::new([4]));
/// let embed = Shared::new(Dense::new(8).activation(Tanh));
/// let difference = [left.apply(&embed), right.apply(&embed)].apply(Subtract);
/// let model = Model::new([&left, &right], &difference, &Device::Cpu, Seed(0))?;
/// assert_eq!(model.param_count(), 4 * 8 + 8);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Shared(Rc<RefCell<Option<Block>>>); // none, once a model has it

impl Shared {
    /// This layer (or model), to be shared.
    pub fn new<K>(layer: impl IntoLayer<K>) -> Self {
        layer.into_layer()
    }

    pub(crate) fn of(block: Block) -> Self {
        Self(Rc::new(RefCell::new(Some(block))))
    }

    /// The shapes that come of these.
    pub(super) fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.0.borrow_mut().as_mut().map_or_else(|| Err(taken()), |block| block.shapes(inputs))
    }

    pub(super) fn output_count(&self) -> usize {
        self.0.borrow().as_ref().map_or(1, Block::output_count)
    }

    pub(super) fn is_taken(&self) -> bool {
        self.0.borrow().is_none()
    }

    /// What tells this layer from others.
    pub(super) fn id(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }

    /// The layer itself, for a model; nobody else can have it then.
    pub(super) fn take(&self) -> Result<Block> {
        self.0.borrow_mut().take().ok_or_else(taken)
    }

    /// The layer itself, if it is shared with nobody.
    pub(crate) fn into_block(self) -> Option<Block> {
        Rc::into_inner(self.0).and_then(RefCell::into_inner)
    }
}

fn taken() -> Error {
    Error::new("Model::new", "a layer belongs to another model already")
        .hint("make what both need a model of its own, and apply that; `submodel` gives it back")
}

/// All that can be applied: a [`Layer`], a [`Merge`], a [`Sequential`], a [`Model`], `&`[`Shared`]. `K` tells these
/// kinds apart and is never written.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a layer", note = "layers implement `Layer` or `Merge`")]
pub trait IntoLayer<K> {
    /// The layer, ready to be applied.
    fn into_layer(self) -> Shared;
}

/// The kinds of [`IntoLayer`].
pub mod kind {
    /// One input, one output.
    pub struct OneInput;
    /// Several inputs, one output.
    pub struct SeveralInputs;
    /// Layers that are a model already.
    pub struct Composed;
}

impl<L: Layer + 'static> IntoLayer<kind::OneInput> for L {
    fn into_layer(self) -> Shared {
        Shared::of(Block::Layer(Box::new(self)))
    }
}

impl<M: Merge + 'static> IntoLayer<kind::SeveralInputs> for M {
    fn into_layer(self) -> Shared {
        Shared::of(Block::Merge(Box::new(self)))
    }
}

impl IntoLayer<kind::Composed> for Sequential {
    fn into_layer(self) -> Shared {
        Shared::of(Block::Sequential(Box::new(self)))
    }
}

impl IntoLayer<kind::Composed> for Model {
    fn into_layer(self) -> Shared {
        Shared::of(Block::Model(Box::new(self)))
    }
}

impl IntoLayer<kind::Composed> for &Shared {
    fn into_layer(self) -> Shared {
        self.clone()
    }
}
