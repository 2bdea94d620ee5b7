//! # Cotangent
//!
//! Tensors, reverse-mode automatic differentiation and Keras-like training, written from scratch in Rust, with
//! every derivative checked.
//!
//! A model as Keras has it:
//!
//! ```
//! use cotangent::prelude::*;
//!
//! # fn main() -> cotangent::Result<()> {
//! let mnist = Mnist::synthetic(256, 64, 0);
//! let x_train = mnist.x_train.cast(DType::F32) / 255.0;
//! let mut model = Sequential::new([28, 28])
//!     .add(Flatten)
//!     .add(Dense::new(32).activation(Relu))
//!     .add(Dense::new(10).activation(Softmax))
//!     .build(&Device::best(), Seed(0))?;
//! model.compile(Adam::default(), SparseCategoricalCrossentropy, [Accuracy]);
//! let history = model.fit(&x_train, &mnist.y_train).epochs(3).verbose(0).run()?;
//! assert!(history["loss"][2] < history["loss"][0]);
//! # Ok(())
//! # }
//! ```
//!
//! And one floor below, with nothing hidden:
//!
//! ```
//! use cotangent::prelude::*;
//!
//! # fn main() -> cotangent::Result<()> {
//! let mut rng = Rng::new(0);
//! let x = Tensor::normal([64, 3], 0.0, 1.0, DType::F32, &mut rng);
//! let y = x.matmul(&Tensor::from([[1.0_f32], [-2.0], [0.5]])) + 3.0;
//!
//! let mut w = Tensor::zeros([3, 1]).tracked();
//! let mut b = Tensor::zeros([1]).tracked();
//! let mut optimizer = Sgd::new(0.1);
//! for _ in 0..200 {
//!     let loss = (x.linear(&w, Some(&b)) - &y).square().mean(..);
//!     let grads = loss.backward();
//!     optimizer.step([&mut w, &mut b], &grads)?;
//! }
//! assert!((b.item() - 3.0).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```
//!
//! Where things are: [`Tensor`] and its methods; [`Op`] and [`Unary`] for ops of your own; [`nn`] for layers, losses
//! and optimizers; [`train`] for models; [`data`] for MNIST and file formats; [`gradcheck`] for checking derivatives;
//! [`inspect`] for looking inside.

pub mod inspect;

/// All ops, with what is needed to check each on a device.
#[cfg(feature = "cases")]
pub use cotangent_cases as cases;
pub use cotangent_core::*;
/// Data sets, file formats, batches.
pub use cotangent_data as data;
/// Checking derivatives: your own ops' as well as the built-in ones'.
pub use cotangent_gradcheck as gradcheck;
/// Layers, initializers, losses, metrics, optimizers.
pub use cotangent_nn as nn;
/// Models and their training.
pub use cotangent_train as train;

/// The names that most programs want: `use cotangent::prelude::*;`.
pub mod prelude {
    pub use cotangent_core::{
        DType, DataFormat, Device, Grads, Order, Padding, Result, Rng, Shape, Tensor, grad, no_grad,
    };
    pub use cotangent_data::Mnist;
    pub use cotangent_nn::Activation::*;
    pub use cotangent_nn::*;
    pub use cotangent_train::{
        Callback, CsvLogger, EarlyStopping, History, Input, LambdaCallback, LearningRateScheduler, Model,
        ModelCheckpoint, Objective, ReduceLrOnPlateau, Score, Seed, Sequential, Shared, Symbol, Symbols, Tensors,
        TerminateOnNan,
    };
}
