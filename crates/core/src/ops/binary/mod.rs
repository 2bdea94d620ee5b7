//! Pointwise ops of two operands, broadcast as NumPy does.

mod add;
mod div;
mod mul;
mod sub;

pub use add::Add;
pub use div::Div;
pub use mul::Mul;
pub use sub::Sub;
