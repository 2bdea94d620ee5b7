//! What a layer in the middle of a model gives.

use crate::graph::{Block, Graph, Lazy};
use crate::{Model, Tensors};
use cotangent_core::{Error, Result, Tensor};
use cotangent_nn::Pass;

impl Model {
    /// The output of the layer `name`, its activation applied, for the batch `x` in inference mode: what the model sees
    /// there. A layer of a model that is itself a layer is `model/layer`; of a layer that is applied several times it is
    /// the first application. Layers after it are not computed.
    ///
    /// ```
    /// # use cotangent_core::{Device, Tensor};
    /// # use cotangent_nn::{Activation::*, *};
    /// # use cotangent_train::{Seed, Sequential};
    /// let model = Sequential::new([28, 28, 1])
    ///     .add(Conv2d::new(8, (3, 3)).activation(Relu))
    ///     .add(Flatten)
    ///     .add(Dense::new(10).activation(Softmax))
    ///     .build(&Device::best(), Seed(0))?;
    /// let seen = model.layer_output("conv2d", &Tensor::ones([1, 28, 28, 1]))?;
    /// assert_eq!(seen.dims(), [1, 26, 26, 8]);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    ///
    /// Fails if there is no layer of that name, or the inputs are not as many as the model's.
    pub fn layer_output(&self, name: &str, x: impl Into<Tensors>) -> Result<Tensor> {
        let x = x.into();
        let (given, wanted) = (x.list().len(), self.graph.inputs.len());
        if given != wanted {
            return Err(Error::new("layer_output", format!("{given} inputs for a model of {wanted}")));
        }
        let x: Vec<&Tensor> = x.list().iter().collect();
        let mut rng = self.rng;
        self.graph.layer_output(name, &x, &mut Pass::inference(&mut rng)).ok_or_else(|| {
            let names: Vec<&str> = self.graph.layers.iter().map(|entry| entry.name.as_str()).collect();
            Error::new("layer_output", format!("no layer {name:?}; there are {}", names.join(", ")))
        })
    }
}

impl Graph {
    /// `None` if there is no such layer.
    fn layer_output(&self, name: &str, x: &[&Tensor], pass: &mut Pass) -> Option<Tensor> {
        if let Some(call) = self.calls.iter().find(|call| self.layers[call.layer].name == name) {
            return self.run_to(&[call.outputs.start], x, pass).first().map(Lazy::value);
        }
        let (outer, inner) = name.split_once('/')?;
        let call = self.calls.iter().find(|call| self.layers[call.layer].name == outer)?;
        let Block::Model(model) = &self.layers[call.layer].block else { return None };
        let inputs: Vec<Tensor> = self.run_to(&call.inputs, x, pass).iter().map(Lazy::value).collect();
        model.graph.layer_output(inner, &inputs.iter().collect::<Vec<_>>(), pass)
    }
}
