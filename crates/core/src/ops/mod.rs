//! The ops, one file each, the derivative beside the value, and the tensor method that calls it.

mod binary;
mod cast;
mod check;
mod compare;
mod index;
mod logic;
mod matmul;
mod nn;
mod operand;
mod operators;
mod pointwise;
mod reduce;
mod unary;
mod view;
mod where_;

pub use binary::*;
pub use cast::Cast;
pub use index::*;
pub use matmul::MatMul;
pub use nn::*;
pub use operand::Operand;
pub use pointwise::{binary, unary};
pub use reduce::*;
pub use unary::*;
pub use view::*;
pub use where_::Where;
