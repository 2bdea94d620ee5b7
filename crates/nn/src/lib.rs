//! Layers, initializers, losses, metrics, optimizers and schedules. Users find all of it in the crate `cotangent`.

mod activation;
mod init;
mod layer;
mod layers;
mod losses;
mod metrics;
mod optimizers;
mod regularizer;
mod schedules;

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
pub use metrics::{
    Accuracy, Auc, Average, BinaryAccuracy, CategoricalAccuracy, ConfusionMatrix, Curve, F1Score, Metric, NamedMetric,
    Precision, Recall, RootMeanSquaredError, SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy, Sums,
    TopKCategoricalAccuracy, WeightedMetric,
};
pub use optimizers::{Adadelta, Adagrad, Adam, AdamW, Clip, Common, Optimizer, RmsProp, Sgd, State, Step, Target};
pub use regularizer::Regularizer;
pub use schedules::{
    CosineDecay, ExponentialDecay, LearningRate, OneCycle, PiecewiseConstant, PolynomialDecay, Schedule, StepDecay,
};
