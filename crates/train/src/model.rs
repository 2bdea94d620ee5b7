//! [`Model`]: built layers and, once compiled, an optimizer, a loss and metrics.

use crate::Seed;
use cotangent_core::{DType, Device, Error, Result, Rng, Shape, Tensor};
use cotangent_nn::{Activation, Layer, Loss, Metric, Optimizer, Param, Pass};

/// A layer in its place.
pub(crate) struct Stage {
    pub name: String,
    pub layer: Box<dyn Layer>,
    /// Without the batch axis.
    pub output: Shape,
}

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
    pub(crate) input: Shape,
    pub(crate) stages: Vec<Stage>,
    pub(crate) device: Device,
    pub(crate) compiled: Option<Compiled>,
    /// The random numbers of training: the order of batches, dropout.
    pub(crate) rng: Rng,
}

/// The stream family of training, beside those of the layers' initial weights.
const TRAINING: u32 = 1 << 20;

/// A layer's new value for a parameter that it keeps itself: stage, parameter, value.
pub(crate) type Kept = (usize, usize, Tensor);

impl Model {
    pub(crate) fn new(name: String, input: Shape, stages: Vec<Stage>, device: Device, seed: Seed) -> Self {
        let rng = Rng::new(seed.0).fork(TRAINING);
        Self { name, input, stages, device, compiled: None, rng }
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
        self.input
    }

    /// The shape of one output, without the batch axis.
    pub fn output_shape(&self) -> Shape {
        self.stages.last().map_or(self.input, |s| s.output)
    }

    /// Where the parameters are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Every parameter with its path, `layer/name`, in the order of the layers.
    pub fn params(&self) -> impl Iterator<Item = (String, &Param)> {
        self.stages.iter().flat_map(|s| s.layer.params().into_iter().map(|p| (format!("{}/{}", s.name, p.name), p)))
    }

    /// Every parameter, to change, with its path.
    pub fn params_mut(&mut self) -> impl Iterator<Item = (String, &mut Param)> {
        self.stages.iter_mut().flat_map(|s| {
            let name = &s.name;
            s.layer.params_mut().into_iter().map(move |p| (format!("{name}/{}", p.name), p))
        })
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
        let (logits, last, _) = self.forward(x, false, &mut rng);
        last.apply(&logits)
    }

    /// The output before the last activation, that activation, and what the layers want kept.
    pub(crate) fn forward(&self, x: &Tensor, training: bool, rng: &mut Rng) -> (Tensor, Activation, Vec<Kept>) {
        let mut x = if x.dtype() == DType::F32 { x.clone() } else { x.cast(DType::F32) };
        let mut kept = Vec::new();
        let mut pass = Pass { training, rng, kept: Vec::new() };
        let mut pending = Activation::Linear;
        for (i, stage) in self.stages.iter().enumerate() {
            x = stage.layer.call(&pending.apply(&x), &mut pass);
            pending = stage.layer.activation();
            kept.extend(pass.kept.drain(..).map(|(p, value)| (i, p, value)));
        }
        (x, pending, kept)
    }

    /// Puts what the layers wanted kept in its place.
    pub(crate) fn keep(&mut self, kept: Vec<Kept>) {
        for (stage, param, value) in kept {
            self.stages[stage].layer.params_mut()[param].value.set_(&value);
        }
    }

    pub(crate) fn compiled(&self, place: &'static str) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(|| {
            Error::new(place, "the model is not compiled")
                .hint("call `model.compile(Adam::default(), CategoricalCrossentropy, [Accuracy])` first")
        })
    }
}
