//! [`Dense`]: the fully connected layer.

use super::{batch, built, params};
use crate::{Activation, Build, Init, Layer, Param, Pass};
use cotangent_core::{Error, Result, Shape, Tensor};

/// `y = activation(x · kernel + bias)`: `[N, in] → [N, units]`, kernel `[in, units]`, bias `[units]`.
///
/// ```
/// use cotangent_core::{DType, Rng};
/// use cotangent_nn::{Activation::Relu, Build, Dense, Layer};
/// let mut dense = Dense::new(128).activation(Relu);
/// dense.build([784].into(), &mut Build { rng: &mut Rng::new(0), dtype: DType::F32 })?;
/// assert_eq!(dense.params().iter().map(|p| p.value.count()).sum::<usize>(), 100_480);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub struct Dense {
    units: usize,
    activation: Activation,
    use_bias: bool,
    kernel_init: Init,
    bias_init: Init,
    kernel: Option<Param>,
    bias: Option<Param>,
}

impl Dense {
    /// With `units` outputs, linear, a Glorot-uniform kernel and a bias of zeros.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::Linear,
            use_bias: true,
            kernel_init: Init::GlorotUniform,
            bias_init: Init::Zeros,
            kernel: None,
            bias: None,
        }
    }

    /// What is applied to the output.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Whether there is a bias. Default: yes.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// How the kernel begins.
    pub fn kernel_init(mut self, init: Init) -> Self {
        self.kernel_init = init;
        self
    }

    /// How the bias begins.
    pub fn bias_init(mut self, init: Init) -> Self {
        self.bias_init = init;
        self
    }
}

impl Layer for Dense {
    fn kind(&self) -> &'static str {
        "Dense"
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
        if input.rank() != 1 {
            let message = format!("input {} has {} axes, wants [N, features]", batch(input), input.rank() + 1);
            return Err(Error::new("Dense", message).hint("put a `Flatten` layer before this one"));
        }
        if self.units == 0 {
            return Err(Error::new("Dense", "0 units").hint("give at least one: `Dense::new(10)`"));
        }
        self.kernel = Some(build.param("kernel", [input[0], self.units], self.kernel_init));
        self.bias = self.use_bias.then(|| build.param("bias", [self.units], self.bias_init));
        Ok(Shape::from([self.units]))
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        x.linear(built("Dense", &self.kernel), self.bias.as_ref().map(|b| &b.value))
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    params!(kernel, bias);
}
