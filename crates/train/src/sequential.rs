//! [`Sequential`]: a model as a list of layers, each fed by the one before.

use crate::Model;
use crate::model::Stage;
use cotangent_core::{DType, Device, Error, Result, Rng, Shape};
use cotangent_nn::{Build, Layer};
use std::collections::HashMap;

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
        let rng = Rng::new(seed.0);
        let mut names = Names::default();
        let mut shape = self.input;
        let mut stages = Vec::with_capacity(self.layers.len());
        for (i, mut layer) in self.layers.into_iter().enumerate() {
            let name = names.name(layer.as_ref());
            // a stream family for each layer: inserting a layer leaves the others' initial weights as they were drawn
            let mut build = Build { rng: &mut rng.fork(i as u32), dtype: DType::F32 };
            let input = shape;
            shape = layer.build(input, &mut build).map_err(|e| {
                Error::new(
                    format!("build: {name}"),
                    format!("cannot take an input of shape {input} (without the batch axis)"),
                )
                .because(e)
            })?;
            stages.push(Stage { name, layer, output: shape });
        }
        Ok(Model::new(self.name, self.input, stages, *device, seed))
    }
}

/// Keras's names for layers: `conv2d`, `conv2d_1`, `max_pool2d`, …
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn name(&mut self, layer: &dyn Layer) -> String {
        if let Some(name) = layer.name() {
            return name.to_owned();
        }
        let stem = snake_case(layer.kind());
        let count = self.0.entry(stem.clone()).or_default();
        *count += 1;
        if *count == 1 { stem } else { format!("{stem}_{}", *count - 1) }
    }
}

/// `MaxPool2d` → `max_pool2d`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn layers_are_named_as_keras_names_them() {
        let names = ["Dense", "Conv2d", "MaxPool2d", "BatchNorm"].map(snake_case);
        assert_eq!(names, ["dense", "conv2d", "max_pool2d", "batch_norm"]);
    }
}
