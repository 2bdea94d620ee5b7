//! [`Graph`]: which layer is applied to what. Every model is one; a [`Sequential`](crate::Sequential)'s is a chain.

mod build;
mod names;
mod run;

pub(crate) use run::{Kept, Lazy};

use cotangent_core::Shape;
use cotangent_nn::{Layer, Param};

/// Layers, and the calls of them in an order in which each comes after what it needs.
///
/// A call may use what the inputs are and what calls before it gave: such a *value* is known by its number. The
/// inputs are the first values; each call gives the next one.
pub(crate) struct Graph {
    /// The shapes of the inputs, without the batch axis.
    pub inputs: Vec<Shape>,
    pub layers: Vec<Entry>,
    pub calls: Vec<Call>,
    /// The values that the model gives.
    pub outputs: Vec<usize>,
}

/// A layer with its name. Its parameters are there once, however often it is called.
pub(crate) struct Entry {
    pub name: String,
    pub layer: Box<dyn Layer>,
}

/// One application of a layer.
pub(crate) struct Call {
    /// The place of the layer among the entries.
    pub layer: usize,
    /// The values it is applied to.
    pub inputs: Vec<usize>,
    /// The shape of what it gives, without the batch axis; a scalar's until the graph is built.
    pub output: Shape,
}

impl Graph {
    /// The shape of a value, without the batch axis.
    pub fn shape(&self, value: usize) -> Shape {
        match value.checked_sub(self.inputs.len()) {
            None => self.inputs[value],
            Some(call) => self.calls[call].output,
        }
    }

    /// Every parameter with its path, `layer/name`, in the order of the layers.
    pub fn params(&self) -> impl Iterator<Item = (String, &Param)> {
        self.layers.iter().flat_map(|e| e.layer.params().into_iter().map(|p| (format!("{}/{}", e.name, p.name), p)))
    }

    /// Every parameter, to change, with its path.
    pub fn params_mut(&mut self) -> impl Iterator<Item = (String, &mut Param)> {
        self.layers.iter_mut().flat_map(|e| {
            let name = &e.name;
            e.layer.params_mut().into_iter().map(move |p| (format!("{name}/{}", p.name), p))
        })
    }
}
