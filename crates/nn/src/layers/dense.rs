//! [`Dense`]: the fully connected layer.

use super::params;
use super::weights::{Weights, weight_options};
use crate::{Activation, Affine, Behind, Build, Layer, Pass};
use cotangent_core::{Error, Result, Shape, Tensor};

/// `y = activation(x · kernel + bias)`: `[N, in] → [N, units]`, kernel `[in, units]`, bias `[units]`.
///
/// ```
/// use cotangent_core::Rng;
/// use cotangent_nn::{Activation::Relu, Build, Dense, Layer};
/// let mut dense = Dense::new(128).activation(Relu);
/// dense.build([784].into(), &mut Build::new(&mut Rng::new(0)))?;
/// assert_eq!(dense.params().iter().map(|p| p.value.count()).sum::<usize>(), 100_480);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub struct Dense {
    units: usize,
    weights: Weights,
}

impl Dense {
    /// With `units` outputs, linear, a Glorot-uniform kernel and a bias of zeros.
    pub fn new(units: usize) -> Self {
        Self { units, weights: Weights::default() }
    }
}

weight_options!(Dense);

impl Layer for Dense {
    fn kind(&self) -> &'static str {
        "Dense"
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
        if input.rank() != 1 {
            let message = format!("input {} has {} axes, wants [N, features]", input.of_batch(), input.rank() + 1);
            return Err(Error::new("Dense", message).hint("put a `Flatten` layer before this one"));
        }
        if self.units == 0 {
            return Err(Error::new("Dense", "0 units").hint("give at least one: `Dense::new(10)`"));
        }
        self.weights.build([input[0], self.units], build);
        Ok(Shape::from([self.units]))
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        let (kernel, bias) = self.weights.values("Dense");
        x.linear(kernel, bias)
    }

    fn call_with(&self, x: &Tensor, behind: &Behind, _: &mut Pass) -> Option<Tensor> {
        let (kernel, bias) = self.weights.values("Dense");
        matches!(behind, Behind { affine: None, pooling: None, .. }).then(|| x.linear_relu(kernel, bias))
    }

    fn affine(&self) -> Option<Affine<'_>> {
        let (kernel, bias) = self.weights.values("Dense");
        Some(Affine { kernel, bias })
    }

    fn activation(&self) -> Activation {
        self.weights.activation
    }

    params!(weights.kernel, weights.bias);
}
