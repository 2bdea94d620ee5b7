//! [`Sequential`]: a model as a list of layers, each fed by the one before.

use crate::graph::{Block, Graph, Site};
use crate::{IntoLayer, Model};
use cotangent_core::{Device, Error, Result, Rng, Shape};

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
    layers: Vec<Block>,
    pub(crate) name: Option<String>,
}

impl Sequential {
    pub(crate) const KIND: &'static str = "Sequential";

    /// A model without layers, for inputs of this shape (the batch axis left out).
    pub fn new(input: impl Into<Shape>) -> Self {
        Self { input: input.into(), layers: Vec::new(), name: None }
    }

    /// The name that `summary` shows, and the parameters' paths begin with where this is a layer of another model.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With `layer` behind the others: any [`Layer`](cotangent_nn::Layer), or a model.
    ///
    /// # Panics
    /// If it is shared: a chain applies each layer once.
    #[allow(clippy::should_implement_trait)] // Keras's word for it
    #[track_caller]
    pub fn add<K>(mut self, layer: impl IntoLayer<K>) -> Self {
        match layer.into_layer().into_block() {
            Some(block) => self.layers.push(block),
            None => panic!("[Sequential] a shared layer in a chain: share it in a functional model, `Model::new`"),
        }
        self
    }

    /// Makes the parameters, each layer's input size following from the layer before.
    ///
    /// Fails if there are no layers, or a layer cannot take the shape that the one before gives.
    pub fn build(mut self, device: &Device, seed: Seed) -> Result<Model> {
        self.build_at(&mut Site::new(*device, Rng::new(seed.0)))
    }

    /// The built model; the layers are there no longer.
    pub(crate) fn build_at(&mut self, site: &mut Site) -> Result<Model> {
        if self.layers.is_empty() {
            return Err(Error::new("build", "the model has no layers").hint("add one with `.add(Dense::new(10))`"));
        }
        let mut graph = Graph::new([(None, self.input)]);
        let mut last = 0..1;
        for block in self.layers.drain(..) {
            if last.len() > 1 {
                return Err(several(last.len()));
            }
            let layer = graph.add(block);
            last = graph.apply(layer, vec![last.start]);
        }
        graph.outputs = last.collect();
        graph.build(site)?;
        Model::built(Self::KIND, self.name.clone(), graph, site)
    }

    /// The shape that comes of an input of this one.
    pub(crate) fn shape(&mut self, input: Shape) -> Result<Shape> {
        if input != self.input {
            let message = format!("is for inputs {}, is applied to {}", self.input.of_batch(), input.of_batch());
            return Err(Error::new(Self::KIND, message).hint("give `Sequential::new` the shape that it is applied to"));
        }
        self.layers.iter_mut().try_fold(input, |shape, block| match block.shapes(&[shape])?[..] {
            [shape] => Ok(shape),
            ref shapes => Err(several(shapes.len())),
        })
    }
}

fn several(outputs: usize) -> Error {
    Error::new(Sequential::KIND, format!("a layer of {outputs} outputs in a chain, which passes one on"))
        .hint("write a functional model: `Model::new`")
}
