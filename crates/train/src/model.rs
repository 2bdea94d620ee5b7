//! [`Model`]: built layers and, once compiled, an optimizer, losses and metrics.

use crate::compile::Compiled;
use crate::graph::{Block, Graph, Lazy, Site};
use crate::{Sequential, Tensors};
use cotangent_core::{Carry, Device, Error, Ledger, Result, Rng, Shape, Tensor};
use cotangent_nn::{Param, Pass};

/// A built model: layers applied to one another, their parameters, and how to train them.
///
/// Made by [`Sequential::build`](crate::Sequential::build), or by [`Model::new`] from [`Input`](crate::Input)s and
/// what layers make of them. A model can itself be a layer of another one; its parameters are then that one's, and
/// [`submodel`](Model::submodel) gives it back.
pub struct Model {
    /// How it was made, as `summary` shows it.
    pub(crate) kind: &'static str,
    /// The name that it was given.
    pub(crate) name: Option<String>,
    pub(crate) graph: Graph,
    pub(crate) device: Device,
    pub(crate) compiled: Option<Compiled>,
    /// The random numbers of training: the order of batches, dropout.
    pub(crate) rng: Rng,
}

/// What a step of training changes, and what decides how it is done.
impl Carry for Model {
    fn carry(&mut self, ledger: &mut Ledger) {
        for (_, param) in self.graph.params_mut() {
            ledger.setting(param.trainable);
            ledger.tensor(&mut param.value);
        }
        ledger.generator(&mut self.rng);
        let Some(compiled) = &mut self.compiled else { return };
        for objective in &compiled.objectives {
            ledger.setting((std::sync::Arc::as_ptr(&objective.loss).cast::<()>(), objective.weight.to_bits()));
        }
        compiled.optimizer.carry(ledger);
    }
}

/// The stream family of training, beside those of the layers' initial weights.
const TRAINING: u32 = 1 << 20;

impl Model {
    /// With the parameters moved to the site's device.
    pub(crate) fn built(kind: &'static str, name: Option<String>, mut graph: Graph, site: &Site) -> Result<Self> {
        for (_, param) in graph.params_mut() {
            if param.value.device() != site.device {
                let value = param.value.to_device(&site.device)?;
                param.value = if param.trainable { value.tracked() } else { value };
            }
        }
        Ok(Self { kind, name, graph, device: site.device, compiled: None, rng: site.rng.fork(TRAINING) })
    }

    /// This model under a name, which `summary` shows, and the parameters' paths begin with where it is a layer of
    /// another model.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The name that the model was given, or `sequential` or `functional`.
    pub fn name(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if self.kind == Sequential::KIND => "sequential",
            None => "functional",
        }
    }

    /// The shape of one input, without the batch axis; of several inputs, the first.
    pub fn input_shape(&self) -> Shape {
        self.graph.shape(0)
    }

    /// The shape of one output, without the batch axis; of several outputs, the first.
    pub fn output_shape(&self) -> Shape {
        self.graph.shape(self.graph.outputs[0])
    }

    /// The name and the shape (without the batch axis) of each input.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.graph.inputs.iter().map(|x| x.name.as_str()).zip(self.graph.input_shapes().iter().copied())
    }

    /// The name and the shape (without the batch axis) of each output. Its name is that of the layer that makes it.
    pub fn outputs(&self) -> impl Iterator<Item = (String, Shape)> {
        self.graph.output_names().into_iter().zip(self.graph.output_shapes())
    }

    /// Where the parameters are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The model that is this one's layer of that name.
    pub fn submodel(&self, name: &str) -> Option<&Model> {
        self.graph.layers.iter().find(|e| e.name == name).and_then(|e| match &e.block {
            Block::Model(model) => Some(&**model),
            _ => None,
        })
    }

    /// The model that is this one's layer of that name, to compile and train by itself.
    pub fn submodel_mut(&mut self, name: &str) -> Option<&mut Model> {
        self.graph.layers.iter_mut().find(|e| e.name == name).and_then(|e| match &mut e.block {
            Block::Model(model) => Some(&mut **model),
            _ => None,
        })
    }

    /// Every parameter with its path, `layer/name`, in the order of the layers; `model/layer/name` where the layer is
    /// a model.
    pub fn params(&self) -> impl Iterator<Item = (String, &Param)> {
        self.graph.params().into_iter()
    }

    /// Every parameter, to change, with its path.
    pub fn params_mut(&mut self) -> impl Iterator<Item = (String, &mut Param)> {
        self.graph.params_mut().into_iter()
    }

    /// The number of numbers in all parameters.
    pub fn param_count(&self) -> usize {
        self.params().map(|(_, p)| p.value.count()).sum()
    }

    /// The number of numbers that training moves.
    pub fn trainable_count(&self) -> usize {
        self.params().filter(|(_, p)| p.trainable).map(|(_, p)| p.value.count()).sum()
    }

    /// The output for a batch (of each input) in inference mode, recorded if the parameters are to be differentiated
    /// by.
    ///
    /// # Panics
    /// If the inputs are not as many as the model's, or the model has several outputs: see
    /// [`call_all`](Model::call_all).
    #[track_caller]
    pub fn call(&self, x: impl Into<Tensors>) -> Tensor {
        let mut outputs = self.call_all(x);
        assert!(outputs.len() == 1, "[call] the model has {} outputs: use `call_all`", outputs.len());
        outputs.remove(0)
    }

    /// All outputs for a batch (of each input), as [`call`](Model::call) gives the only one.
    ///
    /// # Panics
    /// If the inputs are not as many as the model's.
    #[track_caller]
    pub fn call_all(&self, x: impl Into<Tensors>) -> Vec<Tensor> {
        let (x, mut rng) = (x.into(), self.rng);
        let (given, wanted) = (x.list().len(), self.graph.inputs.len());
        assert!(given == wanted, "[call] {given} inputs for a model of {wanted}");
        self.forward(x.list(), &mut Pass::inference(&mut rng)).iter().map(Lazy::value).collect()
    }

    /// The outputs before their last activations. What the layers want kept is left in `pass`.
    pub(crate) fn forward(&self, x: &[Tensor], pass: &mut Pass) -> Vec<Lazy> {
        self.graph.run(&x.iter().collect::<Vec<_>>(), pass)
    }

    /// Whether inputs of these shapes (without the batch axis) are the model's.
    pub(crate) fn accepts(&self, inputs: &[Shape]) -> Result<()> {
        if inputs == self.graph.input_shapes() {
            return Ok(());
        }
        let list = |shapes: &[Shape]| shapes.iter().map(Shape::of_batch).collect::<Vec<_>>().join(", ");
        let message = format!("is for inputs {}, is applied to {}", list(self.graph.input_shapes()), list(inputs));
        Err(Error::new(self.kind, message).hint("a model takes the shapes that it was made for"))
    }
}
