//! Cotangent's kernels for the CPU: slices and layouts in, buffers out. No tensor, no gradient.

mod buffer;
pub mod par;
pub mod simd;

pub use buffer::Buffer;
