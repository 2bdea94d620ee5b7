//! Part of Cotangent: training as Keras has it, and what it tells of itself.

pub mod figure;
mod progress;

pub use progress::{Progress, Verbosity};
