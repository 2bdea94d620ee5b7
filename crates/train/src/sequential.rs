//! [`Sequential`]: a model as a list of layers, each fed by the one before.

use crate::Model;
use crate::graph::{Call, Entry, Graph};
use cotangent_core::{Device, Error, Result, Rng, Shape};
use cotangent_nn::Layer;

/// What all random numbers of a model follow from: its initial weights, its dropout, the order of its batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

/// A stack of layers to be built into a [`Model`].
///
/// ```
/// use cotangent_core::Device;
/// use cotangent_nn::{Activation::*, Dense};
/// use cotangent_train::{Seed, Sequential};
///
/// let model = Sequential::new([784])
///     .add(Dense::new(128).activation(Relu))
///     .add(Dense::new(10).activation(Softmax)) // input size determined by itself
///     .build(&Device::Cpu, Seed(0))?;
/// assert_eq!(model.param_count(), 101_770);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub struct Sequential {
    input: Shape,
    layers: Vec<Box<dyn Layer>>,
    name: String,
}

impl Sequential {
    /// A model without layers, for inputs of this shape (the batch axis left out).
    pub fn new(input: impl Into<Shape>) -> Self {
        Self { input: input.into(), layers: Vec::new(), name: "sequential".into() }
    }

    /// The name that `summary` shows.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// With `layer` behind the others.
    #[allow(clippy::should_implement_trait)] // Keras's word for it
    pub fn add(mut self, layer: impl Layer + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// Makes the parameters, each layer's input size following from the layer before.
    ///
    /// Fails if there are no layers, or a layer cannot take the shape that the one before gives.
    pub fn build(self, device: &Device, seed: Seed) -> Result<Model> {
        if self.layers.is_empty() {
            return Err(Error::new("build", "the model has no layers").hint("add one with `.add(Dense::new(10))`"));
        }
        let mut graph = chain(self.input, self.layers);
        graph.build(&Rng::new(seed.0))?;
        Ok(Model::new(self.name, graph, *device, seed))
    }
}

/// Each layer applied to what the one before gives.
fn chain(input: Shape, layers: Vec<Box<dyn Layer>>) -> Graph {
    let call = |layer| Call { layer, inputs: vec![layer], output: Shape::SCALAR };
    Graph {
        inputs: vec![input],
        calls: (0..layers.len()).map(call).collect(),
        outputs: vec![layers.len()],
        layers: layers.into_iter().map(|layer| Entry { name: String::new(), layer }).collect(),
    }
}
