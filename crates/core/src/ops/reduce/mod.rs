//! Reductions over any axes.

mod axes;
mod sum;

pub use axes::IntoAxes;
pub use sum::Sum;
