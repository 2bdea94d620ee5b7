//! Part of Cotangent: training as Keras has it, and what it tells of itself.

mod callbacks;
mod checkpoint;
mod compile;
mod cursor;
mod data;
mod evaluate;
pub mod figure;
mod fit;
mod functional;
mod graph;
mod history;
mod interrupt;
mod layer_output;
mod model;
mod objective;
mod progress;
mod resident;
mod run;
mod running;
mod sequential;
mod sparkline;
mod step;
mod summary;
mod tally;
mod tensors;
mod torch;
mod weights;

#[cfg(feature = "tensorboard")]
pub use callbacks::TensorBoard;
pub use callbacks::{
    Callback, Context, CsvLogger, EarlyStopping, LambdaCallback, LearningRateScheduler, Logs, Mode, ModelCheckpoint,
    ReduceLrOnPlateau, SwapAverages, TerminateOnNan,
};
pub use fit::Fit;
pub use functional::{Input, IntoLayer, Shared, Symbol, Symbols};
pub use history::{History, Score};
pub use model::Model;
pub use objective::Objective;
pub use progress::{Progress, Verbosity};
pub use sequential::{Seed, Sequential};
pub use sparkline::sparkline;
pub use tensors::Tensors;
