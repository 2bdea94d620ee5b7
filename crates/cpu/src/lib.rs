//! Cotangent's kernels for the CPU: slices and layouts in, buffers out. No tensor, no gradient.

mod buffer;
mod device;
pub use device::CpuDevice;
pub mod par;
pub mod simd;

pub use buffer::Buffer;
