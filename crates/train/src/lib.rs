//! Part of Cotangent: training as Keras has it, and what it tells of itself.

mod data;
mod evaluate;
pub mod figure;
mod fit;
mod graph;
mod history;
mod model;
mod progress;
mod sequential;
mod step;
mod summary;

pub use fit::Fit;
pub use history::{History, Score};
pub use model::Model;
pub use progress::{Progress, Verbosity};
pub use sequential::{Seed, Sequential};
