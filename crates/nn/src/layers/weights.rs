//! What layers with a kernel, a bias and an activation share.

use super::built;
use crate::{Activation, Build, Init, Param, Regularizer};
use cotangent_core::{Shape, Tensor};

/// The kernel and the bias of a layer, how they begin, what they cost, and the activation behind them.
pub(super) struct Weights {
    pub activation: Activation,
    pub use_bias: bool,
    pub kernel_init: Init,
    pub bias_init: Init,
    pub kernel_regularizer: Option<Regularizer>,
    pub bias_regularizer: Option<Regularizer>,
    pub kernel: Option<Param>,
    pub bias: Option<Param>,
}

/// Keras's: linear, a Glorot-uniform kernel, a bias of zeros.
impl Default for Weights {
    fn default() -> Self {
        Self {
            activation: Activation::Linear,
            use_bias: true,
            kernel_init: Init::GlorotUniform,
            bias_init: Init::Zeros,
            kernel_regularizer: None,
            bias_regularizer: None,
            kernel: None,
            bias: None,
        }
    }
}

impl Weights {
    /// Makes the kernel, and a bias of as many numbers as the kernel's last axis has.
    pub fn build(&mut self, kernel: impl Into<Shape>, build: &mut Build) {
        let kernel = kernel.into();
        let outputs = kernel[kernel.rank() - 1];
        self.kernel = Some(build.param("kernel", kernel, self.kernel_init).regularized(self.kernel_regularizer));
        let bias = self.use_bias.then(|| build.param("bias", [outputs], self.bias_init));
        self.bias = bias.map(|bias| bias.regularized(self.bias_regularizer));
    }

    /// The kernel and the bias, once they are built.
    pub fn values(&self, kind: &'static str) -> (&Tensor, Option<&Tensor>) {
        (built(kind, &self.kernel), self.bias.as_ref().map(|bias| &bias.value))
    }
}

/// The options of a layer that holds [`Weights`] in its field `weights`.
macro_rules! weight_options {
    ($Layer:ident) => {
        impl $Layer {
            /// What is applied to the output.
            pub fn activation(mut self, activation: $crate::Activation) -> Self {
                self.weights.activation = activation;
                self
            }

            /// Whether there is a bias. Default: yes.
            pub fn use_bias(mut self, use_bias: bool) -> Self {
                self.weights.use_bias = use_bias;
                self
            }

            /// How the kernel begins.
            pub fn kernel_init(mut self, init: $crate::Init) -> Self {
                self.weights.kernel_init = init;
                self
            }

            /// How the bias begins.
            pub fn bias_init(mut self, init: $crate::Init) -> Self {
                self.weights.bias_init = init;
                self
            }

            /// What the kernel's size adds to the loss.
            pub fn kernel_regularizer(mut self, regularizer: $crate::Regularizer) -> Self {
                self.weights.kernel_regularizer = Some(regularizer);
                self
            }

            /// What the bias's size adds to the loss.
            pub fn bias_regularizer(mut self, regularizer: $crate::Regularizer) -> Self {
                self.weights.bias_regularizer = Some(regularizer);
                self
            }
        }
    };
}
pub(super) use weight_options;
