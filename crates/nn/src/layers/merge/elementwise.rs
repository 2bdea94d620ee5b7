//! [`Add`], [`Subtract`], [`Multiply`], [`Average`], [`Maximum`], [`Minimum`]: several inputs into one, element by
//! element.

use super::{batches, several};
use crate::{Build, Merge, Pass};
use cotangent_core::{Error, Result, Shape, Tensor};

/// The shape that the inputs broadcast to. The batch axis must stay in its place, so all have the same rank.
fn broadcast(kind: &'static str, inputs: &[Shape]) -> Result<Shape> {
    several(kind, inputs)?;
    let fits = |all: Shape, next: &Shape| if all.rank() == next.rank() { all.broadcast(next) } else { None };
    inputs[1..].iter().try_fold(inputs[0], fits).ok_or_else(|| {
        let message = format!("inputs {} do not go together element by element", batches(inputs));
        Error::new(kind, message).hint("they need as many axes, and equal sizes, or 1, in each")
    })
}

fn fold(x: &[&Tensor], f: impl Fn(&Tensor, &Tensor) -> Tensor) -> Tensor {
    x[1..].iter().fold(x[0].clone(), |all, next| f(&all, next))
}

macro_rules! elementwise {
    ($($(#[$doc:meta])* $Name:ident = |$x:ident| $value:expr;)*) => {$(
        $(#[$doc])*
        /// Shapes: equal, but an axis of size 1 is repeated.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $Name;

        impl Merge for $Name {
            fn kind(&self) -> &'static str {
                stringify!($Name)
            }

            fn build(&mut self, inputs: &[Shape], _: &mut Build) -> Result<Shape> {
                broadcast(self.kind(), inputs)
            }

            fn call(&self, $x: &[&Tensor], _: &mut Pass) -> Tensor {
                $value
            }
        }
    )*};
}

elementwise! {
    /// The sum of the inputs: `a + b + …`. A residual connection ends in it.
    Add = |x| fold(x, |a, b| a + b);
    /// The product of the inputs: `a · b · …`.
    Multiply = |x| fold(x, |a, b| a * b);
    /// The mean of the inputs.
    Average = |x| fold(x, |a, b| a + b).scale(1.0 / x.len() as f64);
    /// The greatest of the inputs; where several are greatest they share the gradient.
    Maximum = |x| fold(x, |a, b| a.maximum(b));
    /// The least of the inputs; where several are least they share the gradient.
    Minimum = |x| fold(x, |a, b| a.minimum(b));
}

/// The first of two inputs less the second. Shapes: equal, but an axis of size 1 is repeated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subtract;

impl Merge for Subtract {
    fn kind(&self) -> &'static str {
        "Subtract"
    }

    fn build(&mut self, inputs: &[Shape], _: &mut Build) -> Result<Shape> {
        if inputs.len() > 2 {
            let message = format!("{} inputs {}, wants two", inputs.len(), batches(inputs));
            return Err(Error::new("Subtract", message).hint("add the ones to subtract first"));
        }
        broadcast("Subtract", inputs)
    }

    fn call(&self, x: &[&Tensor], _: &mut Pass) -> Tensor {
        x[0] - x[1]
    }
}
