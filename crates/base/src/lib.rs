//! What every other room of Cotangent stands on: shapes, layouts, dtypes, the arithmetic that pointwise ops
//! are written in, the contract between tensors and devices, random numbers, errors. No kernel, no tensor.

mod dtype;
mod dual;
mod error;
mod kernels;
mod lane;
mod layout;
pub mod math;
mod pointwise;
mod precision;
pub mod rng;
mod scalar;
mod shape;
mod window;

pub use dtype::{DType, Element, Float};
pub use dual::Dual;
pub use error::{Error, Result, ShapeError};
pub use kernels::{Compare, Draw, IntegerOp, Kernels, Moved, NormStats, Reduce, View};
pub use lane::{Lane, Map, Update};
pub use layout::Layout;
pub use pointwise::{Binary, Forward1, Forward2, Saves, SecondVjp1, SecondVjp2, Unary, Vjp1, Vjp2};
pub use precision::MatmulPrecision;
pub use rng::{Rng, Stream};
pub use shape::{Axes, MAX_RANK, Shape};
pub use window::{ConvGeometry, DataFormat, Padding, PoolGeometry, Slide, Window, WindowSpec};
