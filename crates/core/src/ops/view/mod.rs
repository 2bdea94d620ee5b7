//! Views: other layouts of the same memory. Their derivatives are the opposite views.

mod expand;
mod permute;
mod reshape;
mod slice;

pub use expand::Expand;
pub use permute::Permute;
pub use reshape::Reshape;
pub use slice::Slice;
