//! The ops, one file each, the derivative beside the value, and the tensor method that calls it.

mod binary;
mod cast;
mod check;
mod compare;
mod matmul;
mod operators;
mod pointwise;
mod reduce;
mod unary;
mod view;

pub use binary::*;
pub use cast::Cast;
pub use matmul::MatMul;
pub use pointwise::{binary, unary};
pub use reduce::*;
pub use unary::*;
pub use view::*;
