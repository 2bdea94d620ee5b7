//! The layers, one file each.

mod average_pool2d;
mod batch_norm;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
mod global_average_pool2d;
mod image;
mod max_pool2d;
mod merge;
mod reshape;
mod weights;

pub use average_pool2d::AveragePool2d;
pub use batch_norm::BatchNorm;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::{Flatten, FlattenImages};
pub use global_average_pool2d::GlobalAveragePool2d;
pub use max_pool2d::MaxPool2d;
pub use merge::{Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract};
pub use reshape::Reshape;

use crate::Param;
use cotangent_core::{ShapeError, Tensor};

/// The two methods of [`Layer`](crate::Layer) that list the parameters, from the fields that hold them (each an
/// `Option<Param>`).
macro_rules! params {
    ($($($field:ident).+),*) => {
        fn params(&self) -> Vec<&$crate::Param> {
            [$(&self$(.$field)+),*].into_iter().flatten().collect()
        }

        fn params_mut(&mut self) -> Vec<&mut $crate::Param> {
            [$(&mut self$(.$field)+),*].into_iter().flatten().collect()
        }
    };
}
use params;

/// The value of a parameter that `build` has made.
fn built<'a>(kind: &'static str, param: &'a Option<Param>) -> &'a Tensor {
    match param {
        Some(param) => &param.value,
        None => ShapeError::new(kind, "called before it was built: add it to a model, or call `build` first").panic(),
    }
}
