//! [`Layer`]: what a model is made of, and [`Param`], what a layer learns.

use crate::{Activation, Init, Regularizer};
use cotangent_core::{DType, DataFormat, Result, Rng, Shape, Tensor, WindowSpec};

/// A named tensor that belongs to a layer.
#[derive(Clone)]
pub struct Param {
    /// Its name within the layer: `kernel`, `bias`, `gamma`, `moving_mean`.
    pub name: &'static str,
    /// Its value: a tracked leaf if it is trainable.
    pub value: Tensor,
    /// Whether optimizers move it.
    pub trainable: bool,
    /// What its size adds to the loss.
    pub regularizer: Option<Regularizer>,
}

impl Param {
    /// A parameter that learns.
    pub fn trainable(name: &'static str, value: Tensor) -> Self {
        Self { name, value: value.tracked(), trainable: true, regularizer: None }
    }

    /// This parameter with what its size adds to the loss.
    pub fn regularized(self, regularizer: Option<Regularizer>) -> Self {
        Self { regularizer, ..self }
    }

    /// A statistic that layers keep and optimizers leave alone.
    pub fn fixed(name: &'static str, value: Tensor) -> Self {
        Self { name, value: value.detach(), trainable: false, regularizer: None }
    }
}

/// What a layer needs to make its parameters.
pub struct Build<'a> {
    /// The random numbers of the initializers.
    pub rng: &'a mut Rng,
    /// The dtype of the parameters.
    pub dtype: DType,
    /// Whether the parameters' values matter.
    draw: bool,
}

impl<'a> Build<'a> {
    /// To make f32 parameters.
    pub fn new(rng: &'a mut Rng) -> Self {
        Self { rng, dtype: DType::F32, draw: true }
    }

    /// To learn shapes alone: parameters are zeros that take no memory.
    pub fn shapes(rng: &'a mut Rng) -> Self {
        Self { draw: false, ..Self::new(rng) }
    }

    /// A trainable parameter of `shape`, drawn by `init`.
    pub fn param(&mut self, name: &'static str, shape: impl Into<Shape>, init: Init) -> Param {
        let shape = shape.into();
        let value = match self.draw {
            true => init.draw(shape, self.dtype, self.rng),
            false => Tensor::full(vec![1; shape.rank()], 0.0, self.dtype).expand(shape),
        };
        Param::trainable(name, value)
    }
}

/// What a layer can know of the pass it is called in.
pub struct Pass<'a> {
    /// Whether the model trains: dropout drops, batch norm uses the batch's own statistics.
    pub training: bool,
    /// The random numbers of this pass.
    pub rng: &'a mut Rng,
    /// How the parameters that a layer keeps itself change, by their index in [`Layer::params`]: the model does it
    /// after the step, in this order, so that a layer called twice changes them twice.
    pub kept: Vec<(usize, Change)>,
}

/// The new value of a parameter, from the one that it has.
pub type Change = Box<dyn FnOnce(&Tensor) -> Tensor>;

impl<'a> Pass<'a> {
    /// A pass of training.
    pub fn training(rng: &'a mut Rng) -> Self {
        Self { training: true, rng, kept: Vec::new() }
    }

    /// A pass of inference.
    pub fn inference(rng: &'a mut Rng) -> Self {
        Self { training: false, rng, kept: Vec::new() }
    }

    /// Has parameter `param` of the layer that is called changed after the step.
    pub fn keep(&mut self, param: usize, change: impl FnOnce(&Tensor) -> Tensor + 'static) {
        self.kept.push((param, Box::new(change)));
    }
}

/// A max pooling: its windows, and which axis is the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPooling {
    /// Kernel size, stride, padding.
    pub window: WindowSpec,
    /// Which axis of the images is the channel.
    pub format: DataFormat,
}

/// The weights of an affine map `y = x·kernel + bias` over the last axis.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// `[in, out]`
    pub kernel: &'a Tensor,
    /// `[out]`
    pub bias: Option<&'a Tensor>,
}

/// What comes behind a layer, and the layer may as well do.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// An affine map, before all else.
    pub affine: Option<Affine<'a>>,
    /// A max pooling.
    pub pooling: Option<MaxPooling>,
    /// A ReLU, before or behind the pooling: the greatest stays the greatest.
    pub relu: bool,
}

