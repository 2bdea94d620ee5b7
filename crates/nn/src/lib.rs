//! Layers, initializers, losses and optimizers. Users find all of it in the crate `cotangent`.

mod activation;
mod init;
mod layer;
mod layers;
mod losses;
mod metrics;
mod optimizers;

pub use activation::Activation;
pub use init::Init;
pub use layer::{Build, Layer, Named, Param, Pass};
pub use layers::{
    AveragePool2d, BatchNorm, Conv2d, Dense, Dropout, Flatten, FlattenImages, GlobalAveragePool2d, MaxPool2d, Reshape,
};
pub use losses::{
    BinaryCrossentropy, CategoricalCrossentropy, Clipped, CrossEntropy, FromLogits, Huber, Loss, MeanAbsoluteError,
    MeanSquaredError, SparseCategoricalCrossentropy,
};
pub use metrics::{Accuracy, BinaryAccuracy, CategoricalAccuracy, Metric, SparseCategoricalAccuracy};
pub use optimizers::{Adadelta, Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd, State, Target};
