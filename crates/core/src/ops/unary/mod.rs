//! Pointwise ops of one operand.

mod exp;
mod relu;
mod scalar;

pub use exp::Exp;
pub use relu::Relu;
pub use scalar::{AddScalar, Scale};
