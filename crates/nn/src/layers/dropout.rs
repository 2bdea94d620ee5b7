//! [`Dropout`]: random zeros while training.

use crate::{Build, Layer, Pass};
use cotangent_core::{Error, Result, Shape, Tensor};

/// While training, each element is 0 with probability `rate`, else divided by `1 − rate`, so that its expectation
/// stays; in inference the identity. Srivastava et al. 2014.
pub struct Dropout {
    rate: f64,
}

impl Dropout {
    /// Drops this part of the elements; at least 0 and below 1.
    pub fn new(rate: f64) -> Self {
        Self { rate }
    }
}

impl Layer for Dropout {
    fn kind(&self) -> &'static str {
        "Dropout"
    }

    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        if !(0.0..1.0).contains(&self.rate) {
            let hint = "the rate is the part that is dropped: at least 0, below 1";
            return Err(Error::new("Dropout", format!("rate {}", self.rate)).hint(hint));
        }
        Ok(input)
    }

    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor {
        if pass.training && self.rate > 0.0 { x.dropout(self.rate, pass.rng) } else { x.clone() }
    }
}