/// One layer of a model: made without knowing its input's size, built once it is known.
///
/// A layer of one's own says its [`kind`](Layer::kind), gives its output's shape in [`build`](Layer::build), where it
/// also makes its parameters, and computes in [`call`](Layer::call):
///
/// ```
/// use cotangent_core::{Result, Shape, Tensor};
/// use cotangent_nn::{Build, Init, Layer, Param, Pass};
///
/// /// `y = x · scale`, one learned number for each channel.
/// struct Scale(Option<Param>);
/// impl Layer for Scale {
///     fn kind(&self) -> &'static str {
///         "Scale"
///     }
///     fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
///         self.0 = Some(build.param("scale", [input[input.rank() - 1]], Init::Ones));
///         Ok(input)
///     }
///     fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
///         x * &self.0.as_ref().expect("built").value
///     }
///     fn params(&self) -> Vec<&Param> {
///         self.0.iter().collect()
///     }
///     fn params_mut(&mut self) -> Vec<&mut Param> {
///         self.0.iter_mut().collect()
///     }
/// }
/// assert_eq!(Scale(None).named("gain").name(), Some("gain"));
/// ```
pub trait Layer: Send + Sync {
    /// The layer's type, as `summary` shows it.
    fn kind(&self) -> &'static str;

    /// The name that this layer was [given](Layer::named); the model makes one up if there is none.
    fn name(&self) -> Option<&str> {
        None
    }

    /// Makes the parameters for an input of this shape (without the batch axis) and gives the output's shape.
    ///
    /// May be called again, and makes everything anew then: a functional model asks for shapes first, and builds a
    /// shared layer for each of its inputs. So `call` takes from `x` what it needs to know of its shape.
    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape>;

    /// The output for a batch, before the [`activation`](Layer::activation).
    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor;

    /// What the model applies to the output of [`call`](Layer::call).
    fn activation(&self) -> Activation {
        Activation::Linear
    }

    /// Whether the layer is its [`activation`](Layer::activation) alone, and [`call`](Layer::call) passes its input on: then
    /// the model may have the layer before it do that, by [`call_with`](Layer::call_with), and leave this one out.
    fn is_activation(&self) -> bool {
        false
    }

    /// The format of the images that it takes, if it takes images.
    fn image_format(&self) -> Option<DataFormat> {
        None
    }

    /// The windows, if the layer is a max pooling: then the model may leave it out too.
    fn max_pooling(&self) -> Option<MaxPooling> {
        None
    }

    /// The weights, if [`call`](Layer::call) is an affine map and nothing else: then the model may leave it out too.
    fn affine(&self) -> Option<Affine<'_>> {
        None
    }

    /// What [`call`](Layer::call) and all that is `behind` it give, if the layer has a faster way than one after the other.
    /// A model asks for it where it can; there is something behind.
    fn call_with(&self, x: &Tensor, behind: &Behind, pass: &mut Pass) -> Option<Tensor> {
        let _ = (x, behind, pass);
        None
    }

    /// The parameters, always in the same order.
    fn params(&self) -> Vec<&Param> {
        Vec::new()
    }

    /// The parameters, to change.
    fn params_mut(&mut self) -> Vec<&mut Param> {
        Vec::new()
    }

    /// This layer under a name of its own, in place of `dense_1`: written last, after the layer's own options.
    fn named(self, name: impl Into<String>) -> Named<Self>
    where
        Self: Sized,
    {
        Named::new(name, self)
    }
}

/// A layer with a name, made by [`Layer::named`] and [`Merge::named`](crate::Merge::named).
pub struct Named<L> {
    pub(crate) name: String,
    pub(crate) layer: L,
}

impl<L> Named<L> {
    pub(crate) fn new(name: impl Into<String>, layer: L) -> Self {
        Self { name: name.into(), layer }
    }
}

impl<L: Layer> Layer for Named<L> {
    fn kind(&self) -> &'static str {
        self.layer.kind()
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
        self.layer.build(input, build)
    }

    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor {
        self.layer.call(x, pass)
    }

    fn activation(&self) -> Activation {
        self.layer.activation()
    }

    fn is_activation(&self) -> bool {
        self.layer.is_activation()
    }

    fn image_format(&self) -> Option<DataFormat> {
        self.layer.image_format()
    }

    fn max_pooling(&self) -> Option<MaxPooling> {
        self.layer.max_pooling()
    }

    fn affine(&self) -> Option<Affine<'_>> {
        self.layer.affine()
    }

    fn call_with(&self, x: &Tensor, behind: &Behind, pass: &mut Pass) -> Option<Tensor> {
        self.layer.call_with(x, behind, pass)
    }

    fn params(&self) -> Vec<&Param> {
        self.layer.params()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.layer.params_mut()
    }
}
