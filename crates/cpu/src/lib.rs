//! Cotangent's kernels for the CPU: slices and layouts in, buffers out. No tensor, no gradient.

mod buffer;
#[cfg(test)]
mod cases;
mod dense;
mod device;
mod dispatch;
pub mod naive;
pub mod par;
pub mod reduce;
pub mod simd;

pub use buffer::Buffer;
pub use device::CpuDevice;
