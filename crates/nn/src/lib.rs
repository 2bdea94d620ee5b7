//! Layers, initializers, losses, metrics, optimizers and schedules. Users find all of it in the crate `cotangent`.

mod activation;
mod init;
mod layer;
mod layers;
mod losses;
mod merge;
mod metrics;
mod optimizers;
mod regularizer;
mod schedules;

pub use activation::Activation;
pub use init::Init;
pub use layer::{Affine, Behind, Build, Change, Layer, MaxPooling, Named, Param, Pass};
pub use layers::{
    Add, Average, AveragePool2d, BatchNorm, Concatenate, Conv2d, Dense, Dropout, Flatten, FlattenImages,
    GlobalAveragePool2d, MaxPool2d, Maximum, Minimum, Multiply, Reshape, Subtract,
};
pub use losses::{
    BinaryCrossentropy, CategoricalCrossentropy, Clipped, CrossEntropy, FromLogits, Huber, Loss, MeanAbsoluteError,
    MeanSquaredError, SparseCategoricalCrossentropy,
};
pub use merge::Merge;
pub use metrics::{
    Accuracy, Auc, Averaging, BinaryAccuracy, CategoricalAccuracy, ConfusionMatrix, Curve, F1Score, Metric,
    NamedMetric, Precision, Recall, RootMeanSquaredError, SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy,
    Sums, TopKCategoricalAccuracy, WeightedMetric,
};
pub use optimizers::{
    Adadelta, Adagrad, Adam, AdamW, Clip, Common, LossScale, Optimizer, RmsProp, Scaling, Sgd, State, Step, Target,
};
pub use regularizer::Regularizer;
pub use schedules::{
    CosineDecay, ExponentialDecay, LearningRate, OneCycle, PiecewiseConstant, PolynomialDecay, Schedule, StepDecay,
};
