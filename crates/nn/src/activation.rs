//! [`Activation`]: the nonlinearities that layers end in, with Keras's definitions.

use crate::{Build, Layer, Pass};
use cotangent_core::{Result, Shape, Tensor};

/// A function applied to a layer's output: `Dense::new(128).activation(Relu)`. Also a layer of its own:
/// `.add(Dense::new(128)).add(Relu)`.
///
/// All work element by element, but [`Softmax`](Activation::Softmax) and [`LogSoftmax`](Activation::LogSoftmax), which
/// run over the last axis.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::Activation::*;
/// let x = Tensor::from([-1.0_f32, 2.0]);
/// assert_eq!(Relu.apply(&x).to_vec::<f32>(), [0.0, 2.0]);
/// assert_eq!(LeakyRelu(0.5).apply(&x).to_vec::<f32>(), [-0.5, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activation {
    /// x: no activation.
    #[default]
    Linear,
    /// max(x, 0).
    Relu,
    /// eˣ / Σ eˣ over the last axis.
    Softmax,
    /// x − ln Σ eˣ over the last axis: the logarithm of softmax, exact where softmax underflows.
    LogSoftmax,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// x above 0, eˣ − 1 below.
    Elu,
    /// 1.0507… · (x above 0, 1.6733… · (eˣ − 1) below): keeps mean 0 and variance 1 (Klambauer et al. 2017).
    Selu,
    /// x · Φ(x), Φ being the normal distribution function: the exact form.
    Gelu,
    /// x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))): Gelu's approximation.
    GeluTanh,
    /// x · sigmoid(x), also called swish.
    Silu,
    /// x · tanh(softplus(x)).
    Mish,
    /// ln(1 + eˣ).
    Softplus,
    /// x / (1 + |x|).
    Softsign,
    /// x above 0, slope · x below. Keras's slope is 0.2.
    LeakyRelu(f64),
    /// min(max(x + 3, 0), 6) / 6, as Keras 3 has it; Keras 2's was min(max(0.2 x + 0.5, 0), 1).
    HardSigmoid,
    /// eˣ.
    Exponential,
}

impl Activation {
    /// The activation of `x`. Shape: any → same.
    ///
    /// # Panics
    /// If the dtype is not a float.
    #[track_caller]
    pub fn apply(&self, x: &Tensor) -> Tensor {
        match *self {
            Activation::Linear => x.clone(),
            Activation::Relu => x.relu(),
            Activation::Softmax => x.softmax(-1),
            Activation::LogSoftmax => x.log_softmax(-1),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Tanh => x.tanh(),
            Activation::Elu => x.elu(1.0),
            Activation::Selu => x.selu(),
            Activation::Gelu => x.gelu(),
            Activation::GeluTanh => x.gelu_tanh(),
            Activation::Silu => x.silu(),
            Activation::Mish => x.mish(),
            Activation::Softplus => x.softplus(),
            Activation::Softsign => x.softsign(),
            Activation::LeakyRelu(slope) => x.leaky_relu(slope),
            Activation::HardSigmoid => x.hard_sigmoid(),
            Activation::Exponential => x.exp(),
        }
    }
}

impl Activation {
    /// Whether it never makes of a greater number a smaller one, rounding included: then the greatest of some numbers
    /// may be taken before it as well as after it, and before it there is less to apply it to.
    pub fn keeps_order(&self) -> bool {
        match *self {
            Activation::Linear | Activation::Relu => true,
            Activation::LeakyRelu(slope) => slope >= 0.0,
            _ => false,
        }
    }
}

/// As a layer: passes its input on and has the model apply the function, so that a last softmax fuses with its loss
/// whether it is a layer or another layer's activation.
impl Layer for Activation {
    fn kind(&self) -> &'static str {
        "Activation"
    }

    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        Ok(input)
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        x.clone()
    }

    fn activation(&self) -> Activation {
        *self
    }

    fn is_activation(&self) -> bool {
        true
    }
}
