//! Part of Cotangent: training as Keras has it, and what it tells of itself.

mod compile;
mod data;
mod evaluate;
pub mod figure;
mod fit;
mod functional;
mod graph;
mod history;
mod layer_output;
mod model;
mod objective;
mod progress;
mod sequential;
mod sparkline;
mod step;
mod summary;
mod tensors;
mod torch;
mod weights;

pub use fit::Fit;
pub use functional::{Input, IntoLayer, Shared, Symbol, Symbols};
pub use history::{History, Score};
pub use model::Model;
pub use objective::Objective;
pub use progress::{Progress, Verbosity};
pub use sequential::{Seed, Sequential};
pub use sparkline::sparkline;
pub use tensors::Tensors;
