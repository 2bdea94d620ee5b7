//! Pointwise ops of two operands, broadcast as NumPy does.

mod add;
mod div;
mod maximum;
mod minimum;
mod mul;
mod pow;
mod sub;

pub use add::Add;
pub use div::Div;
pub use maximum::Maximum;
pub use minimum::Minimum;
pub use mul::Mul;
pub use pow::Pow;
pub use sub::Sub;
