//! Layers, initializers, losses and optimizers. Users find all of it in the crate `cotangent`.

mod layer;

pub use layer::{Build, Layer, Param, Pass};
