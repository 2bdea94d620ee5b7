//! Reductions over any axes.

mod arg;
mod axes;
mod extremum;
mod logsumexp;
mod mean;
mod prod;
mod sum;
mod var;

pub use axes::IntoAxes;
pub use extremum::{Max, Min};
pub use logsumexp::LogSumExp;
pub use prod::Prod;
pub use sum::Sum;
