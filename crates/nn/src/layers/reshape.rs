//! [`Reshape`]: each sample in another shape.

use crate::{Build, Layer, Pass};
use cotangent_core::{Error, Result, Shape, Tensor};

/// The elements of each sample, row-major, in another shape of the same count; one size may be −1, which stands for
/// what is left.
///
/// ```
/// use cotangent_core::Rng;
/// use cotangent_nn::{Build, Layer, Reshape};
/// let mut rng = Rng::new(0);
/// assert_eq!(*Reshape::new([28, 28, -1]).build([784].into(), &mut Build::new(&mut rng))?, [28, 28, 1]);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub struct Reshape {
    target: Vec<isize>,
}

impl Reshape {
    /// To this shape, the batch axis left out.
    pub fn new(target: impl Into<Vec<isize>>) -> Self {
        Self { target: target.into() }
    }

    /// The target with −1 replaced, if the counts agree.
    fn resolve(&self, count: usize) -> Option<Shape> {
        let free = self.target.iter().filter(|&&size| size == -1).count();
        if free > 1 || self.target.iter().any(|&size| size < -1) {
            return None;
        }
        let known: usize = self.target.iter().filter(|&&size| size != -1).map(|&size| size as usize).product();
        let rest = count.checked_div(known).unwrap_or(0);
        let sizes: Vec<usize> = self.target.iter().map(|&size| if size == -1 { rest } else { size as usize }).collect();
        (sizes.iter().product::<usize>() == count).then(|| Shape::from(sizes))
    }
}

impl Layer for Reshape {
    fn kind(&self) -> &'static str {
        "Reshape"
    }

    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        let Some(output) = self.resolve(input.count()) else {
            let message = format!("input {} does not reshape to {:?}", input.of_batch(), self.target);
            let hint = format!("each sample has {} elements; at most one size may be -1", input.count());
            return Err(Error::new("Reshape", message).hint(hint));
        };
        Ok(output)
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        let output = self.resolve(x.shape()[1..].iter().product()).expect("checked by `build`");
        x.reshape(output.inserted(0, x.shape()[0]))
    }
}
