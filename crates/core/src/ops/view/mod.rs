//! Other arrangements of the same elements: views of the same memory where strides can say it. Their derivatives
//! are the opposite arrangements.

mod concat;
mod expand;
mod pad;
mod permute;
mod reshape;
mod slice;

pub use concat::infer_concat;
pub use expand::Expand;
pub use pad::Pad;
pub use permute::Permute;
pub use reshape::Reshape;
pub use slice::Slice;
