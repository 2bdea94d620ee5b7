//! Part of Cotangent: training as Keras has it, and what it tells of itself.

mod progress;

pub use progress::{Progress, Verbosity};
