//! [`Model`]: built layers and, once compiled, an optimizer, a loss and metrics.

use crate::Seed;
use crate::graph::{Graph, Kept, Lazy};
use cotangent_core::{Device, Error, Result, Rng, Shape, Tensor};
use cotangent_nn::{Loss, Metric, Optimizer, Param, Pass};

/// What `compile` sets.
pub(crate) struct Compiled {
    pub optimizer: Box<dyn Optimizer>,
    pub loss: Box<dyn Loss>,
    pub metrics: Vec<Box<dyn Metric>>,
}

/// A built model: its layers with their parameters, and how to train it.
///
/// Made by [`Sequential::build`](crate::Sequential::build).
pub struct Model {
    pub(crate) name: String,
    pub(crate) graph: Graph,
    pub(crate) device: Device,
    pub(crate) compiled: Option<Compiled>,
    /// The random numbers of training: the order of batches, dropout.
    pub(crate) rng: Rng,
}

/// The stream family of training, beside those of the layers' initial weights.
const TRAINING: u32 = 1 << 20;

impl Model {
    pub(crate) fn new(name: String, graph: Graph, device: Device, seed: Seed) -> Self {
        let rng = Rng::new(seed.0).fork(TRAINING);
        Self { name, graph, device, compiled: None, rng }
    }

    /// Sets how the model is trained: the optimizer, the loss, and what else to report.
    ///
    /// ```
    /// # use cotangent_core::Device;
    /// # use cotangent_nn::{Activation::*, *};
    /// # use cotangent_train::{Seed, Sequential};
    /// # let mut model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(&Device::Cpu, Seed(0))?;
    /// model.compile(Adadelta::default(), CategoricalCrossentropy, [Accuracy]);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    pub fn compile<M: Metric + 'static>(
        &mut self,
        optimizer: impl Optimizer + 'static,
        loss: impl Loss + 'static,
        metrics: impl IntoIterator<Item = M>,
    ) {
        let metrics = metrics.into_iter().map(|m| Box::new(m) as Box<dyn Metric>).collect();
        self.compiled = Some(Compiled { optimizer: Box::new(optimizer), loss: Box::new(loss), metrics });
    }

    /// The shape of one input, without the batch axis.
    pub fn input_shape(&self) -> Shape {
        self.graph.shape(0)
    }

    /// The shape of one output, without the batch axis.
    pub fn output_shape(&self) -> Shape {
        self.graph.shape(self.graph.outputs[0])
    }

    /// Where the parameters are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Every parameter with its path, `layer/name`, in the order of the layers.
    pub fn params(&self) -> impl Iterator<Item = (String, &Param)> {
        self.graph.params()
    }

    /// Every parameter, to change, with its path.
    pub fn params_mut(&mut self) -> impl Iterator<Item = (String, &mut Param)> {
        self.graph.params_mut()
    }

    /// The number of numbers in all parameters.
    pub fn param_count(&self) -> usize {
        self.params().map(|(_, p)| p.value.count()).sum()
    }

    /// The number of numbers that training moves.
    pub fn trainable_count(&self) -> usize {
        self.params().filter(|(_, p)| p.trainable).map(|(_, p)| p.value.count()).sum()
    }

    /// The output for a batch in inference mode, recorded if the parameters are to be differentiated by.
    pub fn call(&self, x: &Tensor) -> Tensor {
        let mut rng = self.rng;
        self.forward(x, false, &mut rng).0.value()
    }

    /// The output before the last activation, and what the layers want kept.
    pub(crate) fn forward(&self, x: &Tensor, training: bool, rng: &mut Rng) -> (Lazy, Vec<Kept>) {
        let mut pass = if training { Pass::training(rng) } else { Pass::inference(rng) };
        let (mut outputs, kept) = self.graph.run(std::slice::from_ref(x), &mut pass);
        (outputs.remove(0), kept)
    }

    pub(crate) fn compiled(&self, place: &'static str) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(|| {
            Error::new(place, "the model is not compiled")
                .hint("call `model.compile(Adam::default(), CategoricalCrossentropy, [Accuracy])` first")
        })
    }
}
